/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "fieldbus/local.h"
#include "link/host1.h"
#include "tests/unit/fieldbus/rig.h"

/* The rig's bus "lan" as that of local devices: m3 is one. */
#define LOCAL 2u

static void set_up(void)
{
	rig_set_up();
	rig.c.buses[1].plugin = &config_plugin_local;
	rig.c.devices[LOCAL].owner = "vision";
	/* Its bus alone: no host is needed. */
	rig.c.devices[0].enabled = rig.c.devices[1].enabled = false;
}

static void start(void)
{
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
}

static struct fieldway_sample level(int64_t value)
{
	return (struct fieldway_sample){ .point = RIG_LEVEL,
					 .boottime_usec = clock_boottime_usec(),
					 .value = { .type = FIELDWAY_INT, .integer = value } };
}

static int publish(struct fieldway_sample sample)
{
	size_t at = 99;
	int r = fieldbus_publish(rig.fieldbus, LOCAL, &sample, 1, &at);

	ck_assert_uint_eq(at, r == -ESTALE ? 0 : 99);
	return r;
}

static enum fieldbus_state state(void)
{
	return fieldbus_device_state(rig.fieldbus, LOCAL, NULL);
}

/* ---- what it says ---- */

START_TEST(published)
{
	struct fieldbus_local_counters counters;
	struct fieldway_sample failed = level(0), invalid = level(0);

	start();
	ck_assert(fieldbus_is_local(rig.fieldbus, LOCAL));
	ck_assert(!fieldbus_is_local(rig.fieldbus, 0));
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(LOCAL), "bus lan: device m3: no program of vision has published yet");
	ck_assert_int_eq(publish(level(5)), 0);
	ck_assert_int_eq(state(), FIELDBUS_ONLINE);
	ck_assert_str_eq(rig_reason(LOCAL), "");
	ck_assert_uint_eq(rig.n_values[LOCAL], 1);
	ck_assert_int_eq(rig.first.value.integer, 5);
	failed.quality = FIELDWAY_FAILED;
	failed.error = -EIO;
	invalid.quality = FIELDWAY_INVALID;
	ck_assert_int_eq(publish(failed), 0);
	ck_assert_int_eq(publish(invalid), 0);
	fieldbus_local_counters(rig.fieldbus, LOCAL, RIG_LEVEL, &counters);
	ck_assert_uint_eq(counters.good, 1);
	ck_assert_uint_eq(counters.failed, 1);
	ck_assert_uint_eq(counters.invalid, 1);
	ck_assert_uint_eq(rig_statistics(LOCAL).requests, 3);
	ck_assert_uint_eq(rig_statistics(LOCAL).errors, 1);
}
END_TEST

START_TEST(not_published)
{
	struct fieldway_sample nowhere = level(1);
	size_t at;

	start();
	nowhere.point = RIG_POINTS;
	ck_assert_int_eq(publish(nowhere), -EINVAL);
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	ck_assert_int_eq(fieldbus_publish(rig.fieldbus, 0, NULL, 0, &at), -EINVAL);
	ck_assert_int_eq(fieldbus_publish(rig.fieldbus, RIG_DEVICES, NULL, 0, &at), -EINVAL);
	ck_assert_uint_eq(rig.n_values[LOCAL], 0);
	/* Nothing at all: it is there. */
	ck_assert_int_eq(fieldbus_publish(rig.fieldbus, LOCAL, NULL, 0, &at), 0);
	ck_assert_int_eq(state(), FIELDBUS_ONLINE);
	ck_assert_uint_eq(rig.n_values[LOCAL], 0);
}
END_TEST

/* What is older than what there is already is no news; a moment is a matter of clocks. */
START_TEST(later_value)
{
	struct fieldway_sample old;

	start();
	old = level(4);
	rig_advance(USEC_PER_SEC / 2);
	ck_assert_int_eq(publish(level(5)), 0);
	ck_assert_int_eq(publish(old), 0);
	rig_advance(2 * USEC_PER_SEC);
	ck_assert_int_eq(publish(level(6)), 0);
	ck_assert_int_eq(publish(old), -ESTALE);
	ck_assert_int_eq(rig.first.value.integer, 6);
	/* From before this machine's boot. */
	old.boottime_usec = 0;
	ck_assert_int_eq(publish(old), -ESTALE);
}
END_TEST

START_TEST(rate)
{
	unsigned taken = 0;
	int r = 0;

	start();
	while (taken < 3 * FIELDBUS_LOCAL_RATE_MAX && (r = publish(level(taken))) == 0)
		taken++;
	/* What the real clock lets in meanwhile. */
	ck_assert_uint_ge(taken, 2 * FIELDBUS_LOCAL_RATE_MAX);
	ck_assert_uint_lt(taken, 3 * FIELDBUS_LOCAL_RATE_MAX);
	ck_assert_int_eq(r, -ENOSPC);
	rig_advance(USEC_PER_SEC / 10);
	ck_assert_int_eq(publish(level(0)), 0);
}
END_TEST

