/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "plugins/lib/moment.h"
#include "plugins/serial/driver.h"
#include "plugins/serial/port.h"
#include "pty.h"
#include "setup.h"

/* Devices that speak when asked, played on a pty by a thread. */

#define SECOND UINT64_C(1000000)
#define TURNS_MAX 8

/* What the device waits for and what it says then. */
struct turn {
	const char *expect, *answer;
	size_t size; /* of the answer; 0: strlen() */
};

struct player {
	struct pty pty;
	const struct turn *turns;
	size_t n;
	pthread_t thread;
	_Atomic bool failed;
};

static void *play(void *userdata)
{
	struct player *p = userdata;

	for (size_t i = 0; i < p->n; i++) {
		if (!pty_expect(&p->pty, p->turns[i].expect)) {
			p->failed = true;
			break;
		}
		if (p->turns[i].answer)
			pty_write(&p->pty, p->turns[i].answer,
				  p->turns[i].size ? p->turns[i].size : strlen(p->turns[i].answer));
	}
	return NULL;
}

static struct player player;
static struct fieldway_driver *driver;
static struct fieldway_line *line;
static struct fieldway_bus bus;
static struct fieldway_result result;
static struct fieldway_sample samples[8];
static char text[256];
static bool broken;
static struct fieldway_setting device_setting;

static const struct fieldway_device device = {
	.name = "balance",
	.settings = SETTINGS(TEXT("id", "07"), TEXT("mode", "request"), TEXT("frame.end", "\r\n"),
			     UINT("frame.idle", 200000), TEXT("messages.weight.match", "^S (?<state>[SD]) +(?<value>[-0-9.]+) (?<unit>g|kg)$"),
			     TEXT("requests.read.send", "{id}SI\\r\\n"), TEXT("requests.read.expect", "weight"),
			     TEXT("requests.read.refuse", "^(S I|ES)$"), TEXT("requests.name.send", "I4\\r\\n"),
			     TEXT("requests.name.expect", "^I4 A \"(?<serial>[^\"]*)\"$"), UINT("requests.name.retries", 2),
			     UINT("requests.name.timeout", 300000),
			     TEXT("requests.two.steps.open.send", "L\\r\\n"), TEXT("requests.two.steps.open.expect", "^K(?<key>.*)$"),
			     TEXT("requests.two.steps.get.send", "G{open.key}\\r\\n"), TEXT("requests.two.steps.get.baud_from", "open.key"),
			     UINT("requests.two.steps.get.bauds.5", 19200),
			     TEXT("requests.two.steps.get.expect", "^V(?<value>.*)$")),
	.points = (const struct fieldway_point[]){
		{ .name = "weight", .readable = true, .settings = SETTINGS(TEXT("from", "weight.value")) },
		{ .name = "stable", .readable = true, .settings = SETTINGS(TEXT("from", "weight.state"), TEXT("type", "bool"), TEXT("truth", "S")) },
		{ .name = "serial", .readable = true, .settings = SETTINGS(TEXT("from", "name.serial"), TEXT("type", "string")) },
		{ .name = "two", .readable = true, .settings = SETTINGS(TEXT("from", "get.value")) },
		{ .name = "tare", .writable = true, .settings = SETTINGS(TEXT("send", "T\\r\\n"), TEXT("expect", "^T S"), TEXT("refuse", "^T I")) },
		{ .name = "blind", .writable = true, .settings = SETTINGS(TEXT("send", "D {value:.1f}\\r\\n")) },
	},
	.n_points = 6,
};
enum { WEIGHT, STABLE, SERIAL, TWO, TARE, BLIND };

static void start(const struct turn *turns, size_t n)
{
	struct fieldway_error error = { 0 };

	pty_open(&player.pty);
	player.turns = turns;
	player.n = n;
	player.failed = false;
	device_setting = (struct fieldway_setting){ .key = "serial.device",
						    .value = { .type = FIELDWAY_STRING,
							       .data = player.pty.path,
							       .size = strlen(player.pty.path) } };
	bus = (struct fieldway_bus){ .name = "b", .settings = { &device_setting, 1 }, .timeout_usec = SECOND / 2 };
	ck_assert_int_eq(driver_new(&bus, &device, &driver, &error), 0);
	ck_assert_int_eq(line_open(&bus, driver, &line, &result), 0);
	ck_assert_int_eq(pthread_create(&player.thread, NULL, play, &player), 0);
}

