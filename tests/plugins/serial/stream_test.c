/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "plugins/lib/moment.h"
#include "plugins/serial/driver.h"
#include "pty.h"
#include "setup.h"

/* Devices that speak by themselves, on a pty, with a host that is as small as can be. */

#define SECOND UINT64_C(1000000)

struct fieldway_watch {
	int fd;
	uint32_t events;
	fieldway_watch_handler handler;
	void *userdata;
	bool used;
};

struct fieldway_timer {
	uint64_t due;
	fieldway_timer_handler handler;
	void *userdata;
	bool used;
};

struct fieldway_ticket {
	unsigned ended;
	enum fieldway_outcome outcome;
	struct fieldway_result result;
};

static struct {
	struct fieldway_watch watches[8];
	struct fieldway_timer timers[8];
	double last[4], of_device[2];
	enum fieldway_quality quality[4];
	char word[32];
	unsigned samples, frames, errors, states;
	enum fieldway_device_state state;
	char reason[192];
	size_t received, sent;
} seen;

static struct pty pty;
static char link_path[128];
static struct fieldway_driver *driver;
static struct fieldway_session *session;
static struct fieldway_bus bus;
static struct fieldway_setting port_setting;

static int watch_new(const struct fieldway_host *h, int fd, uint32_t events, fieldway_watch_handler handler,
		     void *userdata, struct fieldway_watch **ret)
{
	for (size_t i = 0; i < 8; i++) {
		if (seen.watches[i].used)
			continue;
		seen.watches[i] = (struct fieldway_watch){ fd, events, handler, userdata, true };
		*ret = &seen.watches[i];
		return 0;
	}
	return -ENOMEM;
}

static int watch_set(struct fieldway_watch *w, uint32_t events)
{
	w->events = events;
	return 0;
}

static void watch_free(struct fieldway_watch *w)
{
	if (w)
		w->used = false;
}

static int timer_new(const struct fieldway_host *h, fieldway_timer_handler handler, void *userdata,
		     struct fieldway_timer **ret)
{
	for (size_t i = 0; i < 8; i++) {
		if (seen.timers[i].used)
			continue;
		seen.timers[i] = (struct fieldway_timer){ UINT64_MAX, handler, userdata, true };
		*ret = &seen.timers[i];
		return 0;
	}
	return -ENOMEM;
}

static void timer_set(struct fieldway_timer *t, uint64_t due)
{
	t->due = due;
}

static void timer_free(struct fieldway_timer *t)
{
	if (t)
		t->used = false;
}

static void take_samples(const struct fieldway_host *h, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		seen.quality[samples[i].point] = samples[i].quality;
		if (samples[i].value.type == FIELDWAY_FLOAT)
			seen.of_device[device] = seen.last[samples[i].point] = samples[i].value.real;
		if (samples[i].value.type == FIELDWAY_STRING)
			snprintf(seen.word, sizeof(seen.word), "%.*s", (int)samples[i].value.size, samples[i].value.data);
	}
	seen.samples += (unsigned)n;
}

static void take_state(const struct fieldway_host *h, uint32_t device, enum fieldway_device_state state, const char *reason)
{
	seen.states++;
	seen.state = state;
	snprintf(seen.reason, sizeof(seen.reason), "%s", reason);
}

static void take_count(const struct fieldway_host *h, uint32_t device, unsigned requests, unsigned errors, unsigned timeouts)
{
	seen.frames += requests;
	seen.errors += errors;
}

static void take_written(const struct fieldway_host *h, struct fieldway_ticket *ticket, enum fieldway_outcome outcome,
			 const struct fieldway_result *result)
{
	ticket->ended++;
	ticket->outcome = outcome;
	ticket->result = *result;
}

static void take_bytes(const struct fieldway_host *h, enum fieldway_direction direction, const void *bytes, size_t size)
{
	if (direction == FIELDWAY_SENT)
		seen.sent += size;
	else
		seen.received += size;
}

