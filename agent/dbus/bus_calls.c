/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/field.h"
#include "dbus/internal.h"
#include "fieldbus/fieldbus.h"

/*
 * What people ask of a bus. Everything here puts bytes on a wire or takes the
 * bus from its devices, and needs the rights to change things. userdata of what
 * ends later is the call that waits, which outlives the connection it came by.
 */

static const struct config_bus *config_of(const struct item *item)
{
	return &item->dbus->config.config->buses[item->id];
}

static struct log_about order_about(const struct item *item)
{
	return (struct log_about){ .bus = config_of(item)->name, .message_id = MESSAGE_ORDER };
}

/* A call that was taken keeps its message until its end; what could not begin is answered now. */
static int call_begun(sd_bus_message *call, int r, sd_bus_error *error)
{
	if (r < 0)
		return error_set(error, r,
				 r == -EBUSY	? "Too much is asked of the bus already" :
				 r == -EHOSTDOWN ? "Its plugin host does not run" :
						   NULL);
	sd_bus_message_ref(call);
	return 0;
}

/* ---- Attempt ---- */

struct attempt {
	sd_bus_message *call;
	struct dbus *dbus;
	const struct config *config; /* that what points to */
	struct arena arena;
	struct config_type type;
	struct fieldbus_attempt what;
};

static int append_reading(sd_bus_message *reply, const struct config_type *type,
			  const struct fieldway_sample *sample)
{
	const struct fieldway_value none = { .type = FIELDWAY_NONE };
	bool good = sample->quality == FIELDWAY_GOOD;
	int r;

	if (sample->point >= type->n_points)
		return 0;
	r = sd_bus_message_open_container(reply, 'r', "ssv");
	if (r >= 0)
		r = sd_bus_message_append(reply, "ss", type->points[sample->point].name,
					  field_problem(sample));
	if (r >= 0)
		r = field_value_append(reply, good ? &sample->value : &none);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int readings_reply(sd_bus_message *call, const struct config_type *type,
		   const struct fieldway_sample *samples, size_t n)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', AGENT1_READING);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_reading(reply, type, &samples[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static void attempt_free(struct attempt *a)
{
	sd_bus_message_unref(a->call);
	arena_done(&a->arena);
	free(a);
}

static void attempted(void *userdata, int error, const char *detail,
		      const struct fieldway_sample *samples, size_t n)
{
	struct attempt *a = userdata;
	int r = 0;

	/* A device that answers, if only that it has no such point, has been read. */
	if (n > 0)
		r = readings_reply(a->call, &a->type, samples, n);
	if (n == 0 || r < 0)
		call_fail(a->call, r < 0 ? r : error ?: -EIO, detail);
	attempt_free(a);
}

static void woken(void *userdata, int error, uint64_t n, uint64_t dropped)
{
	struct attempt *a = userdata;
	int r = a->config == a->dbus->config.config ? error : -ECANCELED;

	(void)n;
	(void)dropped;
	if (r >= 0)
		r = fieldbus_attempt(a->dbus->config.fieldbus, &a->what, attempted, a);
	if (r >= 0)
		return;
	call_fail(a->call, r, r == -EHOSTDOWN || r == -ETIMEDOUT ? "Its plugin host does not run" : NULL);
	attempt_free(a);
}

/* A bus without devices has no host until somebody asks it something. */
static int attempt_begin(struct attempt *a)
{
	struct fieldbus *f = a->dbus->config.fieldbus;
	int r = fieldbus_attempt(f, &a->what, attempted, a), woke;

	if (r != -EHOSTDOWN)
		return r;
	woke = fieldbus_wake(f, a->what.bus, woken, a);
	return woke == -EALREADY ? r : woke;
}

static int attempt_read(struct item *item, sd_bus_message *m, struct attempt *a, sd_bus_error *error)
{
	const struct config_plugin *plugin = config_of(item)->plugin;
	struct fieldbus_attempt *ret = &a->what;
	int r;

	*ret = (struct fieldbus_attempt){ .bus = item->id, .name = "attempt", .type = &a->type };
	a->type.plugin = plugin;
	a->type.profile = (char *)"attempt";
	r = field_settings_read(m, plugin,
				FIELDWAY_SCOPE_ADDRESS | FIELDWAY_SCOPE_DEVICE | FIELDWAY_SCOPE_PROFILE, &a->arena,
				&ret->address, error);
	if (r >= 0)
		r = field_settings_split(plugin, FIELDWAY_SCOPE_ADDRESS, &a->arena, &ret->address,
					 &a->type.settings);
	if (r >= 0)
		r = field_points_read(m, plugin, &a->arena, &a->type.points, &a->type.n_points, error);
	if (r >= 0)
		r = sd_bus_message_read(m, "t", &ret->within_usec);
	if (r >= 0 && (ret->within_usec == 0 || ret->within_usec > FIELDBUS_ATTEMPT_USEC_MAX))
		ret->within_usec = FIELDBUS_ATTEMPT_USEC_MAX;
	return r < 0 ? r : 0;
}

static int attempt_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	struct attempt *a = calloc(1, sizeof(*a));
	int r;

	(void)uid;
	if (!a)
		return -ENOMEM;
	a->dbus = item->dbus;
	a->config = item->dbus->config.config;
	r = attempt_read(item, m, a, error);
	if (r >= 0) {
		r = attempt_begin(a);
		r = call_begun(m, r, error);
		a->call = r < 0 ? NULL : m;
	}
	if (r < 0)
		attempt_free(a);
	return r;
}

