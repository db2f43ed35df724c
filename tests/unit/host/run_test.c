/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/arena.h"
#include "host/host.h"
#include "link/marshal.h"
#include "suite.h"

/* A whole host in a process of its own, with the plugin of fake.c. */

/* Tests run in the build folder. */
#define PLUGINS "tests/unit/host/.libs"
#define SOON_USEC UINT64_C(30000000)
#define DEVICES (HOST_LINES_MAX + 1)

static sd_bus *peer;
static pid_t pid;
static struct arena arena;

static struct link_point point = { .name = "p",
				   .access = LINK_READ,
				   .scale = 1,
				   .factor = 1,
				   .verify.point = -1,
				   .scale10 = -1,
				   .period_usec = 50000 };
static struct fieldway_setting hangs = { "hangs", { .type = FIELDWAY_BOOL, .boolean = true } };
static struct link_type type = { .settings = { &hangs, 0 }, .points = &point, .n_points = 1 };
static char names[DEVICES][8];
static struct fieldway_setting lines[DEVICES];
static struct link_device devices[DEVICES];
static struct link_configuration configuration;

static void setup(void)
{
	struct host_options options = { .plugins = PLUGINS, .grace_usec = 50000 };
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		options.fd = fds[1];
		_exit(host_run(&options));
	}
	close(fds[1]);
	ck_assert_int_eq(link_new(NULL, fds[0], false, &peer), 0);
	arena = (struct arena){ 0 };
	type.settings.n = 0;
	for (unsigned i = 0; i < DEVICES; i++) {
		snprintf(names[i], sizeof(names[i]), "d%u", i);
		lines[i] = (struct fieldway_setting){
			"line",
			{ .type = FIELDWAY_STRING, .data = names[i], .size = strlen(names[i]) }
		};
		devices[i] = (struct link_device){ .id = i,
						   .name = names[i],
						   .address = { &lines[i], 1 } };
	}
	configuration = (struct link_configuration){
		.generation = 1,
		.plugin = "fake",
		.bus = { .name = "bus", .timeout_usec = 1000 },
		.offline_after = 3,
		.offline_first_usec = 5000000,
		.offline_last_usec = 5000000,
		.types = &type,
		.n_types = 1,
		.devices = devices,
		.n_devices = 1,
	};
}

static void ends_with(int expected)
{
	int status;

	peer = link_free(peer);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "%#x", status);
	arena_done(&arena);
}

