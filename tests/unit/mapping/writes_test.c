/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/mapping/rig.h"

/* South: from a server's Write and Execute to writes of points. */

#define R CONFIG_ACCESS_READ
#define W CONFIG_ACCESS_WRITE
#define SECONDS(n) ((n) * USEC_PER_SEC)

enum { SPEED, RUN, MODE, ACK, READ_ONLY };
static struct config_label mode_labels[] = { { 0, (char *)"stop" }, { 1, (char *)"forward" } };
#define POLLED .period_usec = SECONDS(1), .stale = { .times = 3 }
static struct config_point points[] = {
	[SPEED] = { .name = "speed_sp",
		    .access = R | W,
		    .range = { .present = true, .minimum = 0, .maximum = 50 },
		    POLLED },
	[RUN] = { .name = "run", .access = R | W, POLLED },
	[MODE] = { .name = "mode", .access = R | W, .labels = mode_labels, .n_labels = 2, POLLED },
	[ACK] = { .name = "ack", .access = W, POLLED },
	[READ_ONLY] = { .name = "read_only", .access = R, POLLED },
};
static const struct config_type vfd = { .profile = (char *)"vfd",
					.points = points,
					.n_points = ARRAY_SIZE(points) };

#define POINT(p, o, i, r)                                                                          \
	{                                                                                          \
		.path = { .ids = { o, i, r }, .depth = 3 }, .kind = CONFIG_MAP_POINT,              \
		.device = UINT32_MAX, .point = p                                                   \
	}
#define CONSTANT_TEXT(text, o, i, r) \
	{ .path = { .ids = { o, i, r }, .depth = 3 }, .kind = CONFIG_MAP_CONSTANT, \
	  .constant = { .type = VALUE_STRING, .size = sizeof(text) - 1, .data = (char *)text } }
static const struct config_map map[] = {
	POINT(SPEED, 3308, 0, 5900),
	POINT(RUN, 3306, 0, 5850),
	POINT(MODE, 3306, 0, 5853),
	POINT(READ_ONLY, 3306, 0, 5851),
	CONSTANT_TEXT("L1", 3306, 0, 5750),
	{ .path = { .ids = { 3, 0, 12 }, .depth = 3 },
	  .kind = CONFIG_MAP_EXECUTE,
	  .device = UINT32_MAX,
	  .point = ACK,
	  .constant = { .type = VALUE_BOOLEAN, .boolean = true } },
};

static void set_up(void)
{
	rig_set_up();
	rig_endpoint("vfd1", rig_device("vfd1", &vfd), map, ARRAY_SIZE(map));
	rig_start();
}

static struct value text_value(const char *text)
{
	struct value v = { 0 };

	ck_assert_int_eq(value_set_string(&v, text), 0);
	return v;
}

static void expect_done(int error, const char *reason)
{
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, error);
	ck_assert_str_eq(rig.reason, reason);
}

/* A point that is executed may be polled all the same, for `verify:` or another row. */
START_TEST(test_samples_of_an_executed_point)
{
	rig_sample(0, ACK, (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = true });
	rig_bad_sample(0, ACK, FIELDWAY_INVALID, 0);
	ck_assert_uint_eq(rig.n_seen[0], 0);
	rig_execute(0, "/3/0/12");
	ck_assert_uint_eq(rig.n_writes, 1);
}
END_TEST

START_TEST(test_accepted)
{
	rig_write(0, "/3308/0/5900", value_float(42.5));
	ck_assert_uint_eq(rig.n_done, 0);
	ck_assert_uint_eq(rig.n_writes, 1);
	ck_assert_uint_eq(rig.writes[0].device, 0);
	ck_assert_uint_eq(rig.writes[0].point, SPEED);
	ck_assert_int_eq(rig.writes[0].value.type, FIELDWAY_FLOAT);
	ck_assert_double_eq(rig.writes[0].value.real, 42.5);
	/* Not before the device has said so. */
	rig_expect_error(0, "/3308/0/5900", -ENODATA);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	expect_done(0, "");
	rig_expect(0, "/3308/0/5900", "42.5");
}
END_TEST