static const struct fieldway_host host = {
	.watch_new = watch_new, .watch_set = watch_set, .watch_free = watch_free, .timer_new = timer_new,
	.timer_set = timer_set, .timer_free = timer_free, .samples = take_samples, .state = take_state,
	.count = take_count, .written = take_written, .bytes = take_bytes,
};

/* One turn of the loop. */
static void turn(void)
{
	struct pollfd fds[8];
	struct fieldway_watch *watches[8];
	nfds_t n = 0;

	for (size_t i = 0; i < 8; i++) {
		if (!seen.watches[i].used)
			continue;
		watches[n] = &seen.watches[i];
		fds[n++] = (struct pollfd){ .fd = seen.watches[i].fd, .events = (short)seen.watches[i].events };
	}
	poll(fds, n, 5);
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].revents && watches[i]->used)
			watches[i]->handler(watches[i]->userdata, (uint32_t)fds[i].revents);
	for (size_t i = 0; i < 8; i++) {
		struct fieldway_timer *t = &seen.timers[i];

		if (!t->used || t->due > moment_now_usec())
			continue;
		t->due = UINT64_MAX;
		t->handler(t->userdata);
	}
}

#define UNTIL(condition)                                                              \
	do {                                                                          \
		uint64_t until = moment_now_usec() + 10 * SECOND;                     \
		while (!(condition)) {                                                \
			ck_assert_msg(moment_now_usec() < until, "never: " #condition); \
			turn();                                                       \
		}                                                                     \
	} while (0)

static const struct fieldway_device scale = {
	.name = "scale",
	.settings = SETTINGS(TEXT("mode", "stream"), TEXT("frame.end", "\r\n"), UINT("frame.max", 40),
			     UINT("frame.idle", 100000), TEXT("hello", "SIR\\r\\n"), TEXT("checksum.kind", "none"),
			     TEXT("messages.weight.match", "^(?<state>ST|US),GS,(?<value>[+-][0-9.]+) *(?<unit>kg|g)$")),
	.points = (const struct fieldway_point[]){
		{ .name = "weight", .readable = true,
		  .settings = SETTINGS(TEXT("from", "weight.value"), TEXT("good.weight.state", "ST")) },
		{ .name = "state", .readable = true,
		  .settings = SETTINGS(TEXT("from", "weight.state"), TEXT("type", "string")) },
		{ .name = "tare", .writable = true,
		  .settings = SETTINGS(TEXT("send", "T{value:d}\\r\\n"), TEXT("expect", "^T$"), TEXT("refuse", "^E"), UINT("timeout", 200000)) },
		{ .name = "zero", .writable = true, .settings = SETTINGS(TEXT("send", "Z\\r\\n")) },
		{ .name = "display", .writable = true, .settings = SETTINGS(TEXT("send", "D{value}\\r\\n")) },
	},
	.n_points = 5,
};
enum { TARE = 2, ZERO = 3, DISPLAY = 4 };
#define IDLE_TIMER 1 /* by the order in which they are made */

#define SENSOR(address)                                                                                       \
	{ .name = "sensor",                                                                                   \
	  .settings = SETTINGS(TEXT("id", address), TEXT("frame.end", "\n"), TEXT("messages.m.match", "^{id}:(?<v>.*)$")), \
	  .points = (const struct fieldway_point[]){                                                          \
		  { .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) } },              \
	  .n_points = 1 }

static void plug(void)
{
	pty_open(&pty);
	unlink(link_path);
	ck_assert_int_eq(symlink(pty.path, link_path), 0);
}

static void unplug(void)
{
	unlink(link_path);
	pty_close(&pty);
}

