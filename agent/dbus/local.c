/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/field.h"
#include "dbus/internal.h"
#include "dbus/presence.h"
#include "dbus/publish.h"
#include "fieldbus/local.h"

/* Local devices: the programs that publish for them, and are told what to write. */

/* One that has published for a device, and is on the bus. */
struct program {
	struct list list; /* dbus.programs */
	struct item *item;
	uid_t uid;
	bool known; /* by rights of its own, which it has as long as its connection */
	struct presence presence;
};

static const struct config_device *device_of(const struct item *item)
{
	return &item->dbus->config.config->devices[item->id];
}

/* The one that published last; NULL: none. */
static struct program *program_find(const struct item *item)
{
	struct program *p, *last = NULL;

	list_for_each(p, &item->dbus->programs, list)
		if (p->item == item)
			last = p;
	return last;
}

static struct program *program_of(const struct item *item, const char *sender)
{
	struct program *p;

	list_for_each(p, &item->dbus->programs, list)
		if (p->item == item && streq(p->presence.sender, sender))
			return p;
	return NULL;
}

static void program_free(struct program *p)
{
	list_remove(&p->list);
	presence_done(&p->presence);
	free(p);
}

static void program_left(void *userdata)
{
	struct program *p = userdata;
	struct item *item = p->item;

	program_free(p);
	/* Another one that is there has the say again, as before it came. */
	if (!program_find(item))
		fieldbus_program_left(item->dbus->config.fieldbus, item->id);
}

static void drop_first(const struct item *item)
{
	struct program *p, *first = NULL;
	unsigned n = 0;

	list_for_each(p, &item->dbus->programs, list)
		if (p->item == item) {
			first = first ?: p;
			n++;
		}
	if (n > PROGRAMS_OF_DEVICE_MAX)
		program_free(first);
}