/* What the device confirmed is as good as a sample, and grows as old. */
START_TEST(test_a_written_value_grows_stale)
{
	rig_number(0, SPEED, 10);
	rig_advance(SECONDS(4));
	rig_expect_error(0, "/3308/0/5900", -ESTALE);
	rig_write(0, "/3308/0/5900", value_float(20));
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_expect(0, "/3308/0/5900", "20");
	rig_advance(SECONDS(2));
	rig_expect(0, "/3308/0/5900", "20");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3308/0/5900", -ESTALE);
}
END_TEST

/* configuration.md "Writes": every end that a field write can have, as an errno of backing.h. */
static const struct {
	enum fieldway_outcome outcome;
	int error, want;
} ends[] = {
	{ FIELDWAY_REFUSED, -EINVAL, -EINVAL },		/* exception 3: 4.00 */
	{ FIELDWAY_REFUSED, -ERANGE, -ERANGE },		/* inexact: 4.00 */
	{ FIELDWAY_NOT_SENT, -EINVAL, -EINVAL },
	{ FIELDWAY_NOT_SENT, -ERANGE, -ERANGE },
	{ FIELDWAY_NOT_SENT, -EHOSTDOWN, -EHOSTDOWN },	/* known offline: 5.03 */
	{ FIELDWAY_REFUSED, -EBUSY, -EBUSY },		/* exception 6: 5.03 */
	{ FIELDWAY_NOT_SENT, -ECANCELED, -EBUSY },	/* its host went away first */
	{ FIELDWAY_NOT_SENT, -ETIMEDOUT, -EHOSTUNREACH }, /* 5.04 */
	{ FIELDWAY_NOT_SENT, -ECONNREFUSED, -EHOSTUNREACH },
	{ FIELDWAY_NOT_SENT, -ECONNRESET, -EHOSTUNREACH },
	{ FIELDWAY_NOT_SENT, -EHOSTUNREACH, -EHOSTUNREACH },
	{ FIELDWAY_NOT_SENT, -ENODEV, -EHOSTUNREACH },
	{ FIELDWAY_REFUSED, -EHOSTDOWN, -ETIMEDOUT },	/* exception 11: it was tried */
	{ FIELDWAY_REFUSED, -EHOSTUNREACH, -EHOSTDOWN }, /* exception 10: it was not */
	{ FIELDWAY_UNKNOWN, -ETIMEDOUT, -ETIMEDOUT },
	{ FIELDWAY_UNKNOWN, -EBADMSG, -ETIMEDOUT },
	{ FIELDWAY_UNKNOWN, -ECANCELED, -ETIMEDOUT },
	{ FIELDWAY_UNKNOWN, 0, -ETIMEDOUT },
	{ FIELDWAY_REFUSED, -EILSEQ, -EILSEQ },		/* verify failed: 5.00 */
	{ FIELDWAY_REFUSED, -ENXIO, -EIO },
	{ FIELDWAY_REFUSED, -EOPNOTSUPP, -EIO },
	{ FIELDWAY_REFUSED, -EREMOTEIO, -EIO },
	{ FIELDWAY_REFUSED, -EIO, -EIO },
};

START_TEST(test_end)
{
	rig_number(0, SPEED, 10);
	rig_write(0, "/3308/0/5900", value_float(20));
	rig_answer(0, ends[_i].outcome, ends[_i].error, "vfd1.speed_sp: words");
	expect_done(ends[_i].want, ends[_i].outcome == FIELDWAY_UNKNOWN ?
					   "outcome unknown: vfd1.speed_sp: words" :
					   "vfd1.speed_sp: words");
	/* Nobody knows what it holds now: that is read back first. */
	if (ends[_i].outcome == FIELDWAY_UNKNOWN)
		rig_expect_error(0, "/3308/0/5900", -ESTALE);
	else
		rig_expect(0, "/3308/0/5900", "10");
	rig_number(0, SPEED, 20);
	rig_expect(0, "/3308/0/5900", "20");
}
END_TEST