static void start_with(const struct fieldway_device *device)
{
	const struct fieldway_driver *drivers[1];
	struct fieldway_error error = { 0 };

	memset(&seen, 0, sizeof(seen));
	port_setting = (struct fieldway_setting){ .key = "serial.device",
						  .value = { .type = FIELDWAY_STRING, .data = link_path,
							     .size = strlen(link_path) } };
	bus = (struct fieldway_bus){ .name = "b", .settings = { &port_setting, 1 }, .timeout_usec = SECOND / 2 };
	ck_assert_msg(driver_new(&bus, device, &driver, &error) == 0, "%s", error.text);
	drivers[0] = driver;
	ck_assert_int_eq(stream_start(&bus, drivers, 1, &host, &session), 0);
}

static void start(void)
{
	plug();
	start_with(&scale);
	ck_assert(pty_expect(&pty, "SIR\r\n"));
}

static void stop(void)
{
	stream_stop(session);
	for (size_t i = 0; i < 8; i++)
		ck_assert(!seen.watches[i].used && !seen.timers[i].used);
	driver_free(driver);
	unplug();
}

static void say(const char *bytes)
{
	pty_write(&pty, bytes, strlen(bytes));
}

START_TEST(values_come_by_themselves)
{
	start();
	say("noise\r\nST,GS,+00012.5 kg\r\n");
	UNTIL(seen.samples == 2);
	ck_assert_double_eq(seen.last[0], 12.5);
	ck_assert_int_eq(seen.quality[0], FIELDWAY_GOOD);
	ck_assert_str_eq(seen.word, "ST");
	say("US,GS,+00013.5 kg\r\n");
	UNTIL(seen.samples == 4);
	ck_assert_int_eq(seen.quality[0], FIELDWAY_INVALID);
	ck_assert_uint_eq(seen.errors, 0);
	ck_assert_uint_eq(seen.sent, 5);
	ck_assert_uint_gt(seen.received, 40);
	stop();
}
END_TEST

/* Half a frame, silence, and a whole one: the half is not its beginning. */
START_TEST(half_frames_are_dropped)
{
	start();
	say("ST,GS,+000");
	UNTIL(seen.received == 10);
	/* The timer of the idle line has been set, and rung. */
	UNTIL(seen.timers[IDLE_TIMER].due == UINT64_MAX);
	say("ST,GS,+00001.5 kg\r\n");
	UNTIL(seen.samples == 2);
	ck_assert_double_eq(seen.last[0], 1.5);
	stop();
}
END_TEST

START_TEST(unplug_and_replug)
{
	start();
	say("ST,GS,+00001.0 kg\r\n");
	UNTIL(seen.samples == 2);
	unplug();
	UNTIL(seen.states == 1);
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_FAILED);
	ck_assert_ptr_nonnull(strstr(seen.reason, "is gone"));
	UNTIL(strstr(seen.reason, "cannot open"));
	/* With all of its name: adapters are told apart by the end of theirs. */
	ck_assert_ptr_nonnull(strstr(seen.reason, link_path));
	ck_assert_ptr_nonnull(strstr(seen.reason, strerror(ENOENT)));
	plug();
	UNTIL(seen.state == FIELDWAY_DEVICE_OFFLINE);
	ck_assert(pty_expect(&pty, "SIR\r\n"));
	say("ST,GS,+00002.0 kg\r\n");
	UNTIL(seen.samples == 4);
	ck_assert_double_eq(seen.last[0], 2);
	stop();
}
END_TEST

/* The wrong rate looks like this: said aloud, and the loop is not kept busy. */
START_TEST(trouble_is_told)
{
	start();
	for (int i = 0; i < 8; i++)
		say("0123456789012345678901234567890123456789012345\r\n");
	UNTIL(seen.states == 1);
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_OFFLINE);
	ck_assert_str_eq(seen.reason, "8 in a row: frames longer than max");
	ck_assert_uint_eq(seen.errors, 8);
	/* It goes on, and is not told for each of them. */
	for (int i = 0; i < 24; i++)
		say("0123456789012345678901234567890123456789012345\r\n");
	UNTIL(seen.errors == 32);
	ck_assert_uint_eq(seen.states, 3);
	say("ST,GS,+00002.0 kg\r\n");
	UNTIL(seen.samples == 2);
	stop();
}
END_TEST

