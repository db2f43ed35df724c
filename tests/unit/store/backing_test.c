/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "tests/unit/store/rig.h"

static struct rig rig;

/* A device behind some resources; what it is asked goes into the rig's log. */
static struct device {
	bool later;	   /* keeps the end for device_end() */
	uint16_t refuses;  /* this resource fails with `error` */
	uint16_t dislikes; /* this resource does not pass check() */
	int error;
	backing_done done;
	void *done_userdata;
	int pending_error;
} device;

static void log_text(const char *what, const struct path *path, const struct value *value)
{
	_cleanup_free_ char *text = NULL;
	char name[PATH_TEXT_MAX];

	if (value && value->type != VALUE_NONE)
		ck_assert_int_eq(value_format_text(value, &text), 0);
	buf_printf(&rig.log, "%s %s=%s;", what, path_format(path, name), text ?: "");
}

static int device_check(void *userdata, const struct path *path, const struct value *value,
			char **ret_reason)
{
	if (path->resource != device.dislikes)
		return 0;
	*ret_reason = strdup("not liked");
	return -EINVAL;
}

static void device_answer(int error, backing_done done, void *userdata)
{
	if (!device.later) {
		done(userdata, error, error < 0 ? "it said no" : NULL);
		return;
	}
	ck_assert_ptr_null(device.done);
	device.done = done;
	device.done_userdata = userdata;
	device.pending_error = error;
}

static void device_end(void)
{
	backing_done done = TAKE_PTR(device.done);

	ck_assert_ptr_nonnull(done);
	done(device.done_userdata, device.pending_error,
	     device.pending_error < 0 ? "it said no" : NULL);
}

static void device_write(void *userdata, const struct path *path, const struct value *value,
			 backing_done done, void *done_userdata)
{
	log_text("W", path, value);
	device_answer(path->resource == device.refuses ? device.error : 0, done, done_userdata);
}

static void device_execute(void *userdata, const struct path *path, const char *argument,
			   backing_done done, void *done_userdata)
{
	buf_printf(&rig.log, "E %u(%s);", path->resource, argument);
	device_answer(path->resource == device.refuses ? device.error : 0, done, done_userdata);
}

static void keeper_changed(void *userdata, const struct path *path, const struct value *value)
{
	log_text("C", path, value);
}

static const struct backing_ops device_ops = {
	.check = device_check,
	.write = device_write,
	.execute = device_execute,
};
static const struct backing_ops keeper_ops = { .changed = keeper_changed };
static const struct backing behind_device = { .ops = &device_ops };
static const struct backing behind_keeper = { .ops = &keeper_ops };

static void back(const char *text, const struct backing *backing)
{
	struct path path = rig_path(text);

	ck_assert_int_eq(store_add_resource(rig.store, &path, backing), 0);
	rig.log.size = 0;
}

/* 0, 1 and 7 lie in the device, 3 is memory, 4 is kept here and told to its owner. */
static void setup(void)
{
	rig_setup(&rig);
	device = (struct device){ .refuses = ID_NONE, .dislikes = ID_NONE, .error = -EIO };
	rig_fill(&rig, "/1000/0", "");
	back("/1000/0/0", &behind_device);
	back("/1000/0/1", &behind_device);
	back("/1000/0/7", &behind_device);
	back("/1000/0/4", &behind_keeper);
	back("/1000/0/5", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5 1=a 3/0=x 4=1000:0 7=1");
}

static void teardown(void)
{
	rig_teardown(&rig);
}

#define UNCHANGED "0=5 1=a 3: 0=x 4=1000:0 7=1"

START_TEST(sends_in_order_and_tells_behind_the_answer)
{
	device.later = _i;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b 3/0=q 0=6 4=65535:65535");
	if (device.later) {
		ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;");
		/* Nothing shows before all is done. */
		ck_assert_str_eq(rig_contents(&rig, "/1000/0"), UNCHANGED);
		device_end();
		ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=6;");
		ck_assert_str_eq(rig_contents(&rig, "/1000/0"), UNCHANGED);
		device_end();
		ck_assert_str_eq(
			rig_told(&rig),
			"D0;C /1000/0/4=65535:65535;V /1000/0/0 /1000/0/1 /1000/0/3 /1000/0/4;");
	} else {
		ck_assert_str_eq(rig_told(&rig),
				 "W /1000/0/1=b;W /1000/0/0=6;D0;C /1000/0/4=65535:65535;"
				 "V /1000/0/0 /1000/0/1 /1000/0/3 /1000/0/4;");
	}
	ck_assert_uint_eq(rig.ended, 1);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=6 1=b 3: 0=q 4=65535:65535 7=1");
}
END_TEST

START_TEST(asks_before_it_sends)
{
	device.dislikes = 7;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b 7=2 3/0=q");
	ck_assert_str_eq(rig_told(&rig), "D-22;");
	ck_assert_str_eq(rig.reason, "not liked");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), UNCHANGED);
	/* Our own checks come first. */
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b 0=101");
	ck_assert_str_eq(rig_told(&rig), "D-34;");
}
END_TEST