/* ---- its silence ---- */

START_TEST(silence)
{
	rig.c.points[RIG_LEVEL].silence_usec = 5 * USEC_PER_SEC;
	rig.c.points[RIG_MODE].silence_usec = 10 * USEC_PER_SEC;
	start();
	rig_advance(9 * USEC_PER_SEC);
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	rig_advance(USEC_PER_SEC);
	ck_assert_int_eq(state(), FIELDBUS_OFFLINE);
	ck_assert_str_eq(rig_reason(LOCAL), "bus lan: device m3: nothing was published for 10s");
	ck_assert_int_eq(rig_try(LOCAL, "x"), -EHOSTDOWN);
	ck_assert_int_eq(publish(level(1)), 0);
	ck_assert_int_eq(state(), FIELDBUS_ONLINE);
	rig_advance(9 * USEC_PER_SEC);
	ck_assert_int_eq(publish(level(1)), 0);
	/* What it has said holds, whether it is still there or not. */
	fieldbus_program_left(rig.fieldbus, LOCAL);
	rig_advance(9 * USEC_PER_SEC);
	ck_assert_int_eq(state(), FIELDBUS_ONLINE);
	rig_advance(USEC_PER_SEC);
	ck_assert_int_eq(state(), FIELDBUS_OFFLINE);
}
END_TEST

START_TEST(left)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	rig_advance(USEC_PER_DAY);
	ck_assert_int_eq(state(), FIELDBUS_ONLINE);
	fieldbus_program_left(rig.fieldbus, LOCAL);
	ck_assert_int_eq(state(), FIELDBUS_OFFLINE);
	ck_assert_str_eq(rig_reason(LOCAL), "bus lan: device m3: its program, of vision, has left the bus");
}
END_TEST

/* It may leave while nothing has been taken of it since it began anew. */
START_TEST(left_unheard)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, LOCAL, true), 0);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, LOCAL, false), 0);
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	fieldbus_program_left(rig.fieldbus, LOCAL);
	ck_assert_int_eq(state(), FIELDBUS_OFFLINE);
	ck_assert_str_eq(rig_reason(LOCAL), "bus lan: device m3: its program, of vision, has left the bus");
	ck_assert_int_eq(publish(level(2)), 0);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, LOCAL, true), 0);
	fieldbus_program_left(rig.fieldbus, LOCAL);
	ck_assert_int_eq(state(), FIELDBUS_PAUSED);
	ck_assert_str_eq(rig_reason(LOCAL), "paused");
}
END_TEST

/* ---- writes ---- */

/* Told in the loop, not from fieldbus_write(). */
static void order(void)
{
	unsigned told = rig.n_told;

	rig_order(LOCAL, "x");
	ck_assert_uint_eq(rig.n_told, told);
	timers_run(rig.timers);
	ck_assert_uint_eq(rig.n_told, told + 1);
	ck_assert_uint_eq(rig.told, LOCAL);
}

START_TEST(write_accepted)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	order();
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial + 1, true, 0, ""), -ENOENT);
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, 0, rig.serial, true, 0, ""), -ENOENT);
	ck_assert_uint_eq(rig.n_done, 0);
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial, true, 0, ""), 0);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	/* It is the point's value from now on. */
	ck_assert_uint_eq(rig.n_values[LOCAL], 2);
	ck_assert_uint_eq(rig.first.point, RIG_ORDER);
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial, true, 0, ""), -ENOENT);
	rig_advance(FIELDBUS_WRITE_USEC);
	ck_assert_uint_eq(rig.n_done, 1);
}
END_TEST

START_TEST(write_refused)
{
	start();
	order();
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial, true, -EINVAL, "too far"), 0);
	ck_assert_int_eq(rig.outcome, FIELDWAY_REFUSED);
	ck_assert_int_eq(rig.error, -EINVAL);
	ck_assert_str_eq(rig.detail, "bus lan: device m3: point order: too far");
	order();
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial, false, -EBUSY, ""), 0);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
	ck_assert_int_eq(rig.error, -EBUSY);
	ck_assert_str_eq(rig.detail, "bus lan: device m3: point order: its program has refused it");
	ck_assert_uint_eq(rig.n_values[LOCAL], 0);
}
END_TEST

START_TEST(write_unanswered)
{
	start();
	order();
	rig_advance(FIELDBUS_WRITE_USEC - USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_done, 0);
	rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -ETIMEDOUT);
	order();
	fieldbus_program_left(rig.fieldbus, LOCAL);
	ck_assert_uint_eq(rig.n_done, 2);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -ECONNRESET);
}
END_TEST

