/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/serial.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "plugins/lib/moment.h"
#include "plugins/serial/driver.h"
#include "plugins/serial/line.h"
#include "pty.h"
#include "setup.h"

/* Lines with two wires, on a pty that has neither RTS nor a driver's mode: what a port is told is noted here. */

#define SECOND UINT64_C(1000000)

static struct pty pty;

static struct {
	char did[64]; /* h l: RTS, W: bytes written, D: drained */
	size_t n;
	unsigned mode; /* flags of the driver's */
	bool no_rts;
} port;

static void note(char what)
{
	if (port.n < sizeof(port.did) - 1)
		port.did[port.n++] = what;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if ((request == TIOCMBIS || request == TIOCMBIC) && !port.no_rts) {
		note(request == TIOCMBIS ? 'h' : 'l');
		return 0;
	}
	if (request == TIOCSRS485) {
		port.mode = ((struct serial_rs485 *)argument)->flags;
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

int tcdrain(int fd)
{
	note('D');
	return ioctl(fd, TCSBRK, (void *)1);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	if (fd != pty.fd && isatty(fd))
		note('W');
	return syscall(SYS_write, fd, bytes, size);
}

static const struct fieldway_device device = {
	.name = "d",
	.settings = SETTINGS(TEXT("mode", "request"), TEXT("frame.end", "\n"), TEXT("messages.m.match", "^V(?<v>.*)$"),
			     TEXT("requests.r.send", "Q?\n"), TEXT("requests.r.expect", "m")),
	.points = (const struct fieldway_point[]){
		{ .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "m.v")) },
		{ .name = "w", .writable = true, .settings = SETTINGS(TEXT("send", "W!\n"), TEXT("expect", "^W!$")) },
	},
	.n_points = 2,
};

static struct fieldway_driver *driver;
static struct fieldway_line *line;
static struct fieldway_result result;
static struct fieldway_error error;
static bool broken;

static int open_with(struct fieldway_setting a, struct fieldway_setting b)
{
	static struct fieldway_bus bus;
	static struct fieldway_setting settings[3];
	int r;

	memset(&port, 0, sizeof(port));
	pty_open(&pty);
	settings[0] = (struct fieldway_setting){ .key = "serial.device", .value = { .type = FIELDWAY_STRING,
						 .data = pty.path, .size = strlen(pty.path) } };
	settings[1] = a;
	settings[2] = b;
	bus = (struct fieldway_bus){ .name = "b", .settings = { settings, 3 }, .timeout_usec = SECOND / 2 };
	ck_assert_msg(driver_new(&bus, &device, &driver, &error) == 0, "%s", error.text);
	r = line_open(&bus, driver, &line, &result);
	if (r < 0)
		driver_free(driver);
	return r;
}

static void stop(void)
{
	line_close(line);
	driver_free(driver);
	pty_close(&pty);
}

/* What the other end says as soon as it was spoken to. */
static const char *answer;

static void *play(void *userdata)
{
	if (pty_expect(&pty, "\n"))
		pty_write(&pty, answer, strlen(answer));
	return NULL;
}

static int read_value(const char *said)
{
	const uint32_t points[] = { 0 };
	struct fieldway_sample sample;
	struct fieldway_plan plan;
	char text[64];
	pthread_t thread;
	int r;

	ck_assert_int_eq(driver_plan(driver, points, 1, &plan), 0);
	answer = said;
	ck_assert_int_eq(pthread_create(&thread, NULL, play, NULL), 0);
	r = line_read(line, driver, &plan.requests[0], moment_now_usec() + 5 * SECOND, &sample, text, sizeof(text),
		      &result, &broken);
	pthread_join(thread, NULL);
	driver_plan_free(&plan);
	return r < 0 ? r : (int)sample.value.real;
}

static enum fieldway_outcome write_value(const char *said)
{
	const struct fieldway_value v = { .type = FIELDWAY_INT, .integer = 1 };
	enum fieldway_outcome outcome;
	pthread_t thread;

	answer = said;
	ck_assert_int_eq(pthread_create(&thread, NULL, play, NULL), 0);
	outcome = line_write(line, driver, 1, &v, moment_now_usec() + 5 * SECOND, &result, &broken);
	pthread_join(thread, NULL);
	return outcome;
}

