/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "tests/integration/crowd.h"

/*
 * 500 Modbus TCP devices, each at an address of its own, of which three change
 * while they are polled: the others keep their connections, and no poll of
 * theirs is late.
 */

#define DEVICES 500u
#define CHANGED 3u

static struct {
	struct config config;
	struct config_device devices[DEVICES];
	struct config_type type; /* of those that change */
	struct config_point point_of_type;
	struct fieldway_setting point_after[3];
	struct config_successor buses[RIG_BUSES], devices_before[DEVICES];
	uint32_t buses_after[RIG_BUSES], devices_after[DEVICES];
	struct config_difference difference;
	unsigned values[DEVICES], states[DEVICES];
} all;

/* ---- the daemon's side ---- */

static void on_values(void *userdata, uint32_t device, const struct fieldway_sample *samples,
		      size_t n)
{
	(void)userdata;
	for (size_t i = 0; i < n; i++)
		if (samples[i].quality == FIELDWAY_GOOD)
			all.values[device] = (unsigned)samples[i].value.unsignd;
}

static void on_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	(void)userdata;
	(void)state;
	(void)reason;
	all.states[device]++;
}

/* Every 200th device reads another register, and all are counted from the other end. */
static bool changes(unsigned i)
{
	return i % 200 == 50;
}

static void make_type(void)
{
	all.type = rig.c.type;
	all.point_of_type = rig.c.points[0];
	memcpy(all.point_after, rig.c.points[0].settings.items, sizeof(all.point_after));
	all.point_after[2] = crowd_number("address", 1);
	all.point_of_type.settings = (struct fieldway_settings){ all.point_after, 3 };
	all.type.points = &all.point_of_type;
}

static void make_difference(void)
{
	unsigned n = 0;

	make_type();
	all.config = rig.c.config;
	all.config.devices = all.devices;
	for (uint32_t i = 0; i < DEVICES; i++) {
		uint32_t before = DEVICES - 1 - i;

		all.devices[i] = crowd.devices[before];
		if (changes(before))
			all.devices[i].type = &all.type;
		n += changes(before);
		all.devices_before[i] = (struct config_successor){ before, !changes(before) };
		all.devices_after[before] = i;
	}
	ck_assert_uint_eq(n, CHANGED);
	for (uint32_t i = 0; i < RIG_BUSES; i++) {
		all.buses[i] = (struct config_successor){ i, true };
		all.buses_after[i] = i;
	}
	all.difference = (struct config_difference){ .before = &rig.c.config,
						     .after = &all.config,
						     .buses = all.buses,
						     .devices = all.devices_before,
						     .buses_after = all.buses_after,
						     .devices_after = all.devices_after };
}

static bool all_have(unsigned requests)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (crowd.seen[i].requests < requests)
			return false;
	return true;
}

static bool changed_have(unsigned value)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (changes(DEVICES - 1 - i) && all.values[i] != value)
			return false;
	return true;
}

/* Beside the devices that change: how late was the latest poll? */
static uint64_t check_untouched(void)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < DEVICES; i++) {
		const struct crowd_seen *d = &crowd.seen[i];

		ck_assert_uint_eq(d->open, 1);
		if (changes(i))
			continue;
		ck_assert_uint_eq(d->connections, 1);
		ck_assert_uint_eq(all.states[DEVICES - 1 - i], 1);
		longest = MAX(longest, d->longest_usec);
	}
	return longest;
}

/* Between two polls there is up to a period by rights, and after the first one it is shorter. */
START_TEST(three_change)
{
	static const struct fieldbus_ops ops = { on_values, on_state };
	uint64_t begin, longest;
	int host;

	crowd_start(DEVICES);
	crowd_set_up(&ops);
	crowd_configure();
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(all_have(3));
	host = fieldbus_host_pid(rig.fieldbus, 0);
	make_difference();
	memset(all.values, 0, sizeof(all.values));
	begin = rig_now();
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &all.config, &all.difference, NULL), 0);
	rig_until(changed_have(8));
	fprintf(stderr, "the new register of %u devices is there after %llu ms\n", CHANGED,
		(unsigned long long)((rig_now() - begin) / USEC_PER_MSEC));
	for (unsigned i = 0; i < DEVICES; i++)
		ck_assert_uint_gt(crowd.seen[i].requests, 2);
	rig_until(all_have(6));
	longest = check_untouched();
	fprintf(stderr, "the longest time between two polls of the others was %llu ms\n",
		(unsigned long long)(longest / USEC_PER_MSEC));
	ck_assert_uint_lt(longest, 2 * CROWD_PERIOD_USEC);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), host);
	crowd_stop();
	rig_tear_down();
}
END_TEST

int main(void)
{
	return crowd_run("reload", three_change, DEVICES);
}
