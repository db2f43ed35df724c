/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fieldbus/fake_host.h"
#include "tests/unit/fieldbus/rig.h"

/* ---- start ---- */

START_TEST(one_host_a_bus)
{
	rig_start();
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), fieldbus_host_pid(rig.fieldbus, 1));
	ck_assert_int_ne(fieldbus_host_pid(rig.fieldbus, 0), fieldbus_host_pid(rig.fieldbus, 2));
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 3), 0);
	ck_assert_uint_eq(rig.n_states[0], 1);
	ck_assert_uint_eq(rig.n_states[3], 0);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	ck_assert_str_eq(fieldbus_state_name(rig.states[0]), "online");
	/* One that is disabled cannot be written, one that does not exist neither. */
	ck_assert_int_eq(rig_try(3, "accept"), -EHOSTDOWN);
	ck_assert_int_eq(rig_try(4, "accept"), -EINVAL);
}
END_TEST

START_TEST(nothing_to_do)
{
	for (unsigned i = 0; i < RIG_DEVICES; i++)
		rig.c.devices[i].enabled = false;
	rig_start();
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 0);
}
END_TEST

START_TEST(surroundings_of_a_host)
{
	int fd = open("/dev/null", O_RDONLY); /* not closed by exec */
	sigset_t set, old;

	ck_assert_int_ge(fd, 0);
	setenv("FIELDWAY_SECRET", "x", 1);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, &old), 0);
	signal(SIGPIPE, SIG_IGN);
	rig_start();
	rig_wait_order(0, "surroundings");
	ck_assert_str_eq(rig.detail, "secret=no path=yes fds=4 term=0 pipe=0 leader=1 folder=/a/folder");
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	unsetenv("FIELDWAY_SECRET");
	close(fd);
}
END_TEST

START_TEST(started_again)
{
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, "silence");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	rig_until(rig_is_back(0, before));
}
END_TEST

/* More lines than one host has: devices of a line stay together. */
#define MANY_LINES (FIELDBUS_LINES_MAX + 1)

static struct config_device *make_lines(unsigned n, char (*names)[16], struct fieldway_setting *lines)
{
	struct config_device *devices = calloc(2 * n, sizeof(*devices));

	ck_assert_ptr_nonnull(devices);
	for (unsigned i = 0; i < 2 * n; i++) {
		snprintf(names[i % n], sizeof(names[0]), "line%u", i % n);
		lines[i % n] = (struct fieldway_setting){
			.key = "line",
			.value = { .type = FIELDWAY_STRING, .data = names[i % n], .size = strlen(names[i % n]) },
		};
		devices[i] = rig.c.devices[0];
		devices[i].address = (struct fieldway_settings){ &lines[i % n], 1 };
	}
	return devices;
}

START_TEST(many_lines)
{
	struct fieldway_setting lines[MANY_LINES];
	uint32_t line_of[2 * MANY_LINES];
	struct config_device *devices;
	unsigned counts[2] = { 0 };
	char names[MANY_LINES][16];
	struct host *h;

	devices = make_lines(MANY_LINES, names, lines);
	rig.c.config.devices = devices;
	rig.c.config.n_devices = 2 * MANY_LINES;
	for (unsigned i = 0; i < 2 * MANY_LINES; i++)
		line_of[i] = i % MANY_LINES;
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, line_of), 0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 2);
	for (uint32_t i = 0; i < MANY_LINES; i++) {
		h = rig_host(i);
		ck_assert_ptr_eq(rig_host(i + MANY_LINES), h);
		counts[h == rig.fieldbus->hosts[1]]++;
	}
	ck_assert_uint_eq(MIN(counts[0], counts[1]), 1);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	free(devices);
}
END_TEST

START_TEST(many_lines_that_nobody_knows)
{
	struct fieldway_setting lines[MANY_LINES];
	struct config_device *devices;
	char names[MANY_LINES][16];

	devices = make_lines(MANY_LINES, names, lines);
	rig.c.config.devices = devices;
	rig.c.config.n_devices = 2 * MANY_LINES;
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 1);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	free(devices);
}
END_TEST

/* ---- values and states ---- */