static void stop(void)
{
	pthread_join(player.thread, NULL);
	ck_assert(!player.failed);
	line_close(line);
	driver_free(driver);
	pty_close(&player.pty);
}
#define START(...) \
	static const struct turn turns[] = { __VA_ARGS__ }; \
	start(turns, sizeof(turns) / sizeof(turns[0]))

static int read_points(const uint32_t *points, size_t n)
{
	struct fieldway_plan plan;
	int r;

	memset(samples, 0, sizeof(samples));
	ck_assert_int_eq(driver_plan(driver, points, n, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	r = line_read(line, driver, &plan.requests[0], moment_now_usec() + 5 * SECOND, samples, text, sizeof(text),
		      &result, &broken);
	driver_plan_free(&plan);
	return r;
}

static int read_weight(void)
{
	return read_points((const uint32_t[]){ WEIGHT, STABLE }, 2);
}

static enum fieldway_outcome write_point(uint32_t point, double value)
{
	const struct fieldway_value v = { .type = FIELDWAY_FLOAT, .real = value };

	return line_write(line, driver, point, &v, moment_now_usec() + 5 * SECOND, &result, &broken);
}

START_TEST(one_request_reads_several_points)
{
	START({ "07SI\r\n", "S S     100.25 g\r\n" }, { "07SI\r\n", "noise\r\nS D       1.00 g\r\n" });
	ck_assert_int_eq(read_weight(), 0);
	ck_assert_double_eq(samples[0].value.real, 100.25);
	ck_assert(samples[1].value.boolean);
	ck_assert_uint_gt(samples[0].boottime_usec, 0);
	ck_assert_int_eq(read_weight(), 0);
	ck_assert(!samples[1].value.boolean);
	stop();
}
END_TEST

START_TEST(a_refusal_says_what)
{
	START({ "07SI\r\n", "S I\r\n" });
	ck_assert_int_eq(read_weight(), -EREMOTEIO);
	ck_assert_str_eq(result.detail, "the device refuses: \"S I\"");
	ck_assert(!broken);
	stop();
}
END_TEST

START_TEST(silence_is_a_timeout_and_the_late_answer_nobodys)
{
	START({ "07SI\r\n", NULL }, { "I4\r\n", "I4 A \"1\"\r\n" });
	ck_assert_int_eq(read_weight(), -ETIMEDOUT);
	/* Comes when nobody waits any more; must not be what the next request gets. */
	pty_write(&player.pty, "I4 A \"late\"\r\n", 13);
	ck_assert_int_eq(read_points((const uint32_t[]){ SERIAL }, 1), 0);
	ck_assert_uint_eq(samples[0].value.size, 1);
	stop();
}
END_TEST

/* Something came, but no answer: that is another error than silence, and says what it was. */
START_TEST(wrong_answers_are_told)
{
	START({ "07SI\r\n", "S X 1 g\r\n" }, { "07SI\r\n", "\xff\xfe" }, { "T\r\n", "what?\r\n" });
	ck_assert_int_eq(read_weight(), -EBADMSG);
	ck_assert_str_eq(result.detail, "\"S X 1 g\" is not what is expected");
	ck_assert_int_eq(read_weight(), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(result.detail, "no frame"));
	ck_assert_int_eq(write_point(TARE, 1), FIELDWAY_UNKNOWN);
	ck_assert_int_eq(result.error, -EBADMSG);
	ck_assert(!broken);
	stop();
}
END_TEST

START_TEST(repeats_after_silence)
{
	START({ "I4\r\n", NULL }, { "I4\r\n", "garbled" }, { "I4\r\n", "I4 A \"0123\"\r\n" });
	ck_assert_int_eq(read_points((const uint32_t[]){ SERIAL }, 1), 0);
	ck_assert_int_eq(memcmp(samples[0].value.data, "0123", 4), 0);
	stop();
}
END_TEST

/* Asked twice, the device answers twice: the second answer is not the next request's. */
START_TEST(the_second_answer_of_two_is_nobodys)
{
	uint64_t answered;

	START({ "I4\r\nI4\r\n", "I4 A \"1\"\r\n" }, { "I4\r\n", "I4 A \"2\"\r\n" });
	ck_assert_int_eq(read_points((const uint32_t[]){ SERIAL }, 1), 0);
	ck_assert_int_eq(memcmp(samples[0].value.data, "1", 1), 0);
	answered = moment_now_usec();
	pty_write(&player.pty, "I4 A \"1\"\r\n", 10);
	ck_assert_int_eq(read_points((const uint32_t[]){ SERIAL }, 1), 0);
	ck_assert_int_eq(memcmp(samples[0].value.data, "2", 1), 0);
	/* The line was left alone for as long as that could take. */
	ck_assert_uint_ge(moment_now_usec() - answered, SECOND / 20);
	stop();
}
END_TEST

START_TEST(steps_use_what_was_answered)
{
	struct termios t;

	START({ "L\r\n", "K5\r\n" }, { "G5\r\n", "V12.5\r\n" }, { "L\r\n", "K5\r\n" }, { "G5\r\n", NULL });
	ck_assert_int_eq(read_points((const uint32_t[]){ TWO }, 1), 0);
	ck_assert_double_eq(samples[0].value.real, 12.5);
	/* The device has told which rate the answer came at. */
	ck_assert_int_eq(tcgetattr(player.pty.fd, &t), 0);
	ck_assert_int_eq(cfgetospeed(&t), B19200);
	ck_assert_int_eq(read_points((const uint32_t[]){ TWO }, 1), -ETIMEDOUT);
	ck_assert_str_eq(result.detail, "no answer at step get");
	stop();
}
END_TEST

START_TEST(writes_have_four_ends)
{
	START({ "T\r\n", "T S     1.00 g\r\n" }, { "T\r\n", "T I\r\n" }, { "T\r\n", NULL }, { "D 2.5\r\n", NULL });
	ck_assert_int_eq(write_point(TARE, 1), FIELDWAY_ACCEPTED);
	ck_assert_int_eq(write_point(TARE, 1), FIELDWAY_REFUSED);
	ck_assert_int_eq(result.error, -EREMOTEIO);
	ck_assert_int_eq(write_point(TARE, 1), FIELDWAY_UNKNOWN);
	ck_assert_int_eq(result.error, -ETIMEDOUT);
	ck_assert_int_eq(write_point(BLIND, 2.5), FIELDWAY_ACCEPTED);
	ck_assert_int_eq(write_point(BLIND, 1.0 / 0.0), FIELDWAY_NOT_SENT);
	stop();
}
END_TEST

START_TEST(unplugged)
{
	START({ "07SI\r\n", "S S     1.00 g\r\n" });
	ck_assert_int_eq(read_weight(), 0);
	pthread_join(player.thread, NULL);
	pty_close(&player.pty);
	ck_assert_int_lt(read_weight(), 0);
	ck_assert(broken);
	ck_assert_int_eq(write_point(TARE, 1), FIELDWAY_NOT_SENT);
	ck_assert_int_eq(result.error, -ENODEV);
	line_close(line);
	ck_assert_int_lt(line_open(&bus, driver, &line, &result), 0);
	ck_assert_ptr_nonnull(strstr(result.detail, "cannot open /dev/pts/"));
	driver_free(driver);
}
END_TEST

START_TEST(raw_bytes)
{
	char answer[64];
	size_t size = 0;

	START({ "hello\r\n", "S S     1.00 g\r\n" });
	ck_assert_int_eq(line_raw(line, driver, "hello\r\n", 7, moment_now_usec() + SECOND, answer, sizeof(answer), &size,
				  &result, &broken), 0);
	ck_assert_uint_eq(size, 14);
	ck_assert_int_eq(memcmp(answer, "S S     1.00 g", 14), 0);
	stop();
}
END_TEST

/* What fieldwayctl asks for has no profile: all until the line is silent. */
START_TEST(raw_bytes_without_a_profile)
{
	const struct fieldway_device none = { .name = "raw", .settings = SETTINGS(TEXT("mode", "stream")) };
	struct fieldway_error error = { 0 };
	struct fieldway_driver *raw;
	char answer[64];
	size_t size = 0;

	START({ "hello", "one\r\ntwo" });
	ck_assert_msg(driver_new(&bus, &none, &raw, &error) == 0, "%s", error.text);
	ck_assert_int_eq(driver_io(raw), FIELDWAY_IO_POLLED);
	ck_assert_int_eq(line_raw(line, raw, "hello", 5, moment_now_usec() + SECOND, answer, sizeof(answer), &size,
				  &result, &broken), 0);
	ck_assert_uint_eq(size, 8);
	ck_assert_mem_eq(answer, "one\r\ntwo", 8);
	/* Nobody answers. */
	ck_assert_int_eq(line_raw(line, raw, "hello", 5, moment_now_usec() + SECOND, answer, sizeof(answer), &size,
				  &result, &broken), -ETIMEDOUT);
	ck_assert(!broken);
	driver_free(raw);
	stop();
}
END_TEST

/* Whatever a full port has taken: nobody knows, and the rest goes nowhere. */
START_TEST(half_a_frame_is_unknown_and_ends_there)
{
	static char got[1 << 17];
	const struct fieldway_value v = { .type = FIELDWAY_FLOAT, .real = 2.5 };
	enum fieldway_outcome outcome;
	ssize_t n;

	start(NULL, 0);
	pthread_join(player.thread, NULL);
	do
		outcome = line_write(line, driver, BLIND, &v, moment_now_usec() + SECOND / 5, &result, &broken);
	while (outcome == FIELDWAY_ACCEPTED);
	ck_assert_int_eq(outcome, FIELDWAY_UNKNOWN);
	ck_assert_str_eq(result.detail, "the port does not take what is to be sent");
	ck_assert(broken);
	line_close(line);
	/* What the port had handed on before is the device's. */
	ck_assert_int_eq(fcntl(player.pty.fd, F_SETFL, O_NONBLOCK), 0);
	while (read(player.pty.fd, got, sizeof(got)) > 0)
		continue;
	ck_assert_int_eq(line_open(&bus, driver, &line, &result), 0);
	ck_assert_int_eq(write_point(BLIND, 7), FIELDWAY_ACCEPTED);
	n = read(player.pty.fd, got, sizeof(got));
	ck_assert_int_eq(n, 7);
	ck_assert_mem_eq(got, "D 7.0\r\n", 7);
	line_close(line);
	driver_free(driver);
	pty_close(&player.pty);
}
END_TEST

/* A pty has no parity and 8 bits whatever it is told, so this is what a port is told. */
START_TEST(formats)
{
	static const struct {
		const char *format;
		tcflag_t cflag, iflag;
	} rows[] = {
		{ "8N1", CS8, 0 },	    { "8N2", CS8 | CSTOPB, 0 },
		{ "7E1", CS7 | PARENB, INPCK }, { "7O2", CS7 | PARENB | PARODD | CSTOPB, INPCK },
		{ "8E1", CS8 | PARENB, INPCK }, { "8O1", CS8 | PARENB | PARODD, INPCK },
	};
	const tcflag_t mask = CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fieldway_value format = { .type = FIELDWAY_STRING, .data = rows[i].format, .size = 3 };
		const struct fieldway_bus from = { .name = "b", .settings = SETTINGS(TEXT("serial.device", "/dev/ttyS0"),
										     { "serial.format", format }) };
		struct termios t = { .c_cflag = mask, .c_iflag = (tcflag_t)-1, .c_lflag = (tcflag_t)-1 };
		struct fieldway_error error = { 0 };
		struct bus b;

		ck_assert_msg(bus_compile(&from, &b, &error) == 0, "%s", error.text);
		port_format(&b, &t);
		ck_assert_msg((t.c_cflag & mask) == rows[i].cflag, "%s", rows[i].format);
		ck_assert_uint_eq(t.c_iflag, rows[i].iflag);
		ck_assert_uint_eq(t.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
		ck_assert_uint_eq(t.c_cflag & (CLOCAL | CREAD), CLOCAL | CREAD);
	}
}
END_TEST

static char told[256];

static void tap_bytes(const struct fieldway_tap *tap, enum fieldway_direction direction, const void *bytes, size_t size)
{
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%.*s", direction == FIELDWAY_SENT ? ">" : "<",
		 (int)size, (const char *)bytes);
}

START_TEST(taps_hear_all)
{
	static const struct fieldway_tap tap = { .bytes = tap_bytes };

	START({ "07SI\r\n", "S S     1.00 g\r\n" });
	told[0] = '\0';
	line_tap(line, &tap);
	ck_assert_int_eq(read_weight(), 0);
	ck_assert_ptr_eq(strstr(told, ">07SI\r\n<"), told);
	ck_assert_ptr_nonnull(strstr(told, "g\r\n"));
	line_tap(line, NULL);
	stop();
}
END_TEST

START_TEST(nobody_else_may_use_the_port)
{
	struct fieldway_line *second;

	START({ "07SI\r\n", "S S     1.00 g\r\n" });
	ck_assert_int_lt(line_open(&bus, driver, &second, &result), 0);
	ck_assert_ptr_nonnull(strstr(result.detail, "another program"));
	ck_assert_int_eq(read_weight(), 0);
	stop();
}
END_TEST

/* A serial device server: the same bytes in a connection. */
START_TEST(over_tcp)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const struct turn turns[] = { { "07SI\r\n", "S S     7.00 g\r\n", 0 } };
	struct fieldway_error error;

	ck_assert_int_eq(bind(listening, (const struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	bus = (struct fieldway_bus){ .name = "b",
				     .settings = SETTINGS(TEXT("tcp.host", "127.0.0.1"), UINT("tcp.port", ntohs(address.sin_port))),
				     .timeout_usec = SECOND };
	ck_assert_int_eq(driver_new(&bus, &device, &driver, &error), 0);
	ck_assert_int_eq(line_open(&bus, driver, &line, &result), 0);
	player = (struct player){ .pty.fd = accept(listening, NULL, NULL), .turns = turns, .n = 1 };
	ck_assert_int_eq(pthread_create(&player.thread, NULL, play, &player), 0);
	ck_assert_int_eq(read_weight(), 0);
	ck_assert_double_eq(samples[0].value.real, 7);
	pthread_join(player.thread, NULL);
	pty_close(&player.pty);
	ck_assert_int_eq(read_weight(), -ECONNRESET);
	ck_assert(broken);
	line_close(line);
	close(listening);
	ck_assert_int_lt(line_open(&bus, driver, &line, &result), 0);
	driver_free(driver);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("line");
	TCase *t = tcase_create("line");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_test(t, one_request_reads_several_points);
	tcase_add_test(t, a_refusal_says_what);
	tcase_add_test(t, silence_is_a_timeout_and_the_late_answer_nobodys);
	tcase_add_test(t, wrong_answers_are_told);
	tcase_add_test(t, repeats_after_silence);
	tcase_add_test(t, the_second_answer_of_two_is_nobodys);
	tcase_add_test(t, steps_use_what_was_answered);
	tcase_add_test(t, writes_have_four_ends);
	tcase_add_test(t, unplugged);
	tcase_add_test(t, raw_bytes);
	tcase_add_test(t, raw_bytes_without_a_profile);
	tcase_add_test(t, half_a_frame_is_unknown_and_ends_there);
	tcase_add_test(t, formats);
	tcase_add_test(t, taps_hear_all);
	tcase_add_test(t, nobody_else_may_use_the_port);
	tcase_add_test(t, over_tcp);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
