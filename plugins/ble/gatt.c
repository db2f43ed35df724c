/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "plugins/lib/moment.h"
#include "properties.h"
#include "session.h"

#define TEXTS_MAX 2048u /* of all points of one value */

/* ---- services and characteristics ---- */

static int take_uuid(const char *name, sd_bus_message *m, void *userdata)
{
	const char *text;
	int r;

	if (strcmp(name, "UUID") != 0)
		return 0;
	r = property_text(m, 's', &text);
	if (r > 0 && uuid_parse(text, strlen(text), userdata) < 0)
		return -EBADMSG;
	return r;
}

int gatt_service_added(struct remote *r, const char *path, sd_bus_message *m)
{
	struct service *s = &r->services[r->n_services];
	struct uuid uuid = { { 0 } };
	int e = properties_each(m, take_uuid, &uuid);

	if (e < 0 || r->n_services == SERVICES_MAX)
		return e;
	for (size_t i = 0; i < r->n_services; i++)
		if (strcmp(r->services[i].path, path) == 0)
			return 0;
	*s = (struct service){ .path = strdup(path), .uuid = uuid };
	if (!s->path)
		return -ENOMEM;
	r->n_services++;
	return 0;
}

struct reading {
	struct characteristic *c;
	const void *value;
	size_t size;
	bool has_value;
};

