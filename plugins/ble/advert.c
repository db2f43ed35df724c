/* SPDX-License-Identifier: Apache-2.0 */
#include "advert.h"

#include <errno.h>
#include <string.h>

#include "plugins/lib/text.h"

/* Assigned Numbers, 2.3. */
enum {
	AD_SERVICES_16_SOME = 0x02,
	AD_SERVICES_16 = 0x03,
	AD_SERVICES_32_SOME = 0x04,
	AD_SERVICES_32 = 0x05,
	AD_SERVICES_128_SOME = 0x06,
	AD_SERVICES_128 = 0x07,
	AD_NAME_SHORTENED = 0x08,
	AD_NAME = 0x09,
	AD_POWER = 0x0a,
	AD_SERVICE_DATA_16 = 0x16,
	AD_SERVICE_DATA_32 = 0x20,
	AD_SERVICE_DATA_128 = 0x21,
	AD_MANUFACTURER = 0xff,
};

void advert_clear(struct advert *a, enum advert_kind kind)
{
	struct advert old = *a;

	a->n = a->used = 0;
	for (size_t i = 0; i < old.n; i++) {
		const struct advert_entry *e = &old.entries[i];

		if (e->kind != kind)
			advert_add(a, e->kind, e->company, &e->uuid, old.bytes + e->at, e->size);
	}
}

int advert_add(struct advert *a, enum advert_kind kind, uint16_t company, const struct uuid *uuid, const void *data,
	       size_t size)
{
	struct advert_entry *e = &a->entries[a->n];

	if (a->n == ADVERT_ENTRIES_MAX || size > sizeof(a->bytes) - a->used)
		return -ENOBUFS;
	*e = (struct advert_entry){ .kind = kind, .company = company, .at = (uint16_t)a->used, .size = (uint16_t)size };
	if (uuid)
		e->uuid = *uuid;
	if (size > 0)
		memcpy(a->bytes + a->used, data, size);
	a->used += size;
	a->n++;
	return 0;
}

void advert_set_name(struct advert *a, const char *name, size_t size)
{
	if (size > ADVERT_NAME_MAX || memchr(name, 0, size) || !text_is_utf8(name, size))
		return;
	memcpy(a->name, name, size);
	a->name[size] = 0;
}

void advert_add_service(struct advert *a, const struct uuid *uuid)
{
	for (size_t i = 0; i < a->n_services; i++)
		if (uuid_equal(&a->services[i], uuid))
			return;
	if (a->n_services < ADVERT_SERVICES_MAX)
		a->services[a->n_services++] = *uuid;
}

const struct advert_entry *advert_next(const struct advert *a, size_t *at, const uint8_t **ret_data)
{
	if (*at >= a->n)
		return NULL;
	*ret_data = a->bytes + a->entries[*at].at;
	return &a->entries[(*at)++];
}

/* On the air the lowest byte comes first. */
static struct uuid take_uuid(const uint8_t *data, size_t width)
{
	struct uuid u;

	if (width == 2)
		return uuid_short((uint32_t)(data[0] | data[1] << 8));
	if (width == 4)
		return uuid_short((uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
				  (uint32_t)data[3] << 24);
	for (size_t i = 0; i < 16; i++)
		u.bytes[i] = data[15 - i];
	return u;
}

static int add_service_data(struct advert *a, const uint8_t *data, size_t size, size_t width)
{
	struct uuid u;

	if (size < width)
		return -EBADMSG;
	u = take_uuid(data, width);
	return advert_add(a, ADVERT_SERVICE_DATA, 0, &u, data + width, size - width);
}

static void add_services(struct advert *a, const uint8_t *data, size_t size, size_t width)
{
	for (size_t i = 0; i + width <= size; i += width) {
		struct uuid u = take_uuid(data + i, width);

		advert_add_service(a, &u);
	}
}

static int add_manufacturer(struct advert *a, const uint8_t *data, size_t size)
{
	if (size < 2)
		return -EBADMSG;
	return advert_add(a, ADVERT_MANUFACTURER, (uint16_t)(data[0] | data[1] << 8), NULL, data + 2, size - 2);
}

static int add_structure(struct advert *a, uint8_t type, const uint8_t *data, size_t size)
{
	switch (type) {
	case AD_SERVICES_16_SOME:
	case AD_SERVICES_16:
		add_services(a, data, size, 2);
		break;
	case AD_SERVICES_32_SOME:
	case AD_SERVICES_32:
		add_services(a, data, size, 4);
		break;
	case AD_SERVICES_128_SOME:
	case AD_SERVICES_128:
		add_services(a, data, size, 16);
		break;
	case AD_NAME_SHORTENED:
	case AD_NAME:
		advert_set_name(a, (const char *)data, size);
		break;
	case AD_POWER:
		a->has_power = size > 0;
		a->power = size > 0 ? (int8_t)data[0] : 0;
		break;
	case AD_SERVICE_DATA_16:
		return add_service_data(a, data, size, 2);
	case AD_SERVICE_DATA_32:
		return add_service_data(a, data, size, 4);
	case AD_SERVICE_DATA_128:
		return add_service_data(a, data, size, 16);
	case AD_MANUFACTURER:
		return add_manufacturer(a, data, size);
	}
	return 0;
}

int advert_parse(const uint8_t *data, size_t size, struct advert *ret)
{
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	while (at < size && data[at] != 0) {
		size_t length = data[at++];
		int r;

		if (length > size - at)
			return -EBADMSG;
		r = add_structure(ret, data[at], data + at + 1, length - 1);
		if (r < 0)
			return r;
		at += length;
	}
	return 0;
}
