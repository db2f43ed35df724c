/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "plugins/lib/moment.h"
#include "properties.h"
#include "session.h"

#define TEXTS_MAX 4096u /* of one advertisement */
#define NO_RSSI 127 /* Core Vol 4, Part E, 7.7.65.2: not available */

void remote_tell(struct remote *r, enum fieldway_device_state state, const char *format, ...)
{
	char text[sizeof(r->reason)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (r->told && r->state == state && strcmp(r->reason, text) == 0)
		return;
	r->told = true;
	r->state = state;
	memcpy(r->reason, text, sizeof(text));
	if (state != FIELDWAY_DEVICE_ONLINE)
		gatt_want_all(r);
	r->session->host->state(r->session->host, r->index, state, text);
}

struct remote *remote_find(struct fieldway_session *s, const char *path)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (s->remotes[i]->path && strcmp(s->remotes[i]->path, path) == 0)
			return s->remotes[i];
	return NULL;
}

struct remote *remote_above(struct fieldway_session *s, const char *path)
{
	for (size_t i = 0; i < s->n_remotes; i++) {
		size_t size = s->remotes[i]->path ? strlen(s->remotes[i]->path) : 0;

		if (size > 0 && strncmp(s->remotes[i]->path, path, size) == 0 &&
		    (path[size] == '/' || path[size] == 0))
			return s->remotes[i];
	}
	return NULL;
}

struct remote *remote_by_mac(struct fieldway_session *s, const char *mac)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (strcasecmp(s->remotes[i]->driver->mac_text, mac) == 0)
			return s->remotes[i];
	return NULL;
}

/* ---- properties ---- */

struct reading {
	struct advert *advert;
	const char *address;
	bool connected, resolved, paired;
	bool heard, changed; /* an advertisement; the connection */
};

static int take_manufacturers(sd_bus_message *m, struct advert *a)
{
	int r = sd_bus_message_enter_container(m, 'v', "a{qv}");

	advert_clear(a, ADVERT_MANUFACTURER);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{qv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "qv")) > 0) {
		const void *data = NULL;
		uint16_t company;
		size_t size = 0;

		r = sd_bus_message_read(m, "q", &company);
		if (r >= 0)
			r = property_bytes(m, &data, &size);
		if (r > 0)
			/* More than fits is left out. */
			advert_add(a, ADVERT_MANUFACTURER, company, NULL, data, size);
		r = r == 0 ? -EBADMSG : r < 0 ? r : sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int take_service_data(sd_bus_message *m, struct advert *a)
{
	int r = sd_bus_message_enter_container(m, 'v', "a{sv}");

	advert_clear(a, ADVERT_SERVICE_DATA);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const void *data = NULL;
		const char *text;
		struct uuid uuid;
		size_t size = 0;

		r = sd_bus_message_read(m, "s", &text);
		if (r >= 0)
			r = property_bytes(m, &data, &size);
		if (r > 0 && uuid_parse(text, strlen(text), &uuid) >= 0)
			advert_add(a, ADVERT_SERVICE_DATA, 0, &uuid, data, size);
		r = r == 0 ? -EBADMSG : r < 0 ? r : sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int take_services(sd_bus_message *m, struct advert *a)
{
	const char *text;
	struct uuid uuid;
	int r = sd_bus_message_enter_container(m, 'v', "as");

	a->n_services = 0;
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(m, "s", &text)) > 0)
		if (uuid_parse(text, strlen(text), &uuid) >= 0)
			advert_add_service(a, &uuid);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

static int take_name(sd_bus_message *m, struct advert *a)
{
	const char *text;
	int r = property_text(m, 's', &text);

	if (r > 0)
		advert_set_name(a, text, strlen(text));
	return r;
}

static int take_rssi(sd_bus_message *m, struct reading *d)
{
	int r = property_int16(m, &d->advert->rssi);

	d->advert->has_rssi = r > 0 && d->advert->rssi != NO_RSSI;
	d->heard |= r > 0;
	return r;
}

static int take_state(const char *name, sd_bus_message *m, struct reading *d)
{
	bool *flag = strcmp(name, "Connected") == 0	   ? &d->connected :
		     strcmp(name, "ServicesResolved") == 0 ? &d->resolved :
		     strcmp(name, "Paired") == 0	   ? &d->paired :
							     NULL;

	if (!flag)
		return 0;
	d->changed = true;
	return property_bool(m, flag);
}

static int take_property(const char *name, sd_bus_message *m, void *userdata)
{
	struct reading *d = userdata;
	int r;

	if (strcmp(name, "RSSI") == 0)
		return take_rssi(m, d);
	if (strcmp(name, "Name") == 0)
		return take_name(m, d->advert);
	if (strcmp(name, "Address") == 0)
		return property_text(m, 's', &d->address);
	if (strcmp(name, "UUIDs") == 0)
		return take_services(m, d->advert);
	if (strcmp(name, "TxPower") == 0) {
		r = property_int16(m, &d->advert->power);
		d->advert->has_power |= r > 0;
		return r;
	}
	if (strcmp(name, "ManufacturerData") == 0) {
		d->heard = true;
		return take_manufacturers(m, d->advert);
	}
	if (strcmp(name, "ServiceData") == 0) {
		d->heard = true;
		return take_service_data(m, d->advert);
	}
	return take_state(name, m, d);
}

/* ---- what follows ---- */

/* Whoever sends with a device's address can send what does not decode: one that has shown its key stays as it is. */
static void tell_undecoded(struct remote *r, int error)
{
	switch (r->history.has_counter ? 0 : error) {
	case -ENOKEY:
		remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "heard, but it encrypts, and there is no key for it");
		break;
	case -EKEYREJECTED:
		remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "heard, but its key is another");
		break;
	case -EPERM:
		remote_tell(r, FIELDWAY_DEVICE_OFFLINE, "heard, but it does not encrypt as it should");
		break;
	default:
		/* Perhaps somebody else's. */
		r->session->host->count(r->session->host, r->index, 1, 1, 0);
		break;
	}
}

