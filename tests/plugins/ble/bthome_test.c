/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "hex.h"
#include "plugins/ble/bthome.h"

static const uint8_t mac[] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 };

static int parse(const char *hex, const uint8_t *key, struct bthome_packet *p)
{
	uint8_t data[300];

	return bthome_parse(data, hex_bytes(hex, data, sizeof(data)), mac, key, p);
}

/* The examples beside the object ids in the specification (bthome.io/format), in the clear: 0x40 before each. */
static const struct vector {
	const char *hex, *name;
	int64_t raw;
	double value;
} vectors[] = {
	{ "0009", "packet_id", 9, 9 },
	{ "0161", "battery", 97, 97 },
	{ "02ca09", "temperature", 2506, 25.06 },
	{ "02ffff", "temperature", -1, -0.01 },
	{ "03bf13", "humidity", 5055, 50.55 },
	{ "04138a01", "pressure", 100883, 1008.83 },
	{ "05138a14", "illuminance", 1346067, 13460.67 },
	{ "065e1f", "mass_kg", 8030, 80.3 },
	{ "073e1d", "mass_lb", 7486, 74.86 },
	{ "08ca06", "dewpoint", 1738, 17.38 },
	{ "0960", "count", 96, 96 },
	{ "0a138a14", "energy", 1346067, 1346.067 },
	{ "0b021b00", "power", 6914, 69.14 },
	{ "0c020c", "voltage", 3074, 3.074 },
	{ "0d120c", "pm25", 3090, 3090 },
	{ "0e021c", "pm10", 7170, 7170 },
	{ "0f01", "generic", 1, 1 },
	{ "1001", "power_on", 1, 1 },
	{ "1100", "opening", 0, 0 },
	{ "12e204", "co2", 1250, 1250 },
	{ "133301", "tvoc", 307, 307 },
	{ "14020c", "moisture", 3074, 30.74 },
	{ "1501", "battery_low", 1, 1 },
	{ "1a01", "door", 1, 1 },
	{ "2101", "motion", 1, 1 },
	{ "2d01", "window", 1, 1 },
	{ "2e23", "humidity", 35, 35 },
	{ "2f23", "moisture", 35, 35 },
	{ "3d0960", "count", 24585, 24585 },
	{ "3e2a2c0960", "count", 1611213866, 1611213866 },
	{ "3f020c", "rotation", 3074, 307.4 },
	{ "400c00", "distance_mm", 12, 12 },
	{ "414e00", "distance_m", 78, 7.8 },
	{ "424e3400", "duration", 13390, 13.39 },
	{ "434e34", "current", 13390, 13.39 },
	{ "444e34", "speed", 13390, 133.9 },
	{ "451101", "temperature", 273, 27.3 },
	{ "4632", "uv_index", 50, 5 },
	{ "478756", "volume", 22151, 2215.1 },
	{ "48dc87", "volume_ml", 34780, 34780 },
	{ "49dc87", "volume_flow_rate", 34780, 34.78 },
	{ "4a020c", "voltage", 3074, 307.4 },
	{ "4b138a14", "gas", 1346067, 1346.067 },
	{ "4c41018a01", "gas", 25821505, 25821.505 },
	{ "4d12138a14", "energy", 344593170, 344593.17 },
	{ "4e87562a01", "volume", 19551879, 19551.879 },
	{ "4f87562a01", "water", 19551879, 19551.879 },
	{ "505d396164", "timestamp", 1684093277, 1684093277 },
	{ "518756", "acceleration", 22151, 22.151 },
	{ "528756", "gyroscope", 22151, 22.151 },
	{ "5587562a01", "volume_storage", 19551879, 19551.879 },
	{ "56e803", "conductivity", 1000, 1000 },
	{ "57ea", "temperature", -22, -22 },
	{ "58ea", "temperature", -22, -7.7 },
	{ "59ea", "count", -22, -22 },
	{ "5aeaea", "count", -5398, -5398 },
	{ "5bea0234ea", "count", -365690134, -365690134 },
	{ "5c02fbffff", "power", -1278, -12.78 },
	{ "5d02ea", "current", -5630, -5.63 },
	{ "5e9f8c", "direction", 35999, 359.99 },
	{ "5f6400", "precipitation", 100, 10 },
	{ "6001", "channel", 1, 1 },
	{ "61ac0d", "rotational_speed", 3500, 3500 },
	{ "6240420f00", "speed", 1000000, 1 },
	{ "63c0bdf0ff", "acceleration", -1000000, -1 },
	{ "6402", "light_level", 2, 2 },
	{ "f00100", "device_type", 1, 1 },
	{ "f100010204", "firmware_version", 0x04020100, 0x04020100 },
	{ "f2000106", "firmware_version", 0x060100, 0x060100 },
};

