/* SPDX-License-Identifier: Apache-2.0 */
#include "bthome.h"

#include <errno.h>
#include <string.h>

#include "bthome_cipher.h"
#include "plugins/lib/text.h"

/* The first byte of the service data. */
enum {
	INFO_ENCRYPTED = 1 << 0,
	INFO_MAC = 1 << 1,     /* six bytes of address follow, lowest first */
	INFO_TRIGGER = 1 << 2, /* sends when something happens, not in intervals */
	INFO_VERSION_SHIFT = 5,
	INFO_VERSION = 2,
};

#define COUNTER_SIZE 4u

static uint64_t take_number(const uint8_t *data, size_t size)
{
	uint64_t number = 0;

	for (size_t i = size; i-- > 0;)
		number = number << 8 | data[i];
	return number;
}

static int64_t take_signed(const uint8_t *data, size_t size)
{
	uint64_t number = take_number(data, size), sign = UINT64_C(1) << (8 * size - 1);

	return (int64_t)(number ^ sign) - (int64_t)sign;
}

/* Bytes of the object with its length, behind its id; 0: cut off. */
static size_t object_size(const struct bthome_object *o, const uint8_t *data, size_t size)
{
	size_t whole = o->size;

	if (whole == 0)
		whole = size > 0 ? 1u + data[0] : 1u;
	return whole <= size ? whole : 0;
}

/* Dimmer: event 1 turns left, 2 right; the steps follow. */
static int64_t dimmer_steps(const uint8_t *data)
{
	return data[0] == 1 ? -(int64_t)data[1] : data[0] == 2 ? data[1] : 0;
}

static void measure_fill(const struct bthome_object *o, const uint8_t *data, size_t size,
			 struct bthome_measure *m)
{
	*m = (struct bthome_measure){ .object = o };
	switch (o->kind) {
	case BTHOME_UNSIGNED:
	case BTHOME_BINARY:
	case BTHOME_BUTTON:
		m->raw = (int64_t)take_number(data, size);
		break;
	case BTHOME_SIGNED:
		m->raw = take_signed(data, size);
		break;
	case BTHOME_DIMMER:
		m->raw = data[0];
		m->steps = dimmer_steps(data);
		break;
	case BTHOME_TEXT:
	case BTHOME_RAW:
		m->data = data + 1;
		m->size = size - 1;
		break;
	}
}

static bool measure_is_sound(const struct bthome_measure *m)
{
	return m->object->kind != BTHOME_TEXT || text_is_utf8((const char *)m->data, m->size);
}

static int read_objects(struct bthome_packet *p, size_t size)
{
	size_t at = 0;

	while (at < size) {
		const struct bthome_object *o = bthome_object_find(p->plain[at++]);
		struct bthome_measure *m = &p->measures[p->n_measures];
		size_t taken;

		if (!o)
			break;
		taken = object_size(o, p->plain + at, size - at);
		if (taken == 0 || p->n_measures == BTHOME_MEASURES_MAX)
			return -EBADMSG;
		measure_fill(o, p->plain + at, taken, m);
		at += taken;
		if (o->id == 0) {
			p->has_packet_id = true;
			p->packet_id = (uint8_t)m->raw;
		}
		if (!measure_is_sound(m))
			return -EBADMSG;
		p->n_measures++;
	}
	return p->n_measures > 0 ? 0 : -EBADMSG;
}

/* The nonce is address, UUID as on the air, device information, counter (bthome.io/encryption). */
static int decrypt(struct bthome_packet *p, const uint8_t *data, size_t size, uint8_t info, const uint8_t *mac,
		   const uint8_t *key, size_t *ret_size)
{
	uint8_t nonce[BTHOME_NONCE_SIZE] = { 0 };
	const uint8_t *counter;
	size_t sealed;

	if (size <= COUNTER_SIZE + BTHOME_TAG_SIZE)
		return -EBADMSG;
	sealed = size - COUNTER_SIZE - BTHOME_TAG_SIZE;
	counter = data + sealed;
	memcpy(nonce, mac, BTHOME_MAC_SIZE);
	nonce[6] = BTHOME_UUID & 0xff;
	nonce[7] = BTHOME_UUID >> 8;
	nonce[8] = info;
	memcpy(nonce + 9, counter, COUNTER_SIZE);
	p->counter = (uint32_t)take_number(counter, COUNTER_SIZE);
	*ret_size = sealed;
	return bthome_decrypt(key, nonce, data, sealed, counter + COUNTER_SIZE, p->plain);
}

