/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/integration/crowd.h"

/* A thousand Modbus TCP devices, each at an address of its own: all answer, from hosts that share them. */

#define DEVICES 1000u

static struct {
	bool online[DEVICES], valued[DEVICES];
	unsigned n_online, n_valued;
} all;

static void on_values(void *userdata, uint32_t device, const struct fieldway_sample *samples,
		      size_t n)
{
	(void)userdata;
	if (n == 0 || samples->quality != FIELDWAY_GOOD || all.valued[device])
		return;
	ck_assert_int_eq(samples->value.type, FIELDWAY_UINT);
	ck_assert_uint_eq(samples->value.unsignd, 7);
	all.valued[device] = true;
	all.n_valued++;
}

static void on_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	(void)userdata;
	(void)reason;
	all.n_online += (state == FIELDBUS_ONLINE) - all.online[device];
	all.online[device] = state == FIELDBUS_ONLINE;
}

START_TEST(all_answer)
{
	static const struct fieldbus_ops ops = { on_values, on_state };
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	uint64_t begin = rig_now();

	crowd_start(DEVICES);
	crowd_set_up(&ops);
	crowd_configure();
	ck_assert_int_eq(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), 0);
	yaml_errors_done(&warnings);
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, fieldbus_lines(rig.fieldbus)), 0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, DEVICES / FIELDBUS_LINES_MAX);
	rig_until(all.n_online == DEVICES && all.n_valued == DEVICES);
	fprintf(stderr, "%u devices have values after %llu ms\n", DEVICES,
		(unsigned long long)((rig_now() - begin) / USEC_PER_MSEC));
	for (uint32_t i = 0; i < DEVICES; i += DEVICES - 1) {
		ck_assert_uint_eq(rig_statistics(i).host_restarts, 0);
		ck_assert_uint_eq(rig_statistics(i).errors, 0);
	}
	crowd_stop();
	rig_tear_down();
}
END_TEST

int main(void)
{
	return crowd_run("thousand", all_answer, DEVICES);
}
