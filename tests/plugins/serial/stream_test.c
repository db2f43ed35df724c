/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "stream_rig.h"

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

#define SENSOR(address)                                                                                       \
	{ .name = "sensor",                                                                                   \
	  .settings = SETTINGS(TEXT("id", address), TEXT("frame.end", "\n"), TEXT("messages.m.match", "^{id}:(?<v>.*)$")), \
	  .points = (const struct fieldway_point[]){                                                          \
		  { .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) } },              \
	  .n_points = 1 }

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

/* ---- another configuration ---- */

static struct fieldway_driver *make_sensor(const struct fieldway_device *device)
{
	struct fieldway_error error = { 0 };
	struct fieldway_driver *d;

	ck_assert_msg(driver_new(&bus, device, &d, &error) == 0, "%s", error.text);
	return d;
}

static void change(struct fieldway_driver **drivers, size_t n, const uint32_t *before)
{
	ck_assert_int_eq(stream_change(session, &bus, (const struct fieldway_driver *const *)drivers, n, before), 0);
}

/* One goes, one stays and is counted otherwise, one comes: the port stays open, a frame that has begun is whole. */
START_TEST(devices_change)
{
	const struct fieldway_device devices[] = { SENSOR("01"), SENSOR("02"), SENSOR("03") };
	struct fieldway_driver *first[2], *second[2];

	plug();
	start_with(&devices[0]);
	stream_stop(session);
	for (int i = 0; i < 2; i++) {
		first[i] = make_sensor(&devices[i]);
		second[i] = make_sensor(&devices[2 - i]);
	}
	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(stream_start(&bus, (const struct fieldway_driver *const *)first, 2, &host, &session), 0);
	say("01:1\n02:2\n02:");
	UNTIL(seen.samples == 2 && seen.received == 13);
	change(second, 2, (const uint32_t[]){ UINT32_MAX, 1 });
	for (int i = 0; i < 2; i++)
		driver_free(first[i]);
	say("7.5\n01:3\n03:9\n");
	UNTIL(seen.samples == 4);
	ck_assert_double_eq(seen.of_device[1], 7.5);
	ck_assert_double_eq(seen.of_device[0], 9);
	ck_assert_uint_eq(seen.states, 0);
	/* Only the second one is left, and the port is gone. */
	change(&second[1], 1, (const uint32_t[]){ 1 });
	driver_free(second[0]);
	unplug();
	UNTIL(seen.states >= 2 && strstr(seen.reason, "cannot open"));
	second[0] = make_sensor(&devices[2]);
	seen.states = 0;
	change(second, 2, (const uint32_t[]){ UINT32_MAX, 0 });
	ck_assert_uint_eq(seen.states, 1);
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_FAILED);
	plug();
	UNTIL(seen.state == FIELDWAY_DEVICE_OFFLINE);
	say("02:4\n03:5\n");
	UNTIL(seen.samples == 6);
	ck_assert_double_eq(seen.of_device[1], 4);
	driver_free(driver);
	driver = second[0];
	stop();
	driver_free(second[1]);
}
END_TEST

/* Faster than anything: every turn of the loop ends, and the newest value is there. */
/* Frames on which an expression gives up, as fast as they come: a fifth of the time, and then nobody looks. */
START_TEST(dear_frames)
{
	const struct fieldway_device device = {
		.name = "dear",
		.settings = SETTINGS(TEXT("frame.end", "\n"), UINT("frame.max", 4000),
				     TEXT("messages.m.match", "\\w*(?<v>\\d)!")),
		.points = (const struct fieldway_point[]){
			{ .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) } },
		.n_points = 1,
	};
	char frame[3001];
	uint64_t spent;

	memset(frame, 'a', sizeof(frame) - 1);
	strcpy(frame + sizeof(frame) - 3, "!\n");
	plug();
	start_with(&device);
	spent = moment_spent_usec();
	for (unsigned i = 0; i < 300; i++) {
		say(frame);
		UNTIL(seen.errors > i);
	}
	/* Each takes 20 ms. */
	ck_assert_uint_lt(moment_spent_usec() - spent, 3 * SECOND);
	/* The next second is another one. */
	while (!seen.samples) {
		say("7!\n");
		turn();
	}
	ck_assert_double_eq(seen.last[0], 7);
	stop();
}
END_TEST

/* None is lost uncounted: in a slow build expressions may want more time than a second has for them. */
START_TEST(floods)
{
	static const char line[] = "ST,GS,+00002.0 kg\r\n";

	start();
	for (unsigned i = 0; i < 20000; i++) {
		size_t sent = 0;

		/* A pty that is nearly full takes a part. */
		while (sent < sizeof(line) - 1) {
			ssize_t n = write(pty.fd, line + sent, sizeof(line) - 1 - sent);

			if (n > 0)
				sent += (size_t)n;
			else
				turn();
		}
		if (i % 100 == 0)
			turn();
	}
	UNTIL(seen.samples / 2 + seen.errors == 20000);
	ck_assert_uint_gt(seen.samples, 1000);
	if (seen.errors >= 8)
		ck_assert_ptr_nonnull(strstr(seen.reason, "frames while expressions took too long"));
	stop();
}
END_TEST
int main(void)
{
	Suite *s = suite_create("stream");
	TCase *t = tcase_create("stream");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, values_come_by_themselves);
	tcase_add_test(t, half_frames_are_dropped);
	tcase_add_test(t, unplug_and_replug);
	tcase_add_test(t, trouble_is_told);
	tcase_add_test(t, wrong_checksums_are_told);
	tcase_add_test(t, released_and_taken_back);
	tcase_add_test(t, over_tcp);
	tcase_add_test(t, dead_peers_are_looked_for);
	tcase_add_test(t, silences_of_one_line);
	tcase_add_test(t, devices_of_one_line);
	tcase_add_test(t, devices_change);
	tcase_add_test(t, dear_frames);
	tcase_add_test(t, floods);
	suite_add_tcase(s, t);
	return stream_suite_run(s);
}
