/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

/*
 * What was heard of a device: BlueZ's Device1 properties, or the bytes of an
 * advertisement (Core Vol 3, Part C, 11; types in Assigned Numbers 2.3).
 */

#define ADVERT_ENTRIES_MAX 16u
#define ADVERT_BYTES_MAX 1650u /* of all entries: what an extended advertisement can hold */
#define ADVERT_NAME_MAX 248u
#define ADVERT_SERVICES_MAX 32u

enum advert_kind {
	ADVERT_MANUFACTURER,
	ADVERT_SERVICE_DATA,
};

struct advert_entry {
	enum advert_kind kind;
	uint16_t company; /* MANUFACTURER */
	struct uuid uuid; /* SERVICE_DATA */
	uint16_t at, size; /* in bytes[] */
};

struct advert {
	struct advert_entry entries[ADVERT_ENTRIES_MAX];
	size_t n;
	uint8_t bytes[ADVERT_BYTES_MAX];
	size_t used;
	struct uuid services[ADVERT_SERVICES_MAX];
	size_t n_services;
	bool has_rssi, has_power, has_battery;
	int16_t rssi, power; /* dBm */
	uint8_t battery;     /* percent */
	char name[ADVERT_NAME_MAX + 1]; /* UTF-8; "": none */
};

/* Drops all entries of a kind: they come whole. */
void advert_clear(struct advert *a, enum advert_kind kind);
/* 0, or -ENOBUFS when it has too many, or too much. */
int advert_add(struct advert *a, enum advert_kind kind, uint16_t company, const struct uuid *uuid, const void *data,
	       size_t size);
/* Takes what is well-formed UTF-8 and fits. */
void advert_set_name(struct advert *a, const char *name, size_t size);
void advert_add_service(struct advert *a, const struct uuid *uuid);

/* The next entry from *at on; NULL: no more. The bytes in *ret_data. */
const struct advert_entry *advert_next(const struct advert *a, size_t *at, const uint8_t **ret_data);

/* The AD structures of one advertisement. 0, -EBADMSG or -ENOBUFS. */
int advert_parse(const uint8_t *data, size_t size, struct advert *ret);
