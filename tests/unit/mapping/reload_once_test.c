/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "base/clock.h"
#include "tests/unit/mapping/reload_world.h"

/* What a reload makes of points that are read once, which devices that go on have been. */

static char *names[] = { (char *)"em1", (char *)"em2" };
static char *others[] = { (char *)"new1", (char *)"new2" };

/* Meters with an endpoint each, of these names. */
static void fill_named(struct world *w, char *const *endpoints)
{
	uint32_t type = world_add_type(w);

	w->points[type][P_SERIAL].period_usec = CONFIG_RATE_ONCE;
	for (uint32_t i = 0; i < 2; i++) {
		world_add_device(w, names[i], type);
		world_add_endpoint(w, endpoints[i], i);
		world_add_point(w, i, "/3303/0/5700", P_VOLTS);
		world_add_point(w, i, "/3/0/2", P_SERIAL);
	}
}

static void fill(struct world *w)
{
	fill_named(w, names);
}

static struct fieldway_sample serial_sample(void)
{
	return (struct fieldway_sample){ .point = P_SERIAL,
					 .boottime_usec = clock_boottime_usec(),
					 .value = { .type = FIELDWAY_STRING, .data = (char *)"ab", .size = 2 } };
}

static void feed(uint32_t device)
{
	rig_number(device, P_VOLTS, 230);
	rig_sample(device, P_SERIAL, serial_sample().value);
}

static void set_up(void)
{
	world_start(fill);
	for (uint32_t i = 0; i < 2; i++) {
		mapping_state(rig.mapping, i, FIELDBUS_ONLINE, "");
		feed(i);
		ck_assert_uint_eq(rig.n_complete[i], 1);
	}
	ck_assert_uint_eq(rig.n_reads, 0);
}

static void answer(int error)
{
	const struct fieldway_sample sample = serial_sample();

	rig.read.done(rig.read.userdata, error, "", &sample, error == 0);
}

static void expect_asked(unsigned n, uint32_t device)
{
	ck_assert_uint_eq(rig.n_reads, n);
	ck_assert_uint_eq(rig.read.device, device);
	ck_assert_uint_eq(rig.read.n, 1);
	ck_assert_uint_eq(rig.read.points[0], P_SERIAL);
}

/* Nobody asks what endpoints that are gone have shown. */
static void reload(void)
{
	world_reload();
	for (uint32_t i = 0; i < RIG_MAX; i++)
		store_free(gone[i]);
}

/* The first endpoint has another client name. */
static void rename_first(void)
{
	fill_named(then, (char *[]){ others[0], names[1] });
	reload();
}

START_TEST(an_endpoint_comes)
{
	rename_first();
	expect_asked(1, 0);
	rig_number(0, P_VOLTS, 231);
	ck_assert_uint_eq(rig.n_complete[0], 1);
	answer(0);
	ck_assert_uint_eq(rig.n_complete[0], 2);
	rig_expect(0, "/3/0/2", "ab");
	/* And that is that. */
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	rename_first();
	ck_assert_uint_eq(rig.n_reads, 1);
}
END_TEST

START_TEST(a_row_comes)
{
	fill(then);
	world_add_point(then, 1, "/3/0/1", P_SERIAL);
	world_add_point(then, 1, "/3/0/17", P_SERIAL);
	reload();
	expect_asked(1, 1);
	answer(0);
	rig_expect(1, "/3/0/1", "ab");
	rig_expect(1, "/3/0/17", "ab");
}
END_TEST

/* Its host reads all of it anew. */
START_TEST(a_device_comes)
{
	fill(then);
	then->types[0].profile = (char *)"another";
	then->points[0][P_SERIAL].scale = 2;
	reload();
	ck_assert_uint_eq(rig.n_reads, 0);
}
END_TEST

START_TEST(a_device_that_is_not_there)
{
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig.write_error = -EHOSTDOWN;
	rename_first();
	ck_assert_uint_eq(rig.n_reads, 0);
	rig.write_error = 0;
	mapping_state(rig.mapping, 1, FIELDBUS_ONLINE, "");
	ck_assert_uint_eq(rig.n_reads, 0);
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	expect_asked(1, 0);
	/* Not twice at a time. */
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	ck_assert_uint_eq(rig.n_reads, 1);
	answer(-ETIMEDOUT);
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	expect_asked(2, 0);
	answer(0);
	rig_expect(0, "/3/0/2", "ab");
}
END_TEST

/* More than may be asked at a time. */
/* Also where it never was away: a line that was full, an answer that was no good. */
START_TEST(asked_in_vain)
{
	rename_first();
	expect_asked(1, 0);
	answer(-EBUSY);
	ck_assert_uint_eq(rig.n_reads, 1);
	rig_advance(59 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_reads, 1);
	rig_advance(USEC_PER_SEC);
	expect_asked(2, 0);
	answer(0);
	rig_expect(0, "/3/0/2", "ab");
	rig_advance(120 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_reads, 2);
}
END_TEST

START_TEST(many)
{
	rename_first();
	expect_asked(1, 0);
	rig.write_error = -EBUSY;
	fill_named(then, others);
	reload();
	ck_assert_uint_eq(rig.n_reads, 1);
	rig.write_error = 0;
	answer(0);
	expect_asked(2, 1);
	answer(0);
	rig_expect(0, "/3/0/2", "ab");
	rig_expect(1, "/3/0/2", "ab");
}
END_TEST

/* The device is numbered otherwise when it answers, or is gone. */
START_TEST(a_reload_meanwhile)
{
	uint32_t type;

	rename_first();
	expect_asked(1, 0);
	type = world_add_type(then);
	then->points[type][P_SERIAL].period_usec = CONFIG_RATE_ONCE;
	for (uint32_t i = 0; i < 2; i++) {
		world_add_device(then, names[1 - i], type);
		world_add_endpoint(then, i == 0 ? names[1] : others[0], i);
		world_add_point(then, i, "/3303/0/5700", P_VOLTS);
		world_add_point(then, i, "/3/0/2", P_SERIAL);
	}
	reload();
	ck_assert_uint_eq(rig.n_reads, 1);
	answer(0);
	rig_expect(1, "/3/0/2", "ab");
	fill_named(then, others);
	reload();
	ck_assert_ptr_nonnull(rig.read.done);
	type = world_add_type(then);
	world_add_device(then, (char *)"em3", type);
	reload();
	ck_assert_ptr_null(rig.read.done);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload_once");
	TCase *tcase = tcase_create("reload_once");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, world_tear_down);
	tcase_add_test(tcase, an_endpoint_comes);
	tcase_add_test(tcase, a_row_comes);
	tcase_add_test(tcase, a_device_comes);
	tcase_add_test(tcase, a_device_that_is_not_there);
	tcase_add_test(tcase, asked_in_vain);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, a_reload_meanwhile);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
