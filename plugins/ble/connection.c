/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "plugins/lib/moment.h"
#include "session.h"

/*
 * An adapter holds few connections at once. Devices that need one wait in line;
 * one that has had its turn makes room for those behind it.
 */

bool remote_needs_connection(const struct remote *r)
{
	return r->driver->needs_connection;
}

static bool wants_connection(const struct remote *r, uint64_t now)
{
	return r->n_writes > 0 || r->driver->notifies || (r->driver->pair && !r->paired) || gatt_next(r) <= now;
}

/* Calls of a phase that is over have no meaning any more. */
static void enter_phase(struct remote *r, enum phase phase, uint64_t deadline)
{
	if (phase == PHASE_IDLE || phase == PHASE_LEAVING)
		gatt_abort(r);
	if (phase == PHASE_IDLE || phase == PHASE_READY)
		r->connect = sd_bus_slot_unref(r->connect);
	if (phase == PHASE_READY) {
		r->held_usec = r->used_usec = moment_now_usec();
		gatt_begin(r);
	}
	r->phase = phase;
	r->deadline_usec = deadline;
	r->waiting_usec = 0;
}

static bool has_broadcasts(const struct remote *r)
{
	for (size_t i = 0; i < r->driver->n_points; i++)
		if (r->driver->points[i].source != SOURCE_GATT)
			return true;
	return false;
}

/* A device that is heard is not offline because nobody gets a connection: then its characteristics have failed. */
static void tell_unreachable(struct remote *r, const char *reason)
{
	size_t n = 0;

	if (!has_broadcasts(r)) {
		remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "%s", reason);
		return;
	}
	for (uint32_t i = 0; i < r->driver->n_points; i++)
		if (r->driver->points[i].source == SOURCE_GATT && r->driver->points[i].readable)
			r->samples[n++] = (struct fieldway_sample){ .point = i,
								    .quality = FIELDWAY_FAILED,
								    .error = -EHOSTUNREACH,
								    .boottime_usec = moment_boottime_usec() };
	r->session->host->samples(r->session->host, r->index, r->samples, n);
}

void connection_failed(struct remote *r, const char *reason)
{
	write_lost(r, reason ? reason : "the adapter is gone");
	enter_phase(r, PHASE_IDLE, NEVER);
	if (!reason) {
		r->failures = 0;
		r->retry_usec = 0;
		return;
	}
	r->retry_usec = moment_now_usec() + retry_delay(r->failures++);
	r->session->host->count(r->session->host, r->index, 1, 1, 0);
	if (r->failures >= OFFLINE_AFTER)
		tell_unreachable(r, reason);
}

static int call_device(struct remote *r, const char *member, sd_bus_message_handler_t handler, uint64_t timeout)
{
	sd_bus_message *m = NULL;
	int e = link_call(r->session, r->path, BLUEZ_DEVICE, member, &m);

	r->connect = sd_bus_slot_unref(r->connect);
	if (e >= 0)
		e = link_send(r->session, &r->connect, m, handler, r, timeout);
	sd_bus_message_unref(m);
	return e;
}

static int on_connect(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char text[sizeof(r->reason)];

	r->connect = sd_bus_slot_unref(r->connect);
	if (!e || sd_bus_error_has_name(e, "org.bluez.Error.AlreadyConnected")) {
		if (r->phase == PHASE_CONNECTING)
			enter_phase(r, PHASE_RESOLVING, moment_now_usec() + RESOLVE_USEC);
		return 0;
	}
	/* Somebody else is at it already: the property will tell. */
	if (sd_bus_error_has_name(e, "org.bluez.Error.InProgress"))
		return 0;
	trouble_of(e, text, sizeof(text));
	if (r->phase == PHASE_CONNECTING || r->phase == PHASE_RESOLVING)
		connection_failed(r, text);
	return 0;
}

static int on_pair(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char text[sizeof(r->reason)];

	r->connect = sd_bus_slot_unref(r->connect);
	if (r->phase != PHASE_PAIRING)
		return 0;
	if (!e || sd_bus_error_has_name(e, "org.bluez.Error.AlreadyExists")) {
		r->paired = true;
		enter_phase(r, r->connected ? PHASE_RESOLVING : PHASE_IDLE, moment_now_usec() + RESOLVE_USEC);
		return 0;
	}
	trouble_of(e, text, sizeof(text));
	connection_failed(r, text);
	return 0;
}

static int on_disconnect(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;

	r->connect = sd_bus_slot_unref(r->connect);
	if (r->phase == PHASE_LEAVING && !r->connected)
		enter_phase(r, PHASE_IDLE, NEVER);
	return 0;
}

static void begin(struct remote *r, uint64_t now)
{
	bool pair = r->driver->pair && !r->paired;
	int e;

	if (pair)
		e = call_device(r, "Pair", on_pair, PAIR_USEC);
	else if (r->connected)
		e = 0;
	else
		e = call_device(r, "Connect", on_connect, CONNECT_USEC + RESOLVE_USEC);
	if (e < 0)
		connection_failed(r, strerror(-e));
	else if (pair)
		enter_phase(r, PHASE_PAIRING, now + PAIR_USEC);
	else if (r->connected)
		enter_phase(r, PHASE_RESOLVING, now + RESOLVE_USEC);
	else
		enter_phase(r, PHASE_CONNECTING, now + CONNECT_USEC);
}

/* bluetoothd would hold it on, and nobody count it. */
void connection_drop(struct remote *r, const char *reason)
{
	if (r->path)
		call_device(r, "Disconnect", on_disconnect, LEAVE_USEC);
	connection_failed(r, reason);
}