START_TEST(test_refused_at_once)
{
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent for 5 min");
	rig.write_error = -EHOSTDOWN;
	rig_write(0, "/3308/0/5900", value_float(20));
	expect_done(-EHOSTDOWN, "silent for 5 min");
	rig.write_error = -EBUSY;
	rig_write(0, "/3308/0/5900", value_float(20));
	expect_done(-EBUSY, "");
	ck_assert_uint_eq(rig.n_writes, 0);
}
END_TEST

/* What is checked before anything is sent. */
static const struct {
	const char *path, *text;
	enum value_type type;
	int error;
	const char *reason;
} refused[] = {
	{ "/3308/0/5900", "51", VALUE_FLOAT, -ERANGE, "vfd1.speed_sp: out of range 0..50" },
	{ "/3308/0/5900", "-1", VALUE_FLOAT, -ERANGE, "vfd1.speed_sp: out of range 0..50" },
	{ "/3306/0/5853", "sideways", VALUE_STRING, -EINVAL, "vfd1.mode: no such value" },
	{ "/3306/0/5851", "5", VALUE_INTEGER, -EPERM, "vfd1.read_only: is only read" },
	{ "/3306/0/5750", "L2", VALUE_STRING, -EPERM,
	  "/3306/0/5750 is a constant of the configuration" },
};

START_TEST(test_refused)
{
	struct value v;

	ck_assert_int_eq(
		value_parse_text(refused[_i].text, strlen(refused[_i].text), refused[_i].type, &v),
		0);
	rig_write(0, refused[_i].path, v);
	expect_done(refused[_i].error, refused[_i].reason);
	ck_assert_uint_eq(rig.n_writes, 0);
	rig_expect(0, "/3306/0/5750", "L1");
}
END_TEST

START_TEST(test_labels_and_bits)
{
	rig_write(0, "/3306/0/5853", text_value("forward"));
	rig_write(0, "/3306/0/5850", value_boolean(true));
	ck_assert_uint_eq(rig.n_writes, 2);
	ck_assert_int_eq(rig.writes[0].value.type, FIELDWAY_INT);
	ck_assert_int_eq(rig.writes[0].value.integer, 1);
	ck_assert_int_eq(rig.writes[1].value.type, FIELDWAY_BOOL);
	ck_assert(rig.writes[1].value.boolean);
	rig_answer(1, FIELDWAY_ACCEPTED, 0, "");
	rig_expect(0, "/3306/0/5850", "1");
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_expect(0, "/3306/0/5853", "forward");
}
END_TEST

/* All is checked before the first is sent; then in order, and no further than the first failure. */
START_TEST(test_several_points)
{
	struct record records[] = {
		{ .path = path_of("/3306/0/5850"), .value = value_boolean(true) },
		{ .path = path_of("/3306/0/5853"), .value = text_value("sideways") },
	};

	rig_write_all(0, "/3306/0", STORE_UPDATE, records, 2);
	expect_done(-EINVAL, "vfd1.mode: no such value");
	ck_assert_uint_eq(rig.n_writes, 0);

	value_done(&records[1].value);
	records[1].value = text_value("forward");
	rig_write_all(0, "/3306/0", STORE_UPDATE, records, 2);
	ck_assert_uint_eq(rig.n_writes, 1);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_uint_eq(rig.n_writes, 2);
	rig_answer(1, FIELDWAY_REFUSED, -EILSEQ, "verify read 0");
	expect_done(-EREMOTEIO, "/3306/0/5853 failed: verify read 0; accepted: /3306/0/5850");
	rig_expect(0, "/3306/0/5850", "1");
	rig_expect_error(0, "/3306/0/5853", -ENODATA);
	value_done(&records[1].value);
}
END_TEST

