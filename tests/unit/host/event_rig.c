/* SPDX-License-Identifier: Apache-2.0 */
#include "event_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/host.h"

#define PLUGINS "tests/unit/host/.libs"

sd_bus *peer;
pid_t pid;
static int control; /* to and from the plugin */
struct arena arena;

/* What has come up the link. */
struct seen seen[DEVICES][POINTS];
struct link_counters counters[DEVICES];
uint8_t states[DEVICES];
char reasons[DEVICES][256];
unsigned n_states;
uint64_t generation;
char found[256];
unsigned n_found;

struct link_point points[POINTS];
struct link_type type;
struct fieldway_setting bus_settings[1], addresses[DEVICES][2];
struct link_device devices[DEVICES];
struct link_configuration configuration;

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

void setup(void)
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
	n_states = n_found = 0;
	configuration_init(pair[1]);
}

void ends_with(int expected)
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

static void take_found(sd_bus_message *m)
{
	const char *bus, *address, *facts;

	ck_assert_int_gt(
		sd_bus_message_read(m, LINK_TYPE_FOUND, &generation, &bus, &address, &facts), 0);
	ck_assert_str_eq(bus, "bus");
	snprintf(found, sizeof(found), "%s %s", address, facts);
	n_found++;
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void turn(void)
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
	if (m && sd_bus_message_is_method_call(m, LINK_INTERFACE, "Found"))
		take_found(m);
	sd_bus_message_unref(m);
	if (r == 0)
		sd_bus_wait(peer, 20 * MSEC);
}

bool has(uint32_t device, uint32_t point, double value)
{
	const struct seen *s = &seen[device][point];

	return s->n > 0 && s->sample.quality == FIELDWAY_GOOD &&
	       s->sample.value.type == FIELDWAY_FLOAT && s->sample.value.real == value;
}

/* ---- the plugin ---- */

void tell(const char *format, ...)
{
	char text[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	ck_assert_int_eq(send(control, text, strlen(text), 0), (ssize_t)strlen(text));
}

bool is_told(char *ret, size_t size)
{
	ssize_t n = recv(control, ret, size - 1, MSG_DONTWAIT);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The plugin's next word. */
void told(const char *text)
{
	char is[128] = "";

	expect(is_told(is, sizeof(is)));
	ck_assert_str_eq(is, text);
}

/* What becomes of writes; known before the next one comes by another way. */
void mode(enum fieldway_outcome outcome)
{
	tell("mode %u", (unsigned)outcome);
	told("mode");
}

/* ---- calls ---- */

int keep_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	*(sd_bus_message **)userdata = sd_bus_message_ref(m);
	return 1;
}

sd_bus_message *call(sd_bus_message *m)
{
	sd_bus_message *answer = NULL;

	ck_assert_int_ge(sd_bus_call_async(peer, NULL, m, keep_answer, &answer, 0), 0);
	sd_bus_message_unref(m);
	expect(answer);
	return answer;
}

uint64_t lend_usec;

size_t configure(struct link_refusal **ret)
{
	sd_bus_message *m;
	size_t n;

	ck_assert_int_ge(link_call_new(peer, "Configure", &m), 0);
	ck_assert_int_ge(link_append_configuration(m, &configuration), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", lend_usec), 0);
	m = call(m);
	ck_assert_int_eq(link_read_refusals(m, &arena, ret, &n), 0);
	for (size_t i = 0; i < n; i++)
		(*ret)[i].text = arena_text(&arena, (*ret)[i].text, strlen((*ret)[i].text));
	sd_bus_message_unref(m);
	return n;
}

void start(void)
{
	struct link_refusal *refusals;

	ck_assert_uint_eq(configure(&refusals), 0);
	told("start 2 d0");
}

sd_bus_message *write_answer;

void ask_write(uint32_t device, uint32_t point, double value, uint64_t within_usec)
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

void write_ends(uint8_t outcome, int error, const char *part)
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