START_TEST(objects_of_the_specification)
{
	const struct vector *v = &vectors[_i];
	struct bthome_packet p;
	char hex[64];

	snprintf(hex, sizeof(hex), "40%s", v->hex);
	ck_assert_int_eq(parse(hex, NULL, &p), 0);
	ck_assert_uint_eq(p.n_measures, 1);
	ck_assert_str_eq(p.measures[0].object->name, v->name);
	ck_assert_msg(p.measures[0].raw == v->raw, "%s: %lld", v->hex, (long long)p.measures[0].raw);
	ck_assert(fabs((double)v->raw * p.measures[0].object->multiplier / p.measures[0].object->divisor - v->value) <
		  1e-9);
	ck_assert_ptr_nonnull(bthome_object_named(v->name, strlen(v->name)));
}
END_TEST

START_TEST(ids_are_there_once)
{
	unsigned known = 0;

	for (unsigned id = 0; id < 256; id++) {
		const struct bthome_object *o = bthome_object_find((uint8_t)id);

		known += o != NULL;
		ck_assert(!o || o->id == id);
		ck_assert(!o || (o->multiplier > 0 && o->divisor > 0));
	}
	ck_assert_uint_eq(known, 0x30 + 2 + 0x64 - 0x3d + 1 + 3);
	ck_assert_ptr_null(bthome_object_named("temp", 4));
}
END_TEST

START_TEST(events)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse("443a003a053a803a7f3c01033c02023c0000", NULL, &p), 0);
	ck_assert(p.trigger_based);
	ck_assert_uint_eq(p.n_measures, 7);
	ck_assert_str_eq(bthome_event_name(bthome_packet_find(&p, "button", 0)), "none");
	ck_assert_str_eq(bthome_event_name(bthome_packet_find(&p, "button", 1)), "long_double_press");
	ck_assert_str_eq(bthome_event_name(bthome_packet_find(&p, "button", 2)), "hold_press");
	ck_assert_ptr_null(bthome_event_name(bthome_packet_find(&p, "button", 3)));
	ck_assert_ptr_null(bthome_packet_find(&p, "button", 4));
	ck_assert_str_eq(bthome_event_name(bthome_packet_find(&p, "dimmer", 0)), "rotate_left");
	ck_assert_int_eq(bthome_packet_find(&p, "dimmer", 0)->steps, -3);
	ck_assert_str_eq(bthome_event_name(bthome_packet_find(&p, "dimmer", 1)), "rotate_right");
	ck_assert_int_eq(bthome_packet_find(&p, "dimmer", 1)->steps, 2);
	ck_assert_int_eq(bthome_packet_find(&p, "dimmer", 2)->steps, 0);
}
END_TEST

START_TEST(text_and_raw)
{
	struct bthome_packet p;
	const struct bthome_measure *m;

	ck_assert_int_eq(parse("40 530c48656c6c6f20576f726c6421 5402ff00 0164", NULL, &p), 0);
	m = bthome_packet_find(&p, "text", 0);
	ck_assert_uint_eq(m->size, 12);
	ck_assert_mem_eq(m->data, "Hello World!", 12);
	m = bthome_packet_find(&p, "raw", 0);
	ck_assert_uint_eq(m->size, 2);
	ck_assert_mem_eq(m->data, "\xff\0", 2);
	ck_assert_int_eq(bthome_packet_find(&p, "battery", 0)->raw, 100);
	ck_assert_int_eq(parse("40 5302c328", NULL, &p), -EBADMSG);
}
END_TEST