/* The pieces of a Write-Composite: run and mode, of which the field takes the first. */
static void write_both(void)
{
	struct record records[] = {
		{ .path = path_of("/3306/0/5850"), .value = value_boolean(true) },
		{ .path = path_of("/3306/0/5853"), .value = text_value("forward") },
	};

	rig.n_done = rig.n_writes = 0;
	rig_write_all(0, "/", STORE_PATCH, records, 2);
	value_done(&records[1].value);
}

START_TEST(test_taken_back)
{
	rig_sample(0, RUN, (struct fieldway_value){ .type = FIELDWAY_BOOL });
	write_both();
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_answer(1, FIELDWAY_REFUSED, -EREMOTEIO, "exception 4");
	ck_assert_uint_eq(rig.n_writes, 3);
	ck_assert_uint_eq(rig.writes[2].point, RUN);
	ck_assert(!rig.writes[2].value.boolean);
	ck_assert_uint_eq(rig.n_done, 0);
	rig_answer(2, FIELDWAY_ACCEPTED, 0, "");
	expect_done(-EREMOTEIO, "/3306/0/5853 failed: exception 4; taken back: /3306/0/5850");
	rig_expect(0, "/3306/0/5850", "0");
	rig_expect(0, "/3/0/11/0", "0");
}
END_TEST

