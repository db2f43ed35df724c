/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "plugins/lib/settings.h"

/*
 * What a profile's `samples:` are made of: `bytes:` is an advertisement as on
 * the air, `advertisement:` has parts of one as BlueZ tells them, `gatt:` what
 * characteristics hold.
 */

struct reading {
	const struct fieldway_driver *driver;
	struct advert advert;
	bool heard;
	struct fieldway_driver *own; /* a copy, with the address and key of the sample */
	struct fieldway_sample *samples;
	size_t n;
	struct text_room room;
	struct fieldway_error *error;
};

static int refuse(struct reading *r, const struct fieldway_input *input, const char *why)
{
	return setting_refuse(r->error, input->name, "%s: %s", input->name, why);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10 : -1;
}

/* Hexadecimal with blanks where they please. Their number, or -EINVAL. */
static ssize_t parse_hex(const char *text, size_t size, uint8_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < size;) {
		if (text[i] == ' ' || text[i] == ':') {
			i++;
			continue;
		}
		if (i + 1 >= size || n == max || digit(text[i]) < 0 || digit(text[i + 1]) < 0)
			return -EINVAL;
		ret[n++] = (uint8_t)(digit(text[i]) << 4 | digit(text[i + 1]));
		i += 2;
	}
	return (ssize_t)n;
}

static int take_service_data(struct reading *r, const struct fieldway_input *input, const char *name)
{
	uint8_t bytes[BTHOME_DATA_MAX];
	ssize_t n = parse_hex(input->data, input->size, bytes, sizeof(bytes));
	struct uuid uuid;

	if (uuid_parse(name, strlen(name), &uuid) < 0)
		return refuse(r, input, "no UUID");
	if (n < 0 || advert_add(&r->advert, ADVERT_SERVICE_DATA, 0, &uuid, bytes, (size_t)n) < 0)
		return refuse(r, input, "expected bytes in hexadecimal");
	return 0;
}

static int take_manufacturer(struct reading *r, const struct fieldway_input *input, const char *name)
{
	uint8_t bytes[BTHOME_DATA_MAX];
	ssize_t n = parse_hex(input->data, input->size, bytes, sizeof(bytes));
	char *end;
	unsigned long company = strtoul(name, &end, 0);

	if (!*name || *end || company > UINT16_MAX)
		return refuse(r, input, "no company identifier");
	if (n < 0 || advert_add(&r->advert, ADVERT_MANUFACTURER, (uint16_t)company, NULL, bytes, (size_t)n) < 0)
		return refuse(r, input, "expected bytes in hexadecimal");
	return 0;
}

static int take_number(struct reading *r, const struct fieldway_input *input, bool *ret_has, int16_t *ret)
{
	char text[8] = "", *end;
	long number;

	if (input->size < sizeof(text))
		memcpy(text, input->data, input->size);
	number = strtol(text, &end, 10);
	if (!*text || *end || number < INT16_MIN || number > INT16_MAX)
		return refuse(r, input, "no number");
	*ret_has = true;
	*ret = (int16_t)number;
	return 0;
}

/* Encrypted packets need both. */
static int take_secret(struct reading *r, const struct fieldway_input *input, uint8_t *ret, size_t size, bool *has)
{
	if (parse_hex(input->data, input->size, ret, size) != (ssize_t)size)
		return refuse(r, input, "expected bytes in hexadecimal");
	if (has)
		*has = true;
	return 0;
}

static int take_advertisement(struct reading *r, const struct fieldway_input *input, const char *name)
{
	const char *part;

	r->heard = true;
	if ((part = strchr(name, '.'))) {
		size_t size = (size_t)(part - name);

		if (size == strlen("service_data") && strncmp(name, "service_data", size) == 0)
			return take_service_data(r, input, part + 1);
		if (size == strlen("manufacturer") && strncmp(name, "manufacturer", size) == 0)
			return take_manufacturer(r, input, part + 1);
	} else if (strcmp(name, "rssi") == 0) {
		return take_number(r, input, &r->advert.has_rssi, &r->advert.rssi);
	} else if (strcmp(name, "tx_power") == 0) {
		return take_number(r, input, &r->advert.has_power, &r->advert.power);
	} else if (strcmp(name, "name") == 0) {
		advert_set_name(&r->advert, input->data, input->size);
		return 0;
	} else if (strcmp(name, "mac") == 0) {
		return take_secret(r, input, r->own->mac, sizeof(r->own->mac), NULL);
	} else if (strcmp(name, "key") == 0) {
		return take_secret(r, input, r->own->key, sizeof(r->own->key), &r->own->has_key);
	}
	return refuse(r, input, "an advertisement has service_data, manufacturer, rssi, tx_power, name, mac, key");
}

