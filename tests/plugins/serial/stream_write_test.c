/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/ioctl.h>

#include "stream_rig.h"

/* Writes to devices that speak by themselves. */

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

/* Two of the same device: the answer to what goes is nobody's, what waits of the other goes on. */
START_TEST(writes_over_another_configuration)
{
	const struct fieldway_value one = { .type = FIELDWAY_FLOAT, .real = 1 };
	struct fieldway_ticket goes = { 0 }, waits = { 0 }, stays = { 0 };
	struct fieldway_error error = { 0 };
	struct fieldway_driver *drivers[3];
	uint64_t deadline;

	start();
	stream_stop(session);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(driver_new(&bus, &scale, &drivers[i], &error), 0);
	ck_assert_int_eq(stream_start(&bus, (const struct fieldway_driver *const *)drivers, 2, &host, &session), 0);
	ck_assert(pty_expect(&pty, "SIR\r\nSIR\r\n"));
	deadline = moment_now_usec() + 5 * SECOND;
	stream_write(session, 0, TARE, &one, deadline, &goes);
	ck_assert(pty_expect(&pty, "T1\r\n"));
	stream_write(session, 0, TARE, &one, deadline, &waits);
	stream_write(session, 1, TARE, &one, deadline, &stays);
	ck_assert_int_eq(stream_change(session, &bus, (const struct fieldway_driver *const *)&drivers[2], 1,
				       (const uint32_t[]){ 1 }), 0);
	driver_free(drivers[0]);
	driver_free(drivers[1]);
	ck_assert_uint_eq(goes.ended, 1);
	ck_assert_int_eq(goes.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(goes.result.error, -ECANCELED);
	ck_assert_uint_eq(waits.ended, 1);
	ck_assert_int_eq(waits.outcome, FIELDWAY_NOT_SENT);
	ck_assert_uint_eq(stays.ended, 0);
	say("E1\r\n");
	UNTIL(seen.sent == 23);
	ck_assert(pty_expect(&pty, "T1\r\n"));
	/* One that is under way stays so, too. */
	drivers[0] = drivers[2];
	ck_assert_int_eq(driver_new(&bus, &scale, &drivers[2], &error), 0);
	ck_assert_int_eq(stream_change(session, &bus, (const struct fieldway_driver *const *)&drivers[2], 1,
				       (const uint32_t[]){ 0 }), 0);
	driver_free(drivers[0]);
	say("T\r\n");
	UNTIL(stays.ended);
	ck_assert_int_eq(stays.outcome, FIELDWAY_ACCEPTED);
	driver_free(driver);
	driver = drivers[2];
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
	stop();
}
END_TEST

/* What came after the port had filled up. */
static size_t read_all(char *ret, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n < size && (r = read(pty.fd, ret + n, size - n)) > 0)
		n += (size_t)r;
	return n;
}

/* Until a write of this size finds too little room. False: it has been sent whole. */
static bool fills_up(size_t size, char letter, struct fieldway_ticket *ticket)
{
	static char much[4096];
	const struct fieldway_value v = { .type = FIELDWAY_STRING, .data = much, .size = size };

	*ticket = (struct fieldway_ticket){ 0 };
	memset(much, letter, size);
	stream_write(session, 0, DISPLAY, &v, moment_now_usec() + SECOND / 5, ticket);
	UNTIL(ticket->ended);
	return ticket->outcome != FIELDWAY_ACCEPTED;
}

START_TEST(half_a_frame_is_unknown_and_ends_there)
{
	static char got[1 << 17];
	struct fieldway_ticket half, late, next;
	size_t before, n;

	start();
	ck_assert_int_eq(fcntl(pty.fd, F_SETFL, O_NONBLOCK), 0);
	do
		before = seen.sent;
	while (!fills_up(400, 'x', &half) || seen.sent == before);
	ck_assert_int_eq(half.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(half.result.error, -ETIMEDOUT);
	ck_assert_int_eq(seen.state, FIELDWAY_DEVICE_FAILED);
	ck_assert(strstr(seen.reason, "does not take what is to be sent"));
	write_number(TARE, 1, &late);
	ck_assert_int_eq(late.outcome, FIELDWAY_NOT_SENT);
	/* Opened again: neither the rest nor what the port held comes before what comes next. */
	UNTIL(seen.watches[0].used);
	write_number(ZERO, 1, &next);
	UNTIL(next.ended);
	ck_assert_int_eq(next.outcome, FIELDWAY_ACCEPTED);
	n = read_all(got, sizeof(got));
	ck_assert_uint_ge(n, 8);
	ck_assert_mem_eq(got + n - 8, "SIR\r\nZ\r\n", 8);
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
int main(void)
{
	Suite *s = suite_create("stream_write");
	TCase *t = tcase_create("stream");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, writes_with_an_answer);
	tcase_add_test(t, late_answers_are_nobodys);
	tcase_add_test(t, writes_over_another_configuration);
	tcase_add_test(t, full_ports_are_waited_for_no_longer);
	tcase_add_test(t, half_a_frame_is_unknown_and_ends_there);
	tcase_add_test(t, writes_without_an_answer);
	tcase_add_test(t, writes_wait_for_their_turn);
	tcase_add_test(t, stopping_ends_writes);
	tcase_add_test(t, closing_waits_for_nothing);
	suite_add_tcase(s, t);
	return stream_suite_run(s);
}