/* Samples mean that the device is online; the host knows that itself. */
void remote_samples(struct remote *r, const struct fieldway_sample *samples, size_t n)
{
	if (n == 0)
		return;
	r->told = true;
	r->state = FIELDWAY_DEVICE_ONLINE;
	r->reason[0] = 0;
	r->session->host->samples(r->session->host, r->index, samples, n);
}

/* Heard, with nothing new in it: that ends no silence of a device whose key says who speaks. */
static void tell_heard(struct remote *r, const struct broadcast *b)
{
	if (r->driver->needs_connection || (r->driver->has_key && !b->has_bthome))
		return;
	r->told = true;
	r->state = FIELDWAY_DEVICE_ONLINE;
	r->reason[0] = 0;
	r->session->host->state(r->session->host, r->index, FIELDWAY_DEVICE_ONLINE, "");
}

/* What a packet says about what was heard before. False: it is not to be believed. */
static bool take_history(struct remote *r, struct broadcast *b, uint64_t now_usec)
{
	if (!b->has_bthome)
		return true;
	switch (bthome_history_take(&r->history, &b->bthome, now_usec)) {
	case BTHOME_NEW:
		return true;
	case BTHOME_REPEATED:
		b->has_bthome = false;
		return true;
	case BTHOME_REPLAYED:
		r->session->host->count(r->session->host, r->index, 1, 1, 0);
		return false;
	}
	return false;
}

static void remote_heard(struct remote *r)
{
	const struct fieldway_driver *d = r->driver;
	uint64_t now = moment_boottime_usec();
	char text[TEXTS_MAX];
	struct text_room room = { text, sizeof(text) };
	struct broadcast b;
	size_t n = 0;

	broadcast_parse(d, &r->advert, &b);
	if (b.bthome_error < 0)
		tell_undecoded(r, b.bthome_error);
	if (b.bthome_error < 0 || !take_history(r, &b, now))
		return;
	for (uint32_t i = 0; i < d->n_points; i++) {
		r->samples[n] = (struct fieldway_sample){ .point = i, .boottime_usec = now };
		n += d->points[i].readable && broadcast_sample(d, &b, i, &room, &r->samples[n]);
	}
	if (n > 0)
		remote_samples(r, r->samples, n);
	else
		tell_heard(r, &b);
}

static bool is_below(const struct fieldway_session *s, const char *path)
{
	size_t size = s->adapter ? strlen(s->adapter->path) : 0;

	return size > 0 && strncmp(path, s->adapter->path, size) == 0 && path[size] == '/';
}

static void remote_apply(struct remote *r, const struct reading *d, bool live)
{
	bool connection = r->connected != d->connected || r->resolved != d->resolved || r->paired != d->paired;

	r->connected = d->connected;
	r->resolved = d->resolved;
	r->paired = d->paired;
	/* What bluetoothd remembers has an RSSI only when it was heard in this discovery. */
	if (d->heard && (live || r->advert.has_rssi))
		remote_heard(r);
	if (connection)
		connection_changed(r);
}