int bus_attempt(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, attempt_allowed, error);
}

/* ---- Raw ---- */

static void raw_done(void *userdata, int error, const char *detail, const void *answer, size_t size)
{
	sd_bus_message *call = userdata, *reply = NULL;
	int r = error;

	if (r >= 0)
		r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_append_array(reply, 'y', answer, size);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		call_fail(call, r, detail);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(call);
}

static int raw_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	_cleanup_arena_ struct arena arena = { 0 };
	const struct log_about about = order_about(item);
	struct fieldway_settings address;
	const void *request;
	uint64_t within;
	size_t size;
	int r;

	r = field_settings_read(m, config_of(item)->plugin, FIELDWAY_SCOPE_ADDRESS, &arena, &address, error);
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &request, &size);
	if (r >= 0)
		r = sd_bus_message_read(m, "t", &within);
	if (r < 0)
		return r;
	if (size == 0 || size > FIELDBUS_RAW_MAX)
		return error_set(error, -E2BIG, "A request has 1 to 4096 bytes");
	within = within == 0 ? FIELDBUS_WRITE_USEC : MIN(within, FIELDBUS_RAW_USEC);
	log_notice(&about, "bus %s: uid %u sends a raw request of %zu bytes", about.bus, (unsigned)uid, size);
	r = fieldbus_raw(item->dbus->config.fieldbus, item->id, &address, request, size, within, raw_done, m);
	return call_begun(m, r, error);
}

int bus_raw(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, raw_allowed, error);
}

/* ---- Scan, Release, Record ---- */

static int reply_counts(sd_bus_message *call, uint64_t n, uint64_t dropped)
{
	return sd_bus_reply_method_return(call, "tt", n, dropped);
}

static void counted(void *userdata, int error, uint64_t n, uint64_t dropped)
{
	sd_bus_message *call = userdata;
	int r = error < 0 ? error : reply_counts(call, n, dropped);

	if (r < 0)
		call_fail(call, r, r == -EOPNOTSUPP ? "The plugin finds nothing in this way" : NULL);
	sd_bus_message_unref(call);
}

/* Told to the caller alone, and left out when it does not read. */
static void found(void *userdata, const char *address, const char *facts)
{
	sd_bus_message *call = userdata, *signal = NULL;
	uint64_t queued;
	int r;

	if (sd_bus_get_n_queued_write(sd_bus_message_get_bus(call), &queued) < 0 || queued >= QUEUED_MAX)
		return;
	r = sd_bus_message_new_signal(sd_bus_message_get_bus(call), &signal, sd_bus_message_get_path(call),
				      AGENT1_BUS, "Found");
	if (r >= 0)
		r = sd_bus_message_append(signal, "ss", address, facts);
	if (r >= 0)
		sd_bus_send_to(NULL, signal, sd_bus_message_get_sender(call), NULL);
	sd_bus_message_unref(signal);
}

static int scan_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	uint64_t usec;
	int r = sd_bus_message_read(m, "t", &usec);

	(void)uid;
	if (r < 0)
		return r;
	if (usec == 0 || usec > FIELDBUS_SCAN_USEC)
		return error_set(error, -EINVAL, "A scan takes up to an hour");
	r = fieldbus_scan(item->dbus->config.fieldbus, item->id, usec, found, counted, m);
	return call_begun(m, r, error);
}

int bus_scan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, scan_allowed, error);
}

static void released(void *userdata, int error, uint64_t n, uint64_t dropped)
{
	sd_bus_message *call = userdata;

	(void)n;
	(void)dropped;
	if (error < 0)
		call_fail(call, error, NULL);
	else
		sd_bus_reply_method_return(call, NULL);
	sd_bus_message_unref(call);
}

static int release_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	const struct log_about about = order_about(item);
	char text[FORMAT_USEC_MAX];
	uint64_t usec;
	int r = sd_bus_message_read(m, "t", &usec);

	if (r < 0)
		return r;
	if (usec > FIELDBUS_LENT_USEC)
		return error_set(error, -EINVAL, "A bus is lent for a day at most");
	log_notice(&about, "bus %s: uid %u %s%s", about.bus, (unsigned)uid, usec ? "takes it for " : "gives it back",
		   usec ? format_usec(usec, text) : "");
	r = fieldbus_release(item->dbus->config.fieldbus, item->id, usec, released, m);
	return call_begun(m, r, error);
}

int bus_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, release_allowed, error);
}

static int record_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	uint64_t usec;
	int fd, r = sd_bus_message_read(m, "ht", &fd, &usec);

	(void)uid;
	if (r < 0)
		return r;
	if (usec == 0 || usec > FIELDBUS_LENT_USEC)
		return error_set(error, -EINVAL, "A recording takes up to a day");
	r = fieldbus_record(item->dbus->config.fieldbus, item->id, fd, usec, counted, m);
	return call_begun(m, r, error);
}

int bus_record(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, record_allowed, error);
}