int bthome_parse(const uint8_t *data, size_t size, const uint8_t mac[BTHOME_MAC_SIZE], const uint8_t *key,
		 struct bthome_packet *ret)
{
	uint8_t own[BTHOME_MAC_SIZE], info;
	size_t plain;
	int r;

	if (size < 2 || size > BTHOME_DATA_MAX || data[0] >> INFO_VERSION_SHIFT != INFO_VERSION)
		return -EBADMSG;
	info = *data++;
	size--;
	ret->encrypted = info & INFO_ENCRYPTED;
	ret->trigger_based = info & INFO_TRIGGER;
	ret->counter = 0;
	ret->has_packet_id = false;
	ret->n_measures = 0;
	if (info & INFO_MAC) {
		if (size <= BTHOME_MAC_SIZE)
			return -EBADMSG;
		for (size_t i = 0; i < BTHOME_MAC_SIZE; i++)
			own[i] = data[BTHOME_MAC_SIZE - 1 - i];
		mac = own;
		data += BTHOME_MAC_SIZE;
		size -= BTHOME_MAC_SIZE;
	}
	if (ret->encrypted != (key != NULL))
		return key ? -EPERM : -ENOKEY;
	plain = size;
	if (key) {
		r = decrypt(ret, data, size, info, mac, key, &plain);
		if (r < 0)
			return r;
	} else {
		memcpy(ret->plain, data, size);
	}
	return read_objects(ret, plain);
}

static enum bthome_news take_counter(struct bthome_history *h, uint32_t counter, uint64_t now_usec)
{
	bool restarted = counter < BTHOME_COUNTER_RESTART && now_usec - h->new_usec >= BTHOME_RESTART_USEC;

	if (h->has_counter && counter == h->counter)
		return BTHOME_REPEATED;
	if (h->has_counter && counter < h->counter && !restarted)
		return BTHOME_REPLAYED;
	h->has_counter = true;
	h->counter = counter;
	h->new_usec = now_usec;
	return BTHOME_NEW;
}

enum bthome_news bthome_history_take(struct bthome_history *h, const struct bthome_packet *p, uint64_t now_usec)
{
	enum bthome_news news = p->encrypted ? take_counter(h, p->counter, now_usec) : BTHOME_NEW;

	if (news != BTHOME_NEW)
		return news;
	if (p->has_packet_id && h->has_packet_id && p->packet_id == h->packet_id)
		return BTHOME_REPEATED;
	h->has_packet_id = p->has_packet_id;
	h->packet_id = p->packet_id;
	return BTHOME_NEW;
}

const struct bthome_measure *bthome_packet_find(const struct bthome_packet *p, const char *name, unsigned nth)
{
	for (size_t i = 0; i < p->n_measures; i++)
		if (strcmp(p->measures[i].object->name, name) == 0 && nth-- == 0)
			return &p->measures[i];
	return NULL;
}

static const struct {
	uint8_t event;
	const char *button, *dimmer;
} event_names[] = {
	{ 0x00, "none", "none" },
	{ 0x01, "press", "rotate_left" },
	{ 0x02, "double_press", "rotate_right" },
	{ 0x03, "triple_press", NULL },
	{ 0x04, "long_press", NULL },
	{ 0x05, "long_double_press", NULL },
	{ 0x06, "long_triple_press", NULL },
	{ 0x80, "hold_press", NULL },
};

const char *bthome_event_name(const struct bthome_measure *m)
{
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
		if (event_names[i].event == m->raw)
			return m->object->kind == BTHOME_DIMMER ? event_names[i].dimmer : event_names[i].button;
	return NULL;
}
