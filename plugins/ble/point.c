/* SPDX-License-Identifier: Apache-2.0 */
#include "point.h"

#include <errno.h>
#include <string.h>

#include "plugins/lib/settings.h"

const char *const eddystone_names[] = { "namespace",   "instance", "url",    "eid",   "voltage",
					"temperature", "adverts",  "uptime", "power", NULL };
const char *const ibeacon_names[] = { "uuid", "major", "minor", "power", NULL };
const char *const device_names[] = { "rssi", "tx_power", "name", "battery", "address", NULL };
const char *const decode_names[] = { "bthome", "eddystone", "ibeacon", "struct", "gatt", NULL };

/* The key that says where a point's value comes from, and the `decode:` that it belongs to. */
static const struct {
	const char *key;
	enum decode decode;
} sources[] = {
	[SOURCE_BTHOME] = { "bthome", DECODE_BTHOME },
	[SOURCE_EDDYSTONE] = { "eddystone", DECODE_EDDYSTONE },
	[SOURCE_IBEACON] = { "ibeacon", DECODE_IBEACON },
	[SOURCE_MANUFACTURER] = { "manufacturer", DECODE_STRUCT },
	[SOURCE_SERVICE_DATA] = { "service_data", DECODE_STRUCT },
	[SOURCE_GATT] = { "characteristic", DECODE_GATT },
	[SOURCE_DEVICE] = { "from", DECODE_ANY },
};
#define N_SOURCES ((int)(sizeof(sources) / sizeof(sources[0])))

/* Bytes from the lowest on, as Bluetooth has nearly all of them. */
static const struct layout_rules rules = {
	.little = true,
	.rest = true,
	.initial = LAYOUT_UINT8,
	.max_length = LENGTH_MAX,
};

bool point_has_layout(const struct point *p)
{
	return p->source == SOURCE_MANUFACTURER || p->source == SOURCE_SERVICE_DATA || p->source == SOURCE_GATT;
}

bool point_is_polled(const struct point *p)
{
	return p->source == SOURCE_GATT && p->readable && p->period_usec != FIELDWAY_PERIOD_ON_DEMAND;
}

bool point_same_characteristic(const struct point *a, const struct point *b)
{
	return uuid_equal(&a->uuid, &b->uuid) && a->nth == b->nth && a->has_service == b->has_service &&
	       (!a->has_service || uuid_equal(&a->service, &b->service));
}

static int find_source(const struct fieldway_settings *s, enum decode decode, struct point *p,
		       struct fieldway_error *error)
{
	int found = -1;

	for (int i = 0; i < N_SOURCES; i++) {
		if (!setting_has(s, sources[i].key))
			continue;
		if (found >= 0)
			return setting_refuse(error, sources[i].key, "%s and %s: a point has one of them",
					      sources[found].key, sources[i].key);
		found = i;
	}
	if (found < 0)
		return setting_refuse(error, NULL,
				      "one of bthome, eddystone, ibeacon, manufacturer, service_data, "
				      "characteristic, from says where the value comes from");
	if (decode != DECODE_ANY && sources[found].decode != DECODE_ANY && sources[found].decode != decode)
		return setting_refuse(error, sources[found].key, "%s: the profile has decode: %s",
				      sources[found].key, decode_names[decode - 1]);
	p->source = (enum source)found;
	return 0;
}

/* "temperature2" is the second temperature of a packet; names that end in digits come first. */
static int compile_bthome(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "bthome");
	const struct bthome_object *o = bthome_object_named(v->data, v->size);
	size_t size = v->size;
	unsigned nth = 0, place = 1;

	while (!o && size > 1 && v->data[size - 1] >= '0' && v->data[size - 1] <= '9' && place <= 100) {
		nth += (unsigned)(v->data[--size] - '0') * place;
		place *= 10;
		o = nth >= 2 ? bthome_object_named(v->data, size) : NULL;
	}
	if (!o)
		return setting_refuse(error, "bthome", "BTHome has no object %.*s", (int)v->size, v->data);
	p->object = o->name;
	p->nth = nth ? nth - 1 : 0;
	return 0;
}

static int compile_uuid(const struct fieldway_settings *s, const char *key, struct uuid *ret,
			struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, key);

	if (uuid_parse(v->data, v->size, ret) < 0)
		return setting_refuse(error, key, "%.*s is no UUID: 4, 8, or with dashes 36 characters",
				      (int)v->size, v->data);
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return (int)(at - digits) < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