START_TEST(stops_at_the_first_failure)
{
	device.later = _i;
	device.refuses = 1;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "3/0=q 1=b 0=6");
	if (device.later)
		device_end();
	/* Nothing was accepted: the error is the device's own. */
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;D-5;");
	ck_assert_str_eq(rig.reason, "it said no");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), UNCHANGED);
}
END_TEST

START_TEST(says_what_was_accepted_before_the_failure)
{
	device.later = _i;
	device.refuses = 7;
	device.error = -ETIMEDOUT;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "3/0=q 1=b 7=2 0=6");
	while (device.later && device.done)
		device_end();
	/* What the device took is true; memory took nothing, and what comes later is not sent. */
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;W /1000/0/7=2;D-121;V /1000/0/1;");
	ck_assert_str_eq(rig.reason, "/1000/0/7 failed: it said no; accepted: /1000/0/1");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=5 1=b 3: 0=x 4=1000:0 7=1");
	ck_assert_uint_eq(rig.ended, 1);
}
END_TEST

START_TEST(replace_leaves_what_is_backed)
{
	rig_write(&rig, "/1000/0", STORE_REPLACE, "0=6");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=6;D0;V /1000/0/0 /1000/0/3;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=6 1=a 4=1000:0 7=1");
}
END_TEST

START_TEST(a_failed_replace_removes_nothing)
{
	device.refuses = 0;
	rig_write(&rig, "/1000/0", STORE_REPLACE, "1=b 0=6");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;W /1000/0/0=6;D-121;V /1000/0/1;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=5 1=b 3: 0=x 4=1000:0 7=1");
}
END_TEST

START_TEST(an_equal_value_is_sent_but_is_no_change)
{
	rig_write(&rig, "/1000/0/0", STORE_REPLACE, "0=5");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=5;D0;");
}
END_TEST

START_TEST(an_answer_makes_it_good)
{
	struct path path = rig_path("/1000/0/0");

	ck_assert_int_eq(store_set_quality(rig.store, &path, STORE_STALE), 0);
	rig_told(&rig);
	rig_write(&rig, "/1000/0/0", STORE_REPLACE, "0=5");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=5;D0;V /1000/0/0;");
	ck_assert_int_eq(store_quality(rig.store, &path), STORE_GOOD);
}
END_TEST

START_TEST(two_requests_do_not_mix)
{
	device.later = true;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b 3/0=q");
	rig_write(&rig, "/1000/0/3/0", STORE_REPLACE, "3/0=r");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;D0;V /1000/0/3;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=5 1=a 3: 0=r 4=1000:0 7=1");
	device_end();
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/0/1 /1000/0/3;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=5 1=b 3: 0=q 4=1000:0 7=1");
}
END_TEST

START_TEST(an_instance_may_go_meanwhile)
{
	device.later = true;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b 0=6 3/0=q");
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, 0), 0);
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/1=b;I /1000/0;");
	device_end();
	ck_assert_uint_eq(rig.ended, 1);
	/* What was taken is said; what is no longer there was not written. */
	ck_assert_str_eq(rig_told(&rig), "D-121;");
	ck_assert_str_eq(rig.reason, "/1000/0/0 failed: gone; accepted: /1000/0/1");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "-");
}
END_TEST

START_TEST(a_freed_store_ends_its_writes)
{
	device.later = true;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "1=b");
	rig_told(&rig);
	rig.store = store_free(rig.store);
	ck_assert_str_eq(rig_told(&rig), "D-125;");
	ck_assert_uint_eq(rig.ended, 1);
}
END_TEST

