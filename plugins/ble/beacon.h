/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

/* Eddystone (github.com/google/eddystone, protocol-specification.md) and iBeacon. Pure. */

#define EDDYSTONE_UUID 0xFEAAu
#define IBEACON_COMPANY 0x004Cu

enum eddystone_frame {
	EDDYSTONE_UID = 0x00,
	EDDYSTONE_URL = 0x10,
	EDDYSTONE_TLM = 0x20,
	EDDYSTONE_EID = 0x30,
};

#define EDDYSTONE_URL_MAX 256u /* expanded: 17 codes of at most 5 bytes, and the scheme */

struct eddystone {
	enum eddystone_frame frame;
	int8_t power; /* dBm at 0 m; not TLM */
	union {
		struct {
			uint8_t namespace[10], instance[6];
		} uid;
		char url[EDDYSTONE_URL_MAX];
		struct {
			bool encrypted;  /* ETLM: nothing below is known */
			bool has_voltage, has_temperature;
			uint16_t voltage_mv;
			int16_t temperature_256; /* 1/256 degree */
			uint32_t adverts, uptime_decisec;
		} tlm;
		uint8_t eid[8];
	};
};

/* Service data of UUID 0xFEAA. 0 or -EBADMSG. */
int eddystone_parse(const uint8_t *data, size_t size, struct eddystone *ret);

struct ibeacon {
	struct uuid uuid;
	uint16_t major, minor;
	int8_t power; /* dBm at 1 m */
};

/* Manufacturer data of company 0x004C. 0, or -EBADMSG: another of Apple's formats, or cut off. */
int ibeacon_parse(const uint8_t *data, size_t size, struct ibeacon *ret);
