/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line_rig.h"
#include "plugins/modbus/socket.h"

/* Peers that mean no good, or are no better: what they do must cost time and answers of nobody else. */

/* Beyond the timeout nothing may take longer than this, on a busy machine. */
#define GRACE_USEC UINT64_C(400000)

static bool dead_connection;

/* No test can wait until the kernel's probes of a connection have failed. */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	if (dead_connection) {
		dead_connection = false;
		errno = ETIMEDOUT;
		return -1;
	}
	return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

int poll(struct pollfd *fds, nfds_t n, int msec)
{
	const struct timespec t = { msec / 1000, msec % 1000 * 1000000L };

	if (!dead_connection)
		return ppoll(fds, n, msec < 0 ? NULL : &t, NULL);
	fds[0].revents = POLLIN;
	return 1;
}

/* ---- peers, in a process of their own ---- */

static pid_t peer_pid;

static int listener(int backlog, uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* In place of the simulator: serves one connection after the other. The line is not yet open. */
static void prepare_peer(int kind, void (*serve)(int fd, int connection))
{
	uint16_t place;
	int fd = listener(4, &place);

	peer_pid = fork();
	ck_assert_int_ge(peer_pid, 0);
	if (peer_pid == 0) {
		for (int n = 0;; n++) {
			int c = accept(fd, NULL, NULL);

			serve(c, n);
			close(c);
		}
	}
	close(fd);
	prepare(kind);
	f.device_settings[2] = UINT("port", place);
	make_driver();
}

static void start_peer(int kind, void (*serve)(int fd, int connection))
{
	struct fieldway_result result = { 0 };

	prepare_peer(kind, serve);
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
}

static void stop_peer(void)
{
	stop();
	kill(peer_pid, SIGKILL);
	waitpid(peer_pid, NULL, 0);
}

static void say(int fd, const char *bytes, size_t size)
{
	(void)send(fd, bytes, size, MSG_NOSIGNAL);
}

/* A request of register 10 in RTU, and the answer with this value. False: the line has hung up. */
static bool take_request(int fd)
{
	char request[8];

	return recv(fd, request, sizeof(request), MSG_WAITALL) == sizeof(request);
}

static void answer(int fd, int value)
{
	static const char *const answers[] = {
		"\x01\x03\x02\x00\x00\xb8\x44",
		"\x01\x03\x02\x00\x01\x79\x84",
		"\x01\x03\x02\x00\x02\x39\x85",
	};

	say(fd, answers[value], 7);
}

static void pause_msec(int msec)
{
	(void)poll(NULL, 0, msec);
}

/* Ends in time, whatever comes. */
static struct outcome reads_in_time(void)
{
	uint64_t begin = clock_usec(CLOCK_MONOTONIC);
	struct outcome o = read_until(HOLDING, deadline(2 * TIMEOUT_USEC));

	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 2 * TIMEOUT_USEC + GRACE_USEC);
	return o;
}

/* ---- those that never stop talking ---- */

static const struct {
	int kind;
	const char *bytes;
	size_t size;
} floods[] = {
	{ TCP, "\xff\xff\0\0\0\x05\x01\x03\x02\0\x07", 11 },
	{ RTU_TCP, "\x02\x03\x02\x00\x07\xbd\x86", 7 },
	{ ASCII_TCP, ":0203020007F2\r\n", 15 },
	{ RTU_TCP, "\xee\xee\xee\xee\xee\xee\xee\xee", 8 },
	{ ASCII_TCP, "no colon", 8 },
};
static int flood_row;
static bool flood_after;

static void flood(int fd, int connection)
{
	(void)connection;
	if (flood_after)
		(void)take_request(fd);
	while (send(fd, floods[flood_row].bytes, floods[flood_row].size, MSG_NOSIGNAL) > 0)
		;
}

START_TEST(a_flood_ends)
{
	struct outcome o;

	flood_row = _i;
	start_peer(floods[_i].kind, flood);
	o = reads_in_time();
	/* Without transactions nothing is sent before the line is quiet, if the flood has come so far. */
	ck_assert_msg(o.r == -EBADMSG || (!has_transactions() && o.r == -ETIMEDOUT), "%d %s", o.r, o.result.detail);
	ck_assert_msg(strchr(o.result.detail, '(') != NULL, "%s", o.result.detail);
	stop_peer();
}
END_TEST