/* What was accepted and does not show is in the device, and goes back with the rest. */
START_TEST(test_verify_taken_back)
{
	rig_sample(0, RUN, (struct fieldway_value){ .type = FIELDWAY_BOOL });
	rig_sample(0, MODE, (struct fieldway_value){ .type = FIELDWAY_UINT });
	write_both();
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_answer(1, FIELDWAY_REFUSED, -EILSEQ, "verify read 0");
	ck_assert_uint_eq(rig.n_writes, 3);
	ck_assert_uint_eq(rig.writes[2].point, MODE);
	ck_assert_uint_eq(rig.writes[2].value.integer, 0);
	rig_answer(2, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_uint_eq(rig.n_writes, 4);
	ck_assert_uint_eq(rig.writes[3].point, RUN);
	rig_answer(3, FIELDWAY_ACCEPTED, 0, "");
	expect_done(-EREMOTEIO, "/3306/0/5853 failed: verify read 0; taken back: /3306/0/5850 /3306/0/5853");
	rig_expect(0, "/3306/0/5853", "stop");
	rig_expect(0, "/3/0/11/0", "0");
}
END_TEST

/* Then /3/0/11 says so, until the point is written again. */
START_TEST(test_not_taken_back)
{
	rig_sample(0, RUN, (struct fieldway_value){ .type = FIELDWAY_BOOL });
	write_both();
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_answer(1, FIELDWAY_REFUSED, -EREMOTEIO, "exception 4");
	rig_answer(2, FIELDWAY_REFUSED, -EINVAL, "no");
	expect_done(-ENOTRECOVERABLE, "/3306/0/5853 failed: exception 4; not taken back: /3306/0/5850");
	rig_expect(0, "/3306/0/5850", "1");
	rig_expect(0, "/3/0/11/0", "8");
	rig.n_done = rig.n_writes = 0;
	rig_write(0, "/3306/0/5850", value_boolean(false));
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	expect_done(0, "");
	rig_expect(0, "/3/0/11/0", "0");
}
END_TEST

/* `writes: {atomic: strict}` */
START_TEST(test_strict)
{
	rig.config.writes_strict = true;
	write_both();
	expect_done(-EPERM, "it takes 2 transactions with devices, and is to be atomic");
	ck_assert_uint_eq(rig.n_writes, 0);
}
END_TEST

/* `{execute: P, argument: true}`: what the server says goes to the program. */
START_TEST(test_execute_with_argument)
{
	static const struct config_map rows[] = {
		{ .path = { .ids = { 3, 0, 12 }, .depth = 3 },
		  .kind = CONFIG_MAP_EXECUTE,
		  .device = UINT32_MAX,
		  .point = ACK,
		  .argument = true },
	};
	rig_tear_down();
	rig_set_up();
	rig_endpoint("vfd1", rig_device("vfd1", &vfd), rows, ARRAY_SIZE(rows));
	rig_start();
	rig_execute_with(0, "/3/0/12", "0='now',1");
	ck_assert_uint_eq(rig.n_writes, 1);
	ck_assert_int_eq(rig.writes[0].value.type, FIELDWAY_STRING);
	ck_assert_str_eq(rig.writes[0].text, "0='now',1");
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	expect_done(0, "");
	rig_execute_with(0, "/3/0/12", "");
	ck_assert_uint_eq(rig.writes[1].value.size, 0);
	rig_answer(1, FIELDWAY_ACCEPTED, 0, "");
	/* Read-only is read-only. */
	rig.config.writes_allow = false;
	rig_execute_with(0, "/3/0/12", "0");
	ck_assert_int_eq(rig.error, -EPERM);
	ck_assert_uint_eq(rig.n_writes, 2);
}
END_TEST

START_TEST(test_execute)
{
	rig_execute(0, "/3/0/12");
	ck_assert_uint_eq(rig.n_writes, 1);
	ck_assert_uint_eq(rig.writes[0].point, ACK);
	ck_assert_int_eq(rig.writes[0].value.type, FIELDWAY_BOOL);
	ck_assert(rig.writes[0].value.boolean);
	ck_assert_uint_eq(rig.n_done, 0);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	expect_done(0, "");
	rig_execute(0, "/3/0/12");
	rig_answer(1, FIELDWAY_UNKNOWN, -ETIMEDOUT, "no answer");
	expect_done(-ETIMEDOUT, "outcome unknown: no answer");
	rig.write_error = -EHOSTDOWN;
	rig_execute(0, "/3/0/12");
	expect_done(-EHOSTDOWN, "");
}
END_TEST

START_TEST(test_a_gateway_that_only_reads)
{
	rig.config.writes_allow = false;
	rig_write(0, "/3308/0/5900", value_float(20));
	expect_done(-EPERM, "vfd1.speed_sp: the configuration allows no writes");
	rig_execute(0, "/3/0/12");
	expect_done(-EPERM, "");
	ck_assert_uint_eq(rig.n_writes, 0);
	/* The agent's own are no field writes. */
	rig_number(0, SPEED, 20);
	rig_expect(0, "/3308/0/5900", "20");
}
END_TEST

/* The endpoint goes: the field no longer reports to it. */
START_TEST(test_detach_with_writes_out)
{
	rig_write(0, "/3308/0/5900", value_float(20));
	rig_execute(0, "/3/0/12");
	ck_assert_uint_eq(rig.n_writes, 2);
	rig.stores[0] = store_free(rig.stores[0]);
	expect_done(-ECANCELED, "");
	mapping_detach(rig.mapping, 0);
	ck_assert(rig.writes[0].forgotten);
	ck_assert(rig.writes[1].forgotten);
}
END_TEST

/* ---- resource instances ---- */

#define INSTANCE(ri, k, ...)                                                                       \
	{                                                                                          \
		.path = { .ids = { 3, 0, 6, ri }, .depth = 4 }, .kind = k, __VA_ARGS__             \
	}
static const struct config_map sources[] = {
	INSTANCE(0, CONFIG_MAP_CONSTANT, .constant = { .type = VALUE_INTEGER, .integer = 1 }),
	INSTANCE(1, CONFIG_MAP_CONSTANT, .constant = { .type = VALUE_INTEGER, .integer = 5 }),
	INSTANCE(2, CONFIG_MAP_POINT, .device = UINT32_MAX, .point = SPEED),
	INSTANCE(3, CONFIG_MAP_POINT, .device = UINT32_MAX, .point = RUN),
};

static void set_up_sources(void)
{
	rig_set_up();
	rig_endpoint("ups", rig_device("ups", &vfd), sources, ARRAY_SIZE(sources));
	rig_start();
}

START_TEST(test_constants_beside_points)
{
	rig_number(0, SPEED, 2);
	rig_number(0, RUN, 3);
	rig_expect(0, "/3/0/6/0", "1");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/6/2", "2");
	rig_expect(0, "/3/0/6/3", "3");
}
END_TEST

static const struct config_map identities[] = {
#define IDENTITY(ri, p)                                                                            \
	{                                                                                          \
		.path = { .ids = { 16, 0, 0, ri }, .depth = 4 }, .kind = CONFIG_MAP_POINT,         \
		.device = UINT32_MAX, .point = p                                                   \
	}
	IDENTITY(0, MODE),
	IDENTITY(2, RUN),
	{ .path = { .ids = { 16, 0, 0, 3 }, .depth = 4 },
	  .kind = CONFIG_MAP_CONSTANT,
	  .constant = { .type = VALUE_STRING, .size = 1, .data = (char *)"x" } },
};

/* Each instance of a multiple resource goes to the point that is mapped there. */
START_TEST(test_a_write_finds_its_instance)
{
	rig_endpoint("one", rig_device("one", &vfd), identities, ARRAY_SIZE(identities));
	rig_start();
	rig_write(0, "/16/0/0/0", text_value("forward"));
	rig_write(0, "/16/0/0/2", text_value("on"));
	ck_assert_uint_eq(rig.n_writes, 2);
	ck_assert_uint_eq(rig.writes[0].point, MODE);
	ck_assert_int_eq(rig.writes[0].value.integer, 1);
	ck_assert_uint_eq(rig.writes[1].point, RUN);
	ck_assert_str_eq(rig.writes[1].text, "on");
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_answer(1, FIELDWAY_ACCEPTED, 0, "");
	rig_write(0, "/16/0/0/1", text_value("nobody"));
	expect_done(-EPERM, "/16/0/0/1");
	rig_write(0, "/16/0/0/3", text_value("y"));
	expect_done(-EPERM, "/16/0/0/3");
	rig_expect(0, "/16/0/0/0", "forward");
	rig_expect(0, "/16/0/0/3", "x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writes");
	TCase *tcase = tcase_create("writes"), *instances = tcase_create("instances"),
	      *own = tcase_create("own");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, test_accepted);
	tcase_add_test(tcase, test_samples_of_an_executed_point);
	tcase_add_test(tcase, test_a_written_value_grows_stale);
	tcase_add_loop_test(tcase, test_end, 0, ARRAY_SIZE(ends));
	tcase_add_test(tcase, test_refused_at_once);
	tcase_add_loop_test(tcase, test_refused, 0, ARRAY_SIZE(refused));
	tcase_add_test(tcase, test_labels_and_bits);
	tcase_add_test(tcase, test_several_points);
	tcase_add_test(tcase, test_taken_back);
	tcase_add_test(tcase, test_verify_taken_back);
	tcase_add_test(tcase, test_not_taken_back);
	tcase_add_test(tcase, test_strict);
	tcase_add_test(tcase, test_execute);
	tcase_add_test(tcase, test_execute_with_argument);
	tcase_add_test(tcase, test_a_gateway_that_only_reads);
	tcase_add_test(tcase, test_detach_with_writes_out);
	suite_add_tcase(suite, instances);
	tcase_add_checked_fixture(instances, set_up_sources, rig_tear_down);
	tcase_add_test(instances, test_constants_beside_points);
	suite_add_tcase(suite, own);
	tcase_add_checked_fixture(own, rig_set_up, rig_tear_down);
	tcase_add_test(own, test_a_write_finds_its_instance);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