static int compile_match(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "match");

	if (!v)
		return 0;
	if (v->size == 0 || v->size % 2 || v->size > 2 * MATCH_MAX)
		return setting_refuse(error, "match", "1 to %u bytes in hexadecimal, \"0215\"", MATCH_MAX);
	for (size_t i = 0; i < v->size; i += 2) {
		int high = hex_digit(v->data[i]), low = hex_digit(v->data[i + 1]);

		if (high < 0 || low < 0)
			return setting_refuse(error, "match", "%.*s is not hexadecimal", (int)v->size, v->data);
		p->match[p->n_match++] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int compile_bytes(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	uint64_t at = setting_uint(s, "at", 0);
	int r;

	if (at > OFFSET_MAX)
		return setting_refuse(error, "at", "an offset is 0 to %u", OFFSET_MAX);
	p->at = (uint16_t)at;
	r = compile_match(s, p, error);
	return r < 0 ? r : layout_compile(s, &rules, &p->layout, error);
}

static bool setting_true(const struct fieldway_settings *s, const char *key)
{
	const struct fieldway_value *v = setting_find(s, key);

	return v && v->type == FIELDWAY_BOOL && v->boolean;
}

static int compile_gatt(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	const struct fieldway_value *response = setting_find(s, "write.response");
	int r = compile_uuid(s, "characteristic", &p->uuid, error);

	if (r < 0)
		return r;
	p->has_service = setting_has(s, "service");
	if (p->has_service)
		r = compile_uuid(s, "service", &p->service, error);
	if (r < 0)
		return r;
	p->nth = (unsigned)setting_uint(s, "index", 0);
	p->notify = setting_true(s, "notify");
	p->without_response = response && response->type == FIELDWAY_BOOL && !response->boolean;
	r = compile_bytes(s, p, error);
	if (r < 0)
		return r;
	if (p->writable && (p->at > 0 || p->n_match > 0))
		return setting_refuse(error, p->at ? "at" : "match",
				      "a characteristic is written whole: a writable point is all of it");
	if (p->writable && layout_is_partial(&p->layout))
		return setting_refuse(error, "mask", "single bits of a characteristic cannot be written");
	return 0;
}

static int compile_field(const struct fieldway_settings *s, const char *key, const char *const *names,
			 struct point *p, struct fieldway_error *error)
{
	p->field = setting_choice(s, key, names, -EINVAL);
	return p->field < 0 ? setting_refuse(error, key, "%s: no such value", key) : 0;
}

static int compile_source(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	int r;

	switch (p->source) {
	case SOURCE_BTHOME:
		return compile_bthome(s, p, error);
	case SOURCE_EDDYSTONE:
		return compile_field(s, "eddystone", eddystone_names, p, error);
	case SOURCE_IBEACON:
		return compile_field(s, "ibeacon", ibeacon_names, p, error);
	case SOURCE_DEVICE:
		return compile_field(s, "from", device_names, p, error);
	case SOURCE_MANUFACTURER:
		p->company = (uint16_t)setting_uint(s, "manufacturer", 0);
		return compile_bytes(s, p, error);
	case SOURCE_SERVICE_DATA:
		r = compile_uuid(s, "service_data", &p->uuid, error);
		return r < 0 ? r : compile_bytes(s, p, error);
	case SOURCE_GATT:
		return compile_gatt(s, p, error);
	}
	return -EINVAL;
}

/* A key that belongs to another source is a mistake, not a wish. */
static int refuse_strangers(const struct fieldway_settings *s, const struct point *p, struct fieldway_error *error)
{
	static const char *const of_gatt[] = { "service", "index", "notify", "write.response", NULL };
	static const char *const of_bytes[] = { "at", "match", "type", "order", "bit", "mask", "length", NULL };

	for (const char *const *key = of_gatt; *key && p->source != SOURCE_GATT; key++)
		if (setting_has(s, *key))
			return setting_refuse(error, *key, "%s goes with characteristic", *key);
	for (const char *const *key = of_bytes; *key && !point_has_layout(p); key++)
		if (setting_has(s, *key))
			return setting_refuse(error, *key, "%s: %s says already what the value is", *key,
					      sources[p->source].key);
	return 0;
}

int point_compile(const struct fieldway_point *from, enum decode decode, struct point *ret,
		  struct fieldway_error *error)
{
	struct point p = { .readable = from->readable,
			   .writable = from->writable,
			   .period_usec = from->period_usec };
	int r = find_source(&from->settings, decode, &p, error);

	if (r >= 0)
		r = refuse_strangers(&from->settings, &p, error);
	if (r >= 0)
		r = compile_source(&from->settings, &p, error);
	if (r < 0)
		return r;
	if (p.writable && p.source != SOURCE_GATT)
		return setting_refuse(error, sources[p.source].key,
				      "what a device broadcasts cannot be written, only a characteristic");
	*ret = p;
	return 0;
}
