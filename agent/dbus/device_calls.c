/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/field.h"
#include "dbus/internal.h"
#include "fieldbus/local.h"

/* Questions to a device's host. userdata of what ends later is the call that waits. */

static const struct config_type *type_of(const struct item *item)
{
	return item->dbus->config.config->devices[item->id].type;
}

/* What its state says, or that there is nobody to ask. */
static const char *why_down(const struct item *item)
{
	const char *reason;

	fieldbus_device_state(item->dbus->config.fieldbus, item->id, &reason);
	return !item->dbus->config.config->devices[item->id].enabled ? "It is disabled in the configuration" :
	       *reason						     ? reason :
								       "Its plugin host does not run";
}

/* ---- Read ---- */

/* Of a device that may be another one by the time of the answer: a reload cancels that. */
struct asking {
	sd_bus_message *call;
	struct dbus *dbus;
	char *device;
};

static struct asking *asking_new(const struct item *item, sd_bus_message *m)
{
	const struct config *c = item->dbus->config.config;
	struct asking *a = calloc(1, sizeof(*a));

	if (!a || str_replace(&a->device, c->devices[item->id].name) < 0) {
		free(a);
		return NULL;
	}
	a->dbus = item->dbus;
	a->call = sd_bus_message_ref(m);
	return a;
}

static void asking_free(struct asking *a)
{
	sd_bus_message_unref(a->call);
	free(a->device);
	free(a);
}

/* NULL: what was asked is no more. */
static const struct config_type *asking_type(const struct asking *a, int error)
{
	const struct config_device *device = config_device_find(a->dbus->config.config, a->device);

	return device && error != -ECANCELED ? device->type : NULL;
}

static void read_done(void *userdata, int error, const char *detail,
		      const struct fieldway_sample *samples, size_t n)
{
	struct asking *a = userdata;
	const struct config_type *type = asking_type(a, error);
	bool has_some = n > 0 && type;
	int r = has_some ? readings_reply(a->call, type, samples, n) : error ?: -EIO;

	if (r < 0)
		call_fail(a->call, r, has_some ? NULL : detail);
	asking_free(a);
}

static int find_point(const struct config_type *type, const char *name, uint32_t *ret)
{
	for (uint32_t i = 0; i < type->n_points; i++)
		if (streq(type->points[i].name, name)) {
			*ret = i;
			return 0;
		}
	return -ENOENT;
}

/* No name: all that can be read. */
static int read_points(sd_bus_message *m, const struct config_type *type, uint32_t **ret, size_t *ret_n,
		       sd_bus_error *error)
{
	_cleanup_free_ uint32_t *points = calloc(type->n_points + 1, sizeof(*points));
	char echo[ECHO_MAX + 1];
	const char *name;
	size_t n = 0, any;
	int r = points ? sd_bus_message_enter_container(m, 'a', "s") : -ENOMEM;

	while (r >= 0) {
		r = sd_bus_message_read_basic(m, 's', &name);
		if (r <= 0)
			break;
		if (n == type->n_points)
			return -E2BIG;
		if (find_point(type, name, &points[n++]) < 0) {
			sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "There is no point %s",
					  error_echo(name, echo));
			return -EINVAL;
		}
	}
	any = n;
	for (uint32_t i = 0; r >= 0 && any == 0 && i < type->n_points; i++)
		if (type->points[i].access & CONFIG_ACCESS_READ)
			points[n++] = i;
	if (r >= 0) {
		*ret = TAKE_PTR(points);
		*ret_n = n;
	}
	return r;
}

static int read_allowed(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error)
{
	_cleanup_free_ uint32_t *points = NULL;
	struct asking *a;
	size_t n = 0;
	int r;

	(void)uid;
	r = read_points(m, type_of(item), &points, &n, error);
	if (r < 0)
		return r;
	if (type_of(item)->plugin == &config_plugin_local)
		return error_set(error, -EPERM, "Nobody can ask its program: it publishes by itself");
	a = asking_new(item, m);
	if (!a)
		return -ENOMEM;
	r = fieldbus_read(item->dbus->config.fieldbus, item->id, points, n, read_done, a);
	if (r >= 0)
		return 0;
	asking_free(a);
	return error_set(error, r,
			 r == -EHOSTDOWN ? why_down(item) :
			 r == -EINVAL	 ? "It has no such point to read" :
			 r == -EBUSY	 ? "Too much is asked of its plugin host already" :
					   NULL);
}

int device_read(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return order_authorize(userdata, m, RIGHT_FIELD, read_allowed, error);
}

/* ---- GetStatistics ---- */

static int append_requests(sd_bus_message *reply, const struct fieldbus_device_details *d)
{
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_REQUEST_STATISTICS);

	for (size_t i = 0; r >= 0 && i < d->n_requests; i++) {
		const struct fieldbus_request_statistics *s = &d->requests[i];

		r = sd_bus_message_append(reply, AGENT1_REQUEST_STATISTICS, s->text, s->period_usec,
					  s->effective_usec, s->requests, s->errors, s->timeouts, s->exceptions,
					  s->last_usec, s->mean_usec, s->max_usec);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_points(sd_bus_message *reply, const struct config_type *type,
			 const struct fieldbus_device_details *d)
{
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_POINT_STATISTICS);

	for (size_t i = 0; r >= 0 && i < d->n_points; i++) {
		const struct fieldbus_point_statistics *s = &d->points[i];

		if (s->point < type->n_points)
			r = sd_bus_message_append(reply, AGENT1_POINT_STATISTICS, type->points[s->point].name, s->good,
						  s->invalid, s->failed, s->unchanged, s->conflated, s->text);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void counted(void *userdata, int error, const char *detail, const struct fieldbus_device_details *details)
{
	struct asking *a = userdata;
	const struct config_type *type = asking_type(a, error);
	sd_bus_message *reply = NULL;
	int r = error < 0 || type ? error : -ECANCELED;

	if (r >= 0)
		r = sd_bus_message_new_method_return(a->call, &reply);
	if (r >= 0)
		r = append_requests(reply, details);
	if (r >= 0)
		r = append_points(reply, type, details);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		call_fail(a->call, r, detail);
	sd_bus_message_unref(reply);
	asking_free(a);
}

/* A program makes no requests, and what it says is counted here. */
static int count_local(const struct item *item, struct asking *a)
{
	size_t n = type_of(item)->n_points;
	_cleanup_free_ struct fieldbus_point_statistics *points = calloc(n + 1, sizeof(*points));
	const struct fieldbus_device_details details = { .points = points, .n_points = n };
	struct fieldbus_local_counters c;

	if (!points)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		fieldbus_local_counters(item->dbus->config.fieldbus, item->id, i, &c);
		points[i] = (struct fieldbus_point_statistics){
			.point = i, .good = c.good, .invalid = c.invalid, .failed = c.failed, .text = ""
		};
	}
	counted(a, 0, "", &details);
	return 0;
}

int device_get_statistics(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	struct asking *a = asking_new(item, m);
	int r;

	if (!a)
		return -ENOMEM;
	if (type_of(item)->plugin == &config_plugin_local) {
		r = count_local(item, a);
		if (r < 0)
			asking_free(a);
		return r < 0 ? r : 1;
	}
	r = fieldbus_statistics_get(item->dbus->config.fieldbus, item->id, counted, a);
	if (r >= 0)
		return 1;
	asking_free(a);
	return error_set(error, r, r == -EHOSTDOWN ? "Its plugin host does not run, or it is disabled" : NULL);
}
