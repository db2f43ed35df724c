/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "plugins/lib/settings.h"

const char *const scan_names[] = { "passive-if-possible", "active", "off", NULL };

/* "A4:C1:38:00:11:01"; in capitals, as BlueZ writes it. */
static int parse_mac(const char *text, size_t size, uint8_t *ret_mac, char *ret_text)
{
	unsigned bytes[BTHOME_MAC_SIZE];

	if (size != MAC_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
		ret_text[i] = (char)toupper((unsigned char)text[i]);
	}
	ret_text[size] = 0;
	sscanf(ret_text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5]);
	for (size_t i = 0; i < BTHOME_MAC_SIZE; i++)
		ret_mac[i] = (uint8_t)bytes[i];
	return 0;
}

static bool is_adapter_name(const char *text)
{
	uint8_t mac[BTHOME_MAC_SIZE];
	char copy[MAC_TEXT_SIZE];

	if (parse_mac(text, strlen(text), mac, copy) >= 0)
		return true;
	return strncmp(text, "hci", 3) == 0 && text[3] && strspn(text + 3, "0123456789") == strlen(text + 3);
}

int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	const struct fieldway_value *power = setting_find(s, "power");
	int scan = setting_choice(s, "scan.mode", scan_names, SCAN_PASSIVE);
	struct bus b = { .power = !power || power->boolean, .scan = (enum scan)scan };

	if (scan < 0)
		return setting_refuse(error, "scan.mode", "one of passive-if-possible, active, off");
	b.connections = (unsigned)setting_uint(s, "connections.max", DEFAULT_CONNECTIONS);
	if (b.connections < 1 || b.connections > CONNECTIONS_MAX)
		return setting_refuse(error, "connections.max", "1 to %u connections", CONNECTIONS_MAX);
	b.adapter = setting_has(s, "adapter") ? setting_text(s, "adapter") : strdup("any");
	if (!b.adapter)
		return -ENOMEM;
	b.any_adapter = strcmp(b.adapter, "any") == 0;
	if (!b.any_adapter && !is_adapter_name(b.adapter)) {
		setting_refuse(error, "adapter", "%s is no adapter: an address in quotes, hci0, or any", b.adapter);
		bus_done(&b);
		return -EINVAL;
	}
	*ret = b;
	return 0;
}

void bus_done(struct bus *b)
{
	free(b->adapter);
	b->adapter = NULL;
}

int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	struct bus b;
	int r = bus_compile(bus, &b, error);

	if (r >= 0)
		bus_done(&b);
	return r;
}

/* 16 bytes, or 32 digits. */
static int compile_key(const struct fieldway_settings *s, struct fieldway_driver *d, struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "key");
	unsigned byte;

	if (!v)
		return 0;
	d->has_key = true;
	if (v->size == BTHOME_KEY_SIZE) {
		memcpy(d->key, v->data, sizeof(d->key));
		return 0;
	}
	if (v->size != 2 * BTHOME_KEY_SIZE)
		return setting_refuse(error, "key", "a key has %u bytes, this one %zu", BTHOME_KEY_SIZE, v->size);
	for (size_t i = 0; i < BTHOME_KEY_SIZE; i++) {
		char digits[3] = { v->data[2 * i], v->data[2 * i + 1], 0 };

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return setting_refuse(error, "key", "the key is not hexadecimal");
		sscanf(digits, "%2x", &byte);
		d->key[i] = (uint8_t)byte;
	}
	return 0;
}

/* Six digits: as text, or as a hexadecimal secret has them, two in a byte. */
static int compile_passkey(const struct fieldway_settings *s, struct fieldway_driver *d,
			   struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "passkey"), *pair = setting_find(s, "pair");
	char digits[7] = "";

	d->pair = pair && pair->boolean;
	if (!v)
		return 0;
	if (!d->pair)
		return setting_refuse(error, "passkey", "a passkey goes with pair: true");
	if (v->size == 3)
		for (size_t i = 0; i < 3; i++)
			snprintf(digits + 2 * i, 3, "%02x", (uint8_t)v->data[i]);
	else if (v->size == 6)
		memcpy(digits, v->data, 6);
	if (strlen(digits) != 6 || strspn(digits, "0123456789") != 6)
		return setting_refuse(error, "passkey", "a passkey has six digits");
	d->passkey = (uint32_t)strtoul(digits, NULL, 10);
	d->has_passkey = true;
	return 0;
}

