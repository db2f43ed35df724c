/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "receiver.h"

/* A server that plays a script: an answer for each connection, and what it was asked. */

#define SCRIPT_MAX 16
#define REQUEST_MAX 2048

static struct {
	pthread_t thread;
	int fd;
	char uri[80];
	const char *answers[SCRIPT_MAX]; /* a whole response each; the connection is closed behind it */
	unsigned n;
	char requests[SCRIPT_MAX][REQUEST_MAX];
} server;

static void serve(int fd, unsigned i)
{
	size_t n = 0;
	ssize_t r;

	while (!strstr(server.requests[i], "\r\n\r\n") && n < REQUEST_MAX - 1) {
		r = read(fd, server.requests[i] + n, REQUEST_MAX - 1 - n);
		if (r <= 0)
			return;
		n += (size_t)r;
	}
	if (server.answers[i])
		r = write(fd, server.answers[i], strlen(server.answers[i]));
	shutdown(fd, SHUT_WR);
	/* Until the other side has read it all, or a reset would take some away. */
	while (read(fd, &(char){ 0 }, 1) > 0)
		;
}

static void *server_thread(void *userdata)
{
	int fd;

	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		if (server.n < SCRIPT_MAX)
			serve(fd, server.n++);
		close(fd);
	}
	return NULL;
}

static void setup(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	memset(&server, 0, sizeof(server));
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(server.fd, 8), 0);
	getsockname(server.fd, (struct sockaddr *)&address, &size);
	snprintf(server.uri, sizeof(server.uri), "http://127.0.0.1:%u/image", ntohs(address.sin_port));
	ck_assert_int_eq(pthread_create(&server.thread, NULL, server_thread, NULL), 0);
	receiver_setup();
}

static void teardown(void)
{
	download = download_free(download);
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
	receiver_teardown();
}

static void begin(const char *uri, uint64_t offset, const char *tag)
{
	const struct download_config config = { .event = event, .timers = timers, .ops = &receiver_ops };

	ck_assert_int_eq(download_new(&config, uri, offset, tag, &download), 0);
}

static void expect(int e, const char *content)
{
	receiver_run();
	ck_assert_int_eq(error, e);
	ck_assert_uint_eq(received.size, strlen(content));
	ck_assert_int_eq(memcmp(received.size ? received.data : (const void *)"", content, received.size), 0);
}

#define OK "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\n"

START_TEST(whole)
{
	server.answers[0] = OK "0123456789";
	begin(server.uri, 0, "");
	expect(0, "0123456789");
	ck_assert_uint_eq(size_told, 10);
	ck_assert_str_eq(etag, "\"a\"");
	ck_assert_ptr_nonnull(strstr(server.requests[0], "GET /image HTTP/1.1\r\n"));
	ck_assert_ptr_null(strstr(server.requests[0], "Range"));
}
END_TEST

/* It breaks off, and goes on where it stopped. */
START_TEST(resumed)
{
	server.answers[0] = OK "0123";
	server.answers[1] = "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Range: bytes 4-9/10\r\n"
			    "Content-Length: 6\r\n\r\n4567";
	server.answers[2] = "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Range: bytes 8-9/10\r\n"
			    "Content-Length: 2\r\n\r\n89";
	begin(server.uri, 0, "");
	expect(0, "0123456789");
	ck_assert_ptr_nonnull(strstr(server.requests[1], "Range: bytes=4-\r\n"));
	ck_assert_ptr_nonnull(strstr(server.requests[1], "If-Range: \"a\"\r\n"));
	ck_assert_ptr_nonnull(strstr(server.requests[2], "Range: bytes=8-\r\n"));
	ck_assert_uint_eq(size_told, 10);
}
END_TEST

/* After a restart of the daemon. */
START_TEST(resumed_from_before)
{
	ck_assert_int_eq(buf_append(&received, "0123", 4), 0);
	server.answers[0] = "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Range: bytes 4-9/10\r\n"
			    "Content-Length: 6\r\n\r\n456789";
	begin(server.uri, 4, "\"a\"");
	expect(0, "0123456789");
}
END_TEST

/* Another file stands there now. */
START_TEST(changed)
{
	ck_assert_int_eq(buf_append(&received, "0123", 4), 0);
	server.answers[0] = "HTTP/1.1 200 OK\r\nETag: \"b\"\r\nContent-Length: 3\r\n\r\nnew";
	begin(server.uri, 4, "\"a\"");
	expect(0, "new");
	ck_assert_str_eq(etag, "\"b\"");
}
END_TEST

START_TEST(shorter_now)
{
	ck_assert_int_eq(buf_append(&received, "0123", 4), 0);
	server.answers[0] = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
	server.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew";
	begin(server.uri, 4, "\"a\"");
	expect(0, "new");
	ck_assert_ptr_null(strstr(server.requests[1], "Range"));
}
END_TEST

/* A server that does not name its file, or only weakly: what was there cannot be trusted. */
START_TEST(nameless)
{
	server.answers[0] = "HTTP/1.1 200 OK\r\nETag: W/\"a\"\r\nContent-Length: 10\r\n\r\n0123";
	server.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
	begin(server.uri, 4, "");
	expect(0, "0123456789");
	ck_assert_ptr_null(strstr(server.requests[0], "Range"));
	ck_assert_ptr_null(strstr(server.requests[1], "Range"));
}
END_TEST

