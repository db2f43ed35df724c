/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/serial.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "line_rig.h"
#include "plugins/modbus/line_state.h"

/* How a line behaves on its wire: raw requests, recordings, echoes, RS-485, pauses. */

#define PAUSE_USEC UINT64_C(150000)

/* ---- what no pty can do: RTS, the driver's RS-485 mode ---- */

static struct {
	char did[64]; /* h l: RTS, W: bytes written, D: drained */
	size_t n;
	struct serial_rs485 mode;
	bool no_mode;
	int set; /* tcsetattr() */
	int unsent, step; /* bytes, and how many of them go between two looks */
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
	if (request == TIOCMBIS || request == TIOCMBIC) {
		ck_assert_int_eq(*(int *)argument, TIOCM_RTS);
		note(request == TIOCMBIS ? 'h' : 'l');
		return 0;
	}
	if (request == TIOCOUTQ && port.unsent > 0) {
		*(int *)argument = port.unsent -= port.step;
		return 0;
	}
	if (request == TIOCSRS485 && !port.no_mode) {
		port.mode = *(struct serial_rs485 *)argument;
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

int tcdrain(int fd)
{
	note('D');
	return ioctl(fd, TCSBRK, (void *)1);
}

int tcsetattr(int fd, int actions, const struct termios *t)
{
	int (*real)(int, int, const struct termios *) =
		(int (*)(int, int, const struct termios *))dlsym(RTLD_NEXT, "tcsetattr");

	port.set++;
	return real(fd, actions, t);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	if (f.line && isatty(fd))
		note('W');
	return syscall(SYS_write, fd, bytes, size);
}

static void reset(void)
{
	memset(&port, 0, sizeof(port));
}

static struct fieldway_setting flag(const char *key)
{
	return (struct fieldway_setting){ .key = key, .value = { .type = FIELDWAY_BOOL, .boolean = true } };
}

START_TEST(rts_while_sending)
{
	const char *const levels[] = { "high", "low" }, *const expected[] = { "lhWDl", "hlWDh" };
	struct fieldway_result result = { 0 };
	uint64_t begin;

	prepare(RTU);
	add_setting(TEXT("rtu.rs485", "rts"));
	add_setting(TEXT("rtu.rts_active", levels[_i]));
	add_setting(UINT("rtu.rts_before", PAUSE_USEC / 2));
	add_setting(UINT("rtu.rts_after", PAUSE_USEC / 2));
	make_driver();
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
	ask("delay 60"); /* within the timeout, which begins behind the rests */
	begin = clock_usec(CLOCK_MONOTONIC);
	reads(HOLDING, 0);
	ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begin, PAUSE_USEC);
	ck_assert_str_eq(port.did, expected[_i]);
	stop();
}
END_TEST

/* An adapter that stops to take bytes keeps the bus no longer than a device that is silent. */
START_TEST(a_port_that_does_not_send)
{
	struct fieldway_result result = { 0 };
	uint64_t begin;

	prepare(RTU);
	add_setting(TEXT("rtu.rs485", "rts"));
	make_driver();
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
	reads(HOLDING, 0);
	memset(port.did, 0, sizeof(port.did));
	port.n = 0;
	port.unsent = 8;
	port.step = 0;
	begin = clock_usec(CLOCK_MONOTONIC);
	fails(HOLDING, -ETIMEDOUT, "no answer");
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 2 * TIMEOUT_USEC);
	ck_assert_str_eq(port.did, "hWl");
	port.step = 1; /* slowly */
	reads(HOLDING, 0);
	ck_assert_int_eq(port.unsent, 0);
	ck_assert_str_eq(port.did, "hWlhWDl");
	stop();
}
END_TEST

START_TEST(rs485_mode_of_the_driver)
{
	struct fieldway_result result = { 0 };

	prepare(RTU);
	add_setting(TEXT("rtu.rs485", "kernel"));
	add_setting(TEXT("rtu.rts_active", _i ? "high" : "low"));
	add_setting(UINT("rtu.rts_before", 1500));
	add_setting(UINT("rtu.rts_after", 2000));
	make_driver();
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
	ck_assert_uint_eq(port.mode.flags,
			  SER_RS485_ENABLED | (_i ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND));
	ck_assert_uint_eq(port.mode.delay_rts_before_send, 2);
	ck_assert_uint_eq(port.mode.delay_rts_after_send, 2);
	reads(HOLDING, 0);
	ck_assert_str_eq(port.did, "W");
	plugin->line_close(f.line);
	f.line = NULL;
	port.no_mode = true;
	ck_assert_int_eq(open_line(&result), -ENODEV);
	ck_assert_msg(strstr(result.detail, "no RS-485 mode, use rs485: rts"), "%s", result.detail);
	stop();
}
END_TEST