static int compile_address(struct fieldway_driver *d, const struct fieldway_bus *bus,
			   const struct fieldway_settings *s, struct fieldway_error *error)
{
	const struct fieldway_value *mac = setting_find(s, "mac"), *adapter = setting_find(&bus->settings, "adapter");
	int r;

	if (!mac)
		return setting_refuse(error, "mac", "the address needs a mac");
	if (parse_mac(mac->data, mac->size, d->mac, d->mac_text) < 0)
		return setting_refuse(error, "mac", "%.*s is no address, such as \"A4:C1:38:00:11:01\"",
				      (int)mac->size, mac->data);
	snprintf(d->line, sizeof(d->line), "%.*s", adapter ? (int)adapter->size : 3, adapter ? adapter->data : "any");
	r = compile_key(s, d, error);
	return r < 0 ? r : compile_passkey(s, d, error);
}

static int compile_points(struct fieldway_driver *d, const struct fieldway_device *device,
			  struct fieldway_error *error)
{
	int decode = setting_choice(&device->settings, "decode", decode_names, -1) + 1;

	if (decode < 0)
		return setting_refuse(error, "decode", "decode: no such value");
	for (size_t i = 0; i < device->n_points; i++) {
		int r = point_compile(&device->points[i], (enum decode)decode, &d->points[i], error);

		if (r < 0) {
			error->point = (int)i;
			return r;
		}
		d->needs_connection |= d->points[i].source == SOURCE_GATT;
		d->notifies |= d->points[i].source == SOURCE_GATT && d->points[i].notify && d->points[i].readable;
	}
	return 0;
}

int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device, struct fieldway_driver **ret,
	       struct fieldway_error *error)
{
	struct fieldway_driver *d = calloc(1, sizeof(*d) + device->n_points * sizeof(d->points[0]));
	int r = 0;

	if (!d)
		return -ENOMEM;
	d->n_points = device->n_points;
	if (bus)
		r = compile_address(d, bus, &device->settings, error);
	if (r >= 0)
		r = compile_points(d, device, error);
	if (r < 0) {
		driver_free(d);
		return r;
	}
	d->needs_connection |= d->pair;
	*ret = d;
	return 0;
}

void driver_free(struct fieldway_driver *d)
{
	if (!d)
		return;
	explicit_bzero(d->key, sizeof(d->key));
	free(d);
}

