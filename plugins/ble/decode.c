/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MILLI 1000.0
#define TEMPERATURE_UNIT 256.0
#define DECI 10.0

/* ---- values ---- */

static bool give_int(struct fieldway_sample *s, int64_t number)
{
	s->quality = FIELDWAY_GOOD;
	s->value = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = number };
	return true;
}

static bool give_float(struct fieldway_sample *s, double number)
{
	s->quality = FIELDWAY_GOOD;
	s->value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = number };
	return true;
}

static bool give_text(struct fieldway_sample *s, enum fieldway_type type, const void *data, size_t size,
		      struct text_room *room)
{
	if (size > room->size)
		return false;
	if (size > 0)
		memcpy(room->text, data, size);
	s->quality = FIELDWAY_GOOD;
	s->value = (struct fieldway_value){ .type = type, .data = room->text, .size = size };
	room->text += size;
	room->size -= size;
	return true;
}

static bool give_hex(struct fieldway_sample *s, const uint8_t *data, size_t size, struct text_room *room)
{
	char text[2 * 16 + 1] = "";

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return give_text(s, FIELDWAY_STRING, text, 2 * size, room);
}

int bytes_sample(const struct point *p, const uint8_t *bytes, size_t size, struct text_room *room,
		 struct fieldway_sample *ret)
{
	ssize_t used;

	if (size < p->at || size < p->n_match || memcmp(bytes, p->match, p->n_match) != 0)
		return -EBADMSG;
	used = layout_decode(&p->layout, bytes + p->at, size - p->at, ret, room->text, room->size);
	if (used < 0)
		return (int)used;
	room->text += used;
	room->size -= (size_t)used;
	return 0;
}

/* ---- what is broadcast ---- */

static bool has_source(const struct fieldway_driver *d, enum source source)
{
	for (size_t i = 0; i < d->n_points; i++)
		if (d->points[i].source == source)
			return true;
	return false;
}

static const struct advert_entry *find_service_data(const struct advert *a, const struct uuid *uuid,
						    const uint8_t **ret_data)
{
	const struct advert_entry *e;
	size_t at = 0;

	while ((e = advert_next(a, &at, ret_data)))
		if (e->kind == ADVERT_SERVICE_DATA && uuid_equal(&e->uuid, uuid))
			return e;
	return NULL;
}

static const struct advert_entry *find_manufacturer(const struct advert *a, uint16_t company,
						    const uint8_t **ret_data)
{
	const struct advert_entry *e;
	size_t at = 0;

	while ((e = advert_next(a, &at, ret_data)))
		if (e->kind == ADVERT_MANUFACTURER && e->company == company)
			return e;
	return NULL;
}

void broadcast_parse(const struct fieldway_driver *d, const struct advert *a, struct broadcast *ret)
{
	const struct uuid bthome = uuid_short(BTHOME_UUID), eddystone = uuid_short(EDDYSTONE_UUID);
	const struct advert_entry *e;
	const uint8_t *data;

	ret->advert = a;
	ret->has_bthome = ret->has_eddystone = ret->has_ibeacon = false;
	ret->bthome_error = 0;
	e = has_source(d, SOURCE_BTHOME) ? find_service_data(a, &bthome, &data) : NULL;
	if (e) {
		ret->bthome_error = bthome_parse(data, e->size, d->mac, d->has_key ? d->key : NULL, &ret->bthome);
		ret->has_bthome = ret->bthome_error >= 0;
	}
	e = has_source(d, SOURCE_EDDYSTONE) ? find_service_data(a, &eddystone, &data) : NULL;
	ret->has_eddystone = e && eddystone_parse(data, e->size, &ret->eddystone) >= 0;
	e = has_source(d, SOURCE_IBEACON) ? find_manufacturer(a, IBEACON_COMPANY, &data) : NULL;
	ret->has_ibeacon = e && ibeacon_parse(data, e->size, &ret->ibeacon) >= 0;
}

static bool sample_bthome(const struct point *p, const struct bthome_packet *packet, struct text_room *room,
			  struct fieldway_sample *ret)
{
	const struct bthome_measure *m = bthome_packet_find(packet, p->object, p->nth);

	if (!m)
		return false;
	switch (m->object->kind) {
	case BTHOME_UNSIGNED:
	case BTHOME_SIGNED:
		if (m->object->divisor == 1)
			return give_int(ret, m->raw * m->object->multiplier);
		return give_float(ret, (double)(m->raw * m->object->multiplier) / m->object->divisor);
	case BTHOME_BINARY:
		ret->quality = FIELDWAY_GOOD;
		ret->value = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = m->raw != 0 };
		return true;
	case BTHOME_BUTTON:
		return give_int(ret, m->raw);
	case BTHOME_DIMMER:
		return give_int(ret, m->steps);
	case BTHOME_TEXT:
		return give_text(ret, FIELDWAY_STRING, m->data, m->size, room);
	case BTHOME_RAW:
		return give_text(ret, FIELDWAY_BYTES, m->data, m->size, room);
	}
	return false;
}

