/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/moment.h"
#include "session.h"

#define BLUEZ_ERROR "org.bluez.Error."
#define BLUEZ_FAILED BLUEZ_ERROR "Failed" /* says everything in prose */

static void finish(struct fieldway_session *s, struct fieldway_ticket *ticket, enum fieldway_outcome outcome, int error,
		   const char *text)
{
	struct fieldway_result result = { .error = error };

	snprintf(result.detail, sizeof(result.detail), "%.*s", (int)sizeof(result.detail) - 1, text);
	s->host->written(s->host, ticket, outcome, &result);
}

/* The at-th of those that wait. */
static void end(struct remote *r, size_t at, enum fieldway_outcome outcome, int error, const char *text)
{
	struct write *w = r->writes[at];

	if (at == 0)
		r->writing = false;
	memmove(r->writes + at, r->writes + at + 1, (--r->n_writes - at) * sizeof(r->writes[0]));
	finish(r->session, w->ticket, outcome, error, text);
	free(w);
}

void write_lost(struct remote *r, const char *reason)
{
	if (!r->writing)
		return;
	r->call = sd_bus_slot_unref(r->call);
	end(r, 0, FIELDWAY_UNKNOWN, -ECONNRESET, reason);
}

void write_abort(struct remote *r, int error, const char *reason)
{
	write_lost(r, reason);
	while (r->n_writes > 0)
		end(r, 0, FIELDWAY_NOT_SENT, error, reason);
}

void write_expire(struct remote *r, uint64_t now, uint64_t *next)
{
	/* From behind: the first may be under way, and ends by its call. */
	for (size_t i = r->n_writes; i-- > (r->writing ? 1u : 0u);) {
		if (now >= r->writes[i]->deadline_usec)
			end(r, i, FIELDWAY_NOT_SENT, -ETIMEDOUT,
			    *r->reason ? r->reason : "the device could not be connected in time");
		else
			earliest(next, r->writes[i]->deadline_usec);
	}
}

/* What bluetoothd or the bus says instead of sending anything (BlueZ, src/gatt-client.c, characteristic_write_value()). */
static bool is_local(int trouble, const sd_bus_error *error)
{
	if (trouble == -ECONNRESET)
		return !sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
	return trouble == -EBUSY || trouble == -ENODEV || sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_INTERFACE);
}

enum fieldway_outcome write_outcome(int trouble, const sd_bus_error *error)
{
	if (is_local(trouble, error))
		return FIELDWAY_NOT_SENT;
	switch (trouble) {
	case -EINVAL:
	case -ENXIO:
	case -EOPNOTSUPP:
		return FIELDWAY_REFUSED;
	case -EREMOTEIO:
		if (sd_bus_error_has_name(error, BLUEZ_FAILED) ? error->message && strstr(error->message, "ATT error") :
								 strncmp(error->name, BLUEZ_ERROR, strlen(BLUEZ_ERROR)) == 0)
			return FIELDWAY_REFUSED;
		return FIELDWAY_UNKNOWN;
	}
	return FIELDWAY_UNKNOWN;
}

static int on_written(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char text[sizeof(r->reason)] = "";
	int trouble = e ? trouble_of(e, text, sizeof(text)) : 0;

	r->call = sd_bus_slot_unref(r->call);
	r->session->host->count(r->session->host, r->index, 1, e != NULL, trouble == -ETIMEDOUT);
	if (!e)
		r->failures = 0;
	end(r, 0, e ? write_outcome(trouble, e) : FIELDWAY_ACCEPTED, trouble, text);
	return 0;
}

static int send_write(struct remote *r, const struct characteristic *c, const struct point *p, const struct write *w)
{
	bool command = p->without_response || !c->can_write;
	uint64_t now = moment_now_usec(), timeout = gatt_timeout(r);
	sd_bus_message *m = NULL;
	int e = link_call(r->session, c->path, BLUEZ_CHARACTERISTIC, "WriteValue", &m);

	if (timeout > w->deadline_usec - now)
		timeout = w->deadline_usec - now;
	if (e >= 0)
		e = sd_bus_message_append_array(m, 'y', w->bytes, w->size);
	if (e >= 0)
		e = sd_bus_message_append(m, "a{sv}", 1, "type", "s", command ? "command" : "request");
	if (e >= 0)
		e = link_send(r->session, &r->call, m, on_written, r, timeout);
	sd_bus_message_unref(m);
	return e;
}

bool write_next(struct remote *r)
{
	while (r->n_writes > 0) {
		const struct write *w = r->writes[0];
		const struct point *p = &r->driver->points[w->point];
		const struct characteristic *c = gatt_find(r, p);
		int e;

		if (moment_now_usec() >= w->deadline_usec) {
			end(r, 0, FIELDWAY_NOT_SENT, -ETIMEDOUT, "the device was busy for too long");
		} else if (!c) {
			end(r, 0, FIELDWAY_NOT_SENT, -ENXIO, "the device has no such characteristic");
		} else if (!c->can_write && !c->can_command) {
			end(r, 0, FIELDWAY_NOT_SENT, -EOPNOTSUPP, "the characteristic cannot be written");
		} else {
			e = send_write(r, c, p, w);
			r->writing = e >= 0;
			if (r->writing)
				return true;
			end(r, 0, FIELDWAY_NOT_SENT, -EIO, strerror(-e));
		}
	}
	return false;
}

/* A bus in trouble, or a device that is known to be gone, is told at once. */
static const char *why_not(const struct remote *r)
{
	if (r->session->condition != CONDITION_READY)
		return *r->reason ? r->reason : "the adapter is not ready";
	if (r->n_writes == WRITES_MAX)
		return "too many writes wait for this device";
	return NULL;
}

void session_write(struct fieldway_session *s, uint32_t device, uint32_t point, const struct fieldway_value *value,
		   uint64_t deadline_usec, struct fieldway_ticket *ticket)
{
	struct remote *r = s->remotes[device];
	struct fieldway_error error;
	const char *reason = why_not(r);
	struct write *w;
	ssize_t n;

	if (reason) {
		finish(s, ticket, FIELDWAY_NOT_SENT, r->n_writes == WRITES_MAX ? -EBUSY : -ENODEV, reason);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		finish(s, ticket, FIELDWAY_NOT_SENT, -EIO, "no memory");
		return;
	}
	n = driver_encode(r->driver, point, value, w->bytes, sizeof(w->bytes), &error);
	if (n < 0) {
		finish(s, ticket, FIELDWAY_NOT_SENT, (int)n, error.text);
		free(w);
		return;
	}
	w->ticket = ticket;
	w->point = point;
	w->deadline_usec = deadline_usec;
	w->size = (size_t)n;
	r->writes[r->n_writes++] = w;
	r->retry_usec = 0;
	s->host->timer_set(s->timer, 0);
}