/* One that does not look at If-Range, and would have the end of one file put behind another one's beginning. */
START_TEST(spliced)
{
	server.answers[0] = OK "0123";
	server.answers[1] = "HTTP/1.1 206 Partial Content\r\nETag: \"b\"\r\nContent-Range: bytes 4-9/10\r\n"
			    "Content-Length: 6\r\n\r\nefghij";
	server.answers[2] = "HTTP/1.1 200 OK\r\nETag: \"b\"\r\nContent-Length: 10\r\n\r\nabcdefghij";
	begin(server.uri, 0, "");
	expect(0, "abcdefghij");
	ck_assert_ptr_null(strstr(server.requests[2], "Range"));
}
END_TEST

/* One that gives a part and does not say which. */
START_TEST(part_of_nowhere)
{
	ck_assert_int_eq(buf_append(&received, "0123", 4), 0);
	server.answers[0] = "HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Length: 6\r\n\r\n456789";
	begin(server.uri, 4, "\"a\"");
	expect(-EPROTO, "0123");
}
END_TEST

START_TEST(not_there)
{
	server.answers[0] = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\npage";
	begin(server.uri, 0, "");
	expect(-EINVAL, "");
	ck_assert_str_eq(trouble, "HTTP status 404");
	ck_assert_uint_eq(server.n, 1);
}
END_TEST

START_TEST(trouble_of_the_server)
{
	server.answers[0] = "HTTP/1.1 503 Later\r\nContent-Length: 4\r\n\r\npage";
	server.answers[1] = NULL;
	server.answers[2] = OK "0123456789";
	begin(server.uri, 0, "");
	expect(0, "0123456789");
}
END_TEST

START_TEST(given_up)
{
	begin(server.uri, 0, "");
	expect(-ECONNRESET, "");
	ck_assert_uint_eq(server.n, DOWNLOAD_ATTEMPTS_MAX);
}
END_TEST

START_TEST(disk_is_slow)
{
	busy = 5;
	server.answers[0] = OK "0123456789";
	begin(server.uri, 0, "");
	expect(0, "0123456789");
}
END_TEST

START_TEST(disk_is_full)
{
	take_error = -ENOSPC;
	server.answers[0] = OK "0123456789";
	begin(server.uri, 0, "");
	expect(-ENOSPC, "");
	ck_assert_uint_eq(server.n, 1);
}
END_TEST

START_TEST(too_large)
{
	begin_error = -EFBIG;
	server.answers[0] = OK "0123456789";
	begin(server.uri, 0, "");
	expect(-EFBIG, "");
}
END_TEST

START_TEST(redirected)
{
	char answer[200];

	snprintf(answer, sizeof(answer), "HTTP/1.1 302 Found\r\nETag: \"page\"\r\nLocation: %s2\r\nContent-Length: 0\r\n\r\n",
		 server.uri);
	server.answers[0] = answer;
	server.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew";
	begin(server.uri, 0, "");
	expect(0, "new");
	ck_assert_ptr_nonnull(strstr(server.requests[1], "GET /image2 "));
	ck_assert_str_eq(etag, "");
}
END_TEST

/* A file of this machine is no firmware. */
START_TEST(redirected_to_a_file)
{
	server.answers[0] = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n";
	begin(server.uri, 0, "");
	expect(-EINVAL, "");
}
END_TEST

START_TEST(redirected_for_ever)
{
	char answer[200];

	snprintf(answer, sizeof(answer), "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", server.uri);
	for (int i = 0; i < SCRIPT_MAX; i++)
		server.answers[i] = answer;
	begin(server.uri, 0, "");
	expect(-EINVAL, "");
	ck_assert_uint_eq(server.n, 5);
}
END_TEST

START_TEST(stopped)
{
	server.answers[0] = OK "0123";
	begin(server.uri, 0, "");
	while (received.size < 4)
		ck_assert_int_ge(sd_event_run(event, 20 * USEC_PER_MSEC), 0);
	download = download_free(download);
	ck_assert_int_eq(n_done, 0);
}
END_TEST

START_TEST(schemes)
{
	struct download *d = NULL;
	const struct download_config config = { .event = event, .timers = timers, .ops = &receiver_ops };

	ck_assert_int_eq(download_check("http://host/x"), 0);
	ck_assert_int_eq(download_check("HTTPS://host/x"), 0);
	ck_assert_int_eq(download_check("ftp://host/x"), -EPROTONOSUPPORT);
	ck_assert_int_eq(download_check("file:///etc/passwd"), -EPROTONOSUPPORT);
	ck_assert_int_eq(download_check("nonsense"), -EINVAL);
	ck_assert_int_eq(download_new(&config, "ftp://host/x", 0, "", &d), -EPROTONOSUPPORT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, whole);
	tcase_add_test(tcase, resumed);
	tcase_add_test(tcase, resumed_from_before);
	tcase_add_test(tcase, changed);
	tcase_add_test(tcase, shorter_now);
	tcase_add_test(tcase, nameless);
	tcase_add_test(tcase, spliced);
	tcase_add_test(tcase, part_of_nowhere);
	tcase_add_test(tcase, not_there);
	tcase_add_test(tcase, trouble_of_the_server);
	tcase_add_test(tcase, given_up);
	tcase_add_test(tcase, disk_is_slow);
	tcase_add_test(tcase, disk_is_full);
	tcase_add_test(tcase, too_large);
	tcase_add_test(tcase, redirected);
	tcase_add_test(tcase, redirected_to_a_file);
	tcase_add_test(tcase, redirected_for_ever);
	tcase_add_test(tcase, stopped);
	tcase_add_test(tcase, schemes);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
