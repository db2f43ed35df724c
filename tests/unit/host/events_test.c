/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "host/events.h"
#include "host/host.h"
#include "link/marshal.h"
#include "suite.h"

/* A whole host in a process of its own, whose plugin (eventful.c) does what these tests tell it. */

#define PLUGINS "tests/unit/host/.libs"
#define SOON_USEC UINT64_C(20000000)
#define MSEC UINT64_C(1000)
#define DEVICES 3
#define POINTS 3

struct seen {
	struct fieldway_sample sample;
	unsigned n;
};

static sd_bus *peer;
static pid_t pid;
static int control; /* to and from the plugin */
static struct arena arena;

/* What has come up the link. */
static struct seen seen[DEVICES][POINTS];
static struct link_counters counters[DEVICES];
static uint8_t states[DEVICES];
static char reasons[DEVICES][256];
static unsigned n_states;
static uint64_t generation;

static struct link_point points[POINTS];
static struct link_type type;
static struct fieldway_setting bus_settings[1], addresses[DEVICES][2];
static struct link_device devices[DEVICES];
static struct link_configuration configuration;

static void configuration_init(int fd)
{
	static const char *const names[] = { "d0", "d1", "d2" };

	bus_settings[0] =
		(struct fieldway_setting){ "fd", { .type = FIELDWAY_INT, .integer = fd } };
	for (unsigned i = 0; i < POINTS; i++)
		points[i] = (struct link_point){ .name = names[i],
						 .access = LINK_READ | LINK_WRITE,
						 .scale = 0.5,
						 .factor = 1,
						 .verify.point = -1,
						 .scale10 = -1,
						 .period_usec = LINK_PERIOD_ON_DEMAND };
	type = (struct link_type){ .points = points, .n_points = POINTS };
	for (unsigned i = 0; i < DEVICES; i++) {
		addresses[i][0] = (struct fieldway_setting){
			"line", { .type = FIELDWAY_STRING, .data = names[i], .size = 2 }
		};
		addresses[i][1] = (struct fieldway_setting){ "polled", { .type = FIELDWAY_BOOL } };
		devices[i] = (struct link_device){ .id = i,
						   .name = names[i],
						   .address = { addresses[i], 2 } };
	}
	configuration = (struct link_configuration){
		.generation = 1,
		.plugin = "eventful",
		.bus = { .name = "bus", .timeout_usec = 1000, .settings = { bus_settings, 1 } },
		.offline_after = 3,
		.offline_first_usec = 5000000,
		.offline_last_usec = 5000000,
		.types = &type,
		.n_types = 1,
		.devices = devices,
		.n_devices = 2,
	};
}

static void setup(void)
{
	struct host_options options = { .plugins = PLUGINS, .grace_usec = 50 * MSEC };
	int fds[2], pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		close(pair[0]);
		options.fd = fds[1];
		_exit(host_run(&options));
	}
	close(fds[1]);
	close(pair[1]);
	control = pair[0];
	ck_assert_int_eq(link_new(NULL, fds[0], false, &peer), 0);
	arena = (struct arena){ 0 };
	memset(seen, 0, sizeof(seen));
	memset(counters, 0, sizeof(counters));
	memset(states, 0, sizeof(states));
	memset(reasons, 0, sizeof(reasons));
	n_states = 0;
	configuration_init(pair[1]);
}

static void ends_with(int expected)
{
	int status;

	peer = link_free(peer);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "%#x", status);
	close(control);
	arena_done(&arena);
}

/* ---- what comes ---- */

static void take_values(void *userdata, uint32_t device, const struct link_counters *c,
			const struct fieldway_sample *samples, size_t n)
{
	counters[device] = *c;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(samples[i].point, POINTS);
		seen[device][samples[i].point].sample = samples[i];
		seen[device][samples[i].point].n++;
	}
}