START_TEST(write_to_nobody)
{
	start();
	rig.no_program = true;
	rig_order(LOCAL, "x");
	timers_run(rig.timers);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
	ck_assert_int_eq(rig.error, -EHOSTDOWN);
	ck_assert_str_eq(rig.detail, "bus lan: device m3: point order: no program that publishes it is on the bus");
}
END_TEST

static int try_value(struct fieldway_value value)
{
	unsigned done = rig.n_done;
	int r = fieldbus_write(rig.fieldbus, LOCAL, RIG_ORDER, &value, rig_done, &rig);

	timers_run(rig.timers);
	if (rig.n_done == done && r == 0)
		ck_assert_int_eq(fieldbus_complete(rig.fieldbus, LOCAL, rig.serial, true, 0, ""), 0);
	return rig.error;
}

#define REAL(x) ((struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = (x) })
#define WHOLE(x) ((struct fieldway_value){ .type = FIELDWAY_INT, .integer = (x) })

/* A resource may be of another type than the point. */
START_TEST(write_types)
{
	rig.any_value = true;
	rig.c.points[RIG_ORDER].settings = rig_setting(0, "type", "int64");
	start();
	ck_assert_int_eq(try_value(REAL(42)), 0);
	ck_assert_int_eq(rig.first.value.type, FIELDWAY_INT);
	ck_assert_int_eq(rig.first.value.integer, 42);
	ck_assert_int_eq(try_value(REAL(0.5)), -EINVAL);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
	ck_assert_str_eq(rig.detail, "bus lan: device m3: point order: does not fit its type, int64");
	ck_assert_int_eq(try_value(REAL(1e300)), -EINVAL);
	ck_assert_int_eq(try_value((struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = UINT64_MAX }), -ERANGE);
	ck_assert_int_eq(try_value((struct fieldway_value){ .type = FIELDWAY_STRING, .data = "1", .size = 1 }), -EINVAL);
	rig_setting(0, "type", "uint64");
	ck_assert_int_eq(try_value(WHOLE(-1)), -ERANGE);
	ck_assert_int_eq(try_value(REAL(0x1p63)), 0);
	ck_assert_uint_eq(rig.first.value.unsignd, UINT64_C(1) << 63);
	rig_setting(0, "type", "float");
	ck_assert_int_eq(try_value(WHOLE(7)), 0);
	ck_assert_double_eq(rig.first.value.real, 7);
	ck_assert_int_eq(try_value(WHOLE(-(INT64_C(1) << 53) - 1)), -ERANGE);
	ck_assert_int_eq(try_value(WHOLE(INT64_MAX)), -ERANGE);
	ck_assert_int_eq(try_value((struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = UINT64_MAX }), -ERANGE);
	ck_assert_int_eq(try_value(WHOLE(INT64_MIN)), 0);
	ck_assert_double_eq(rig.first.value.real, -0x1p63);
	rig_setting(0, "type", "bool");
	ck_assert_int_eq(try_value(WHOLE(1)), 0);
	ck_assert_int_eq(rig.first.value.type, FIELDWAY_BOOL);
	ck_assert(rig.first.value.boolean);
	ck_assert_int_eq(try_value(WHOLE(2)), -ERANGE);
	rig_setting(0, "type", "bytes");
	ck_assert_int_eq(try_value(WHOLE(2)), -EINVAL);
}
END_TEST

/* As long as what Publish takes. */
START_TEST(write_length)
{
	static char text[LINK_SAMPLE_BYTES_MAX + 1];
	struct fieldway_value value = { .type = FIELDWAY_STRING, .data = text, .size = LINK_SAMPLE_BYTES_MAX };

	memset(text, 'x', sizeof(text));
	rig.any_value = true;
	rig.c.points[RIG_ORDER].settings = rig_setting(0, "type", "string");
	start();
	ck_assert_int_eq(try_value(value), 0);
	ck_assert_uint_eq(rig.n_done, 1);
	value.size++;
	ck_assert_int_eq(try_value(value), -ERANGE);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
}
END_TEST

START_TEST(write_limit)
{
	start();
	for (unsigned i = 0; i < FIELDBUS_WRITES_MAX; i++)
		rig_order(LOCAL, "x");
	ck_assert_int_eq(rig_try(LOCAL, "x"), -EBUSY);
	fieldbus_forget(rig.fieldbus, &rig);
	rig_advance(FIELDBUS_WRITE_USEC);
	rig_advance(FIELDBUS_WRITE_USEC);
	ck_assert_uint_eq(rig.n_done, 0);
	rig_order(LOCAL, "x");
}
END_TEST

