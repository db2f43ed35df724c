/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"

/* logind and timedated, which decide with polkit what the agent may do (org.freedesktop.login1(5), timedate1(5)). */

#define WISH_USEC (10 * USEC_PER_SEC)
#define REASON_MAX 256u

static const struct service {
	const char *name, *object, *interface;
} logind = { "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager" },
  timedated = { "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1" };

struct wish {
	struct list list; /* dbus.wishes */
	sd_bus_slot *slot;
	struct timer deadline;
	dbus_done done;
	void *userdata;
};

static void wish_end(struct wish *w, int error, const char *reason)
{
	list_remove(&w->list);
	timer_disarm(&w->deadline);
	sd_bus_slot_unref(w->slot);
	w->done(w->userdata, error, reason);
	free(w);
}

/* What their errors mean to a server. */
static const struct {
	const char *name;
	int error;
	const char *text;
} errors[] = {
	{ SD_BUS_ERROR_INVALID_ARGS, -EINVAL, NULL },
	{ "org.freedesktop.timedate1.InvalidTimezone", -EINVAL, NULL },
	{ "org.freedesktop.timedate1.AutomaticTimeSyncEnabled", -EBUSY, "the clock follows the network" },
	{ "org.freedesktop.login1.OperationInProgress", -EBUSY, NULL },
	{ "org.freedesktop.login1.BlockedByInhibitorLock", -EBUSY, NULL },
	{ SD_BUS_ERROR_ACCESS_DENIED, -EIO, "polkit does not let the agent do it" },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, -EIO, "polkit does not let the agent do it" },
};

static void wish_refuse(struct wish *w, const sd_bus_error *e)
{
	char reason[REASON_MAX + 1], *text = reason;

	snprintf(reason, sizeof(reason), "%s", e->message ?: e->name);
	reason[utf8_valid_prefix(reason, strlen(reason))] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (!streq(errors[i].name, e->name))
			continue;
		wish_end(w, errors[i].error, errors[i].text ?: text);
		return;
	}
	wish_end(w, -EIO, reason);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	(void)unused;
	if (e)
		wish_refuse(userdata, e);
	else
		wish_end(userdata, 0, NULL);
	return 1;
}

static void on_deadline(struct timer *timer, void *userdata)
{
	(void)timer;
	wish_end(userdata, -ETIMEDOUT, "the service does not answer");
}

static int send_wish(struct dbus *d, struct wish *w, const struct service *s, const char *member, const char *types,
		     va_list arguments)
{
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(d->bus, &call, s->name, s->object, s->interface, member);

	if (r >= 0)
		r = sd_bus_message_appendv(call, types, arguments);
	if (r >= 0)
		r = sd_bus_call_async(d->bus, &w->slot, call, on_answer, w, UINT64_MAX);
	sd_bus_message_unref(call);
	return r;
}

static void ask(struct dbus *d, const struct service *s, const char *member, dbus_done done, void *userdata,
		const char *types, ...)
{
	struct wish *w = d && d->bus ? calloc(1, sizeof(*w)) : NULL;
	va_list arguments;
	int r;

	if (!w) {
		done(userdata, -EIO, "the agent has no connection to the system's services");
		return;
	}
	w->done = done;
	w->userdata = userdata;
	timer_init(&w->deadline, d->config.timers, on_deadline, w);
	list_append(&d->wishes, &w->list);
	va_start(arguments, types);
	r = send_wish(d, w, s, member, types, arguments);
	va_end(arguments);
	if (r >= 0)
		r = timer_arm_in(&w->deadline, WISH_USEC);
	if (r < 0)
		wish_end(w, -EIO, strerror(-r));
}

/* Of all of them the last argument: nobody is there who could be asked for a password. */

void dbus_reboot(struct dbus *d, dbus_done done, void *userdata)
{
	ask(d, &logind, "Reboot", done, userdata, "b", 0);
}

void dbus_set_time(struct dbus *d, uint64_t since_1970_usec, dbus_done done, void *userdata)
{
	/* Not relative. */
	ask(d, &timedated, "SetTime", done, userdata, "xbb", (int64_t)since_1970_usec, 0, 0);
}

void dbus_set_timezone(struct dbus *d, const char *name, dbus_done done, void *userdata)
{
	ask(d, &timedated, "SetTimezone", done, userdata, "sb", name, 0);
}

void wishes_init(struct dbus *d)
{
	list_init(&d->wishes);
}

void wishes_forget(struct dbus *d)
{
	while (!list_is_empty(&d->wishes))
		wish_end(list_entry(d->wishes.next, struct wish, list), -EIO,
			 "the connection to the system's services is gone");
}