int driver_line_name(const struct fieldway_driver *d, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s", d->line);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* ---- the plan: advertisements come together, each characteristic for itself ---- */

#define TOKEN_ADVERTISEMENTS UINT64_MAX

static void describe(const struct fieldway_driver *d, struct fieldway_request *request, uint32_t first)
{
	const struct point *p = &d->points[first];
	char uuid[UUID_TEXT_SIZE];

	request->token = first;
	if (p->source != SOURCE_GATT) {
		request->token = TOKEN_ADVERTISEMENTS;
		snprintf(request->text, sizeof(request->text), "advertisements");
		return;
	}
	uuid_text(&p->uuid, uuid);
	snprintf(request->text, sizeof(request->text), "%s characteristic %s", p->notify ? "notifications of" : "read",
		 uuid);
}

static bool belongs(const struct fieldway_driver *d, uint32_t first, uint32_t point)
{
	const struct point *a = &d->points[first], *b = &d->points[point];

	if (a->source != SOURCE_GATT || b->source != SOURCE_GATT)
		return a->source != SOURCE_GATT && b->source != SOURCE_GATT;
	return point_same_characteristic(a, b);
}

int driver_plan(const struct fieldway_driver *d, const uint32_t *points, size_t n_points, struct fieldway_plan *ret)
{
	struct fieldway_request *requests;
	size_t n = 0, used = 0;
	uint32_t *order;
	bool *taken;

	/* At most a request for each point; then their points; then which are in one. */
	requests = calloc(1, (n_points + 1) * (sizeof(*requests) + sizeof(*order)) + d->n_points);
	if (!requests)
		return -ENOMEM;
	order = (uint32_t *)(requests + n_points + 1);
	taken = (bool *)(order + n_points + 1);
	for (size_t i = 0; i < n_points; i++) {
		if (taken[points[i]])
			continue;
		requests[n].points = order + used;
		for (size_t j = i; j < n_points; j++) {
			if (taken[points[j]] || !belongs(d, points[i], points[j]))
				continue;
			taken[points[j]] = true;
			order[used++] = points[j];
		}
		requests[n].n_points = (size_t)(order + used - requests[n].points);
		describe(d, &requests[n++], points[i]);
	}
	*ret = (struct fieldway_plan){ .requests = requests, .n = n, .memory = requests };
	return 0;
}

void driver_plan_free(struct fieldway_plan *plan)
{
	free(plan->memory);
}

static int decode_advertisement(const struct fieldway_driver *d, const struct fieldway_request *request,
				const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
				size_t text_size)
{
	struct text_room room = { text, text_size };
	struct advert *advert = malloc(sizeof(*advert));
	struct broadcast *broadcast = malloc(sizeof(*broadcast));
	int r = advert && broadcast ? advert_parse(bytes, size, advert) : -ENOMEM;

	if (r >= 0) {
		broadcast_parse(d, advert, broadcast);
		for (size_t i = 0; i < request->n_points; i++) {
			samples[i].point = request->points[i];
			if (broadcast_sample(d, broadcast, request->points[i], &room, &samples[i]))
				continue;
			/* Not every advertisement has everything. */
			samples[i].quality = FIELDWAY_FAILED;
			samples[i].error = -ENODATA;
			samples[i].value.type = FIELDWAY_NONE;
		}
	}
	free(advert);
	free(broadcast);
	return r == -ENOBUFS ? -EBADMSG : r;
}

int driver_decode(const struct fieldway_driver *d, const struct fieldway_request *request, const void *bytes,
		  size_t size, struct fieldway_sample *samples, char *text, size_t text_size)
{
	struct text_room room = { text, text_size };

	memset(samples, 0, request->n_points * sizeof(*samples));
	if (request->token == TOKEN_ADVERTISEMENTS)
		return decode_advertisement(d, request, bytes, size, samples, text, text_size);
	for (size_t i = 0; i < request->n_points; i++) {
		int r = bytes_sample(&d->points[request->points[i]], bytes, size, &room, &samples[i]);

		samples[i].point = request->points[i];
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- writes ---- */

ssize_t driver_encode(const struct fieldway_driver *d, uint32_t point, const struct fieldway_value *value,
		      uint8_t *ret, size_t room, struct fieldway_error *error)
{
	*error = (struct fieldway_error){ .point = (int)point };
	if (point >= d->n_points || !d->points[point].writable) {
		setting_refuse(error, NULL, "the point cannot be written");
		error->point = (int)point;
		return -EINVAL;
	}
	return layout_encode(&d->points[point].layout, value, ret, room, error);
}

int driver_write_check(const struct fieldway_driver *d, uint32_t point, const struct fieldway_value *value,
		       struct fieldway_error *error)
{
	uint8_t bytes[LENGTH_MAX];
	ssize_t n = driver_encode(d, point, value, bytes, sizeof(bytes), error);

	return n < 0 ? (int)n : 0;
}

/* What is allowed but looks wrong. */
size_t driver_notes(const struct fieldway_driver *d, struct fieldway_error *ret, size_t max)
{
	bool bthome = false;

	for (size_t i = 0; i < d->n_points; i++)
		bthome |= d->points[i].source == SOURCE_BTHOME;
	if (!d->has_key || bthome || max == 0)
		return 0;
	setting_refuse(&ret[0], "key", "the device has a key, but nothing of it is BTHome");
	return 1;
}