START_TEST(wrong_checksums_are_told)
{
	const struct fieldway_device gnss = {
		.name = "gnss",
		.settings = SETTINGS(TEXT("frame.start", "$"), TEXT("frame.end", "\r\n"), TEXT("checksum.kind", "xor"),
				     INT("checksum.first", 1), INT("checksum.last", -6), INT("checksum.at", -4),
				     TEXT("checksum.format", "hex"), TEXT("messages.m.match", "(?<v>\\d+)")),
	};

	plug();
	start_with(&gnss);
	for (int i = 0; i < 8; i++)
		say("$GPA,1*00\r\n");
	UNTIL(seen.states == 1);
	ck_assert_str_eq(seen.reason, "8 in a row: frames with a wrong checksum");
	stop();
}
END_TEST

static struct fieldway_ticket write_number(uint32_t point, double number, struct fieldway_ticket *ticket)
{
	const struct fieldway_value v = { .type = FIELDWAY_FLOAT, .real = number };

	*ticket = (struct fieldway_ticket){ 0 };
	stream_write(session, 0, point, &v, moment_now_usec() + 2 * SECOND, ticket);
	return *ticket;
}

START_TEST(writes_with_an_answer)
{
	struct fieldway_ticket ticket;

	start();
	write_number(TARE, 1, &ticket);
	ck_assert(pty_expect(&pty, "T1\r\n"));
	/* What comes meanwhile by itself is no answer, and counts. */
	say("ST,GS,+00002.0 kg\r\nT\r\n");
	UNTIL(ticket.ended);
	ck_assert_int_eq(ticket.outcome, FIELDWAY_ACCEPTED);
	ck_assert_uint_eq(seen.samples, 2);
	write_number(TARE, 2, &ticket);
	ck_assert(pty_expect(&pty, "T2\r\n"));
	say("E11\r\n");
	UNTIL(ticket.ended);
	ck_assert_int_eq(ticket.outcome, FIELDWAY_REFUSED);
	ck_assert_str_eq(ticket.result.detail, "the device refuses: \"E11\"");
	write_number(TARE, 3, &ticket);
	UNTIL(ticket.ended);
	ck_assert_int_eq(ticket.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(ticket.result.error, -ETIMEDOUT);
	ck_assert_uint_eq(ticket.ended, 1);
	stop();
}
END_TEST

/* The device's "done" for a write that was given up is not the next write's. */
START_TEST(late_answers_are_nobodys)
{
	struct fieldway_ticket first, second;

	start();
	write_number(TARE, 1, &first);
	UNTIL(first.ended);
	ck_assert_int_eq(first.outcome, FIELDWAY_UNKNOWN);
	write_number(TARE, 2, &second);
	ck_assert(pty_expect(&pty, "T1\r\n"));
	say("T\r\n");
	UNTIL(seen.sent == 13);
	ck_assert(pty_expect(&pty, "T2\r\n"));
	ck_assert_uint_eq(second.ended, 0);
	say("E1\r\n");
	UNTIL(second.ended);
	ck_assert_int_eq(second.outcome, FIELDWAY_REFUSED);
	stop();
}
END_TEST

/* A port that takes nothing: the write ends by its deadline, and nobody waits for the port any more. */
START_TEST(full_ports_are_waited_for_no_longer)
{
	static char much[512];
	const struct fieldway_value v = { .type = FIELDWAY_STRING, .data = much, .size = sizeof(much) - 1 };
	struct fieldway_ticket ticket;
	size_t n = 0;

	memset(much, 'x', sizeof(much) - 1);
	start();
	/* The kernel moves what it has on by and by: full is a port that takes nothing until the deadline. */
	do {
		ck_assert_uint_lt(n++, 1000);
		ticket = (struct fieldway_ticket){ 0 };
		stream_write(session, 0, DISPLAY, &v, moment_now_usec() + SECOND / 5, &ticket);
		UNTIL(ticket.ended);
	} while (ticket.outcome == FIELDWAY_ACCEPTED);
	ck_assert_int_eq(ticket.result.error, -ETIMEDOUT);
	ck_assert_uint_eq(seen.watches[0].events, EPOLLIN);
	stop();
}
END_TEST

START_TEST(writes_without_an_answer)
{
	struct fieldway_ticket ticket;

	start();
	write_number(ZERO, 1, &ticket);
	UNTIL(ticket.ended);
	ck_assert_int_eq(ticket.outcome, FIELDWAY_ACCEPTED);
	ck_assert(pty_expect(&pty, "Z\r\n"));
	stop();
}
END_TEST

START_TEST(writes_wait_for_their_turn)
{
	struct fieldway_ticket tickets[18];
	unsigned refused = 0;

	start();
	for (int i = 0; i < 18; i++) {
		write_number(TARE, i, &tickets[i]);
		refused += tickets[i].ended;
	}
	ck_assert_uint_eq(refused, 2);
	ck_assert_int_eq(tickets[17].outcome, FIELDWAY_NOT_SENT);
	ck_assert_int_eq(tickets[17].result.error, -EBUSY);
	ck_assert(pty_expect(&pty, "T0\r\n"));
	say("T\r\n");
	UNTIL(tickets[0].ended && seen.sent > 9);
	ck_assert(pty_expect(&pty, "T1\r\n"));
	/* The port goes: one was sent, the others were not. */
	unplug();
	UNTIL(tickets[15].ended);
	ck_assert_int_eq(tickets[1].outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(tickets[2].outcome, FIELDWAY_NOT_SENT);
	write_number(TARE, 1, &tickets[0]);
	ck_assert_int_eq(tickets[0].outcome, FIELDWAY_NOT_SENT);
	stop();
}
END_TEST

START_TEST(stopping_ends_writes)
{
	struct fieldway_ticket sent, waiting;

	start();
	write_number(TARE, 1, &sent);
	write_number(TARE, 2, &waiting);
	stop();
	ck_assert_int_eq(sent.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(waiting.outcome, FIELDWAY_NOT_SENT);
	ck_assert_uint_eq(sent.ended + waiting.ended, 2);
}
END_TEST

/* The kernel waits up to half a minute for a port to send what it has when that is closed. */
START_TEST(closing_waits_for_nothing)
{
	struct fieldway_ticket ticket;
	char status = 0;
	int on = 1;

	start();
	/* In packet mode the other end tells what is done to it, before what has been written. */
	ck_assert_int_eq(ioctl(pty.fd, TIOCPKT, &on), 0);
	write_number(ZERO, 1, &ticket);
	ck_assert_int_eq(ticket.outcome, FIELDWAY_ACCEPTED);
	stream_release(session, true);
	ck_assert_int_eq(read(pty.fd, &status, 1), 1);
	ck_assert(status & TIOCPKT_FLUSHWRITE);
	stop();
}
END_TEST

START_TEST(released_and_taken_back)
{
	start();
	stream_release(session, true);
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_FAILED);
	ck_assert(!seen.watches[0].used);
	stream_release(session, false);
	ck_assert(pty_expect(&pty, "SIR\r\n"));
	say("ST,GS,+00002.0 kg\r\n");
	UNTIL(seen.samples == 2);
	stop();
}
END_TEST

/* A serial device server: connections come about while others are served, and come back. */
START_TEST(over_tcp)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct fieldway_driver *drivers[1];
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(bind(listening, (const struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	memset(&seen, 0, sizeof(seen));
	bus = (struct fieldway_bus){ .name = "b",
				     .settings = SETTINGS(TEXT("tcp.host", "localhost"), UINT("tcp.port", ntohs(address.sin_port))),
				     .timeout_usec = SECOND };
	ck_assert_int_eq(driver_new(&bus, &scale, &driver, &error), 0);
	drivers[0] = driver;
	ck_assert_int_eq(stream_start(&bus, drivers, 1, &host, &session), 0);
	for (unsigned i = 1; i <= 2; i++) {
		UNTIL(seen.sent == 5 * i);
		pty.fd = accept(listening, NULL, NULL);
		ck_assert(pty_expect(&pty, "SIR\r\n"));
		say("ST,GS,+00003.0 kg\r\n");
		UNTIL(seen.samples == 2 * i);
		pty_close(&pty);
		UNTIL(strstr(seen.reason, "lost"));
	}
	/* Nobody there: said, and tried again. */
	close(listening);
	UNTIL(strstr(seen.reason, "Connection refused"));
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_FAILED);
	stream_stop(session);
	driver_free(driver);
}
END_TEST

static void start_over_tcp(const char *name, uint16_t port)
{
	const struct fieldway_driver *drivers[1];
	struct fieldway_error error = { 0 };
	static struct fieldway_setting settings[2];

	settings[0] = (struct fieldway_setting)TEXT("tcp.host", "");
	settings[0].value.data = name;
	settings[0].value.size = strlen(name);
	settings[1] = (struct fieldway_setting)UINT("tcp.port", port);
	memset(&seen, 0, sizeof(seen));
	bus = (struct fieldway_bus){ .name = "b", .settings = { settings, 2 }, .timeout_usec = SECOND };
	ck_assert_int_eq(driver_new(&bus, &scale, &driver, &error), 0);
	drivers[0] = driver;
	ck_assert_int_eq(stream_start(&bus, drivers, 1, &host, &session), 0);
}

/* A device server that loses its power says no goodbye: only the kernel's probes find that out. */
START_TEST(dead_peers_are_looked_for)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address), option_size = sizeof(int);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 0, idle = 0, interval = 0, count = 0;

	ck_assert_int_eq(bind(listening, (const struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	start_over_tcp("127.0.0.1", ntohs(address.sin_port));
	ck_assert_int_eq(getsockopt(seen.watches[0].fd, SOL_SOCKET, SO_KEEPALIVE, &on, &option_size), 0);
	ck_assert_int_eq(getsockopt(seen.watches[0].fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &option_size), 0);
	ck_assert_int_eq(getsockopt(seen.watches[0].fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, &option_size), 0);
	ck_assert_int_eq(getsockopt(seen.watches[0].fd, IPPROTO_TCP, TCP_KEEPCNT, &count, &option_size), 0);
	ck_assert_int_ne(on, 0);
	ck_assert_int_le(idle + interval * count, 60);
	stream_stop(session);
	driver_free(driver);
	close(listening);
}
END_TEST

/* Each has its own idea of how long a silence ends a frame. */
START_TEST(silences_of_one_line)
{
	const struct fieldway_device quick = {
		.name = "quick",
		.settings = SETTINGS(UINT("frame.idle", 20000), TEXT("messages.m.match", "^q(?<v>\\d+)$")),
		.points = (const struct fieldway_point[]){
			{ .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) } },
		.n_points = 1,
	};
	const struct fieldway_device slow = {
		.name = "slow",
		.settings = SETTINGS(UINT("frame.idle", 2000000), TEXT("messages.m.match", "^q12(?<v>\\d+)$")),
		.points = (const struct fieldway_point[]){
			{ .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) } },
		.n_points = 1,
	};
	struct fieldway_driver *both[2];
	struct fieldway_error error = { 0 };

	plug();
	memset(&seen, 0, sizeof(seen));
	port_setting = (struct fieldway_setting){ .key = "serial.device",
						  .value = { .type = FIELDWAY_STRING, .data = link_path,
							     .size = strlen(link_path) } };
	bus = (struct fieldway_bus){ .name = "b", .settings = { &port_setting, 1 }, .timeout_usec = SECOND };
	ck_assert_int_eq(driver_new(&bus, &quick, &both[0], &error), 0);
	ck_assert_int_eq(driver_new(&bus, &slow, &both[1], &error), 0);
	ck_assert_int_eq(stream_start(&bus, (const struct fieldway_driver *const *)both, 2, &host, &session), 0);
	say("q12");
	UNTIL(seen.samples == 1);
	ck_assert_double_eq(seen.of_device[0], 12);
	say("3");
	UNTIL(seen.samples == 2);
	ck_assert_double_eq(seen.of_device[1], 3);
	stream_stop(session);
	for (int i = 0; i < 2; i++)
		driver_free(both[i]);
	unplug();
}
END_TEST

/* Several on one line: each has its own messages, told apart by its address. */
START_TEST(devices_of_one_line)
{
	const struct fieldway_device devices[] = { SENSOR("01"), SENSOR("02") };
	struct fieldway_driver *both[2];
	struct fieldway_error error = { 0 };

	plug();
	memset(&seen, 0, sizeof(seen));
	port_setting = (struct fieldway_setting){ .key = "serial.device",
						  .value = { .type = FIELDWAY_STRING, .data = link_path,
							     .size = strlen(link_path) } };
	bus = (struct fieldway_bus){ .name = "b", .settings = { &port_setting, 1 }, .timeout_usec = SECOND };
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(driver_new(&bus, &devices[i], &both[i], &error), 0);
	ck_assert_int_eq(stream_start(&bus, (const struct fieldway_driver *const *)both, 2, &host, &session), 0);
	say("02:7.5\n01:3\n03:9\n");
	UNTIL(seen.samples == 2);
	ck_assert_double_eq(seen.of_device[0], 3);
	ck_assert_double_eq(seen.of_device[1], 7.5);
	stream_stop(session);
	for (int i = 0; i < 2; i++)
		driver_free(both[i]);
	unplug();
}
END_TEST

/* Faster than anything: every turn of the loop ends, and the newest value is there. */
START_TEST(floods)
{
	start();
	for (unsigned i = 0; i < 20000; i++) {
		static const char line[] = "ST,GS,+00002.0 kg\r\n";

		while (write(pty.fd, line, sizeof(line) - 1) < 0)
			turn();
		if (i % 100 == 0)
			turn();
	}
	UNTIL(seen.samples == 40000);
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stream");
	TCase *t = tcase_create("stream");
	SRunner *runner;
	int failed;

	snprintf(link_path, sizeof(link_path), "stream_test.%d.usb-A_Maker_of_Adapters_USB_UART_A50285BI-if00-port0",
		 (int)getpid());
	tcase_set_timeout(t, 30);
	tcase_add_test(t, values_come_by_themselves);
	tcase_add_test(t, half_frames_are_dropped);
	tcase_add_test(t, unplug_and_replug);
	tcase_add_test(t, trouble_is_told);
	tcase_add_test(t, wrong_checksums_are_told);
	tcase_add_test(t, writes_with_an_answer);
	tcase_add_test(t, late_answers_are_nobodys);
	tcase_add_test(t, full_ports_are_waited_for_no_longer);
	tcase_add_test(t, writes_without_an_answer);
	tcase_add_test(t, writes_wait_for_their_turn);
	tcase_add_test(t, stopping_ends_writes);
	tcase_add_test(t, closing_waits_for_nothing);
	tcase_add_test(t, released_and_taken_back);
	tcase_add_test(t, over_tcp);
	tcase_add_test(t, dead_peers_are_looked_for);
	tcase_add_test(t, silences_of_one_line);
	tcase_add_test(t, devices_of_one_line);
	tcase_add_test(t, floods);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