/* ---- left alone ---- */

START_TEST(paused)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	order();
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, LOCAL, true), 0);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(state(), FIELDBUS_PAUSED);
	ck_assert_int_eq(publish(level(2)), -EHOSTDOWN);
	ck_assert_int_eq(rig_try(LOCAL, "x"), -EHOSTDOWN);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, LOCAL, false), 0);
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	ck_assert_int_eq(publish(level(3)), 0);
}
END_TEST

START_TEST(bus_paused)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	order();
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 1, true), 0);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(state(), FIELDBUS_PAUSED);
	ck_assert_str_eq(rig_reason(LOCAL), "bus lan is paused");
	ck_assert_int_eq(publish(level(2)), -EHOSTDOWN);
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 1, false), 0);
	ck_assert_int_eq(state(), FIELDBUS_UNKNOWN);
	ck_assert_int_eq(publish(level(3)), 0);
}
END_TEST

/* It has no wire to be asked over. */
START_TEST(no_wire)
{
	struct fieldway_settings nothing = { 0 };

	start();
	ck_assert_int_eq(fieldbus_raw(rig.fieldbus, 1, &nothing, "x", 1, USEC_PER_SEC, NULL, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(fieldbus_scan(rig.fieldbus, 1, USEC_PER_SEC, NULL, NULL, NULL), -EOPNOTSUPP);
	ck_assert_int_eq(fieldbus_read(rig.fieldbus, LOCAL, &(uint32_t){ RIG_LEVEL }, 1, NULL, NULL), -EHOSTDOWN);
}
END_TEST

/* ---- another configuration ---- */

static struct {
	struct config config;
	struct config_device devices[RIG_DEVICES];
	struct config_successor bus_successors[RIG_BUSES], successors[RIG_DEVICES];
	uint32_t buses_after[RIG_BUSES], devices_after[RIG_DEVICES];
	struct config_difference difference;
} next;

/* m3 comes first. */
static void reload(bool same)
{
	next.config = rig.c.config;
	next.config.devices = next.devices;
	next.config.n_devices = 1;
	next.devices[0] = rig.c.devices[LOCAL];
	next.difference = (struct config_difference){ .before = &rig.c.config, .after = &next.config,
						      .buses = next.bus_successors, .devices = next.successors,
						      .buses_after = next.buses_after,
						      .devices_after = next.devices_after };
	next.bus_successors[0] = (struct config_successor){ 0, true };
	next.bus_successors[1] = (struct config_successor){ 1, true };
	next.buses_after[0] = 0;
	next.buses_after[1] = 1;
	next.successors[0] = (struct config_successor){ LOCAL, same };
	for (uint32_t i = 0; i < RIG_DEVICES; i++)
		next.devices_after[i] = i == LOCAL ? 0 : CONFIG_NONE;
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &next.config, &next.difference, NULL), 0);
}

START_TEST(reload_same)
{
	rig.c.points[RIG_LEVEL].silence_usec = 5 * USEC_PER_SEC;
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	order();
	reload(true);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 0, NULL), FIELDBUS_ONLINE);
	ck_assert_uint_eq(rig.n_done, 0);
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, 0, rig.serial, true, 0, ""), 0);
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	rig_advance(5 * USEC_PER_SEC);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 0, NULL), FIELDBUS_OFFLINE);
	ck_assert_uint_eq(rig_statistics(0).requests, 1);
}
END_TEST

START_TEST(reload_changed)
{
	start();
	ck_assert_int_eq(publish(level(1)), 0);
	order();
	reload(false);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 0, NULL), FIELDBUS_UNKNOWN);
	ck_assert_int_eq(fieldbus_complete(rig.fieldbus, 0, rig.serial, true, 0, ""), -ENOENT);
	/* What it counted goes on. */
	ck_assert_uint_eq(rig_statistics(0).requests, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("local");
	TCase *tcase = tcase_create("local");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, published);
	tcase_add_test(tcase, not_published);
	tcase_add_test(tcase, later_value);
	tcase_add_test(tcase, rate);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, left);
	tcase_add_test(tcase, left_unheard);
	tcase_add_test(tcase, write_accepted);
	tcase_add_test(tcase, write_refused);
	tcase_add_test(tcase, write_unanswered);
	tcase_add_test(tcase, write_to_nobody);
	tcase_add_test(tcase, write_types);
	tcase_add_test(tcase, write_length);
	tcase_add_test(tcase, write_limit);
	tcase_add_test(tcase, paused);
	tcase_add_test(tcase, bus_paused);
	tcase_add_test(tcase, no_wire);
	tcase_add_test(tcase, reload_same);
	tcase_add_test(tcase, reload_changed);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