START_TEST(echoes)
{
	const char *const keys[] = { [RTU] = "rtu.echo", [ASCII] = "ascii.echo" };

	start_with(_i, flag(keys[_i]));
	fails(HOLDING, -EBADMSG, "no echo");
	ask("echo on");
	reads(HOLDING, 0);
	writes(HOLDING, number(7), FIELDWAY_ACCEPTED, 0);
	ask("exception 2");
	fails(HOLDING, -ENXIO, "exception 2");
	ask("talk");
	ask("echo wrong");
	fails(HOLDING, -EBADMSG, "echo differs from what was sent: a collision");
	writes(HOLDING, number(8), FIELDWAY_UNKNOWN, -EBADMSG);
	ask("talk");
	ask("echo on");
	reads(HOLDING, 8);
	stop();
}
END_TEST

/* The longest rests are as the kernel's: no deadline ends them. */
START_TEST(rts_rests_are_short)
{
	size_t n = 0;

	for (size_t i = 0; i < plugin->n_keys; i++) {
		if (!strstr(plugin->keys[i].name, ".rts_before") && !strstr(plugin->keys[i].name, ".rts_after"))
			continue;
		ck_assert(plugin->keys[i].maximum > 0 && plugin->keys[i].maximum <= 100000);
		n++;
	}
	ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(a_port_that_somebody_else_has)
{
	struct fieldway_line *mine;
	struct fieldway_result result = { 0 };
	int exclusive = 0;

	start(_i);
	mine = f.line;
	f.line = NULL;
	port.set = 0;
	ck_assert_int_eq(open_line(&result), -ENODEV);
	snprintf(text_room, sizeof(text_room), "cannot open %s: another program uses it", f.pty);
	ck_assert_str_eq(result.detail, text_room);
	/* It still is for him alone: root may open it nevertheless. */
	ck_assert_int_eq(ioctl(mine->fd, TIOCGEXCL, &exclusive), 0);
	ck_assert_int_eq(exclusive, 1);
	ck_assert_int_eq(port.set, 0);
	plugin->line_close(mine);
	ck_assert_int_eq(open_line(&result), 0);
	reads(HOLDING, 0);
	stop();
}
END_TEST

/* ---- raw requests and recordings ---- */

struct recording {
	struct fieldway_tap tap;
	uint8_t bytes[2][1024];
	size_t n[2];
};

static void record(const struct fieldway_tap *tap, enum fieldway_direction direction, const void *bytes,
		   size_t size)
{
	struct recording *r = (struct recording *)(uintptr_t)tap;

	ck_assert_uint_le(r->n[direction] + size, sizeof(r->bytes[0]));
	memcpy(r->bytes[direction] + r->n[direction], bytes, size);
	r->n[direction] += size;
}

static int raw(const char *request, size_t size, uint8_t *ret, size_t *ret_size, struct fieldway_result *result)
{
	bool broken = true;
	int r = plugin->raw(f.line, f.driver, request, size, deadline(LONG_USEC), ret, 256, ret_size, result,
			    &broken);

	ck_assert(!broken);
	return r;
}

START_TEST(raw_requests)
{
	struct fieldway_result result;
	uint8_t answer[256];
	size_t size = 0;

	start(_i);
	ask("set holding 10 0x1234");
	ck_assert_int_eq(raw("\x03\x00\x0a\x00\x01", 5, answer, &size, &result), 0);
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(answer, "\x03\x02\x12\x34", 4);
	/* What the device refuses is an answer, and so is that it does not know a function. */
	ck_assert_int_eq(raw("\x04\x10\x00\x00\x01", 5, answer, &size, &result), 0);
	ck_assert_uint_eq(size, 2);
	ck_assert_mem_eq(answer, "\x84\x02", 2);
	ck_assert_int_eq(raw("\x41\x00", 2, answer, &size, &result), 0);
	ck_assert_mem_eq(answer, "\xc1\x01", 2);
	ck_assert_int_eq(raw("", 0, answer, &size, &result), -EINVAL);
	ask("silent");
	size = 99;
	ck_assert_int_eq(raw("\x03\x00\x0a\x00\x01", 5, answer, &size, &result), -ETIMEDOUT);
	ck_assert_uint_eq(size, 99);
	ask("talk");
	reads(HOLDING, 0x1234);
	stop();
}
END_TEST

/* Nothing says how long it is: silence ends it. */
START_TEST(a_raw_answer_of_unknown_length)
{
	struct fieldway_result result;
	uint8_t answer[256];
	size_t size;

	start(_i ? RTU : RTU_TCP);
	ask("raw 01 41 01 02 03 1d 5d");
	ck_assert_msg(raw("\x41\x00", 2, answer, &size, &result) == 0, "%s", result.detail);
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(answer, "\x41\x01\x02\x03", 4);
	ask("raw 01 41 01 02 03 00 00");
	ck_assert_int_eq(raw("\x41\x00", 2, answer, &size, &result), -EBADMSG);
	stop();
}
END_TEST

START_TEST(recordings)
{
	struct recording r = { .tap = { record } };
	const char *const sent[KINDS] = {
		[RTU] = "\x01\x03\x00\x0a\x00\x01\xa4\x08", [RTU_TCP] = "\x01\x03\x00\x0a\x00\x01\xa4\x08",
		[ASCII] = ":0103000A0001F1\r\n", [ASCII_TCP] = ":0103000A0001F1\r\n",
	};
	const char *const received[KINDS] = {
		[RTU] = "\x01\x03\x02\x00\x07\xf9\x86", [RTU_TCP] = "\x01\x03\x02\x00\x07\xf9\x86",
		[ASCII] = ":0103020007F3\r\n", [ASCII_TCP] = ":0103020007F3\r\n",
	};

	start(_i);
	ask("set holding 10 7");
	plugin->line_tap(f.line, &r.tap);
	reads(HOLDING, 7);
	if (sent[_i]) {
		ck_assert_mem_eq(r.bytes[FIELDWAY_SENT], sent[_i], r.n[FIELDWAY_SENT]);
		ck_assert_mem_eq(r.bytes[FIELDWAY_RECEIVED], received[_i], r.n[FIELDWAY_RECEIVED]);
		ck_assert_uint_ge(r.n[FIELDWAY_SENT], 8);
	} else {
		/* Without the transaction; what TLS makes of it is nobody's. */
		ck_assert_uint_eq(r.n[FIELDWAY_SENT], 12);
		ck_assert_mem_eq(r.bytes[FIELDWAY_SENT] + 2, "\0\0\0\x06\x01\x03\0\x0a\0\x01", 10);
		ck_assert_uint_eq(r.n[FIELDWAY_RECEIVED], 11);
		ck_assert_mem_eq(r.bytes[FIELDWAY_RECEIVED] + 2, "\0\0\0\x05\x01\x03\x02\0\x07", 9);
	}
	plugin->line_tap(f.line, NULL);
	reads(HOLDING, 7);
	ck_assert_uint_le(r.n[FIELDWAY_RECEIVED], 15);
	stop();
}
END_TEST

/* ---- what else is met ---- */

START_TEST(others_are_passed_over)
{
	start(_i ? RTU : RTU_TCP);
	/* Unit 2's, the right one, and a byte too many. */
	ask("raw 02 03 02 00 07 bd 86 01 03 02 00 09 78 42 ff");
	reads(HOLDING, 9);
	ask("raw 02 03 02 00 07 bd 86");
	fails(HOLDING, -EBADMSG, "answer of another unit, 2 (2 foreign frames)");
	reads(HOLDING, 0);
	ask("delay 250");
	fails(HOLDING, -ETIMEDOUT, "no answer");
	ask("talk");
	reads(HOLDING, 0);
	/* The late answer, which came before the request that was answered. */
	ask("silent");
	fails(HOLDING, -ETIMEDOUT, "no answer (7 late bytes)");
	stop();
}
END_TEST

/* ---- connections ---- */

START_TEST(a_silent_gateway_is_connected_again)
{
	start(_i);
	reads(HOLDING, 0);
	ask("silent");
	for (int i = 0; i < 3; i++)
		fails(HOLDING, -ETIMEDOUT, "no answer");
	ask("talk");
	reads(HOLDING, 0);
	/* Not at every silence: another unit behind it may be fine. */
	ck_assert_str_eq(ask("connections"), "2");
	stop();
}
END_TEST

START_TEST(an_idle_connection_is_made_anew)
{
	uint64_t begin;

	start_with(_i, UINT("tcp.idle", 3 * PAUSE_USEC));
	reads(HOLDING, 0);
	reads(HOLDING, 0);
	ck_assert_str_eq(ask("connections"), "1");
	ask("delay 60");
	for (int i = 0; i < 4; i++) /* used, though slow */
		reads(HOLDING, 0);
	ck_assert_str_eq(ask("connections"), "1");
	ask("talk");
	begin = clock_usec(CLOCK_MONOTONIC);
	while (clock_usec(CLOCK_MONOTONIC) < begin + 3 * PAUSE_USEC)
		ask("requests");
	reads(HOLDING, 0);
	ck_assert_str_eq(ask("connections"), "2");
	stop();
}
END_TEST

/* Whoever else wants the only connection that a device takes gets it. */
START_TEST(an_idle_connection_is_closed)
{
	uint64_t until;

	start_with(_i, UINT("tcp.idle", PAUSE_USEC));
	reads(HOLDING, 0);
	until = plugin->line_rest(f.line);
	ck_assert_uint_gt(until, clock_usec(CLOCK_MONOTONIC));
	ck_assert_uint_le(until, deadline(PAUSE_USEC));
	ck_assert_str_eq(ask("connected"), "1");
	while (clock_usec(CLOCK_MONOTONIC) < until)
		ask("requests");
	ck_assert_uint_eq(plugin->line_rest(f.line), UINT64_MAX);
	while (strcmp(ask("connected"), "0") != 0)
		;
	ck_assert_uint_eq(plugin->line_rest(f.line), UINT64_MAX);
	reads(HOLDING, 0);
	ck_assert_str_eq(ask("connected"), "1");
	stop();
}
END_TEST

START_TEST(a_line_that_is_never_idle)
{
	start(_i);
	reads(HOLDING, 0);
	ck_assert_uint_eq(plugin->line_rest(f.line), UINT64_MAX);
	reads(HOLDING, 0);
	stop();
}
END_TEST

START_TEST(pauses)
{
	static const char *const keys[] = { "tcp.connect_pause", "tcp.reconnect_pause", "tcp.pause" };
	uint64_t begin = clock_usec(CLOCK_MONOTONIC);

	start_with(_i % RTU, UINT(keys[_i / RTU], PAUSE_USEC));
	reads(HOLDING, 0);
	if (_i / RTU == 1)
		ask("cut");
	reads(HOLDING, 0);
	ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC) - begin, PAUSE_USEC);
	ck_assert_str_eq(ask("requests"), "2");
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/wire");
	TCase *t = tcase_create("wire");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(t, make_certificates, remove_certificates);
	tcase_add_checked_fixture(t, reset, NULL);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, rts_while_sending, 0, 2);
	tcase_add_test(t, a_port_that_does_not_send);
	tcase_add_loop_test(t, rs485_mode_of_the_driver, 0, 2);
	tcase_add_loop_test(t, echoes, RTU, KINDS);
	tcase_add_test(t, rts_rests_are_short);
	tcase_add_loop_test(t, a_port_that_somebody_else_has, RTU, KINDS);
	tcase_add_loop_test(t, raw_requests, 0, KINDS);
	tcase_add_loop_test(t, a_raw_answer_of_unknown_length, 0, 2);
	tcase_add_loop_test(t, recordings, 0, KINDS);
	tcase_add_loop_test(t, others_are_passed_over, 0, 2);
	tcase_add_loop_test(t, a_silent_gateway_is_connected_again, RTU_TCP, RTU);
	tcase_add_loop_test(t, an_idle_connection_is_made_anew, 0, RTU);
	tcase_add_loop_test(t, an_idle_connection_is_closed, 0, RTU);
	tcase_add_loop_test(t, a_line_that_is_never_idle, 0, KINDS);
	tcase_add_loop_test(t, pauses, 0, 3 * RTU);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