static const struct {
	const char *path;
	const char *told;
} executions[] = {
	{ "/1000/0/5", "E 5(0='x');D0;" }, { "/1000/0/1", "D-1;" }, { "/1000/0/3", "D-1;" },
	{ "/1000/0/99", "D-2;" },	   { "/1000/1/5", "D-2;" }, { "/1000/0", "D-2;" },
};

START_TEST(executes)
{
	struct path path = rig_path(executions[_i].path);

	store_execute(rig.store, &path, "0='x'", rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), executions[_i].told);
}
END_TEST

START_TEST(an_executable_needs_somebody_behind_it)
{
	struct path path = rig_path("/1000/0/5");

	back("/1000/0/5", NULL);
	store_execute(rig.store, &path, "", rig_done, &rig);
	back("/1000/0/5", &behind_keeper);
	store_execute(rig.store, &path, "", rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "D-1;");
	ck_assert_uint_eq(rig.ended, 2);
}
END_TEST

START_TEST(hands_on_how_an_execute_ended)
{
	struct path path = rig_path("/1000/0/5");

	device.later = true;
	device.refuses = 5;
	store_execute(rig.store, &path, "", rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "E 5();");
	device_end();
	ck_assert_str_eq(rig_told(&rig), "D-5;");
	ck_assert_str_eq(rig.reason, "it said no");
}
END_TEST

/* ---- several at once, before a Read, and as a whole ---- */

static void together_write(void *userdata, const struct record *records, size_t n, backing_done done,
			   void *done_userdata)
{
	for (size_t i = 0; i < n; i++)
		log_text(i == 0 ? "A" : "a", &records[i].path, &records[i].value);
	device_answer(records->path.resource == device.refuses ? device.error : 0, done, done_userdata);
}

static void together_refresh(void *userdata, const struct path *path, uint64_t period_usec,
			     backing_done done, void *done_userdata)
{
	log_text(period_usec == UINT64_MAX ? "R" : "S", path, NULL);
	device_answer(path->resource == device.refuses ? device.error : 0, done, done_userdata);
}

static const struct backing_ops together_ops = { .write_all = together_write, .refresh = together_refresh };
static const struct backing behind_together = { .ops = &together_ops };

START_TEST(instances_of_a_resource_go_out_together)
{
	back("/1000/0/9", &behind_together);
	device.later = _i;
	rig_write(&rig, "/1000/0", STORE_UPDATE, "9/0=1 9/3=2 7=4 9/1=3");
	for (int i = 0; i < 3 * _i; i++)
		device_end();
	ck_assert_str_eq(rig_told(&rig), "A /1000/0/9/0=1;a /1000/0/9/3=2;W /1000/0/7=4;A /1000/0/9/1=3;"
					 "D0;V /1000/0/7 /1000/0/9;");
	device.refuses = 9;
	device.later = false;
	rig_write(&rig, "/1000/0/9", STORE_UPDATE, "9/0=5 9/1=6");
	ck_assert_str_eq(rig_told(&rig), "A /1000/0/9/0=5;a /1000/0/9/1=6;D-5;");
}
END_TEST

START_TEST(is_refreshed_before_it_is_read)
{
	const struct path instance = rig_path("/1000/0"), other = rig_path("/1000/0/3"),
			  slot = rig_path("/1000/0/9/2");

	back("/1000/0/9", &behind_together);
	back("/1000/0/10", &behind_together);
	store_refresh(rig.store, &other, rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "D0;");
	store_refresh(rig.store, &slot, rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "R /1000/0/9=;D0;");
	device.later = true;
	store_refresh(rig.store, &slot, rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "R /1000/0/9=;");
	device_end();
	ck_assert_str_eq(rig_told(&rig), "D0;");
	/* All are asked; the first failure is that of the whole. */
	device.later = false;
	device.refuses = 9;
	store_refresh(rig.store, &instance, rig_done, &rig);
	ck_assert_str_eq(rig_told(&rig), "R /1000/0/9=;R /1000/0/10=;D-5;");
	ck_assert_str_eq(rig.reason, "it said no");
	store_refresh(rig.store, &instance, NULL, NULL);
	ck_assert_str_eq(rig_told(&rig), "R /1000/0/9=;R /1000/0/10=;");
	store_sample(rig.store, &slot, 5);
	ck_assert_str_eq(rig_told(&rig), "S /1000/0/9=;");
}
END_TEST

static int whole_check(void *userdata, const struct path *target, enum store_write_mode mode,
		       const struct record *records, size_t n, char **ret_reason)
{
	buf_printf(&rig.log, "H %u %zu;", mode, n);
	if (n < 2)
		return 0;
	*ret_reason = strdup("not together");
	return -ERANGE;
}

