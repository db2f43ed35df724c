/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fieldbus/rig.h"

/* ---- another configuration, and what it has of the rig's ---- */

struct successor {
	int before; /* -1: new */
	bool same;
	uint32_t bus; /* of a device */
};

static struct next {
	struct config config;
	struct config_plugin plugin;
	struct config_bus buses[RIG_DEVICES];
	struct config_device devices[RIG_DEVICES];
	struct config_difference difference;
	struct config_successor bus_successors[RIG_DEVICES], device_successors[RIG_DEVICES];
	uint32_t buses_after[RIG_DEVICES], devices_after[RIG_DEVICES];
} next;

static void fill(const struct successor *from, size_t n, struct config_successor *ret, uint32_t *ret_after)
{
	for (size_t i = 0; i < RIG_DEVICES; i++)
		ret_after[i] = CONFIG_NONE;
	for (size_t i = 0; i < n; i++) {
		ret[i].before = from[i].before < 0 ? CONFIG_NONE : (uint32_t)from[i].before;
		ret[i].same = from[i].same;
		if (from[i].before >= 0)
			ret_after[from[i].before] = (uint32_t)i;
	}
}

static void make_next(const struct successor *buses, size_t n_buses, const struct successor *devices, size_t n)
{
	struct config *before = &rig.c.config;

	next = (struct next){ .config = *before };
	next.config.buses = next.buses;
	next.config.n_buses = n_buses;
	next.config.devices = next.devices;
	next.config.n_devices = n;
	for (size_t i = 0; i < n_buses; i++)
		next.buses[i] = before->buses[MAX(buses[i].before, 0)];
	for (size_t i = 0; i < n; i++) {
		next.devices[i] = before->devices[MAX(devices[i].before, 0)];
		next.devices[i].bus = devices[i].bus;
		next.devices[i].enabled = true;
	}
	fill(buses, n_buses, next.bus_successors, next.buses_after);
	fill(devices, n, next.device_successors, next.devices_after);
	next.difference = (struct config_difference){ .before = before,
						      .after = &next.config,
						      .buses = next.bus_successors,
						      .devices = next.device_successors,
						      .buses_after = next.buses_after,
						      .devices_after = next.devices_after };
}

static void reload_on(const uint32_t *lines)
{
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &next.config, &next.difference, lines), 0);
}

static void reload(void)
{
	reload_on(NULL);
}

static bool is_online(uint32_t device)
{
	return fieldbus_device_state(rig.fieldbus, device, NULL) == FIELDBUS_ONLINE;
}

static const struct successor same_buses[] = { { 0, true, 0 }, { 1, true, 0 } };

/* ---- what stays ---- */

/* All as it was, counted in another order: nobody is told, and nothing is asked anew. */
START_TEST(only_the_numbers)
{
	static const struct successor buses[] = { { 1, true, 0 }, { 0, true, 0 } };
	static const struct successor devices[] = { { 2, true, 0 }, { 1, true, 1 }, { 0, true, 1 } };
	int hall, lan;
	uint64_t generation;

	rig_start();
	hall = fieldbus_host_pid(rig.fieldbus, 0);
	lan = fieldbus_host_pid(rig.fieldbus, 2);
	generation = rig.fieldbus->generation;
	rig_order(0, "accept");
	make_next(buses, 2, devices, 3);
	reload();
	rig_until(rig.n_done == 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	rig_wait_order(2, "values");
	ck_assert_uint_eq(rig.n_values[2], 1);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), lan);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 1), hall);
	ck_assert_uint_eq(rig.fieldbus->generation, generation);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(is_online(i));
		ck_assert_uint_eq(rig.n_states[i], 1);
	}
	ck_assert_uint_eq(rig_statistics(2).requests, 20);
}
END_TEST

