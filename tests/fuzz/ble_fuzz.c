/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "plugins/ble/advert.h"
#include "plugins/ble/beacon.h"
#include "plugins/ble/bthome.h"
#include "plugins/lib/text.h"

static const struct fuzz_seed seeds[] = {
	{ "0201060b094449592d73656e736f720a16d2fc4002c40903bf13", NULL },
	{ "0f16d2fc40000901610c020c3a013c0103", NULL },
	{ "1216d2fc41a47266c95f730011223378237214", NULL },
	{ "1116d2fc40530548656c6c6f5402ff00f00100", NULL },
	{ "1116aafe20000bb815800000045700003b9a", NULL },
	{ "0d16aafe102003676f6f676c6507", NULL },
	{ "1516aafe00ee8b0ca750095477cb3e770011223344550000", NULL },
	{ "1aff4c000215e2c56db5dffb48d2b060d0f5a71096e00102fffec5", NULL },
	{ "1bff99040512fc5394c37c0004fffc040cac364200cdcbb8334c884f", NULL },
};
const struct fuzz_target fuzz_target = { "ble", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

static const uint8_t mac[BTHOME_MAC_SIZE] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 };
static const uint8_t key[BTHOME_KEY_SIZE] = { 0x23, 0x1d, 0x39, 0xc1, 0xd7, 0xcc, 0x1a, 0xb1,
					      0xae, 0xe2, 0x24, 0xcd, 0x09, 0x6d, 0xb9, 0x32 };

static void look_at_bthome(const uint8_t *data, size_t size, const uint8_t *secret)
{
	struct bthome_packet p;
	struct bthome_history h = { 0 };

	if (bthome_parse(data, size, mac, secret, &p) < 0)
		return;
	require(p.n_measures > 0 && p.n_measures <= BTHOME_MEASURES_MAX);
	for (size_t i = 0; i < p.n_measures; i++) {
		const struct bthome_measure *m = &p.measures[i];

		require(m->object != NULL && bthome_packet_find(&p, m->object->name, 0) <= m);
		if (m->object->kind == BTHOME_TEXT || m->object->kind == BTHOME_RAW)
			require(m->data >= p.plain && m->data + m->size <= p.plain + size);
		bthome_event_name(m);
	}
	require(bthome_history_take(&h, &p, 0) == BTHOME_NEW);
}

static void look_at_beacons(const uint8_t *data, size_t size)
{
	struct eddystone e;
	struct ibeacon b;

	if (eddystone_parse(data, size, &e) >= 0 && e.frame == EDDYSTONE_URL)
		require(memchr(e.url, 0, sizeof(e.url)) != NULL);
	ibeacon_parse(data, size, &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advert a;
	const struct advert_entry *e;
	const uint8_t *bytes;
	size_t at = 0;

	look_at_bthome(data, size, NULL);
	if (advert_parse(data, size, &a) < 0)
		return 0;
	require(a.used <= sizeof(a.bytes) && text_is_utf8(a.name, strlen(a.name)));
	while ((e = advert_next(&a, &at, &bytes))) {
		require(bytes + e->size <= a.bytes + a.used);
		look_at_bthome(bytes, e->size, NULL);
		look_at_bthome(bytes, e->size, key);
		look_at_beacons(bytes, e->size);
	}
	return 0;
}
