/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_rig.h"

#include <errno.h>
#include <stdlib.h>

struct stream_seen seen;
struct pty pty;
char link_path[128];
struct fieldway_driver *driver;
struct fieldway_session *session;
struct fieldway_bus bus;
struct fieldway_setting port_setting;

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

const struct fieldway_host host = {
	.watch_new = watch_new, .watch_set = watch_set, .watch_free = watch_free, .timer_new = timer_new,
	.timer_set = timer_set, .timer_free = timer_free, .samples = take_samples, .state = take_state,
	.count = take_count, .written = take_written, .bytes = take_bytes,
};

/* One turn of the loop. */
void turn(void)
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
const struct fieldway_device scale = {
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

void plug(void)
{
	pty_open(&pty);
	unlink(link_path);
	ck_assert_int_eq(symlink(pty.path, link_path), 0);
}

void unplug(void)
{
	unlink(link_path);
	pty_close(&pty);
}

void start_with(const struct fieldway_device *device)
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

void start(void)
{
	plug();
	start_with(&scale);
	ck_assert(pty_expect(&pty, "SIR\r\n"));
}

void stop(void)
{
	stream_stop(session);
	for (size_t i = 0; i < 8; i++)
		ck_assert(!seen.watches[i].used && !seen.timers[i].used);
	driver_free(driver);
	unplug();
}

void say(const char *bytes)
{
	pty_write(&pty, bytes, strlen(bytes));
}

int stream_suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	/* As long as names of adapters are. */
	snprintf(link_path, sizeof(link_path), "stream_test.%d.usb-A_Maker_of_Adapters_USB_UART_A50285BI-if00-port0",
		 (int)getpid());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