/* One of two has changed: the other is not told, and what its host said before it heard of it counts. */
START_TEST(one_changes)
{
	static const struct successor devices[] = { { 1, true, 0 }, { 0, false, 0 }, { 2, true, 1 } };
	int hall;

	rig_start();
	hall = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, "silence");
	rig_order(1, "values");
	make_next(same_buses, 2, devices, 3);
	reload();
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_str_eq(rig.detail, "bus hall1: device m1: point order: the configuration has changed");
	ck_assert_int_eq(rig.states[1], FIELDBUS_UNKNOWN);
	ck_assert_uint_eq(rig.n_states[1], 2);
	rig_until(is_online(1) && rig.n_done == 2);
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	ck_assert_uint_eq(rig.n_values[0], 1);
	ck_assert_uint_eq(rig.n_states[0], 1);
	ck_assert_uint_eq(rig_statistics(0).stale_dropped, 0);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), hall);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 1), hall);
	rig_wait_order(1, "values");
	ck_assert_uint_eq(rig.n_values[1], 1);
	rig_wait_order(0, "values");
	ck_assert_uint_eq(rig.n_values[0], 2);
	ck_assert_uint_eq(rig_statistics(1).host_restarts, 0);
}
END_TEST

/* The files say the same, but what they refer to may be another key: the host is told, and sees. */
START_TEST(another_key)
{
	static const struct successor devices[] = { { 0, true, 0 }, { 1, true, 0 }, { 2, true, 1 } };

	rig.c.plugin.n_keys = 1;
	rig.c.devices[0].address = rig_setting(0, "key", "table:k");
	rig.content = "one";
	rig_start();
	ck_assert_str_eq(rig_reason(0), "one");
	rig.content = "two";
	make_next(same_buses, 2, devices, 3);
	reload();
	rig_until(strcmp(rig_reason(0), "two") == 0);
	ck_assert(is_online(0) && is_online(1));
	ck_assert_uint_eq(rig.n_states[1], 1);
	/* Where nothing of the kind is named nobody is asked. */
	ck_assert_uint_eq(rig.fieldbus->generation, 3);
}
END_TEST

/* Before the first configuration was answered. */
START_TEST(twice_at_once)
{
	static const struct successor devices[] = { { 0, true, 0 }, { -1, false, 0 }, { 2, true, 1 } };

	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_turn();
	make_next(same_buses, 2, devices, 3);
	reload();
	rig_until(is_online(0) && is_online(1) && is_online(2));
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
}
END_TEST

/* ---- what goes and comes ---- */

START_TEST(a_bus_goes)
{
	static const struct successor buses[] = { { 1, true, 0 } }, devices[] = { { 2, true, 0 } };
	int lan;

	rig_start();
	lan = fieldbus_host_pid(rig.fieldbus, 2);
	rig_order(0, "silence");
	make_next(buses, 1, devices, 1);
	reload();
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 1);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), lan);
	rig_until(list_is_empty(&rig.fieldbus->leavers));
	rig_wait_order(0, "accept");
}
END_TEST

/* What holds the port goes before another one wants it. */
START_TEST(another_plugin)
{
	static const struct successor buses[] = { { 0, false, 0 }, { 1, true, 0 } };
	static const struct successor devices[] = { { 0, false, 0 }, { 1, false, 0 }, { 2, true, 1 } };
	int hall;

	rig_start();
	hall = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, "silence");
	make_next(buses, 2, devices, 3);
	next.plugin = rig.c.plugin;
	next.plugin.name = (char[]){ "other" };
	next.buses[0].plugin = &next.plugin;
	reload();
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	rig_until(is_online(0) && is_online(1));
	ck_assert(list_is_empty(&rig.fieldbus->leavers));
	ck_assert_int_ne(fieldbus_host_pid(rig.fieldbus, 0), hall);
}
END_TEST

/* Another timeout: the running host is told, all of its devices are others. */
START_TEST(a_bus_changes)
{
	static const struct successor buses[] = { { 0, false, 0 }, { 1, true, 0 }, { -1, false, 0 } };
	static const struct successor devices[] = {
		{ 0, false, 0 }, { 1, false, 0 }, { 2, true, 1 }, { -1, false, 2 }
	};
	int hall;

	rig_start();
	hall = fieldbus_host_pid(rig.fieldbus, 0);
	make_next(buses, 3, devices, 4);
	next.buses[2].name = (char[]){ "yard" };
	reload();
	rig_until(is_online(0) && is_online(1) && is_online(3));
	ck_assert_uint_eq(rig.n_states[0], 3);
	ck_assert_uint_eq(rig.n_states[2], 1);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), hall);
	ck_assert_int_ne(fieldbus_host_pid(rig.fieldbus, 3), hall);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 3);
}
END_TEST