static void take_state(sd_bus_message *m)
{
	struct link_counters c;
	const char *reason;
	uint32_t device;
	uint8_t state;

	ck_assert_int_gt(sd_bus_message_read(m, LINK_TYPE_STATE, &generation, &device, &state,
					     &reason, &c.requests, &c.errors, &c.timeouts,
					     &c.conflated),
			 0);
	states[device] = state;
	snprintf(reasons[device], sizeof(reasons[device]), "%s", reason);
	n_states++;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void turn(void)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_process(peer, &m);

	if (r < 0) /* the host has gone, as some tests want it */
		return;
	if (m && sd_bus_message_is_method_call(m, LINK_INTERFACE, "Values")) {
		ck_assert_int_eq(link_read_values(m, &generation, take_values, NULL), 0);
		ck_assert_int_ge(sd_bus_reply_method_return(m, NULL), 0);
	}
	if (m && sd_bus_message_is_method_call(m, LINK_INTERFACE, "State"))
		take_state(m);
	sd_bus_message_unref(m);
	if (r == 0)
		sd_bus_wait(peer, 20 * MSEC);
}

#define expect(condition)                                                                          \
	do {                                                                                       \
		uint64_t _end = now() + SOON_USEC;                                                 \
		bool _is;                                                                          \
		while (!(_is = (condition)) && now() < _end)                                       \
			turn();                                                                    \
		ck_assert_msg(_is, "%s", #condition);                                              \
	} while (0)

static bool has(uint32_t device, uint32_t point, double value)
{
	const struct seen *s = &seen[device][point];

	return s->n > 0 && s->sample.quality == FIELDWAY_GOOD &&
	       s->sample.value.type == FIELDWAY_FLOAT && s->sample.value.real == value;
}

/* ---- the plugin ---- */

static void tell(const char *format, ...)
{
	char text[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	ck_assert_int_eq(send(control, text, strlen(text), 0), (ssize_t)strlen(text));
}

static bool is_told(char *ret, size_t size)
{
	ssize_t n = recv(control, ret, size - 1, MSG_DONTWAIT);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The plugin's next word. */
static void told(const char *text)
{
	char is[128] = "";

	expect(is_told(is, sizeof(is)));
	ck_assert_str_eq(is, text);
}

/* What becomes of writes; known before the next one comes by another way. */
static void mode(enum fieldway_outcome outcome)
{
	tell("mode %u", (unsigned)outcome);
	told("mode");
}

/* ---- calls ---- */

static int keep_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	*(sd_bus_message **)userdata = sd_bus_message_ref(m);
	return 1;
}

static sd_bus_message *call(sd_bus_message *m)
{
	sd_bus_message *answer = NULL;

	ck_assert_int_ge(sd_bus_call_async(peer, NULL, m, keep_answer, &answer, 0), 0);
	sd_bus_message_unref(m);
	expect(answer);
	return answer;
}

static size_t configure(struct link_refusal **ret)
{
	sd_bus_message *m;
	size_t n;

	ck_assert_int_ge(link_call_new(peer, "Configure", &m), 0);
	ck_assert_int_ge(link_append_configuration(m, &configuration), 0);
	m = call(m);
	ck_assert_int_eq(link_read_refusals(m, &arena, ret, &n), 0);
	for (size_t i = 0; i < n; i++)
		(*ret)[i].text = arena_text(&arena, (*ret)[i].text, strlen((*ret)[i].text));
	sd_bus_message_unref(m);
	return n;
}

static void start(void)
{
	struct link_refusal *refusals;

	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 2 d0");
}

static sd_bus_message *write_answer;

static void write_start(uint32_t device, uint32_t point, double value, uint64_t within_usec)
{
	const struct fieldway_value v = { .type = FIELDWAY_FLOAT, .real = value };
	sd_bus_message *m;

	write_answer = NULL;
	ck_assert_int_ge(link_call_new(peer, "Write", &m), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "tuut", configuration.generation, device, point,
					       now() + within_usec),
			 0);
	ck_assert_int_ge(link_append_value(m, &v), 0);
	ck_assert_int_ge(sd_bus_call_async(peer, NULL, m, keep_answer, &write_answer, 0), 0);
	sd_bus_message_unref(m);
}

static void write_ends(uint8_t outcome, int error, const char *part)
{
	const char *text;
	uint8_t is;
	int is_error;

	expect(write_answer);
	ck_assert_int_gt(
		sd_bus_message_read(write_answer, LINK_TYPE_OUTCOME, &is, &is_error, &text), 0);
	ck_assert_msg(is == outcome && is_error == error, "%u %d %s", is, is_error, text);
	ck_assert_msg(strstr(text, part), "%s", text);
	write_answer = sd_bus_message_unref(write_answer);
}

/* ---- samples and states ---- */

START_TEST(samples_arrive)
{
	start();
	ck_assert_uint_eq(n_states, 0);
	tell("sample 1 2 5");
	expect(has(1, 2, 2.5));
	expect(states[1] == LINK_ONLINE);
	ck_assert_uint_eq(states[0], LINK_UNKNOWN);
	tell("count 1 7 2 1");
	expect(counters[1].requests == 7 && counters[1].errors == 2 && counters[1].timeouts == 1);
	ends_with(0);
}
END_TEST

START_TEST(a_failed_one_is_no_sign_of_life)
{
	start();
	tell("failed 0 1 -5");
	expect(seen[0][1].n == 1);
	ck_assert_int_eq(seen[0][1].sample.quality, FIELDWAY_FAILED);
	ck_assert_int_eq(seen[0][1].sample.error, -5);
	ck_assert_uint_eq(n_states, 0);
	ends_with(0);
}
END_TEST

START_TEST(text_has_a_limit)
{
	start();
	tell("text 0 0 %u", EVENTS_TEXT_MAX);
	tell("text 0 1 %u", EVENTS_TEXT_MAX + 1);
	expect(seen[0][0].n == 1 && seen[0][1].n == 1);
	ck_assert_int_eq(seen[0][0].sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq(seen[0][1].sample.quality, FIELDWAY_INVALID);
	ends_with(0);
}
END_TEST

/* The longest of a device's points; what one says is heard of all. */
START_TEST(silence)
{
	points[0].silence_usec = 30 * MSEC;
	points[1].silence_usec = 300 * MSEC;
	start();
	/* Nothing was ever heard of it. */
	expect(states[1] == LINK_OFFLINE);
	ck_assert_str_eq(reasons[1], "bus bus: device d1: nothing was heard of it for 300ms");
	tell("sample 1 2 1");
	expect(states[1] == LINK_ONLINE);
	n_states = 0;
	for (unsigned i = 1; i <= 10; i++) {
		uint64_t end = now() + 60 * MSEC;

		tell("sample 1 2 %u", 2 * i);
		expect(has(1, 2, i));
		expect(now() >= end);
	}
	ck_assert_uint_eq(states[1], LINK_ONLINE);
	expect(states[1] == LINK_OFFLINE);
	ends_with(0);
}
END_TEST

START_TEST(the_plugin_says_it)
{
	points[0].silence_usec = 50 * MSEC;
	start();
	tell("state 0 2 no adapter");
	expect(states[0] == LINK_FAILED);
	ck_assert_str_eq(reasons[0], "bus bus: device d0: no adapter");
	/* Its silence says nothing now. */
	expect(states[1] == LINK_OFFLINE);
	ck_assert_uint_eq(states[0], LINK_FAILED);
	tell("state 0 0");
	expect(states[0] == LINK_ONLINE);
	tell("state 0 1 gone");
	expect(states[0] == LINK_OFFLINE && strstr(reasons[0], "gone"));
	/* Of one that is known to be gone nothing is sent. */
	write_start(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EHOSTDOWN, "bus bus: device d0: point d0: offline");
	ends_with(0);
}
END_TEST

START_TEST(mistakes_are_ignored)
{
	start();
	tell("sample 2 0 1");
	tell("sample 0 3 1");
	tell("state 7 0");
	tell("state 0 9");
	tell("count 9 1 1 1");
	tell("written 0 0");
	tell("sample 0 0 2");
	expect(has(0, 0, 1));
	ck_assert_uint_eq(n_states, 1);
	ends_with(0);
}
END_TEST

START_TEST(what_cannot_start_has_failed)
{
	struct link_refusal *refusals;

	bus_settings[0].value.integer = -2;
	ck_assert_uint_eq(configure(&refusals), 0);
	expect(states[0] == LINK_FAILED && states[1] == LINK_FAILED);
	write_start(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	ends_with(0);
}
END_TEST

/* ---- thinning ---- */

START_TEST(a_point_is_thinned)
{
	points[0].sample_usec = 300 * MSEC;
	points[0].sample_keep = LINK_KEEP_MEAN;
	start();
	tell("sample 0 0 2");
	tell("sample 0 0 10");
	tell("sample 0 0 20");
	tell("sample 0 1 8");
	expect(has(0, 0, 1));
	expect(has(0, 1, 4));
	expect(has(0, 0, 7.5));
	ck_assert_uint_eq(seen[0][0].n, 2);
	ck_assert_uint_eq(counters[0].conflated, 0);
	ends_with(0);
}
END_TEST

START_TEST(a_flood_is_thinned_and_counted)
{
	unsigned n = 4 * EVENTS_RATE_MAX;

	start();
	tell("flood 0 0 %u", n);
	/* The last one is not lost. */
	expect(has(0, 0, n / 2.0));
	ck_assert_uint_le(seen[0][0].n, EVENTS_RATE_MAX + 2);
	ck_assert_uint_eq(seen[0][0].n + counters[0].conflated, n);
	/* Another device is no part of it. */
	tell("sample 1 0 4");
	expect(has(1, 0, 2));
	ck_assert_uint_eq(counters[1].conflated, 0);
	ends_with(0);
}
END_TEST

/* ---- writes ---- */

START_TEST(writes_end_once)
{
	start();
	write_start(1, 2, 3, SOON_USEC);
	told("write 1 2 6");
	ck_assert_ptr_null(write_answer);
	tell("written 0 0");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	/* Twice, and while another one is under way. */
	tell("written 1 -22");
	mode(FIELDWAY_ACCEPTED);
	write_start(0, 0, 4, SOON_USEC);
	told("write 0 0 8");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	mode(FIELDWAY_NOT_SENT);
	write_start(0, 0, 5, SOON_USEC);
	told("write 0 0 10");
	tell("written 1 -22");
	write_ends(FIELDWAY_REFUSED, -EINVAL, "bus bus: device d0: point d0: as told");
	told("read 0 0");
	/* What does not exist is unknown. */
	write_start(0, 0, 5, SOON_USEC);
	told("write 0 0 10");
	tell("written 9 -5");
	write_ends(FIELDWAY_UNKNOWN, -EIO, "as told");
	ends_with(0);
}
END_TEST

START_TEST(unknown_is_read_again)
{
	start();
	write_start(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	tell("written 3 -110");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "as told");
	told("read 0 1");
	told("read 0 1");
	ends_with(0);
}
END_TEST

START_TEST(what_was_before_does_not_follow)
{
	start();
	mode(FIELDWAY_ACCEPTED);
	write_start(0, 1, 3, SOON_USEC);
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	told("write 0 1 6");
	tell("old 0 1 2");
	tell("sample 0 1 6");
	expect(has(0, 1, 3));
	ck_assert_uint_eq(seen[0][1].n, 1);
	ends_with(0);
}
END_TEST

static void verify_start(uint64_t within_usec)
{
	points[1].verify = (struct link_verify){
		.enabled = true, .within_usec = within_usec, .tolerance = 0.1, .point = 2
	};
	start();
	mode(FIELDWAY_ACCEPTED);
	write_start(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	told("read 0 2");
}

START_TEST(verified_by_another_point)
{
	verify_start(SOON_USEC / 2);
	tell("old 0 2 6");
	tell("sample 0 1 6");
	tell("sample 1 2 6");
	tell("sample 0 2 4");
	/* It differs: asked again after a while, as is what could not be read. */
	told("read 0 2");
	tell("failed 0 2 -5");
	told("read 0 2");
	ck_assert_ptr_null(write_answer);
	tell("sample 0 2 6.1");
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	ends_with(0);
}
END_TEST

START_TEST(verify_finds_another_value)
{
	verify_start(0);
	tell("sample 0 2 4");
	write_ends(FIELDWAY_REFUSED, -EILSEQ, "accepted, but the value read back differs");
	ends_with(0);
}
END_TEST

START_TEST(verify_finds_nothing)
{
	points[1].verify = (struct link_verify){ .enabled = true, .within_usec = 1, .point = -1 };
	start();
	mode(FIELDWAY_ACCEPTED);
	write_start(0, 1, 3, 200 * MSEC);
	told("write 0 1 6");
	told("read 0 1");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "not read back before the deadline");
	ends_with(0);
}
END_TEST

START_TEST(a_deadline_passes)
{
	start();
	write_start(0, 1, 3, 0);
	write_ends(FIELDWAY_NOT_SENT, -ETIMEDOUT, "after its deadline");
	write_start(0, 1, 3, 20 * MSEC);
	told("write 0 1 6");
	write_ends(FIELDWAY_UNKNOWN, -ETIMEDOUT, "no answer before the deadline");
	/* A plugin that never ends it is replaced with its host. */
	expect(states[0] == LINK_FAILED);
	ck_assert_str_eq(reasons[0], "bus bus: device d0: point d1: its plugin does not end it");
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ends_with(1);
}
END_TEST

START_TEST(writes_have_a_limit)
{
	sd_bus_message *answers[EVENTS_WRITES_MAX];
	char text[64];

	start();
	for (unsigned i = 0; i < EVENTS_WRITES_MAX; i++) {
		write_start(0, 0, 1, SOON_USEC);
		expect(is_told(text, sizeof(text)));
		answers[i] = write_answer;
		ck_assert_ptr_null(answers[i]);
	}
	write_start(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_NOT_SENT, -EBUSY, "too many writes have not ended");
	ends_with(0);
}
END_TEST

/* ---- the bus ---- */

START_TEST(a_new_generation)
{
	struct link_refusal *refusals;

	start();
	mode(FIELDWAY_REFUSED); /* it ends its last write when it stops */
	write_start(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	configuration.generation = 2;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("stop");
	told("start 2 d0");
	write_ends(FIELDWAY_NOT_SENT, -ECANCELED, "stopped");
	tell("sample 0 0 2");
	expect(has(0, 0, 1));
	ck_assert_uint_eq(generation, 2);
	/* What the plugin forgets the host ends. */
	write_start(0, 1, 3, SOON_USEC);
	told("write 0 1 6");
	configuration.generation = 3;
	ck_assert_uint_eq(configure(&refusals), 0);
	write_ends(FIELDWAY_UNKNOWN, -ECANCELED, "the configuration has changed");
	ends_with(0);
}
END_TEST

START_TEST(both_kinds_on_one_bus)
{
	struct link_refusal *refusals;

	configuration.n_devices = 3;
	addresses[0][1].value.boolean = true;
	points[0].period_usec = 20 * MSEC;
	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 2 d1");
	expect(has(0, 0, 0.5) || seen[0][0].n >= 3);
	tell("sample 1 0 8"); /* the plugin's second one */
	expect(has(2, 0, 4));
	write_start(2, 0, 1, SOON_USEC);
	told("write 1 0 2");
	write_start(0, 0, 1, SOON_USEC);
	write_ends(FIELDWAY_ACCEPTED, 0, "");
	ends_with(0);
}
END_TEST

START_TEST(a_line_is_of_one_kind)
{
	struct link_refusal *refusals;

	addresses[1][1].value.boolean = true;
	addresses[1][0].value.data = "d0";
	ck_assert_uint_eq(configure(&refusals), 1);
	ck_assert_msg(strstr(refusals[0].text, "shares its line") && refusals[0].device >= 0, "%s",
		      refusals[0].text);
	ends_with(0);
}
END_TEST

START_TEST(timers)
{
	start();
	tell("timer 1000");
	told("timer");
	tell("timers %u", EVENTS_LENT_MAX);
	told("timers 19998"); /* beside its watch and its timer */
	tell("timer 0");
	told("timer");
	ends_with(0);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, samples_arrive);
	tcase_add_test(t, a_failed_one_is_no_sign_of_life);
	tcase_add_test(t, text_has_a_limit);
	tcase_add_test(t, silence);
	tcase_add_test(t, the_plugin_says_it);
	tcase_add_test(t, mistakes_are_ignored);
	tcase_add_test(t, what_cannot_start_has_failed);
	tcase_add_test(t, a_point_is_thinned);
	tcase_add_test(t, a_flood_is_thinned_and_counted);
	tcase_add_test(t, writes_end_once);
	tcase_add_test(t, unknown_is_read_again);
	tcase_add_test(t, what_was_before_does_not_follow);
	tcase_add_test(t, verified_by_another_point);
	tcase_add_test(t, verify_finds_another_value);
	tcase_add_test(t, verify_finds_nothing);
	tcase_add_test(t, a_deadline_passes);
	tcase_add_test(t, writes_have_a_limit);
	tcase_add_test(t, a_new_generation);
	tcase_add_test(t, both_kinds_on_one_bus);
	tcase_add_test(t, a_line_is_of_one_kind);
	tcase_add_test(t, timers);
}

int main(void)
{
	return run_suite("events", add);
}