START_TEST(values_arrive)
{
	rig_start();
	rig_wait_order(1, "values");
	ck_assert_uint_eq(rig.n_values[1], 1);
	ck_assert_uint_eq(rig.n_values[0], 0);
	ck_assert_uint_eq(rig.n_samples, 2);
	ck_assert_uint_eq(rig.first.boottime_usec, 77);
	ck_assert(rig.first.value.real == 230.2);
	ck_assert_uint_eq(rig_statistics(1).requests, 20);
	ck_assert_uint_eq(rig_statistics(1).errors, 5);
	ck_assert_uint_eq(rig_statistics(1).timeouts, 4);
	ck_assert_uint_eq(rig_statistics(1).conflated, 3);
}
END_TEST

START_TEST(texts_arrive)
{
	rig_start();
	rig_wait_order(0, "text");
	ck_assert_uint_eq(rig.n_values[0], 1);
	ck_assert_uint_eq(rig.first.value.size, LINK_SAMPLE_BYTES_MAX);
}
END_TEST

START_TEST(credit_comes_back)
{
	rig_start();
	rig_wait_order(0, "credit");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	ck_assert_uint_eq(rig.n_values[0], 100);
}
END_TEST

START_TEST(stale_generation)
{
	rig_start();
	rig_wait_order(0, "stale");
	ck_assert_uint_eq(rig.n_values[0], 0);
	ck_assert_uint_eq(rig.n_states[0], 1);
	ck_assert_uint_eq(rig_statistics(0).stale_dropped, 3);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
}
END_TEST

START_TEST(offline)
{
	rig_start();
	rig_wait_order(0, "offline bus hall1: device m1: silent");
	ck_assert_int_eq(rig.states[0], FIELDBUS_OFFLINE);
	ck_assert_str_eq(rig_reason(0), " bus hall1: device m1: silent");
	ck_assert_uint_eq(rig_statistics(0).requests, 10);
	ck_assert_int_eq(rig.states[1], FIELDBUS_ONLINE);
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	ck_assert_uint_eq(rig.n_done, 1);
	rig_wait_order(1, "accept");
}
END_TEST

START_TEST(long_reason)
{
	rig_start();
	rig_wait_order(0, "long-reason");
	ck_assert_int_eq(rig.states[0], FIELDBUS_OFFLINE);
	ck_assert_uint_eq(strlen(rig_reason(0)), (FIELDBUS_REASON_MAX - 1) / 2 * 2);
}
END_TEST

START_TEST(many_states)
{
	rig_start();
	/* All of them are heard, whatever becomes of the write meanwhile; few are logged. */
	rig_order(0, "many-states");
	rig_until(rig.n_states[0] == FAKE_STATES + 1);
	ck_assert_uint_eq(rig.fieldbus->devices[0].log_budget.count, 10);
	ck_assert_uint_gt(rig.fieldbus->devices[0].log_budget.suppressed, 0);
	/* None of them at the cost of its neighbour. */
	ck_assert_uint_eq(rig.fieldbus->devices[1].log_budget.count, 1);
	ck_assert_uint_eq(rig_host(0)->log_budget.count, 11);
}
END_TEST

/* ---- supervision ---- */

START_TEST(hang)
{
	uint64_t start = rig_now();
	unsigned ticks;
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, "hang");
	rig_turn();
	/* Ping, and at least two ticks without its answer; other hosts have real time to give theirs. */
	for (ticks = 0; rig_host(0)->state == HOST_RUNNING; ticks++) {
		rig_advance(5 * USEC_PER_SEC);
		rig_turn();
		rig_check_patience(start);
	}
	ck_assert_uint_ge(ticks, 3);
	ck_assert_uint_ge(rig_now() - start, 2 * USEC_PER_SEC);
	rig_until(rig_is_back(0, before));
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 1);
	ck_assert_uint_eq(rig_statistics(2).host_restarts, 0);
}
END_TEST

START_TEST(silent_configure)
{
	uint64_t start = rig_now();
	unsigned ticks;
	int before;

	rig.c.buses[0].settings = rig_setting(0, "mode", "ignore");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig_host(0)->state == HOST_CONFIGURING);
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig.c.buses[0].settings = (struct fieldway_settings){ 0 };
	for (ticks = 0; rig_host(0)->state == HOST_CONFIGURING; ticks++) {
		rig_advance(5 * USEC_PER_SEC);
		rig_turn();
		rig_check_patience(start);
	}
	ck_assert_uint_ge(ticks, 6);
	rig_until(rig_is_back(0, before));
}
END_TEST