/* What was refused may be right now: nobody waits for the back-off to end. */
START_TEST(refused_and_mended)
{
	static const struct successor buses[] = { { 0, false, 0 }, { 1, true, 0 } };
	static const struct successor devices[] = { { 0, false, 0 }, { 1, false, 0 }, { 2, true, 1 } };

	rig_start();
	make_next(buses, 2, devices, 3);
	next.buses[0].settings = rig_setting(1, "mode", "refuse");
	reload();
	rig_until(rig.states[0] == FIELDBUS_FAILED && rig_host(0)->state == HOST_DOWN);
	ck_assert_str_eq(rig_reason(0), "the device is odd");
	ck_assert(is_online(2));
	rig.c.config = next.config;
	rig.c.config.buses = rig.c.buses;
	next.difference.before = &next.config;
	next.difference.after = &rig.c.config;
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &rig.c.config, &next.difference, NULL), 0);
	rig_until(is_online(0) && is_online(1));
	ck_assert(!fieldbus_is_refused(rig.fieldbus, 0));
}
END_TEST

/* ---- a bus of several hosts ---- */

#define LINES (FIELDBUS_LINES_MAX + 1)
#define MORE 3

static struct {
	char names[LINES + 1][16];
	struct fieldway_setting lines[LINES + 1];
	struct config_device before[LINES], after[LINES + MORE];
	struct config_successor successors[LINES + MORE];
	uint32_t devices_after[LINES];
	uint32_t of_before[LINES], of_after[LINES + MORE]; /* their lines */
} many;

static struct config_device device_on(unsigned line)
{
	struct config_device d = rig.c.devices[0];

	snprintf(many.names[line], sizeof(many.names[0]), "line%u", line);
	many.lines[line] = (struct fieldway_setting){
		.key = "line",
		.value = { .type = FIELDWAY_STRING, .data = many.names[line], .size = strlen(many.names[line]) },
	};
	d.address = (struct fieldway_settings){ &many.lines[line], 1 };
	return d;
}

/* New devices go where their line is, or where there is room; all others stay where they are. */
START_TEST(lines_stay_with_their_hosts)
{
	static const unsigned more[MORE] = { 0, LINES - 1, LINES };
	struct host *hosts[2];

	rig.fieldbus->ops.state = NULL;
	for (unsigned i = 0; i < LINES; i++) {
		many.before[i] = device_on(i);
		many.of_before[i] = i;
	}
	rig.c.config.devices = many.before;
	rig.c.config.n_devices = LINES;
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, many.of_before), 0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 2);
	/* The new ones in front. */
	for (uint32_t i = 0; i < MORE; i++) {
		many.after[i] = device_on(more[i]);
		many.successors[i] = (struct config_successor){ CONFIG_NONE, false };
		many.of_after[i] = more[i];
	}
	for (uint32_t i = 0; i < LINES; i++) {
		many.of_after[MORE + i] = i;
		many.after[MORE + i] = many.before[i];
		many.successors[MORE + i] = (struct config_successor){ i, true };
		many.devices_after[i] = MORE + i;
	}
	make_next(same_buses, 2, NULL, 0);
	next.config.devices = many.after;
	next.config.n_devices = LINES + MORE;
	next.difference.devices = many.successors;
	next.difference.devices_after = many.devices_after;
	for (uint32_t i = 0; i < 2; i++)
		hosts[i] = rig.fieldbus->hosts[i];
	for (uint32_t i = 0; i < LINES; i++)
		rig.fieldbus->devices[i].stale_dropped = rig_host(i) == hosts[1];
	reload_on(many.of_after);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 2);
	for (uint32_t i = 0; i < LINES; i++)
		ck_assert_ptr_eq(rig_host(MORE + i), hosts[rig_statistics(MORE + i).stale_dropped]);
	ck_assert_ptr_eq(rig_host(0), rig_host(MORE));
	ck_assert_ptr_eq(rig_host(1), rig_host(MORE + LINES - 1));
	ck_assert_uint_eq(hosts[0]->n_members + hosts[1]->n_members, LINES + MORE);
	/* One has all the lines that it can have, so the new line is the other one's. */
	ck_assert_uint_ge(MAX(hosts[0]->n_members, hosts[1]->n_members), FIELDBUS_LINES_MAX);
	ck_assert_uint_lt(rig_host(2)->n_members, 10);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
}
END_TEST

START_TEST(not_what_runs)
{
	make_next(same_buses, 2, NULL, 0);
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &next.config, &next.difference, NULL), -EINVAL);
	rig_start();
	next.difference.before = &next.config;
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &next.config, &next.difference, NULL), -EINVAL);
}
END_TEST