#define SETTING(...) ((struct fieldway_setting)__VA_ARGS__)
#define TRUE(name) { .key = (name), .value = { .type = FIELDWAY_BOOL, .boolean = true } }

START_TEST(rts_while_sending)
{
	ck_assert_int_eq(open_with(SETTING(TEXT("serial.rs485", "rts")),
				   _i ? SETTING(TEXT("serial.rts_active", "low")) : SETTING(UINT("serial.rts_before", 1000))), 0);
	ck_assert_int_eq(read_value("V7\n"), 7);
	ck_assert_str_eq(port.did, _i ? "hlWDh" : "lhWDl");
	stop();
}
END_TEST

START_TEST(ports_without_rts)
{
	ck_assert_int_eq(open_with(SETTING(TEXT("serial.rs485", "rts")), SETTING(UINT("serial.rts_after", 1000))), 0);
	port.no_rts = true;
	ck_assert_int_eq(write_value("W!\n"), FIELDWAY_NOT_SENT);
	ck_assert(broken);
	stop();
}
END_TEST

START_TEST(mode_of_the_driver)
{
	ck_assert_int_eq(open_with(SETTING(TEXT("serial.rs485", "kernel")),
				   _i ? SETTING(TEXT("serial.rts_active", "low")) : SETTING(TRUE("serial.echo"))), 0);
	ck_assert_uint_eq(port.mode, SER_RS485_ENABLED | (_i ? SER_RS485_RTS_AFTER_SEND :
							       SER_RS485_RTS_ON_SEND | SER_RS485_RX_DURING_TX));
	stop();
}
END_TEST

/* A device that answers by what it was sent looks like an echo, and an echo like its answer. */
START_TEST(echoes)
{
	ck_assert_int_eq(open_with(SETTING(TRUE("serial.echo")), SETTING(UINT("serial.baud", 9600))), 0);
	ck_assert_int_eq(read_value("Q?\nV7\n"), 7);
	ck_assert_int_eq(write_value("W!\nW!\n"), FIELDWAY_ACCEPTED);
	/* Only the echo came: nobody knows. */
	ck_assert_int_eq(write_value("W!\n"), FIELDWAY_UNKNOWN);
	ck_assert_int_eq(result.error, -ETIMEDOUT);
	/* Somebody else spoke, too. */
	ck_assert_int_eq(read_value("V9\n"), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(result.detail, "echo"));
	ck_assert(!broken);
	ck_assert_int_eq(read_value(""), -EBADMSG);
	ck_assert_int_eq(read_value("Q?\nV8\n"), 8);
	stop();
}
END_TEST

START_TEST(what_does_not_fit)
{
	const struct {
		struct fieldway_settings settings;
		const char *key;
	} rows[] = {
		{ SETTINGS(TEXT("serial.device", "/dev/a"), TEXT("serial.rs485", "dtr")), "serial.rs485" },
		{ SETTINGS(TEXT("serial.device", "/dev/a"), TEXT("serial.rts_active", "low")), "serial.rts_active" },
		{ SETTINGS(TEXT("serial.device", "/dev/a"), TEXT("serial.rs485", "rts"), TEXT("serial.rts", "low")), "serial.rts" },
		{ SETTINGS(TEXT("tcp.host", "a"), UINT("tcp.port", 1), TEXT("serial.rs485", "rts")), "serial.rs485" },
	};
	const struct fieldway_bus echo = { .name = "b",
					   .settings = SETTINGS(TEXT("serial.device", "/dev/a"), TRUE("serial.echo")) };
	const struct fieldway_device stream = {
		.name = "s",
		.settings = SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.m.match", "^V(?<v>.*)$")),
		.points = &device.points[1],
		.n_points = 1,
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fieldway_bus bus = { .name = "b", .settings = rows[i].settings };

		ck_assert_int_eq(driver_bus_check(&bus, &error), -EINVAL);
		ck_assert_pstr_eq(error.key, rows[i].key);
	}
	ck_assert_int_eq(driver_new(&echo, &stream, &driver, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "mode: request only"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("serial/rs485");
	TCase *t = tcase_create("rs485");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, rts_while_sending, 0, 2);
	tcase_add_test(t, ports_without_rts);
	tcase_add_loop_test(t, mode_of_the_driver, 0, 2);
	tcase_add_test(t, echoes);
	tcase_add_test(t, what_does_not_fit);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