static void leave(struct remote *r, uint64_t now)
{
	enter_phase(r, PHASE_LEAVING, now + LEAVE_USEC);
	if (call_device(r, "Disconnect", on_disconnect, LEAVE_USEC) < 0)
		enter_phase(r, PHASE_IDLE, NEVER);
}

void connection_changed(struct remote *r)
{
	uint64_t now = moment_now_usec();

	switch (r->phase) {
	case PHASE_IDLE:
		break;
	case PHASE_CONNECTING:
		/* The call goes on until the services are resolved, too, and may still fail. */
		if (r->connected)
			enter_phase(r, PHASE_RESOLVING, now + RESOLVE_USEC);
		break;
	case PHASE_PAIRING:
		/* Pairing has connections of its own; the call tells its end. */
		break;
	case PHASE_RESOLVING:
		if (!r->connected)
			connection_failed(r, "the connection was lost");
		break;
	case PHASE_READY:
		if (!r->connected) {
			connection_failed(r, "the connection was lost");
		} else if (!r->resolved) {
			/* Its services have changed. */
			gatt_abort(r);
			enter_phase(r, PHASE_RESOLVING, now + RESOLVE_USEC);
		}
		break;
	case PHASE_LEAVING:
		if (!r->connected)
			enter_phase(r, PHASE_IDLE, NEVER);
		break;
	}
}

/* ---- turns ---- */

static void wait_idle(struct remote *r, uint64_t now, uint64_t *next)
{
	if (!wants_connection(r, now)) {
		r->waiting_usec = 0;
		earliest(next, gatt_next(r));
		return;
	}
	if (r->waiting_usec == 0)
		r->waiting_usec = now;
	if (r->path) {
		if (now < r->retry_usec)
			earliest(next, r->retry_usec);
	} else if (now < r->waiting_usec + UNSEEN_USEC) {
		earliest(next, r->waiting_usec + UNSEEN_USEC);
	} else {
		remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "not in reach of the adapter");
	}
}

static void use(struct remote *r, uint64_t now, uint64_t *next)
{
	if (gatt_turn(r, now)) {
		r->used_usec = now;
		return;
	}
	if (r->phase != PHASE_READY)
		return;
	earliest(next, gatt_next(r));
	/* What was written may be read back, and one write often follows another. */
	if (r->driver->notifies || gatt_next(r) <= now + LINGER_USEC)
		return;
	if (now < r->used_usec + LINGER_USEC)
		earliest(next, r->used_usec + LINGER_USEC);
	else
		leave(r, now);
}

static void advance(struct remote *r, uint64_t now, uint64_t *next)
{
	if (r->phase == PHASE_RESOLVING && r->resolved)
		enter_phase(r, PHASE_READY, NEVER);
	if (now >= r->deadline_usec) {
		if (r->phase == PHASE_LEAVING)
			enter_phase(r, PHASE_IDLE, NEVER);
		else
			connection_drop(r,
				r->phase == PHASE_RESOLVING ? "connected, but its services were not resolved" :
				r->phase == PHASE_PAIRING   ? "pairing took too long" :
							      "no connection: out of reach, or connected elsewhere");
	}
	earliest(next, r->deadline_usec);
	if (r->phase == PHASE_IDLE)
		wait_idle(r, now, next);
	else if (r->phase == PHASE_READY)
		use(r, now, next);
}

/* Whoever has something to write, then who has waited longest. */
static struct remote *next_in_line(struct fieldway_session *s, uint64_t now)
{
	struct remote *best = NULL;

	for (size_t i = 0; i < s->n_remotes; i++) {
		struct remote *r = s->remotes[i];
		bool writes = r->n_writes > 0, best_writes = best && best->n_writes > 0;

		if (r->phase != PHASE_IDLE || r->waiting_usec == 0 || !r->path || now < r->retry_usec)
			continue;
		if (!best || (writes && !best_writes) ||
		    (writes == best_writes && r->waiting_usec < best->waiting_usec))
			best = r;
	}
	return best;
}

/* When a device that holds a connection has to let another one have it. */
static uint64_t turn_ends(const struct remote *r, uint64_t now)
{
	return wants_connection(r, now) ? r->held_usec + SHARE_USEC : now;
}

/* Who does not need its connection, or else has had it longest, and is not in the middle of something. */
static void make_room(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	struct remote *longest = NULL;

	for (size_t i = 0; i < s->n_remotes; i++) {
		struct remote *r = s->remotes[i];

		if (r->phase == PHASE_LEAVING)
			return;
		if (r->phase == PHASE_READY && !r->call &&
		    (!longest || turn_ends(r, now) < turn_ends(longest, now)))
			longest = r;
	}
	if (!longest)
		return;
	if (now >= turn_ends(longest, now))
		leave(longest, now);
	else
		earliest(next, turn_ends(longest, now));
}

void connections_turn(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	struct remote *r;
	size_t used = 0;

	for (size_t i = 0; i < s->n_remotes; i++)
		write_expire(s->remotes[i], now, next);
	if (s->condition != CONDITION_READY)
		return;
	for (size_t i = 0; i < s->n_remotes; i++) {
		r = s->remotes[i];
		if (!r->driver->needs_connection)
			continue;
		advance(r, now, next);
		used += r->phase != PHASE_IDLE;
	}
	while ((r = next_in_line(s, now)) && used < s->settings.connections) {
		begin(r, now);
		earliest(next, r->phase == PHASE_IDLE ? r->retry_usec : r->deadline_usec);
		if (r->phase != PHASE_IDLE)
			used++;
		/* Connected already, and resolved: nothing else would come to wake us. */
		if (r->phase == PHASE_RESOLVING && r->resolved)
			earliest(next, now);
	}
	if (r)
		make_room(s, now, next);
}