/* Also one that gets no further than its configuration. */
START_TEST(level_first)
{
	ck_assert_int_eq(log_levels_take("host=debug"), 0);
	rig.c.buses[0].settings = rig_setting(0, "mode", "debug");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig_host(0)->state == HOST_RUNNING);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	ck_assert_int_eq(log_levels_take("host=info"), 0);
}
END_TEST

static const char *const misbehaviour[] = {
	"bad-values", "bad-device", "bad-point", "bad-state", "odd-state", "unknown", "garbage", "bad-outcome", "flood",
	"close",      "long-text",  "long-detail", "long-found", "talk",
};

START_TEST(misbehaving_host)
{
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig_order(0, misbehaviour[_i]);
	rig_until(rig_host(0)->state != HOST_RUNNING);
	/* One that only closes its link is given a second. */
	rig_advance(USEC_PER_SEC);
	rig_until(rig_is_back(0, before));
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 1);
	ck_assert_uint_eq(rig_statistics(2).host_restarts, 0);
}
END_TEST

/* ---- keys and files ---- */

/* One device of two lacks its key: the other is there, and soon it is, too. */
START_TEST(a_key_comes_later)
{
	int before;

	rig.c.plugin.n_keys = 2;
	rig.c.devices[0].address = rig_setting(0, "key", "table:k");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig.states[1] == FIELDBUS_ONLINE);
	ck_assert_int_eq(rig.states[0], FIELDBUS_FAILED);
	ck_assert_str_eq(rig_reason(0), "bus hall1: device m1: key: no such key");
	ck_assert_str_eq(rig.asked.reference, "table:k");
	ck_assert_uint_eq(rig.asked.flags, FIELDWAY_KEY_SECRET);
	ck_assert_str_eq(rig.asked.owner, "m1");
	ck_assert_ptr_null(rig.asked.mac);
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	rig_advance(6 * USEC_PER_SEC);
	ck_assert_int_eq(rig_host(0)->state, HOST_RUNNING);
	rig.content = "topsecret";
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig_advance(6 * USEC_PER_SEC);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
	ck_assert_str_eq(rig_reason(0), "topsecret");
	ck_assert_str_eq(rig_reason(1), "");
	/* Its host was told, and the other one goes on. */
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), before);
	ck_assert_uint_eq(rig.n_states[1], 1);
}
END_TEST

/* Nothing is left of a bus: its host starts when there is something again. */
START_TEST(a_file_of_the_bus_comes_later)
{
	rig.c.plugin.n_keys = 2;
	rig.c.buses[0].settings = rig_setting(0, "ca", "certs/ca.pem");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig.states[0] == FIELDBUS_FAILED && rig.states[1] == FIELDBUS_FAILED &&
		  rig_host(0)->state == HOST_DOWN);
	ck_assert_str_eq(rig_reason(0), "bus hall1: ca: no such key");
	ck_assert_uint_eq(rig.asked.flags, FIELDWAY_KEY_CONTENT);
	ck_assert_str_eq(rig.asked.owner, "hall1");
	rig_until(rig.states[2] == FIELDBUS_ONLINE); /* the other bus */
	rig.content = "x";
	rig_advance(USEC_PER_SEC);
	rig_until(rig_is_back(0, 0) && rig_is_back(1, 0));
}
END_TEST

START_TEST(back_off)
{
	static const uint64_t least[] = { 0, 500 * USEC_PER_MSEC, USEC_PER_SEC, 2 * USEC_PER_SEC };
	uint64_t killed;
	int before;

	rig_start();
	for (unsigned i = 0; i < ARRAY_SIZE(least); i++) {
		before = fieldbus_host_pid(rig.fieldbus, 0);
		killed = clock_monotonic_usec();
		kill(before, SIGKILL);
		rig_until(rig_host(0)->state == HOST_DOWN || fieldbus_host_pid(rig.fieldbus, 0) != before);
		if (least[i] > 0) {
			ck_assert_int_eq(rig_host(0)->state, HOST_DOWN);
			ck_assert_uint_ge(rig_host(0)->timer.due_usec, killed + least[i]);
			rig_advance(2 * least[i]);
		}
		rig_until(rig_is_back(0, before));
	}
	ck_assert_uint_eq(rig_statistics(0).host_restarts, ARRAY_SIZE(least));
}
END_TEST