START_TEST(a_flood_instead_of_an_answer_ends)
{
	struct outcome o;

	flood_row = _i;
	flood_after = true;
	start_peer(floods[_i].kind, flood);
	o = reads_in_time();
	ck_assert_msg(o.r == -EBADMSG, "%d %s", o.r, o.result.detail);
	stop_peer();
}
END_TEST

/* Warnings, before anything was agreed on. */
static void flood_handshake(int fd, int connection)
{
	(void)connection;
	while (send(fd, "\x15\x03\x03\x00\x02\x01\x5a", 7, MSG_NOSIGNAL) > 0)
		;
}

START_TEST(a_handshake_ends_with_the_timeout)
{
	struct fieldway_result result = { 0 };
	uint64_t begin;

	prepare_peer(TLS, flood_handshake);
	begin = clock_usec(CLOCK_MONOTONIC);
	ck_assert_int_lt(open_line(&result), 0);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, TIMEOUT_USEC + GRACE_USEC);
	ck_assert_msg(strncmp(result.detail, "TLS: ", 5) == 0, "%s", result.detail);
	stop_peer();
}
END_TEST

static void drip_handshake(int fd, int connection)
{
	(void)connection;
	say(fd, "\x16\x03\x03\x3f\xff\x02", 6);
	while (send(fd, "", 1, MSG_NOSIGNAL) > 0)
		pause_msec(10);
}

START_TEST(a_dripping_handshake_ends_with_the_timeout)
{
	struct fieldway_result result = { 0 };
	uint64_t begin;

	prepare_peer(TLS, drip_handshake);
	begin = clock_usec(CLOCK_MONOTONIC);
	ck_assert_int_eq(open_line(&result), -ETIMEDOUT);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, TIMEOUT_USEC + GRACE_USEC);
	stop_peer();
}
END_TEST