static int program_new(struct item *item, const char *sender, uid_t uid, struct program **ret)
{
	struct program *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->item = item;
	p->uid = uid;
	list_init(&p->list);
	r = presence_init(&p->presence, item->dbus, sender, program_left, p);
	if (r < 0) {
		program_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

/* It is the last one now, and is told what to write; the others have their say again when it leaves. */
static int program_set(struct item *item, sd_bus_message *m, uid_t uid)
{
	const char *sender = sd_bus_message_get_sender(m);
	struct program *p = program_of(item, sender);
	int r = p ? 0 : program_new(item, sender, uid, &p);

	if (r < 0)
		return r;
	p->known |= !order_is_of_polkit(item, m);
	list_remove(&p->list);
	list_append(&item->dbus->programs, &p->list);
	drop_first(item);
	return 0;
}

void programs_init(struct dbus *d)
{
	list_init(&d->programs);
}

void programs_forget(struct dbus *d, bool tell)
{
	while (!list_is_empty(&d->programs)) {
		struct program *p = list_entry(d->programs.next, struct program, list);

		if (tell)
			program_left(p);
		else
			program_free(p);
	}
}

void programs_drop(const struct item *item)
{
	struct program *p;

	list_for_each(p, &item->dbus->programs, list)
		if (p->item == item)
			program_free(p);
}

/* Who has no rights here is not told even this. */
static int check_local(const struct item *item, sd_bus_error *error)
{
	return device_of(item)->type->plugin == &config_plugin_local ?
		       0 :
		       sd_bus_error_set(error, AGENT1_ERROR_NOT_LOCAL,
					"It is no local device: its plugin reads and writes it");
}

/* ---- Publish ---- */

static int refuse_publication(const struct item *item, const struct publication *p, int r, size_t at,
			      sd_bus_error *error)
{
	const struct config_type *type = device_of(item)->type;

	switch (r) {
	case -ESTALE:
		return sd_bus_error_setf(error, AGENT1_ERROR_WRONG_TIME, "Point %s has a later value already",
					 type->points[p->samples[at].point].name);
	case -EHOSTDOWN:
		return error_set(error, -EPERM,
				 device_of(item)->enabled ? "It is paused, or switched off" :
							    "It is disabled in the configuration");
	case -ENOSPC:
		return error_set(error, r, "Too many values in a second: try again later");
	default:
		return error_set(error, r, NULL);
	}
}

static int publish_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct publication p = { 0 };
	size_t at = 0;
	int r = check_local(item, error);

	if (r >= 0)
		r = publication_read(m, device_of(item)->type, &p, error);
	if (r < 0)
		return r;
	r = fieldbus_publish(item->dbus->config.fieldbus, item->id, p.samples, p.n, &at);
	r = r < 0 ? refuse_publication(item, &p, r, at, error) :
		    program_set(item, m, uid);
	publication_done(&p);
	return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

/*
 * Who has published for it before has shown who he is; no other connection will
 * ever have his name. But one call of his must not overtake another one.
 */
static int authorize(struct item *item, sd_bus_message *m, order_handler allowed, sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(m);
	const struct program *p = sender ? program_of(item, sender) : NULL;
	int r;

	if (!p || !p->known || orders_wait(item, sender))
		return order_authorize(item, m, RIGHT_PUBLISH, allowed, error);
	r = allowed(item, m, p->uid, error);
	return r < 0 ? r : 1;
}

int device_publish(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return authorize(userdata, m, publish_allowed, error);
}

/* ---- WriteRequested, CompleteWrite ---- */

static int send_write(const struct program *p, uint64_t serial, const char *point,
		      const struct fieldway_value *value)
{
	struct dbus *d = p->item->dbus;
	_cleanup_free_ char *object = items_path(&d->devices, d, p->item->id);
	sd_bus_message *signal = NULL;
	int r = object ? sd_bus_message_new_signal(d->bus, &signal, object, AGENT1_DEVICE, "WriteRequested") :
			 -ENOMEM;

	if (r >= 0)
		r = sd_bus_message_append(signal, "ts", serial, point);
	if (r >= 0)
		r = field_value_append(signal, value);
	if (r >= 0)
		r = sd_bus_send_to(NULL, signal, p->presence.sender, NULL);
	sd_bus_message_unref(signal);
	return r < 0 ? r : 0;
}

int dbus_local_write(struct dbus *d, uint32_t device, uint64_t serial, uint32_t point,
		     const struct fieldway_value *value)
{
	struct program *p = d && d->named && device < d->devices.n ? program_find(d->devices.items[device]) : NULL;

	if (!p)
		return -EHOSTDOWN;
	if (!has_room_for_signal(d))
		return -EBUSY;
	return send_write(p, serial, device_of(p->item)->type->points[point].name, value);
}

/* How a program's words for what went wrong are those of a device (api/plugin.h). */
static const struct outcome {
	const char *word;
	bool sent;
	int error;
} outcomes[] = {
	{ "", true, 0 },
	{ "invalid", true, -EINVAL },
	{ "busy", false, -EBUSY },
	{ "unreachable", false, -EHOSTDOWN },
	{ "failed", true, -EIO },
};

static int complete_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct outcome *outcome = NULL;
	const char *word, *detail;
	char echo[ECHO_MAX + 1];
	uint64_t serial;
	int r = check_local(item, error);

	(void)uid;
	if (r >= 0)
		r = sd_bus_message_read(m, "tss", &serial, &word, &detail);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (streq(outcomes[i].word, word))
			outcome = &outcomes[i];
	if (!outcome)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "%s is none of invalid, busy, unreachable, failed and \"\"",
					 error_echo(word, echo));
	r = fieldbus_complete(item->dbus->config.fieldbus, item->id, serial, outcome->sent, outcome->error,
			      error_echo(detail, echo));
	if (r == -ENOENT)
		return sd_bus_error_set(error, AGENT1_ERROR_NO_SUCH_WRITE, "No write of this number waits to be completed");
	return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

int device_complete_write(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return authorize(userdata, m, complete_allowed, error);
}