static bool sample_tlm(const struct eddystone *e, enum eddystone_field field, struct fieldway_sample *ret)
{
	if (e->frame != EDDYSTONE_TLM || e->tlm.encrypted)
		return false;
	if (field == EDDYSTONE_VOLTAGE)
		return e->tlm.has_voltage && give_float(ret, e->tlm.voltage_mv / MILLI);
	if (field == EDDYSTONE_TEMPERATURE)
		return e->tlm.has_temperature && give_float(ret, e->tlm.temperature_256 / TEMPERATURE_UNIT);
	if (field == EDDYSTONE_ADVERTS)
		return give_int(ret, e->tlm.adverts);
	return give_float(ret, e->tlm.uptime_decisec / DECI);
}

static bool sample_eddystone(const struct eddystone *e, enum eddystone_field field, struct text_room *room,
			     struct fieldway_sample *ret)
{
	switch (field) {
	case EDDYSTONE_NAMESPACE:
		return e->frame == EDDYSTONE_UID &&
		       give_hex(ret, e->uid.namespace, sizeof(e->uid.namespace), room);
	case EDDYSTONE_INSTANCE:
		return e->frame == EDDYSTONE_UID && give_hex(ret, e->uid.instance, sizeof(e->uid.instance), room);
	case EDDYSTONE_URL_TEXT:
		return e->frame == EDDYSTONE_URL && give_text(ret, FIELDWAY_STRING, e->url, strlen(e->url), room);
	case EDDYSTONE_EID_TEXT:
		return e->frame == EDDYSTONE_EID && give_hex(ret, e->eid, sizeof(e->eid), room);
	case EDDYSTONE_VOLTAGE:
	case EDDYSTONE_TEMPERATURE:
	case EDDYSTONE_ADVERTS:
	case EDDYSTONE_UPTIME:
		return sample_tlm(e, field, ret);
	case EDDYSTONE_POWER:
		return e->frame != EDDYSTONE_TLM && give_int(ret, e->power);
	}
	return false;
}

static bool sample_ibeacon(const struct ibeacon *b, enum ibeacon_field field, struct text_room *room,
			   struct fieldway_sample *ret)
{
	char text[UUID_TEXT_SIZE];

	switch (field) {
	case IBEACON_UUID:
		uuid_text(&b->uuid, text);
		return give_text(ret, FIELDWAY_STRING, text, strlen(text), room);
	case IBEACON_MAJOR:
		return give_int(ret, b->major);
	case IBEACON_MINOR:
		return give_int(ret, b->minor);
	case IBEACON_POWER:
		return give_int(ret, b->power);
	}
	return false;
}

static bool sample_device(const struct fieldway_driver *d, const struct advert *a, enum device_field field,
			  struct text_room *room, struct fieldway_sample *ret)
{
	switch (field) {
	case DEVICE_RSSI:
		return a->has_rssi && give_int(ret, a->rssi);
	case DEVICE_TX_POWER:
		return a->has_power && give_int(ret, a->power);
	case DEVICE_NAME:
		return *a->name && give_text(ret, FIELDWAY_STRING, a->name, strlen(a->name), room);
	case DEVICE_BATTERY:
		return a->has_battery && give_int(ret, a->battery);
	case DEVICE_ADDRESS:
		return *d->mac_text && give_text(ret, FIELDWAY_STRING, d->mac_text, strlen(d->mac_text), room);
	}
	return false;
}

bool broadcast_sample(const struct fieldway_driver *d, const struct broadcast *b, uint32_t point,
		      struct text_room *room, struct fieldway_sample *ret)
{
	const struct point *p = &d->points[point];
	const struct advert_entry *e;
	const uint8_t *data;

	switch (p->source) {
	case SOURCE_BTHOME:
		return b->has_bthome && sample_bthome(p, &b->bthome, room, ret);
	case SOURCE_EDDYSTONE:
		return b->has_eddystone &&
		       sample_eddystone(&b->eddystone, (enum eddystone_field)p->field, room, ret);
	case SOURCE_IBEACON:
		return b->has_ibeacon && sample_ibeacon(&b->ibeacon, (enum ibeacon_field)p->field, room, ret);
	case SOURCE_DEVICE:
		return sample_device(d, b->advert, (enum device_field)p->field, room, ret);
	case SOURCE_MANUFACTURER:
		e = find_manufacturer(b->advert, p->company, &data);
		return e && bytes_sample(p, data, e->size, room, ret) >= 0;
	case SOURCE_SERVICE_DATA:
		e = find_service_data(b->advert, &p->uuid, &data);
		return e && bytes_sample(p, data, e->size, room, ret) >= 0;
	case SOURCE_GATT:
		return false;
	}
	return false;
}