static int take_gatt(struct reading *r, const struct fieldway_input *input, const char *name)
{
	uint8_t bytes[LENGTH_MAX];
	ssize_t n = parse_hex(input->data, input->size, bytes, sizeof(bytes));
	struct uuid uuid;
	int e;

	if (uuid_parse(name, strlen(name), &uuid) < 0)
		return refuse(r, input, "no UUID");
	if (n < 0)
		return refuse(r, input, "expected bytes in hexadecimal");
	for (uint32_t i = 0; i < r->driver->n_points; i++) {
		const struct point *p = &r->driver->points[i];

		if (p->source != SOURCE_GATT || !p->readable || !uuid_equal(&p->uuid, &uuid) ||
		    r->n == r->driver->n_points)
			continue;
		r->samples[r->n] = (struct fieldway_sample){ .point = i };
		e = bytes_sample(p, bytes, (size_t)n, &r->room, &r->samples[r->n]);
		if (e == -EBADMSG)
			return refuse(r, input, "too short for what lies on the characteristic");
		if (e < 0)
			return refuse(r, input, "too long");
		r->n++;
	}
	return 0;
}

static int take_input(struct reading *r, const struct fieldway_input *input)
{
	static const char advertisement[] = "advertisement.", gatt[] = "gatt.";

	if (strcmp(input->name, "bytes") == 0) {
		r->heard = true;
		if (advert_parse((const uint8_t *)input->data, input->size, &r->advert) < 0)
			return refuse(r, input, "no advertisement: a length, a type and data, and so on");
		return 0;
	}
	if (strncmp(input->name, advertisement, sizeof(advertisement) - 1) == 0)
		return take_advertisement(r, input, input->name + sizeof(advertisement) - 1);
	if (strncmp(input->name, gatt, sizeof(gatt) - 1) == 0)
		return take_gatt(r, input, input->name + sizeof(gatt) - 1);
	return refuse(r, input, "a Bluetooth sample has bytes, advertisement or gatt");
}

static int take_broadcast(struct reading *r)
{
	struct broadcast b;

	broadcast_parse(r->own, &r->advert, &b);
	if (b.bthome_error == -EKEYREJECTED)
		return setting_refuse(r->error, NULL, "the packet is not encrypted with this key and address");
	if (b.bthome_error == -ENOKEY || b.bthome_error == -EPERM)
		return setting_refuse(r->error, NULL, "a key goes with an encrypted packet");
	if (b.bthome_error < 0)
		return setting_refuse(r->error, NULL, "the packet is not BTHome version 2");
	for (uint32_t i = 0; i < r->driver->n_points && r->n < r->driver->n_points; i++) {
		r->samples[r->n] = (struct fieldway_sample){ .point = i };
		if (r->driver->points[i].readable &&
		    broadcast_sample(r->own, &b, i, &r->room, &r->samples[r->n]))
			r->n++;
	}
	return 0;
}

int driver_sample(const struct fieldway_driver *d, const struct fieldway_input *inputs, size_t n_inputs,
		  struct fieldway_sample *samples, size_t *ret_n, char *text, size_t text_size,
		  struct fieldway_error *error)
{
	size_t size = sizeof(*d) + d->n_points * sizeof(d->points[0]);
	struct reading r = { .driver = d, .samples = samples, .room = { text, text_size }, .error = error };
	int e = 0;

	r.own = malloc(size);
	if (!r.own)
		return -ENOMEM;
	memcpy(r.own, d, size);
	for (size_t i = 0; e >= 0 && i < n_inputs; i++)
		e = take_input(&r, &inputs[i]);
	if (e >= 0 && r.heard)
		e = take_broadcast(&r);
	if (e >= 0)
		*ret_n = r.n;
	driver_free(r.own);
	return e;
}