static size_t configure(struct link_refusal **ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m, *answer;
	size_t n;
	int r;

	ck_assert_int_ge(link_call_new(peer, "Configure", &m), 0);
	ck_assert_int_ge(link_append_configuration(m, &configuration), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", UINT64_C(0)), 0);
	r = sd_bus_call(peer, m, SOON_USEC, &error, &answer);
	ck_assert_msg(r >= 0, "%s", error.message);
	ck_assert_int_eq(link_read_refusals(answer, &arena, ret, &n), 0);
	for (size_t i = 0; i < n; i++)
		(*ret)[i].text = arena_text(&arena, (*ret)[i].text, strlen((*ret)[i].text));
	sd_bus_message_unref(m);
	sd_bus_message_unref(answer);
	return n;
}

static void expect_configured(void)
{
	struct link_refusal *refusals;

	ck_assert_uint_eq(configure(&refusals), 0);
}

static void answer_values(sd_bus_message *m)
{
	if (m && sd_bus_message_is_method_call(m, LINK_INTERFACE, "Values"))
		ck_assert_int_ge(sd_bus_reply_method_return(m, NULL), 0);
}

/* What came before an answer that was waited for. */
static void take_all(void)
{
	sd_bus_message *m = NULL;

	while (sd_bus_process(peer, &m) > 0) {
		answer_values(m);
		m = sd_bus_message_unref(m);
	}
}

/* The host's next call of this name; Values are answered. */
static sd_bus_message *next(const char *member)
{
	sd_bus_message *m = NULL;
	int r;

	for (;;) {
		r = sd_bus_process(peer, &m);
		ck_assert_int_ge(r, 0);
		answer_values(m);
		if (m && sd_bus_message_is_method_call(m, LINK_INTERFACE, member))
			return m;
		m = sd_bus_message_unref(m);
		if (r == 0)
			ck_assert_int_gt(sd_bus_wait(peer, SOON_USEC), 0);
	}
}

/* The generation of the next Values. */
static uint64_t next_values(void)
{
	sd_bus_message *m = next("Values");
	uint64_t generation;

	ck_assert_int_gt(sd_bus_message_read(m, "t", &generation), 0);
	sd_bus_message_unref(m);
	return generation;
}

static void expect_state(uint64_t generation, uint32_t device, uint8_t state, const char *part)
{
	sd_bus_message *m = next("State");
	uint64_t from, counters[4];
	uint32_t id;
	uint8_t is;
	const char *reason;

	ck_assert_int_gt(sd_bus_message_read(m, LINK_TYPE_STATE, &from, &id, &is, &reason,
					     &counters[0], &counters[1], &counters[2],
					     &counters[3]),
			 0);
	ck_assert_uint_eq(from, generation);
	ck_assert_uint_eq(id, device);
	ck_assert_uint_eq(is, state);
	ck_assert_msg(strstr(reason, part) != NULL, "%s", reason);
	sd_bus_message_unref(m);
}

START_TEST(a_stuck_worker_costs_the_host)
{
	type.settings.n = 1;
	expect_configured();
	expect_state(1, 0, LINK_FAILED, "bus bus: device d0: line d0: stuck");
	/* Before the link is closed. */
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ends_with(1);
}
END_TEST

START_TEST(the_link_ends_a_stuck_one)
{
	type.settings.n = 1;
	configuration.bus.timeout_usec = 600 * UINT64_C(1000000);
	expect_configured();
	ends_with(0);
}
END_TEST

START_TEST(a_signal_ends_it)
{
	expect_configured();
	expect_state(1, 0, LINK_ONLINE, "");
	kill(pid, SIGTERM);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ends_with(0);
}
END_TEST

START_TEST(lines_have_a_limit)
{
	struct link_refusal *refusals;

	configuration.n_devices = HOST_LINES_MAX;
	expect_configured();
	configuration.generation = 2;
	configuration.bus.name = "other";
	configuration.n_devices = 1;
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_str_eq(refusals[0].text, "bus other: 501 lines, one host has at most 500");
	ck_assert_int_eq(refusals[0].device, -1);
	/* What replaces a bus does not count twice; devices of a line count once. */
	configuration.bus.name = "bus";
	configuration.n_devices = DEVICES;
	ck_assert_uint_eq(configure(&refusals), 1);
	devices[DEVICES - 1].address = devices[0].address;
	expect_configured();
	ends_with(0);
}
END_TEST

START_TEST(buses_have_a_limit)
{
	struct link_refusal *refusals;
	char name[16];

	configuration.bus.name = name;
	configuration.n_devices = 0;
	for (unsigned i = 0; i < HOST_BUSES_MAX; i++) {
		snprintf(name, sizeof(name), "bus%u", i);
		expect_configured();
	}
	expect_configured(); /* again */
	strcpy(name, "more");
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_str_eq(refusals[0].text, "bus more: 1001 buses, one host has at most 1000");
	ends_with(0);
}
END_TEST

START_TEST(two_buses_in_one_host)
{
	expect_configured();
	expect_state(1, 0, LINK_ONLINE, "");
	configuration.bus.name = "other";
	configuration.generation = 5;
	devices[0].id = 9;
	expect_configured();
	expect_state(5, 9, LINK_ONLINE, "");
	/* The first one goes on under its own generation. */
	configuration.generation = 6;
	configuration.n_devices = 0;
	expect_configured();
	take_all();
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(next_values(), 1);
	ends_with(0);
}
END_TEST

START_TEST(a_bus_needs_a_name)
{
	struct link_refusal *refusals;

	configuration.bus.name = "";
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_str_eq(refusals[0].text, "a bus needs a name");
	ends_with(0);
}
END_TEST

/* Its port must be closed first: a stuck one keeps it until the host is replaced. */
START_TEST(a_bus_waits_for_its_predecessor)
{
	type.settings.n = 1;
	expect_configured();
	type.settings.n = 0;
	configuration.generation = 2;
	expect_configured();
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ends_with(1);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_stuck_worker_costs_the_host);
	tcase_add_test(t, the_link_ends_a_stuck_one);
	tcase_add_test(t, a_signal_ends_it);
	tcase_add_test(t, lines_have_a_limit);
	tcase_add_test(t, buses_have_a_limit);
	tcase_add_test(t, two_buses_in_one_host);
	tcase_add_test(t, a_bus_needs_a_name);
	tcase_add_test(t, a_bus_waits_for_its_predecessor);
}

int main(void)
{
	return run_suite("run", add);
}
