/* SPDX-License-Identifier: Apache-2.0 */
#include "beacon.h"

#include <errno.h>
#include <string.h>

#define UID_SIZE 18u /* without the two bytes that are reserved, which some leave out */
#define URL_SIZE_MIN 3u
#define URL_CODES_MAX 17u
#define TLM_SIZE 14u
#define EID_SIZE 10u
#define TLM_PLAIN 0u
#define TLM_NO_TEMPERATURE INT16_MIN

static const char *const url_schemes[] = { "http://www.", "https://www.", "http://", "https://" };
static const char *const url_codes[] = {
	".com/", ".org/", ".edu/", ".net/", ".info/", ".biz/", ".gov/",
	".com",	 ".org",  ".edu",  ".net",  ".info",  ".biz",  ".gov",
};

static uint32_t big_endian(const uint8_t *data, size_t size)
{
	uint32_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | data[i];
	return number;
}

static int parse_uid(const uint8_t *data, size_t size, struct eddystone *e)
{
	if (size < UID_SIZE)
		return -EBADMSG;
	memcpy(e->uid.namespace, data + 2, sizeof(e->uid.namespace));
	memcpy(e->uid.instance, data + 12, sizeof(e->uid.instance));
	return 0;
}

static int parse_url(const uint8_t *data, size_t size, struct eddystone *e)
{
	const size_t schemes = sizeof(url_schemes) / sizeof(url_schemes[0]);
	const size_t codes = sizeof(url_codes) / sizeof(url_codes[0]);
	char *end;

	if (size < URL_SIZE_MIN || size - URL_SIZE_MIN > URL_CODES_MAX || data[2] >= schemes)
		return -EBADMSG;
	end = stpcpy(e->url, url_schemes[data[2]]);
	for (size_t i = URL_SIZE_MIN; i < size; i++) {
		if (data[i] < codes)
			end = stpcpy(end, url_codes[data[i]]);
		else if (data[i] > 0x20 && data[i] < 0x7f)
			*end++ = (char)data[i];
		else
			return -EBADMSG;
	}
	*end = 0;
	return 0;
}

static int parse_tlm(const uint8_t *data, size_t size, struct eddystone *e)
{
	if (size < 2)
		return -EBADMSG;
	memset(&e->tlm, 0, sizeof(e->tlm));
	e->tlm.encrypted = data[1] != TLM_PLAIN;
	if (e->tlm.encrypted)
		return 0;
	if (size < TLM_SIZE)
		return -EBADMSG;
	e->tlm.voltage_mv = (uint16_t)big_endian(data + 2, 2);
	e->tlm.has_voltage = e->tlm.voltage_mv != 0;
	e->tlm.temperature_256 = (int16_t)big_endian(data + 4, 2);
	e->tlm.has_temperature = e->tlm.temperature_256 != TLM_NO_TEMPERATURE;
	e->tlm.adverts = big_endian(data + 6, 4);
	e->tlm.uptime_decisec = big_endian(data + 10, 4);
	return 0;
}

static int parse_eid(const uint8_t *data, size_t size, struct eddystone *e)
{
	if (size < EID_SIZE)
		return -EBADMSG;
	memcpy(e->eid, data + 2, sizeof(e->eid));
	return 0;
}

int eddystone_parse(const uint8_t *data, size_t size, struct eddystone *ret)
{
	if (size < 2)
		return -EBADMSG;
	ret->power = (int8_t)data[1];
	switch (data[0]) {
	case EDDYSTONE_UID:
		ret->frame = EDDYSTONE_UID;
		return parse_uid(data, size, ret);
	case EDDYSTONE_URL:
		ret->frame = EDDYSTONE_URL;
		return parse_url(data, size, ret);
	case EDDYSTONE_TLM:
		ret->frame = EDDYSTONE_TLM;
		ret->power = 0;
		return parse_tlm(data, size, ret);
	case EDDYSTONE_EID:
		ret->frame = EDDYSTONE_EID;
		return parse_eid(data, size, ret);
	}
	return -EBADMSG;
}

/* Type 2, length 21; then UUID, major, minor, measured power. */
int ibeacon_parse(const uint8_t *data, size_t size, struct ibeacon *ret)
{
	if (size < 23 || data[0] != 0x02 || data[1] != 0x15)
		return -EBADMSG;
	memcpy(ret->uuid.bytes, data + 2, sizeof(ret->uuid.bytes));
	ret->major = (uint16_t)big_endian(data + 18, 2);
	ret->minor = (uint16_t)big_endian(data + 20, 2);
	ret->power = (int8_t)data[22];
	return 0;
}
