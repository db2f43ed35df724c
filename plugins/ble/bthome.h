/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bthome_objects.h"

/* BTHome v2 (https://bthome.io/format, /encryption): the service data of UUID 0xFCD2. Pure. */

#define BTHOME_UUID 0xFCD2u
#define BTHOME_KEY_SIZE 16u
#define BTHOME_MAC_SIZE 6u
#define BTHOME_DATA_MAX 255u /* bytes of service data; an advertisement's element has no more */
#define BTHOME_MEASURES_MAX 64u

/* One object of a packet. */
struct bthome_measure {
	const struct bthome_object *object;
	int64_t raw;         /* numbers, binary, the event of button and dimmer */
	int64_t steps;       /* of a dimmer: to the right positive */
	const uint8_t *data; /* text and raw: in the packet's memory */
	size_t size;
};

struct bthome_packet {
	bool encrypted, trigger_based;
	uint32_t counter; /* encrypted only */
	bool has_packet_id;
	uint8_t packet_id;
	struct bthome_measure measures[BTHOME_MEASURES_MAX];
	size_t n_measures;
	uint8_t plain[BTHOME_DATA_MAX]; /* what measures point into */
};

/*
 * key NULL: the device sends in the clear. With a key what comes in the clear
 * is refused: it may be from anybody. mac: in the order of its text.
 * 0; -EBADMSG malformed or of another version; -ENOKEY encrypted, and there is
 * no key; -EKEYREJECTED not encrypted with this key; -EPERM in the clear; -EIO.
 * An unknown object ends the list: how long it is nobody knows. *ret is only
 * good after 0.
 */
int bthome_parse(const uint8_t *data, size_t size, const uint8_t mac[BTHOME_MAC_SIZE], const uint8_t *key,
		 struct bthome_packet *ret);

/* What was heard of one device before. All zero at first. */
struct bthome_history {
	bool has_counter, has_packet_id; /* the former: a packet that its key has sealed was heard */
	uint32_t counter;
	uint8_t packet_id;
	uint64_t new_usec; /* when the last one came that was new */
};

enum bthome_news {
	BTHOME_NEW,
	BTHOME_REPEATED, /* the same packet once more */
	BTHOME_REPLAYED, /* older than one that was heard before */
};

/*
 * The specification has a receiver verify that the counter has risen. But a sensor
 * counts from 0 again when its battery was changed: a counter below the first is
 * believed, once nothing new was heard for the second. So nobody can replay a
 * recording of the first packets while the sensor speaks, and one that sends
 * several times a second is still found before it has counted too far.
 */
#define BTHOME_COUNTER_RESTART 100u
#define BTHOME_RESTART_USEC UINT64_C(30000000)

/* Is the packet news? Remembers it if so. now_usec: of any clock that only rises. */
enum bthome_news bthome_history_take(struct bthome_history *h, const struct bthome_packet *packet, uint64_t now_usec);

/* The nth (from 0) with a name; NULL: not in this packet. */
const struct bthome_measure *bthome_packet_find(const struct bthome_packet *packet, const char *name, unsigned nth);
/* "press", "double_press" and so on; "none" for no event; NULL: unknown. */
const char *bthome_event_name(const struct bthome_measure *m);