/* An object that nobody has asked for yet: is it one of ours? */
static int remote_meet(struct fieldway_session *s, const char *path, sd_bus_message *m, bool live)
{
	struct advert advert = { 0 };
	struct reading d = { .advert = &advert };
	struct remote *r;
	int e = properties_each(m, take_property, &d);

	if (e < 0 || !d.address || !is_below(s, path))
		return e;
	scan_seen(s, path, d.address, &advert);
	r = remote_by_mac(s, d.address);
	if (!r)
		return 0;
	free(r->path);
	r->path = strdup(path);
	if (!r->path)
		return -ENOMEM;
	r->advert = advert;
	remote_apply(r, &d, live);
	return 0;
}

int remote_properties(struct fieldway_session *s, const char *path, sd_bus_message *m, bool live)
{
	struct remote *r = remote_find(s, path);
	struct reading d;
	int e;

	if (!r)
		return remote_meet(s, path, m, live);
	d = (struct reading){
		.advert = &r->advert,
		.connected = r->connected,
		.resolved = r->resolved,
		.paired = r->paired,
	};
	e = properties_each(m, take_property, &d);
	if (e >= 0 && s->scan_usec && d.address)
		scan_seen(s, path, d.address, &r->advert);
	if (e >= 0)
		remote_apply(r, &d, live);
	return e;
}

static int take_battery(const char *name, sd_bus_message *m, void *userdata)
{
	struct advert *a = userdata;
	int r;

	if (strcmp(name, "Percentage") != 0)
		return 0;
	r = property_byte(m, &a->battery);
	a->has_battery |= r > 0;
	return r;
}

int remote_battery(struct remote *r, sd_bus_message *m)
{
	int e = properties_each(m, take_battery, &r->advert);

	if (e >= 0 && r->advert.has_battery)
		remote_heard(r);
	return e;
}

void remote_invalidated(struct remote *r, const char *name)
{
	if (strcmp(name, "RSSI") == 0)
		r->advert.has_rssi = false;
	else if (strcmp(name, "TxPower") == 0)
		r->advert.has_power = false;
	else if (strcmp(name, "ManufacturerData") == 0)
		advert_clear(&r->advert, ADVERT_MANUFACTURER);
	else if (strcmp(name, "ServiceData") == 0)
		advert_clear(&r->advert, ADVERT_SERVICE_DATA);
}

void remote_removed(struct remote *r)
{
	bool was_connected = r->connected;

	r->connected = r->resolved = r->paired = false;
	if (was_connected || r->phase != PHASE_IDLE)
		connection_changed(r);
	remote_forget(r);
}

/* Everything that bluetoothd has told; what was heard before remains, so that replays stay out. */
void remote_forget(struct remote *r)
{
	connection_failed(r, NULL);
	gatt_forget(r);
	free(r->path);
	r->path = NULL;
	r->connected = r->resolved = r->paired = false;
	memset(&r->advert, 0, sizeof(r->advert));
}

int remote_new(struct fieldway_session *s, const struct fieldway_driver *driver, uint32_t index, struct remote **ret)
{
	struct remote *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct remote){ .session = s, .driver = driver, .index = index, .fresh = true };
	r->due_usec = calloc(driver->n_points + 1, sizeof(*r->due_usec));
	r->samples = calloc(driver->n_points + 1, sizeof(*r->samples));
	r->seen = calloc(driver->n_points + 1, sizeof(*r->seen));
	if (!r->due_usec || !r->samples || !r->seen) {
		remote_free(r);
		return -ENOMEM;
	}
	for (size_t i = 0; i < driver->n_points; i++)
		r->due_usec[i] = NEVER;
	gatt_want_all(r);
	*ret = r;
	return 0;
}

struct remote *remote_free(struct remote *r)
{
	if (!r)
		return NULL;
	remote_forget(r);
	free(r->due_usec);
	free(r->samples);
	free(r->seen);
	free(r->characteristics);
	free(r);
	return NULL;
}

void remote_leave(struct remote *r)
{
	struct fieldway_session *s = r->session;
	sd_bus_message *m = NULL;

	if (r->phase == PHASE_IDLE || !r->path)
		return;
	if (link_call(s, r->path, BLUEZ_DEVICE, "Disconnect", &m) >= 0)
		link_send(s, NULL, m, NULL, NULL, 0);
	sd_bus_message_unref(m);
}