/* ---- pause ---- */

START_TEST(a_device_is_paused)
{
	int hall;

	rig_start();
	hall = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, "silence");
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 0, true), 0);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_int_eq(rig.states[0], FIELDBUS_PAUSED);
	ck_assert_str_eq(rig_reason(0), "paused");
	ck_assert_str_eq(fieldbus_state_name(rig.states[0]), "paused");
	ck_assert(fieldbus_is_paused(rig.fieldbus, 0) && !fieldbus_is_paused(rig.fieldbus, 1));
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	ck_assert_int_eq(fieldbus_read(rig.fieldbus, 0, (uint32_t[]){ 0 }, 1, NULL, NULL), -EHOSTDOWN);
	/* The host is told of the others only, and says nothing new of them. */
	rig_wait_order(1, "accept");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	ck_assert_int_eq(rig.states[0], FIELDBUS_PAUSED);
	ck_assert_uint_eq(rig.n_states[1], 1);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 0, false), 0);
	ck_assert_int_eq(rig.states[0], FIELDBUS_UNKNOWN);
	rig_until(is_online(0));
	rig_wait_order(0, "accept");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), hall);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, RIG_DEVICES, true), -EINVAL);
}
END_TEST

START_TEST(paused_over_the_end_of_its_host)
{
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 1);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 0, true), 0);
	kill(before, SIGKILL);
	rig_until(rig_is_back(1, before));
	ck_assert_int_eq(rig.states[0], FIELDBUS_PAUSED);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 0, false), 0);
	rig_until(is_online(0));
}
END_TEST

START_TEST(paused_over_a_reload)
{
	static const struct successor devices[] = { { -1, false, 0 }, { 0, false, 0 }, { 1, true, 0 }, { 2, true, 1 } };

	rig_start();
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 0, true), 0);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 1, true), 0);
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 1, true), 0);
	make_next(same_buses, 2, devices, 4);
	reload();
	rig_until(is_online(0));
	for (uint32_t i = 1; i < 4; i++)
		ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, i, NULL), FIELDBUS_PAUSED);
	ck_assert_str_eq(rig_reason(3), "bus lan is paused");
	ck_assert(fieldbus_bus_is_paused(rig.fieldbus, 1) && !fieldbus_bus_is_paused(rig.fieldbus, 0));
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 1, false), 0);
	ck_assert_int_eq(fieldbus_pause(rig.fieldbus, 2, false), 0);
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 1, false), 0);
	rig_until(is_online(1) && is_online(2) && is_online(3));
}
END_TEST

/* A user's pause and a server's switch: both have to be taken back. */
START_TEST(a_bus_is_paused)
{
	rig_start();
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 0, true), 0);
	ck_assert_int_eq(rig.states[0], FIELDBUS_PAUSED);
	ck_assert_int_eq(rig.states[1], FIELDBUS_PAUSED);
	ck_assert_str_eq(rig_reason(0), "bus hall1 is paused");
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	rig_until(fieldbus_host_pid(rig.fieldbus, 0) == 0);
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, 0, false), 0);
	ck_assert_int_eq(rig.states[0], FIELDBUS_FAILED);
	ck_assert_str_eq(rig_reason(0), "bus hall1 is switched off");
	rig_advance(USEC_PER_MINUTE);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, true), 0);
	rig_until(is_online(0) && is_online(1));
	ck_assert_int_eq(fieldbus_pause_bus(rig.fieldbus, RIG_BUSES, true), -EINVAL);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("reload");
	Suite *suite = suite_create("fieldbus");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, only_the_numbers);
	tcase_add_test(tcase, one_changes);
	tcase_add_test(tcase, another_key);
	tcase_add_test(tcase, twice_at_once);
	tcase_add_test(tcase, a_bus_goes);
	tcase_add_test(tcase, another_plugin);
	tcase_add_test(tcase, a_bus_changes);
	tcase_add_test(tcase, refused_and_mended);
	tcase_add_test(tcase, lines_stay_with_their_hosts);
	tcase_add_test(tcase, not_what_runs);
	tcase_add_test(tcase, a_device_is_paused);
	tcase_add_test(tcase, paused_over_the_end_of_its_host);
	tcase_add_test(tcase, paused_over_a_reload);
	tcase_add_test(tcase, a_bus_is_paused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
