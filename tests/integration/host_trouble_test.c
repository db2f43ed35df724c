/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "tests/unit/fieldbus/rig.h"

/*
 * The daemon's side with real plugin hosts and a plugin that does what none
 * may (rogue.c). Bus 0 gets into trouble, bus 1 is in another host: its values
 * go on all the time, and how long they paused at most is printed.
 */

#define PERIOD_USEC (20 * USEC_PER_MSEC)
/* The loop, the machine's other work; a bus that waited for the other one would pause for seconds. */
#define GAP_MAX_USEC (1500 * USEC_PER_MSEC)

static unsigned last_n;
static uint64_t last_usec, gap_usec;

static void restart_rig(void)
{
	struct fieldbus_config config = { .event = rig.event,
					  .timers = rig.timers,
					  .plugin_folder = "tests/unit/host/.libs" };
	static struct fieldbus_ops ops;

	ops = rig.fieldbus->ops;
	fieldbus_free(rig.fieldbus);
	rig.fieldbus = NULL;
	snprintf(rig.program, sizeof(rig.program), "./fieldway-plugin-host");
	config.host_program = rig.program;
	ck_assert_int_eq(fieldbus_new(&config, &ops, &rig, &rig.fieldbus), 0);
}

static void start(const char *mode)
{
	static char name[] = "rogue";

	rig_set_up();
	restart_rig();
	rig.c.plugin.name = name;
	rig.c.plugin.n_keys = 0;
	for (unsigned i = 0; i < RIG_POINTS; i++) {
		rig.c.points[i].access = CONFIG_ACCESS_READ;
		rig.c.points[i].period_usec = PERIOD_USEC;
	}
	rig.c.buses[0].settings = rig_setting(0, "mode", mode);
	rig.c.devices[1].enabled = false;
	rig_start();
	last_n = rig.n_values[2];
	last_usec = rig_now();
	gap_usec = 0;
}

/* To be looked at after each turn of the loop. */
static bool watch(bool condition)
{
	uint64_t now = rig_now();

	gap_usec = MAX(gap_usec, now - last_usec);
	if (rig.n_values[2] != last_n)
		last_usec = now;
	last_n = rig.n_values[2];
	return condition;
}

static void finish(const char *mode)
{
	fprintf(stderr, "%s: the other bus paused for %llu ms at most\n", mode,
		(unsigned long long)(gap_usec / USEC_PER_MSEC));
	ck_assert_uint_lt(gap_usec, GAP_MAX_USEC);
	ck_assert_uint_eq(rig_statistics(2).host_restarts, 0);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 2, NULL), FIELDBUS_ONLINE);
	rig_tear_down();
}

/* Its host is replaced, and the device has values again. */
static void costs_its_host(const char *mode, unsigned times)
{
	unsigned before;

	start(mode);
	rig_until(watch(rig_statistics(0).host_restarts >= times));
	before = rig.n_values[0];
	rig_until(watch(rig.n_values[0] > before));
}

START_TEST(it_crashes_while_it_decodes)
{
	costs_its_host("crash", 2);
	finish("crash");
}
END_TEST

START_TEST(it_closes_every_descriptor)
{
	costs_its_host("close", 1);
	finish("close");
}
END_TEST

START_TEST(it_eats_memory)
{
	start("grow");
	rig_until(watch(strstr(rig_reason(0), " MB of memory, at most ")));
	rig_until(watch(rig_statistics(0).host_restarts >= 1));
	rig_until(watch(fieldbus_device_state(rig.fieldbus, 0, NULL) == FIELDBUS_ONLINE));
	finish("grow");
}
END_TEST

/* The loop of its host: only the daemon's watchdog can end that. */
START_TEST(it_never_comes_back)
{
	uint64_t begin;
	int pid;

	start("spin");
	pid = fieldbus_host_pid(rig.fieldbus, 0);
	for (int i = 0; i < 3; i++) {
		rig_advance(5 * USEC_PER_SEC);
		begin = rig_now();
		rig_until(watch(rig_now() - begin > 2200 * USEC_PER_MSEC));
	}
	rig_until(watch(rig_is_back(0, pid)));
	finish("spin");
}
END_TEST

START_TEST(it_floods)
{
	start("flood");
	rig_until(watch(rig_statistics(0).conflated > 50000));
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	finish("flood");
}
END_TEST

START_TEST(it_prints)
{
	unsigned before;

	start("print");
	before = rig.n_values[0];
	rig_until(watch(rig.n_values[0] > before + 30));
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	finish("print");
}
END_TEST

/* The host inherits a limit far beyond what select() can hold. */
START_TEST(it_hoards_descriptors)
{
	struct rlimit limit;
	unsigned before;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_gt(limit.rlim_cur, FD_SETSIZE);
	start("hoard");
	before = rig.n_values[0];
	rig_until(watch(rig.n_values[0] > before + 30));
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	finish("hoard");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trouble");
	TCase *tcase = tcase_create("trouble");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, it_crashes_while_it_decodes);
	tcase_add_test(tcase, it_closes_every_descriptor);
	tcase_add_test(tcase, it_eats_memory);
	tcase_add_test(tcase, it_never_comes_back);
	tcase_add_test(tcase, it_floods);
	tcase_add_test(tcase, it_prints);
	tcase_add_test(tcase, it_hoards_descriptors);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
