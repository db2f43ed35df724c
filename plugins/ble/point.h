/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bthome_objects.h"
#include "plugins/lib/layout.h"
#include "uuid.h"

/* A point, compiled: where its value comes from, and how it lies there. */

#define MATCH_MAX 32u
#define OFFSET_MAX 511u
#define LENGTH_MAX 512u
#define INDEX_MAX 255u

enum source {
	SOURCE_BTHOME,
	SOURCE_EDDYSTONE,
	SOURCE_IBEACON,
	SOURCE_MANUFACTURER,
	SOURCE_SERVICE_DATA,
	SOURCE_GATT,
	SOURCE_DEVICE, /* what BlueZ itself knows */
};

enum eddystone_field {
	EDDYSTONE_NAMESPACE,
	EDDYSTONE_INSTANCE,
	EDDYSTONE_URL_TEXT,
	EDDYSTONE_EID_TEXT,
	EDDYSTONE_VOLTAGE,
	EDDYSTONE_TEMPERATURE,
	EDDYSTONE_ADVERTS,
	EDDYSTONE_UPTIME,
	EDDYSTONE_POWER,
};

enum ibeacon_field {
	IBEACON_UUID,
	IBEACON_MAJOR,
	IBEACON_MINOR,
	IBEACON_POWER,
};

enum device_field {
	DEVICE_RSSI,
	DEVICE_TX_POWER,
	DEVICE_NAME,
	DEVICE_BATTERY,
	DEVICE_ADDRESS,
};

/* In the order of the enumerations; NULL-terminated. */
extern const char *const eddystone_names[];
extern const char *const ibeacon_names[];
extern const char *const device_names[];

/* What `decode:` of a profile allows, beside `from:`. */
enum decode {
	DECODE_ANY,
	DECODE_BTHOME,
	DECODE_EDDYSTONE,
	DECODE_IBEACON,
	DECODE_STRUCT,
	DECODE_GATT,
};
extern const char *const decode_names[]; /* without DECODE_ANY */

struct point {
	enum source source;
	bool readable, writable;
	uint64_t period_usec;
	int field;		/* EDDYSTONE, IBEACON, DEVICE: which */
	const char *object;	/* BTHOME: its name in the table */
	unsigned nth;		/* BTHOME, GATT: of several, from 0 */
	uint16_t company;	/* MANUFACTURER */
	struct uuid uuid;	/* SERVICE_DATA; GATT: the characteristic */
	struct uuid service;	/* GATT */
	bool has_service, notify, without_response;
	uint16_t at;
	uint8_t match[MATCH_MAX];
	size_t n_match;
	struct layout layout; /* MANUFACTURER, SERVICE_DATA, GATT */
};

/* 0, or -EINVAL with error. */
int point_compile(const struct fieldway_point *from, enum decode decode, struct point *ret,
		  struct fieldway_error *error);
/* Does the point lie in bytes that a layout takes apart? */
bool point_has_layout(const struct point *p);
/* Is it read by its period, rather than told by the device or only on demand? */
bool point_is_polled(const struct point *p);
/* Two points of one characteristic. */
bool point_same_characteristic(const struct point *a, const struct point *b);