/* A child that another thread is about to start has all descriptors, for a while. */
static pid_t copy_descriptors(int *ret_pipe)
{
	int pipes[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(pipes[0]);
	*ret_pipe = pipes[1];
	return pid;
}

START_TEST(descriptors_that_others_hold)
{
	int before, held, status;
	pid_t copy;

	rig_start();
	copy = copy_descriptors(&held);
	before = fieldbus_host_pid(rig.fieldbus, 0);
	kill(before, SIGKILL);
	rig_until(rig_is_back(0, before));
	/* What is left in the loop's set would be ready all the time. */
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_ge(sd_event_run(rig.event, 0), 0);
	close(held);
	ck_assert_int_eq(waitpid(copy, &status, 0), copy);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(back_off_ends)
{
	struct host h = { .backoff = { USEC_PER_SEC, USEC_PER_MINUTE, 0 } };

	ck_assert_uint_eq(host_delay(&h), 0);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_ge(host_delay(&h), USEC_PER_SEC << MIN(i, 5u));
	ck_assert_uint_le(host_delay(&h), USEC_PER_MINUTE * 5 / 4);
	/* One that ran for long starts over, one that did not does not. */
	h.running_since_usec = clock_monotonic_usec();
	clock_advance(29 * USEC_PER_SEC);
	ck_assert_uint_ge(host_delay(&h), USEC_PER_MINUTE);
	h.running_since_usec = clock_monotonic_usec();
	clock_advance(30 * USEC_PER_SEC);
	ck_assert_uint_eq(host_delay(&h), 0);
	/* What was refused does not hurry. */
	h = (struct host){ .backoff = { USEC_PER_SEC, USEC_PER_MINUTE, 0 }, .left = FIELDBUS_FAILED };
	ck_assert_uint_ge(host_delay(&h), USEC_PER_SEC);
}
END_TEST

/* What its first host said of a device, or that it has ended, does not outlive the start of the next. */
START_TEST(nothing_heard_yet_of_the_next)
{
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig.c.buses[0].settings = rig_setting(0, "mode", "mute");
	kill(before, SIGKILL);
	rig_until(rig.states[0] == FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host ended (killed by SIGKILL)");
	rig_until(rig_host(0)->state == HOST_RUNNING && fieldbus_host_pid(rig.fieldbus, 0) != before);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 0, NULL), FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(0), "");
	ck_assert_str_eq(rig_reason(1), "");
}
END_TEST

static const struct {
	const char *mode;
	enum fieldbus_state state;
	const char *reason, *reason_2; /* of m1 and m2 */
} beginnings[] = {
	{ "refuse", FIELDBUS_FAILED, "the device is odd", "the bus is busy" },
	{ "error", FIELDBUS_FAILED, "bus hall1: plugin host cannot be configured: no such plugin: fake",
	  "bus hall1: plugin host cannot be configured: no such plugin: fake" },
	{ "die", FIELDBUS_UNKNOWN, "bus hall1: plugin host ended (killed by SIGABRT)",
	  "bus hall1: plugin host ended (killed by SIGABRT)" },
	{ "leave", FIELDBUS_UNKNOWN, "bus hall1: plugin host ended (exited with status 3)",
	  "bus hall1: plugin host ended (exited with status 3)" },
	{ "lost", FIELDBUS_UNKNOWN, "bus hall1: plugin host refused what it was not given (killed by SIGKILL)",
	  "bus hall1: plugin host refused what it was not given (killed by SIGKILL)" },
	{ "nonsense", FIELDBUS_UNKNOWN, "bus hall1: plugin host sent a malformed answer to Configure (killed by SIGKILL)",
	  "bus hall1: plugin host sent a malformed answer to Configure (killed by SIGKILL)" },
};

START_TEST(bad_beginning)
{
	rig.c.buses[0].settings = rig_setting(0, "mode", beginnings[_i].mode);
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(*rig_reason(0) && *rig_reason(1));
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, 0, NULL), beginnings[_i].state);
	ck_assert_str_eq(rig_reason(0), beginnings[_i].reason);
	ck_assert_str_eq(rig_reason(1), beginnings[_i].reason_2);
	ck_assert(fieldbus_is_refused(rig.fieldbus, 0) == (beginnings[_i].state == FIELDBUS_FAILED));
	ck_assert(!fieldbus_is_refused(rig.fieldbus, 1));
	if (beginnings[_i].state == FIELDBUS_FAILED)
		ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	/* The other bus runs; this one is tried again until it does. */
	rig_until(rig.states[2] == FIELDBUS_ONLINE);
	rig.c.buses[0].settings = (struct fieldway_settings){ 0 };
	rig_until(rig_host(0)->state == HOST_DOWN || rig.states[0] == FIELDBUS_ONLINE);
	rig_advance(USEC_PER_SEC);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
	ck_assert_str_eq(rig_reason(0), "");
	ck_assert(!fieldbus_is_refused(rig.fieldbus, 0));
}
END_TEST