static bool whole_supplies(void *userdata, uint16_t resource)
{
	return resource == 0;
}

static void whole_written(void *userdata, const struct path *instance, enum store_write_mode mode)
{
	char name[PATH_TEXT_MAX];

	buf_printf(&rig.log, "K %s;", path_format(instance, name));
}

START_TEST(a_keeper_looks_at_wholes)
{
	static const struct store_keeper_ops ops = { whole_check, whole_supplies, whole_written };
	static const struct store_keeper keeper = { 1000, &ops, NULL };

	store_set_keeper(rig.store, &keeper);
	rig_write(&rig, "/1000/0", STORE_UPDATE, "0=1 1=a");
	ck_assert_str_eq(rig_told(&rig), "H 1 2;D-34;");
	ck_assert_str_eq(rig.reason, "not together");
	rig_write(&rig, "/1000/0/3", STORE_UPDATE, "3/0=a");
	ck_assert_str_eq(rig_told(&rig), "H 1 1;D0;K /1000/0;V /1000/0/3;");
	/* The mandatory one is not the server's to give. */
	rig_write(&rig, "/1000/5", STORE_CREATE, "1=a");
	ck_assert_str_eq(rig_told(&rig), "H 2 1;D0;K /1000/5;I /1000/5;V /1000/5/1;");
	/* Another object. */
	rig_fill(&rig, "/2000/0", "0=1");
	rig_told(&rig);
	rig_write(&rig, "/2000/0", STORE_UPDATE, "0=2");
	ck_assert_str_eq(rig_told(&rig), "D0;V /2000/0/0;");
}
END_TEST

static bool never(void *userdata, const struct path *path)
{
	return false;
}

START_TEST(says_what_servers_may_do)
{
	static const struct backing_ops fixed_ops = { .is_writable = never };
	static const struct backing fixed = { .ops = &fixed_ops };
	static const struct {
		const char *path;
		uint8_t operations;
	} rows[] = {
		{ "/1000/0/0", OPERATION_READ | OPERATION_WRITE }, /* whoever backs it does not say */
		{ "/1000/0/3", OPERATION_READ | OPERATION_WRITE },
		{ "/1000/0/3/0", OPERATION_READ | OPERATION_WRITE },
		{ "/1000/0/5", OPERATION_EXECUTE },
		{ "/1000/0/9", OPERATION_READ },
		{ "/1000/0/2", 0 }, /* not there */
		{ "/1000/1/0", 0 },
		{ "/1000/0", 0 },
		{ "/7/0/0", 0 },
	};
	struct path path;

	back("/1000/0/9", &fixed);
	rig_fill(&rig, "/1000/0", "9/0=1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		path = rig_path(rows[i].path);
		ck_assert_msg(store_operations(rig.store, &path) == rows[i].operations, "%s", rows[i].path);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backing");
	TCase *tcase = tcase_create("backing");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, sends_in_order_and_tells_behind_the_answer, 0, 2);
	tcase_add_test(tcase, asks_before_it_sends);
	tcase_add_loop_test(tcase, stops_at_the_first_failure, 0, 2);
	tcase_add_loop_test(tcase, says_what_was_accepted_before_the_failure, 0, 2);
	tcase_add_test(tcase, replace_leaves_what_is_backed);
	tcase_add_test(tcase, a_failed_replace_removes_nothing);
	tcase_add_test(tcase, an_equal_value_is_sent_but_is_no_change);
	tcase_add_test(tcase, an_answer_makes_it_good);
	tcase_add_test(tcase, two_requests_do_not_mix);
	tcase_add_test(tcase, an_instance_may_go_meanwhile);
	tcase_add_test(tcase, a_freed_store_ends_its_writes);
	tcase_add_loop_test(tcase, executes, 0, ARRAY_SIZE(executions));
	tcase_add_test(tcase, an_executable_needs_somebody_behind_it);
	tcase_add_test(tcase, hands_on_how_an_execute_ended);
	tcase_add_loop_test(tcase, instances_of_a_resource_go_out_together, 0, 2);
	tcase_add_test(tcase, is_refreshed_before_it_is_read);
	tcase_add_test(tcase, a_keeper_looks_at_wholes);
	tcase_add_test(tcase, says_what_servers_may_do);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
