/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/moment.h"

void earliest(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

uint64_t retry_delay(unsigned failures)
{
	uint64_t delay = RETRY_FIRST_USEC;

	while (failures-- > 0 && delay < RETRY_LAST_USEC)
		delay *= 2;
	return delay < RETRY_LAST_USEC ? delay : RETRY_LAST_USEC;
}

/* Text for people: what is wrong with the bus of all its devices. */
static void condition_text(const struct fieldway_session *s, char *ret, size_t size)
{
	const char *name = s->adapter ? strrchr(s->adapter->path, '/') + 1 : s->settings.adapter;
	const char *colon = *s->trouble ? ": " : "";

	switch (s->condition) {
	case CONDITION_NO_BUS:
		snprintf(ret, size, "the system bus cannot be reached%s%s", colon, s->trouble);
		break;
	case CONDITION_NO_BLUEZ:
		snprintf(ret, size, "%s", *s->trouble ? s->trouble : "bluetoothd is not running");
		break;
	case CONDITION_NO_ADAPTER:
		if (s->settings.any_adapter)
			snprintf(ret, size, "there is no Bluetooth adapter");
		else
			snprintf(ret, size, "adapter %s is not there", s->settings.adapter);
		break;
	case CONDITION_OFF:
		snprintf(ret, size, "adapter %s is switched off%s%s", name, colon, s->trouble);
		break;
	case CONDITION_RELEASED:
		snprintf(ret, size, "the adapter is released");
		break;
	case CONDITION_LOOKING:
	case CONDITION_READY:
		*ret = 0;
		break;
	}
}

void session_tell(struct fieldway_session *s)
{
	char text[REASON_MAX];

	condition_text(s, text, sizeof(text));
	for (size_t i = 0; i < s->n_remotes; i++) {
		struct remote *r = s->remotes[i];

		if (*text)
			remote_tell(r, FIELDWAY_DEVICE_FAILED, "%s", text);
		else if (s->condition == CONDITION_READY && r->told && r->state == FIELDWAY_DEVICE_FAILED)
			remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "not heard since its adapter is back");
	}
}

static void forget(struct fieldway_session *s, enum condition condition)
{
	switch (condition) {
	case CONDITION_NO_BUS:
	case CONDITION_NO_BLUEZ:
	case CONDITION_LOOKING:
	case CONDITION_RELEASED:
		adapter_forget(s);
		tree_forget(s);
		break;
	case CONDITION_NO_ADAPTER:
	case CONDITION_OFF:
		adapter_forget(s);
		for (size_t i = 0; i < s->n_remotes; i++)
			connection_failed(s->remotes[i], NULL);
		break;
	case CONDITION_READY:
		break;
	}
}

void session_enter(struct fieldway_session *s, enum condition condition, const char *trouble)
{
	char text[sizeof(s->trouble)];

	snprintf(text, sizeof(text), "%s", trouble);
	if (condition != s->condition || condition == CONDITION_LOOKING) {
		s->condition = condition;
		forget(s, condition);
	}
	memcpy(s->trouble, text, sizeof(text));
	session_tell(s);
}

bool session_is_bluez(const struct fieldway_session *s, sd_bus_message *m)
{
	const char *sender = sd_bus_message_get_sender(m);

	return s->owner && sender && strcmp(s->owner, sender) == 0;
}

static void on_timer(void *userdata)
{
	session_turn(userdata);
}

void session_turn(struct fieldway_session *s)
{
	uint64_t now = moment_now_usec(), next = NEVER;

	if (s->turning)
		return;
	s->turning = true;
	link_turn(s, now, &next);
	tree_turn(s, now, &next);
	adapter_turn(s, now, &next);
	connections_turn(s, now, &next);
	scan_turn(s, now, &next);
	s->turning = false;
	s->host->timer_set(s->timer, next);
	link_arm(s);
}

static int make_remotes(struct fieldway_session *s, const struct fieldway_driver *const *drivers, size_t n)
{
	int r = 0;

	s->remotes = calloc(n + 1, sizeof(struct remote *));
	if (!s->remotes)
		return -ENOMEM;
	for (; r >= 0 && s->n_remotes < n; s->n_remotes += r >= 0)
		r = remote_new(s, drivers[s->n_remotes], (uint32_t)s->n_remotes, &s->remotes[s->n_remotes]);
	for (size_t i = 0; i < s->n_remotes; i++)
		s->remotes[i]->fresh = false;
	return r;
}

int session_start(const struct fieldway_bus *bus, const struct fieldway_driver *const *drivers, size_t n_drivers,
		  const struct fieldway_host *host, struct fieldway_session **ret)
{
	struct fieldway_session *s = calloc(1, sizeof(*s));
	struct fieldway_error error;
	int r;

	if (!s)
		return -ENOMEM;
	s->bus = bus;
	s->host = host;
	s->condition = CONDITION_LOOKING;
	s->quiet_usec = NEVER;
	r = bus_compile(bus, &s->settings, &error);
	if (r >= 0)
		r = make_remotes(s, drivers, n_drivers);
	if (r >= 0)
		r = host->timer_new(host, on_timer, s, &s->timer);
	if (r >= 0)
		r = host->timer_new(host, link_timeout, s, &s->link_timer);
	if (r < 0) {
		session_stop(s);
		return r;
	}
	/* States are told from the loop, not from within this call. */
	host->timer_set(s->timer, 0);
	*ret = s;
	return 0;
}

void session_stop(struct fieldway_session *s)
{
	if (!s)
		return;
	s->turning = true;
	for (size_t i = 0; i < s->n_remotes; i++)
		write_abort(s->remotes[i], -ENODEV, "the bus is stopped");
	adapter_leave(s);
	adapter_forget(s);
	tree_forget(s);
	link_close(s);
	scan_forget(s);
	s->host->timer_free(s->timer);
	s->host->timer_free(s->link_timer);
	for (size_t i = 0; i < s->n_remotes; i++)
		remote_free(s->remotes[i]);
	free(s->remotes);
	free(s->owner);
	bus_done(&s->settings);
	free(s);
}

void session_read(struct fieldway_session *s, uint32_t device, const uint32_t *points, size_t n)
{
	struct remote *r = s->remotes[device];

	for (size_t i = 0; i < n; i++) {
		const struct point *p = &r->driver->points[points[i]];

		if (p->source == SOURCE_GATT && p->readable)
			r->due_usec[points[i]] = 0;
	}
	/* Not from within this call: samples may follow at once. */
	s->host->timer_set(s->timer, 0);
}

void session_release(struct fieldway_session *s, bool released)
{
	if (released) {
		for (size_t i = 0; i < s->n_remotes; i++)
			write_abort(s->remotes[i], -ENODEV, "the adapter is released");
		adapter_leave(s);
		session_enter(s, CONDITION_RELEASED, "");
		link_close(s);
	} else if (s->condition == CONDITION_RELEASED) {
		s->retry_usec = 0;
		session_enter(s, CONDITION_LOOKING, "");
	}
	s->host->timer_set(s->timer, 0);
}