START_TEST(missing_program)
{
	char *program = rig.fieldbus->host_program;
	char nowhere[] = "/nowhere";
	struct host *h;

	rig.fieldbus->host_program = nowhere;
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig.states[0] == FIELDBUS_FAILED);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host cannot start: no program /nowhere");
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	h = rig_host(0);
	ck_assert_uint_gt(h->timer.due_usec, clock_monotonic_usec());
	rig.fieldbus->host_program = program;
	rig_advance(USEC_PER_SEC);
	rig_until(rig.states[0] == FIELDBUS_ONLINE && rig.states[2] == FIELDBUS_ONLINE);
}
END_TEST

START_TEST(clock_follows)
{
	unsigned long long steps;

	rig_start();
	rig_advance(2 * USEC_PER_SEC);
	steps = clock_steps_usec();
	rig_wait_order(0, "clock");
	ck_assert_uint_eq(strtoull(rig.detail, NULL, 10), steps);
	/* A host that starts later hears all of it. */
	clock_advance(3 * USEC_PER_SEC);
	kill(fieldbus_host_pid(rig.fieldbus, 0), SIGKILL);
	rig_until(rig_statistics(0).host_restarts == 1);
	rig_wait_order(0, "clock");
	ck_assert_uint_eq(strtoull(rig.detail, NULL, 10), steps + 3 * USEC_PER_SEC);
	/* Built for it, hosts follow without being asked for anything. */
	if (rig.fieldbus->clock_source) {
		clock_advance(USEC_PER_SEC);
		rig_wait_order(2, "accept");
		rig_until(rig_host(0)->clock_usec == clock_steps_usec());
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_add_test(tcase, one_host_a_bus);
	tcase_add_test(tcase, nothing_to_do);
	tcase_add_test(tcase, surroundings_of_a_host);
	tcase_add_test(tcase, started_again);
	tcase_add_test(tcase, many_lines);
	tcase_add_test(tcase, many_lines_that_nobody_knows);
	tcase_add_test(tcase, values_arrive);
	tcase_add_test(tcase, texts_arrive);
	tcase_add_test(tcase, credit_comes_back);
	tcase_add_test(tcase, stale_generation);
	tcase_add_test(tcase, offline);
	tcase_add_test(tcase, long_reason);
	tcase_add_test(tcase, many_states);
	tcase_add_test(tcase, hang);
	tcase_add_test(tcase, silent_configure);
	tcase_add_test(tcase, level_first);
	tcase_add_loop_test(tcase, misbehaving_host, 0, ARRAY_SIZE(misbehaviour));
	tcase_add_test(tcase, back_off);
	tcase_add_test(tcase, descriptors_that_others_hold);
	tcase_add_test(tcase, a_key_comes_later);
	tcase_add_test(tcase, a_file_of_the_bus_comes_later);
	tcase_add_test(tcase, back_off_ends);
	tcase_add_test(tcase, nothing_heard_yet_of_the_next);
	tcase_add_loop_test(tcase, bad_beginning, 0, ARRAY_SIZE(beginnings));
	tcase_add_test(tcase, missing_program);
	tcase_add_test(tcase, clock_follows);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