static int take_flags(sd_bus_message *m, struct characteristic *c)
{
	const char *flag;
	int r = sd_bus_message_enter_container(m, 'v', "as");

	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &flag)) > 0) {
		c->can_read |= strcmp(flag, "read") == 0;
		c->can_notify |= strcmp(flag, "notify") == 0 || strcmp(flag, "indicate") == 0;
		c->can_write |= strcmp(flag, "write") == 0;
		c->can_command |= strcmp(flag, "write-without-response") == 0;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int take_property(const char *name, sd_bus_message *m, void *userdata)
{
	struct reading *d = userdata;
	bool notifying;
	int r;

	if (strcmp(name, "UUID") == 0)
		return take_uuid(name, m, &d->c->uuid);
	if (strcmp(name, "Flags") == 0)
		return take_flags(m, d->c);
	if (strcmp(name, "Value") == 0) {
		r = property_bytes(m, &d->value, &d->size);
		d->has_value = r > 0;
		return r;
	}
	if (strcmp(name, "Notifying") != 0)
		return 0;
	r = property_bool(m, &notifying);
	if (r > 0 && !notifying)
		d->c->notifying = false;
	return r;
}

static struct characteristic *find_path(struct remote *r, const char *path)
{
	for (size_t i = 0; i < r->n_characteristics; i++)
		if (strcmp(r->characteristics[i].path, path) == 0)
			return &r->characteristics[i];
	return NULL;
}

static int insert(struct remote *r, const struct characteristic *c, const char *path)
{
	struct characteristic *all;
	size_t at = 0;

	if (r->n_characteristics == CHARACTERISTICS_MAX)
		return 0;
	all = reallocarray(r->characteristics, r->n_characteristics + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	r->characteristics = all;
	while (at < r->n_characteristics && strcmp(all[at].path, path) < 0)
		at++;
	memmove(all + at + 1, all + at, (r->n_characteristics - at) * sizeof(*all));
	all[at] = *c;
	all[at].path = strdup(path);
	if (!all[at].path) {
		memmove(all + at, all + at + 1, (r->n_characteristics - at) * sizeof(*all));
		return -ENOMEM;
	}
	r->n_characteristics++;
	if (r->call && r->busy >= at)
		r->busy++;
	return 0;
}

static bool lies_on(struct remote *r, const struct point *p, const struct characteristic *c)
{
	return p->source == SOURCE_GATT && uuid_equal(&p->uuid, &c->uuid) && gatt_find(r, p) == c;
}

/* The samples of all points that lie on the characteristic. told: it has come by itself. */
static void give_value(struct remote *r, const struct characteristic *c, const void *value, size_t size, bool told)
{
	uint64_t now = moment_boottime_usec();
	char text[TEXTS_MAX];
	struct text_room room = { text, sizeof(text) };
	size_t n = 0;

	for (uint32_t i = 0; i < r->driver->n_points; i++) {
		const struct point *p = &r->driver->points[i];
		struct fieldway_sample *s = &r->samples[n];
		int e;

		if (!p->readable || (told && !p->notify) || !lies_on(r, p, c))
			continue;
		r->seen[i] = true;
		*s = (struct fieldway_sample){ .point = i, .boottime_usec = now };
		e = bytes_sample(p, value, size, &room, s);
		if (e < 0)
			*s = (struct fieldway_sample){
				.point = i, .boottime_usec = now, .quality = FIELDWAY_FAILED, .error = -EBADMSG
			};
		n++;
	}
	remote_samples(r, r->samples, n);
}

int gatt_characteristic_properties(struct remote *r, const char *path, sd_bus_message *m, bool changed)
{
	struct characteristic new = { 0 };
	struct characteristic *c = find_path(r, path);
	struct reading d = { .c = c ? c : &new };
	int e = properties_each(m, take_property, &d);

	if (e < 0)
		return e;
	if (!c)
		return changed ? 0 : insert(r, &new, path);
	if (changed && d.has_value && r->phase == PHASE_READY)
		give_value(r, c, d.value, d.size, true);
	return 0;
}

void gatt_removed(struct remote *r, const char *path)
{
	struct characteristic *c = find_path(r, path);

	for (size_t i = 0; i < r->n_services; i++) {
		struct service *s = &r->services[i];

		if (strcmp(s->path, path) != 0)
			continue;
		free(s->path);
		memmove(s, s + 1, (--r->n_services - i) * sizeof(*s));
		return;
	}
	if (!c)
		return;
	/* What is under way about one of them has lost its subject. */
	if (r->call)
		gatt_abort(r);
	free(c->path);
	memmove(c, c + 1, (size_t)(r->characteristics + r->n_characteristics - (c + 1)) * sizeof(*c));
	r->n_characteristics--;
}

void gatt_forget(struct remote *r)
{
	gatt_abort(r);
	for (size_t i = 0; i < r->n_services; i++)
		free(r->services[i].path);
	for (size_t i = 0; i < r->n_characteristics; i++)
		free(r->characteristics[i].path);
	r->n_services = r->n_characteristics = 0;
}

static bool is_in_service(const struct remote *r, const struct characteristic *c, const struct uuid *service)
{
	for (size_t i = 0; i < r->n_services; i++) {
		size_t size = strlen(r->services[i].path);

		if (strncmp(r->services[i].path, c->path, size) == 0 && c->path[size] == '/')
			return uuid_equal(&r->services[i].uuid, service);
	}
	return false;
}

struct characteristic *gatt_find(struct remote *r, const struct point *p)
{
	unsigned nth = p->nth;

	for (size_t i = 0; i < r->n_characteristics; i++) {
		struct characteristic *c = &r->characteristics[i];

		if (uuid_equal(&c->uuid, &p->uuid) && (!p->has_service || is_in_service(r, c, &p->service)) &&
		    nth-- == 0)
			return c;
	}
	return NULL;
}

/* ---- what is to be done ---- */

uint64_t gatt_timeout(const struct remote *r)
{
	uint64_t timeout = r->session->bus->timeout_usec;

	return timeout > GATT_USEC_MIN ? timeout : GATT_USEC_MIN;
}

uint64_t gatt_next(const struct remote *r)
{
	uint64_t next = NEVER;

	for (size_t i = 0; i < r->driver->n_points; i++)
		earliest(&next, r->due_usec[i]);
	return next;
}

void gatt_want_all(struct remote *r)
{
	for (size_t i = 0; i < r->driver->n_points; i++)
		if (point_is_polled(&r->driver->points[i]))
			r->due_usec[i] = 0;
}

void gatt_begin(struct remote *r)
{
	for (size_t i = 0; i < r->n_characteristics; i++)
		r->characteristics[i].notifying = r->characteristics[i].refused = false;
}

void gatt_abort(struct remote *r)
{
	r->call = sd_bus_slot_unref(r->call);
	write_lost(r, "the connection was lost");
}

/* Its next turn, from when it was due, so that a late one does not move all that follow. */
static void point_done(struct remote *r, uint32_t point, uint64_t now)
{
	const struct point *p = &r->driver->points[point];
	uint64_t *due = &r->due_usec[point];

	if (!point_is_polled(p) || p->period_usec == FIELDWAY_PERIOD_ONCE) {
		*due = NEVER;
		return;
	}
	if (*due == 0 || *due == NEVER || *due + p->period_usec <= now)
		*due = now;
	*due += p->period_usec;
}

static void characteristic_done(struct remote *r, const struct characteristic *c)
{
	uint64_t now = moment_now_usec();

	for (uint32_t i = 0; i < r->driver->n_points; i++)
		if (r->driver->points[i].readable && lies_on(r, &r->driver->points[i], c))
			point_done(r, i, now);
}

/* They could not be read, and the device is none the less there. */
static void fail_points(struct remote *r, const struct characteristic *c, int error)
{
	uint64_t now = moment_boottime_usec();
	size_t n = 0;

	for (uint32_t i = 0; i < r->driver->n_points; i++)
		if (r->driver->points[i].readable && lies_on(r, &r->driver->points[i], c))
			r->samples[n++] = (struct fieldway_sample){
				.point = i, .boottime_usec = now, .quality = FIELDWAY_FAILED, .error = error
			};
	r->session->host->samples(r->session->host, r->index, r->samples, n);
}

static void count(struct remote *r, bool error, bool timeout)
{
	r->session->host->count(r->session->host, r->index, 1, error, timeout);
}

static void postpone(struct remote *r, const struct characteristic *c)
{
	uint64_t later = moment_now_usec() + BUSY_USEC;

	for (uint32_t i = 0; i < r->driver->n_points; i++)
		if (r->due_usec[i] < later && lies_on(r, &r->driver->points[i], c))
			r->due_usec[i] = later;
}

/*
 * bluetoothd remembers what a device has, and believes it also when the device
 * has other firmware meanwhile. What is not bonded it can be made to forget;
 * the device is discovered again. What it has never had is looked for once:
 * it may well be optional.
 */
static bool refresh(struct remote *r, bool seen)
{
	struct fieldway_session *s = r->session;
	uint64_t now = moment_now_usec();
	sd_bus_message *m = NULL;
	int e;

	if (r->paired || !s->active || (r->refresh_usec && (!seen || now < r->refresh_usec + REFRESH_USEC)))
		return false;
	r->refresh_usec = now;
	e = link_call(s, s->adapter->path, BLUEZ_ADAPTER, "RemoveDevice", &m);
	if (e >= 0)
		e = sd_bus_message_append(m, "o", r->path);
	if (e >= 0)
		e = link_send(s, NULL, m, NULL, NULL, 0);
	sd_bus_message_unref(m);
	return e >= 0;
}

static void read_failed(struct remote *r, struct characteristic *c, const sd_bus_error *error)
{
	char text[sizeof(r->reason)];
	int e = trouble_of(error, text, sizeof(text));

	count(r, true, e == -ETIMEDOUT);
	if (e == -EBUSY) {
		postpone(r, c);
	} else if (e == -ETIMEDOUT) {
		connection_drop(r, text);
	} else if (e == -ECONNRESET || e == -ENODEV) {
		connection_failed(r, text);
	} else if (e != -ENXIO || !refresh(r, true)) {
		characteristic_done(r, c);
		fail_points(r, c, e);
	}
}

static int on_read(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;
	struct characteristic *c = &r->characteristics[r->busy];
	const sd_bus_error *e = sd_bus_message_get_error(m);
	const void *value = NULL;
	size_t size = 0;

	r->call = sd_bus_slot_unref(r->call);
	if (e) {
		read_failed(r, c, e);
	} else if (sd_bus_message_read_array(m, 'y', &value, &size) >= 0 && size <= VALUE_MAX) {
		count(r, false, false);
		r->failures = 0;
		characteristic_done(r, c);
		give_value(r, c, value ? value : "", size, false);
	} else {
		count(r, true, false);
		characteristic_done(r, c);
		fail_points(r, c, -EBADMSG);
	}
	return 0;
}

static int read_characteristic(struct remote *r, struct characteristic *c)
{
	sd_bus_message *m = NULL;
	int e = link_call(r->session, c->path, BLUEZ_CHARACTERISTIC, "ReadValue", &m);

	if (e >= 0)
		e = sd_bus_message_append(m, "a{sv}", 0);
	if (e >= 0)
		e = link_send(r->session, &r->call, m, on_read, r, gatt_timeout(r));
	sd_bus_message_unref(m);
	r->busy = (size_t)(c - r->characteristics);
	return e;
}

static int on_notify(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct remote *r = userdata;
	struct characteristic *c = &r->characteristics[r->busy];
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char text[sizeof(r->reason)];
	int trouble = e ? trouble_of(e, text, sizeof(text)) : 0;

	r->call = sd_bus_slot_unref(r->call);
	count(r, e != NULL, trouble == -ETIMEDOUT);
	if (!e || sd_bus_error_has_name(e, "org.bluez.Error.InProgress")) {
		c->notifying = true;
		r->failures = 0;
		/* What it has now; the device tells only what comes. */
		if (c->can_read)
			for (uint32_t i = 0; i < r->driver->n_points; i++)
				if (r->driver->points[i].notify && lies_on(r, &r->driver->points[i], c))
					r->due_usec[i] = 0;
	} else if (trouble == -ETIMEDOUT) {
		connection_drop(r, text);
	} else if (trouble == -ECONNRESET || trouble == -ENODEV) {
		connection_failed(r, text);
	} else {
		c->refused = true;
		fail_points(r, c, trouble);
	}
	return 0;
}

static int start_notify(struct remote *r, struct characteristic *c)
{
	sd_bus_message *m = NULL;
	int e = link_call(r->session, c->path, BLUEZ_CHARACTERISTIC, "StartNotify", &m);

	if (e >= 0)
		e = link_send(r->session, &r->call, m, on_notify, r, gatt_timeout(r));
	sd_bus_message_unref(m);
	r->busy = (size_t)(c - r->characteristics);
	return e;
}

/* The device does not have what the profile says. True: it will be discovered again. */
static bool is_missing(struct remote *r, uint32_t point, uint64_t now)
{
	const struct fieldway_sample s = {
		.point = point,
		.boottime_usec = moment_boottime_usec(),
		.quality = FIELDWAY_FAILED,
		.error = -ENXIO,
	};

	if (refresh(r, r->seen[point]))
		return true;
	point_done(r, point, now);
	count(r, true, false);
	r->session->host->samples(r->session->host, r->index, &s, 1);
	return false;
}

bool gatt_turn(struct remote *r, uint64_t now)
{
	if (r->call || write_next(r))
		return true;
	for (uint32_t i = 0; i < r->driver->n_points; i++) {
		const struct point *p = &r->driver->points[i];
		struct characteristic *c = p->source == SOURCE_GATT && p->readable ? gatt_find(r, p) : NULL;

		if (c && p->notify && !c->notifying && !c->refused && start_notify(r, c) >= 0)
			return true;
		if (r->due_usec[i] > now)
			continue;
		if (c && p->notify && !c->can_read) {
			/* It can only be waited for. */
			r->due_usec[i] = NEVER;
			continue;
		}
		if (c && read_characteristic(r, c) >= 0)
			return true;
		if (!c && is_missing(r, i, now))
			return true;
	}
	return false;
}