START_TEST(the_same_object_several_times)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse("40 02ca09 0161 451101", NULL, &p), 0);
	ck_assert_int_eq(bthome_packet_find(&p, "temperature", 0)->raw, 2506);
	ck_assert_int_eq(bthome_packet_find(&p, "temperature", 1)->raw, 273);
	ck_assert_ptr_null(bthome_packet_find(&p, "temperature", 2));
}
END_TEST

START_TEST(an_unknown_object_ends_the_list)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse("40 0161 aa 02ca09", NULL, &p), 0);
	ck_assert_uint_eq(p.n_measures, 1);
	ck_assert_int_eq(parse("40 aa 02ca09", NULL, &p), -EBADMSG);
}
END_TEST

START_TEST(own_address_in_the_packet)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse("42 a5808fe64854 0161", NULL, &p), 0);
	ck_assert_int_eq(p.measures[0].raw, 97);
	ck_assert_int_eq(parse("42 a5808fe64854", NULL, &p), -EBADMSG);
}
END_TEST

static const char *const damaged[] = {
	"", "40", "20 0161", "60 0161", "e1 0161", "40 01", "40 02ca", "40 4e8756", "40 53", "40 5305616263",
};

START_TEST(what_is_damaged)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse(damaged[_i], NULL, &p), -EBADMSG);
}
END_TEST

START_TEST(too_much)
{
	struct bthome_packet p;
	char hex[2 * 300 + 1] = "40";

	for (unsigned i = 0; i < BTHOME_MEASURES_MAX; i++)
		strcat(hex, "0161");
	ck_assert_int_eq(parse(hex, NULL, &p), 0);
	ck_assert_uint_eq(p.n_measures, BTHOME_MEASURES_MAX);
	strcat(hex, "0161");
	ck_assert_int_eq(parse(hex, NULL, &p), -EBADMSG);
	for (unsigned i = 0; i < 64; i++)
		strcat(hex, "0161");
	ck_assert_int_eq(parse(hex, NULL, &p), -EBADMSG);
}
END_TEST

/* ---- encrypted: the specification's example ---- */

static const uint8_t key[] = { 0x23, 0x1d, 0x39, 0xc1, 0xd7, 0xcc, 0x1a, 0xb1,
			       0xae, 0xe2, 0x24, 0xcd, 0x09, 0x6d, 0xb9, 0x32 };
#define SEALED "41 a47266c95f73 00112233 78237214"

START_TEST(decrypted)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse(SEALED, key, &p), 0);
	ck_assert(p.encrypted);
	ck_assert_uint_eq(p.counter, 0x33221100);
	ck_assert_uint_eq(p.n_measures, 2);
	ck_assert_int_eq(bthome_packet_find(&p, "temperature", 0)->raw, 2506);
	ck_assert_int_eq(bthome_packet_find(&p, "humidity", 0)->raw, 5055);
}
END_TEST