/* A device that would rather shake hands again, and again. */
static void flood_session(int fd, int connection)
{
	gnutls_certificate_credentials_t c;
	gnutls_session_t s;
	char certificate[64], key[64];
	int r;

	(void)connection;
	snprintf(certificate, sizeof(certificate), "%s/server.pem", folder);
	snprintf(key, sizeof(key), "%s/server.key", folder);
	gnutls_certificate_allocate_credentials(&c);
	gnutls_certificate_set_x509_key_file(c, certificate, key, GNUTLS_X509_FMT_PEM);
	gnutls_init(&s, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
	gnutls_priority_set_direct(s, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, c);
	gnutls_transport_set_int(s, fd);
	do
		r = gnutls_handshake(s);
	while (r < 0 && !gnutls_error_is_fatal(r));
	while (r >= 0)
		r = gnutls_alert_send(s, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
	gnutls_deinit(s);
	gnutls_certificate_free_credentials(c);
}

START_TEST(a_session_of_nothing_ends)
{
	struct outcome o;

	start_peer(TLS, flood_session);
	o = reads_in_time();
	ck_assert_msg(o.r < 0, "%s", o.result.detail);
	stop_peer();
}
END_TEST

/* ---- answers that are another request's ---- */

static void noise_then_answer(int fd, int connection)
{
	(void)connection;
	for (int n = 1; take_request(fd); n++) {
		say(fd, "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee", 10);
		pause_msec(90);
		answer(fd, n % 3);
	}
}

/* The noise is over, and the answer comes: it is not the next request's. */
START_TEST(noise_before_an_answer)
{
	start_peer(RTU_TCP, noise_then_answer);
	reads(HOLDING, 1);
	reads(HOLDING, 2);
	stop_peer();
}
END_TEST

/* As much as there is room for, and in the end a frame begins. */
static void much_noise_then_answer(int fd, int connection)
{
	char noise[1100];

	(void)connection;
	memset(noise, 'x', sizeof(noise));
	noise[700] = ':';
	while (recv(fd, noise, 17, MSG_WAITALL) == 17) {
		memset(noise, 'x', 17);
		say(fd, noise, sizeof(noise));
		say(fd, ":0103020001F9\r\n", 15);
	}
}

START_TEST(much_noise_before_an_answer)
{
	start_peer(ASCII_TCP, much_noise_then_answer);
	reads(HOLDING, 1);
	reads(HOLDING, 1);
	stop_peer();
}
END_TEST

static void noise_then_late(int fd, int connection)
{
	(void)connection;
	for (int n = 1; take_request(fd); n++) {
		say(fd, "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee", 10);
		pause_msec(n == 1 ? 300 : 20);
		answer(fd, n % 3);
	}
}

START_TEST(noise_before_a_late_answer)
{
	start_peer(RTU_TCP, noise_then_late);
	fails(HOLDING, -EBADMSG, "checksum wrong (10 garbled bytes)");
	reads(HOLDING, 2);
	stop_peer();
}
END_TEST

/* A gateway that has dropped its client, and hands what its line says to the next. */
static void hands_on(int fd, int connection)
{
	if (connection == 0) {
		(void)take_request(fd);
		return;
	}
	pause_msec(60);
	answer(fd, 1);
	while (take_request(fd))
		answer(fd, 2);
}

START_TEST(an_answer_that_outlives_its_connection)
{
	start_peer(RTU_TCP, hands_on);
	fails(HOLDING, -ECONNRESET, "");
	reads(HOLDING, 2);
	stop_peer();
}
END_TEST

static void half_an_answer(int fd, int connection)
{
	(void)connection;
	while (take_request(fd))
		say(fd, "\x01\x03\x02\x00", 4);
}

/* "no answer" alone would send people looking for a cable that is cut. */
START_TEST(half_an_answer_is_told)
{
	start_peer(RTU_TCP, half_an_answer);
	fails(HOLDING, -ETIMEDOUT, "no answer (4 garbled bytes)");
	stop_peer();
}
END_TEST

/* ---- connections ---- */

START_TEST(a_connection_given_up_by_the_kernel)
{
	static const int kinds[] = { TCP, RTU_TCP, ASCII_TCP };

	start(kinds[_i]);
	reads(HOLDING, 0);
	dead_connection = true;
	writes(HOLDING, number(7), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("connections"), "2");
	stop();
}
END_TEST

/* Longer than a request can wait: then the next one goes on waiting. */
START_TEST(a_long_pause_between_connections)
{
	struct outcome o;

	start_with(_i, UINT("tcp.reconnect_pause", TIMEOUT_USEC));
	reads(HOLDING, 0);
	ask("cut");
	o = read_until(HOLDING, deadline(TIMEOUT_USEC / 4));
	ck_assert_int_eq(o.r, -ETIMEDOUT);
	ck_assert(!o.broken);
	ck_assert_str_eq(o.result.detail, "deadline passed before it could be sent");
	ck_assert_str_eq(ask("connections"), "1");
	reads(HOLDING, 0);
	ck_assert_str_eq(ask("connections"), "2");
	stop();
}
END_TEST

/* A name has two addresses, and nobody is at the first. */
START_TEST(a_second_address)
{
	struct sockaddr_in a[2];
	struct addrinfo list[2] = { 0 };
	int servers[2], waiting[3], fd;
	uint64_t end;

	for (int i = 0; i < 2; i++) {
		uint16_t place;

		servers[i] = listener(i, &place);
		a[i] = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons(place),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		list[i] = (struct addrinfo){ .ai_family = AF_INET,
					     .ai_addr = (struct sockaddr *)&a[i],
					     .ai_addrlen = sizeof(a[i]),
					     .ai_next = i ? NULL : &list[1] };
	}
	/* As full as it can be: who comes now hears nothing. */
	for (int i = 0; i < 3; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(waiting[i], (struct sockaddr *)&a[0], sizeof(a[0]));
	}
	end = deadline(4 * TIMEOUT_USEC);
	fd = socket_connect(list, 0, end);
	ck_assert_msg(fd >= 0, "%d", fd);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC), end); /* on a network the second one takes time, too */
	close(fd);
	for (int i = 0; i < 3; i++)
		close(waiting[i]);
	for (int i = 0; i < 2; i++)
		close(servers[i]);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *s = suite_create("modbus/attack");
	TCase *t = tcase_create("attack");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(t, make_certificates, remove_certificates);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, a_flood_ends, 0, ROWS(floods));
	tcase_add_loop_test(t, a_flood_instead_of_an_answer_ends, 0, ROWS(floods));
	tcase_add_test(t, a_handshake_ends_with_the_timeout);
	tcase_add_test(t, a_dripping_handshake_ends_with_the_timeout);
	tcase_add_test(t, a_session_of_nothing_ends);
	tcase_add_test(t, noise_before_an_answer);
	tcase_add_test(t, much_noise_before_an_answer);
	tcase_add_test(t, noise_before_a_late_answer);
	tcase_add_test(t, an_answer_that_outlives_its_connection);
	tcase_add_test(t, half_an_answer_is_told);
	tcase_add_loop_test(t, a_connection_given_up_by_the_kernel, 0, 3);
	tcase_add_test(t, a_second_address);
	tcase_add_loop_test(t, a_long_pause_between_connections, 0, RTU);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