START_TEST(every_bit_counts)
{
	uint8_t data[32], other[sizeof(key)];
	size_t size = hex_bytes(SEALED, data, sizeof(data));
	struct bthome_packet p;

	for (size_t bit = 8; bit < 8 * size; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(bthome_parse(data, size, mac, key, &p), -EKEYREJECTED);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* The information byte and the key, too. */
	data[0] ^= 1 << 2;
	ck_assert_int_eq(bthome_parse(data, size, mac, key, &p), -EKEYREJECTED);
	data[0] ^= 1 << 2;
	memcpy(other, key, sizeof(key));
	other[15] ^= 1;
	ck_assert_int_eq(bthome_parse(data, size, mac, other, &p), -EKEYREJECTED);
	ck_assert_int_eq(bthome_parse(data, 9, mac, key, &p), -EBADMSG);
}
END_TEST

START_TEST(key_and_packet_must_fit)
{
	struct bthome_packet p;

	ck_assert_int_eq(parse(SEALED, NULL, &p), -ENOKEY);
	ck_assert_int_eq(parse("40 0161", key, &p), -EPERM);
}
END_TEST

/* ---- what was heard before ---- */

static uint64_t now_usec = UINT64_C(1000000000);

static enum bthome_news take(struct bthome_history *h, int64_t counter, int packet_id)
{
	const struct bthome_packet p = {
		.encrypted = counter >= 0,
		.counter = (uint32_t)counter,
		.has_packet_id = packet_id >= 0,
		.packet_id = (uint8_t)packet_id,
	};

	return bthome_history_take(h, &p, now_usec);
}

START_TEST(packet_ids_drop_repetitions)
{
	struct bthome_history h = { 0 };

	ck_assert_int_eq(take(&h, -1, 0), BTHOME_NEW);
	ck_assert_int_eq(take(&h, -1, 0), BTHOME_REPEATED);
	ck_assert_int_eq(take(&h, -1, 255), BTHOME_NEW);
	ck_assert_int_eq(take(&h, -1, 0), BTHOME_NEW);
	ck_assert_int_eq(take(&h, -1, -1), BTHOME_NEW);
	ck_assert_int_eq(take(&h, -1, -1), BTHOME_NEW);
}
END_TEST

START_TEST(counters_only_rise)
{
	struct bthome_history h = { 0 };

	ck_assert_int_eq(take(&h, 5000, -1), BTHOME_NEW);
	ck_assert_int_eq(take(&h, 5000, -1), BTHOME_REPEATED);
	ck_assert_int_eq(take(&h, 4999, -1), BTHOME_REPLAYED);
	ck_assert_int_eq(take(&h, BTHOME_COUNTER_RESTART, -1), BTHOME_REPLAYED);
	ck_assert_int_eq(take(&h, 5001, -1), BTHOME_NEW);
	ck_assert_int_eq(take(&h, 5002, 7), BTHOME_NEW);
	ck_assert_int_eq(take(&h, 5003, 7), BTHOME_REPEATED);
}
END_TEST

START_TEST(new_batteries)
{
	struct bthome_history h = { 0 };

	ck_assert_int_eq(take(&h, 5000, -1), BTHOME_NEW);
	/* The sensor speaks: this is a recording of its first packets. */
	ck_assert_int_eq(take(&h, 0, -1), BTHOME_REPLAYED);
	now_usec += BTHOME_RESTART_USEC - 1;
	ck_assert_int_eq(take(&h, 0, -1), BTHOME_REPLAYED);
	/* Neither recordings nor repetitions show that it still does. */
	ck_assert_int_eq(take(&h, 5000, -1), BTHOME_REPEATED);
	now_usec++;
	ck_assert_int_eq(take(&h, BTHOME_COUNTER_RESTART, -1), BTHOME_REPLAYED);
	ck_assert_int_eq(take(&h, BTHOME_COUNTER_RESTART - 1, -1), BTHOME_NEW);
	ck_assert_int_eq(take(&h, 3, -1), BTHOME_REPLAYED);
	ck_assert_int_eq(take(&h, BTHOME_COUNTER_RESTART, -1), BTHOME_NEW);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/bthome");
	TCase *t = tcase_create("packets");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, objects_of_the_specification, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(t, ids_are_there_once);
	tcase_add_test(t, events);
	tcase_add_test(t, text_and_raw);
	tcase_add_test(t, the_same_object_several_times);
	tcase_add_test(t, an_unknown_object_ends_the_list);
	tcase_add_test(t, own_address_in_the_packet);
	tcase_add_loop_test(t, what_is_damaged, 0, sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(t, too_much);
	tcase_add_test(t, decrypted);
	tcase_add_test(t, every_bit_counts);
	tcase_add_test(t, key_and_packet_must_fit);
	tcase_add_test(t, packet_ids_drop_repetitions);
	tcase_add_test(t, counters_only_rise);
	tcase_add_test(t, new_batteries);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
