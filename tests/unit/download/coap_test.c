/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <coap3/coap.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "download/coap_uri.h"
#include "receiver.h"
#include "transport/transport.h"

/* The server is libcoap's. */

#define SIZE 10000u

static struct {
	pthread_t thread;
	coap_context_t *context;
	_Atomic bool stopping;
	char uri[80];
	/* Under the lock. */
	pthread_mutex_t lock;
	uint8_t image[SIZE];
	size_t size;
	uint64_t tag;
	coap_pdu_code_t code;
	unsigned n_asked, silent_from; /* from that request on nothing is answered; 0: never */
	unsigned lowest;	       /* block that was asked for since it was set */
	char query[64];
} server;

static struct transport *transport;

static void put_block(coap_pdu_t *response, coap_block_t block)
{
	uint8_t value[8];

	if (block.num * 1024 >= server.size) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_BAD_OPTION);
		return;
	}
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
	coap_add_option(response, COAP_OPTION_ETAG, coap_encode_var_safe8(value, sizeof(value), server.tag), value);
	coap_write_block_opt(&block, COAP_OPTION_BLOCK2, response, server.size);
	coap_add_option(response, COAP_OPTION_SIZE2, coap_encode_var_safe(value, sizeof(value), (unsigned)server.size), value);
	coap_add_block(response, server.size, server.image, block.num, block.szx);
}

static void answer(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
		   const coap_string_t *query, coap_pdu_t *response)
{
	coap_block_t block = { .szx = 6 };

	(void)resource;
	(void)session;
	pthread_mutex_lock(&server.lock);
	server.n_asked++;
	coap_get_block(request, COAP_OPTION_BLOCK2, &block);
	server.lowest = MIN(server.lowest, block.num);
	if (query)
		snprintf(server.query, sizeof(server.query), "%.*s", (int)query->length, (const char *)query->s);
	if (server.silent_from > 0 && server.n_asked >= server.silent_from)
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_SERVICE_UNAVAILABLE);
	else if (server.code)
		coap_pdu_set_code(response, server.code);
	else
		put_block(response, block);
	pthread_mutex_unlock(&server.lock);
}

static void *server_thread(void *userdata)
{
	while (!server.stopping)
		coap_io_process(server.context, 50);
	return NULL;
}

static void start_server(void)
{
	coap_address_t address;
	coap_resource_t *resource = coap_resource_init(coap_make_str_const("fw/image%201"), 0);
	coap_endpoint_t *endpoint = NULL;

	server.context = coap_new_context(NULL);
	/* libcoap says no port that it was given: one that is free is looked for. */
	for (uint16_t port = (uint16_t)(20000 + getpid() % 20000); !endpoint; port++) {
		coap_address_init(&address);
		address.addr.sin.sin_family = AF_INET;
		address.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.addr.sin.sin_port = htons(port);
		address.size = sizeof(address.addr.sin);
		endpoint = coap_new_endpoint(server.context, &address, COAP_PROTO_UDP);
		snprintf(server.uri, sizeof(server.uri), "coap://127.0.0.1:%u/fw/image%%201", port);
	}
	coap_register_request_handler(resource, COAP_REQUEST_GET, answer);
	coap_add_resource(server.context, resource);
	ck_assert_int_eq(pthread_create(&server.thread, NULL, server_thread, NULL), 0);
}

static void setup(void)
{
	memset(&server, 0, sizeof(server));
	pthread_mutex_init(&server.lock, NULL);
	for (size_t i = 0; i < SIZE; i++)
		server.image[i] = (uint8_t)(i * 31 + i / 256);
	server.size = SIZE;
	server.tag = 0x0102;
	server.lowest = UINT32_MAX;
	coap_startup();
	start_server();
	receiver_setup();
	ck_assert_int_eq(transport_new(event, timers, &transport), 0);
}

static void teardown(void)
{
	download = download_free(download);
	transport = transport_free(transport);
	receiver_teardown();
	server.stopping = true;
	pthread_join(server.thread, NULL);
	coap_free_context(server.context);
	coap_cleanup();
}

static void begin(const char *uri, uint64_t offset, const char *tag)
{
	const struct download_config config = { .transport = transport, .event = event, .timers = timers, .ops = &receiver_ops };

	ck_assert_int_eq(download_new(&config, uri, offset, tag, &download), 0);
}

static void set(unsigned silent_from, uint64_t tag, size_t size)
{
	pthread_mutex_lock(&server.lock);
	server.silent_from = silent_from;
	server.tag = tag;
	server.size = size;
	server.lowest = UINT32_MAX;
	pthread_mutex_unlock(&server.lock);
}

static unsigned asked(void)
{
	unsigned n;

	pthread_mutex_lock(&server.lock);
	n = server.n_asked;
	pthread_mutex_unlock(&server.lock);
	return n;
}

static void expect_image(void)
{
	receiver_run();
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(received.size, server.size);
	ck_assert_int_eq(memcmp(received.data, server.image, received.size), 0);
}

START_TEST(whole)
{
	char uri[100];

	snprintf(uri, sizeof(uri), "%s?for=gw&v=1", server.uri);
	begin(uri, 0, "");
	expect_image();
	ck_assert_uint_eq(size_told, SIZE);
	ck_assert_str_eq(etag, "0102");
	ck_assert_uint_eq(server.n_asked, (SIZE + 1023) / 1024);
	ck_assert_str_eq(server.query, "for=gw&v=1");
}
END_TEST

START_TEST(one_block)
{
	set(0, 7, 100);
	begin(server.uri, 0, "");
	expect_image();
}
END_TEST

/* It breaks off, and goes on with the block that is missing. */
START_TEST(resumed)
{
	set(5, 0x0102, SIZE);
	begin(server.uri, 0, "");
	while (received.size < 4096)
		ck_assert_int_ge(sd_event_run(event, 100 * USEC_PER_MSEC), 0);
	/* Till the fifth has been refused. */
	while (asked() < 5)
		ck_assert_int_ge(sd_event_run(event, 20 * USEC_PER_MSEC), 0);
	set(0, 0x0102, SIZE);
	expect_image();
	ck_assert_uint_eq(server.lowest, 4);
	ck_assert_int_eq(n_begun, 2);
}
END_TEST

START_TEST(resumed_from_before)
{
	/* Not at a block's edge: from the last one that is whole. */
	ck_assert_int_eq(buf_append(&received, server.image, 5000), 0);
	begin(server.uri, 5000, "0102");
	expect_image();
	ck_assert_uint_eq(server.lowest, 4);
}
END_TEST

START_TEST(changed)
{
	ck_assert_int_eq(buf_append(&received, server.image, 5000), 0);
	begin(server.uri, 5000, "99");
	expect_image();
	ck_assert_uint_eq(server.lowest, 0);
}
END_TEST

/* Without a tag nobody can tell whether it is the same. */
START_TEST(nameless_now)
{
	ck_assert_int_eq(buf_append(&received, server.image, 5000), 0);
	set(0, 0, SIZE);
	begin(server.uri, 5000, "0102");
	expect_image();
	ck_assert_uint_eq(server.lowest, 0);
}
END_TEST

/* Half of it is from one file, half from another. */
START_TEST(changed_on_the_way)
{
	begin(server.uri, 0, "");
	while (received.size < 3072)
		ck_assert_int_ge(sd_event_run(event, 100 * USEC_PER_MSEC), 0);
	pthread_mutex_lock(&server.lock);
	server.image[0] ^= 1;
	server.tag = 0x77;
	pthread_mutex_unlock(&server.lock);
	expect_image();
	ck_assert_str_eq(etag, "77");
}
END_TEST

START_TEST(shorter_now)
{
	ck_assert_int_eq(buf_append(&received, server.image, 9000), 0);
	set(0, 0x0102, 2000);
	begin(server.uri, 9000, "0102");
	expect_image();
}
END_TEST

START_TEST(not_there)
{
	server.code = COAP_RESPONSE_CODE_NOT_FOUND;
	begin(server.uri, 0, "");
	receiver_run();
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_str_eq(trouble, "the server answered 4.04");
	ck_assert_uint_eq(server.n_asked, 1);
}
END_TEST

START_TEST(given_up)
{
	server.code = COAP_RESPONSE_CODE_INTERNAL_ERROR;
	begin(server.uri, 0, "");
	receiver_run();
	ck_assert_int_eq(error, -ECONNRESET);
	ck_assert_uint_eq(server.n_asked, DOWNLOAD_ATTEMPTS_MAX);
}
END_TEST

START_TEST(disk_is_slow)
{
	busy = 3;
	begin(server.uri, 0, "");
	expect_image();
}
END_TEST

/* While a block is asked for; nobody hears of it any more. */
START_TEST(stopped)
{
	begin(server.uri, 0, "");
	while (n_begun == 0)
		ck_assert_int_ge(sd_event_run(event, 100 * USEC_PER_MSEC), 0);
	ck_assert_uint_lt(received.size, SIZE);
	download = download_free(download);
	ck_assert_int_eq(n_done, 0);
}
END_TEST

/* Without a key nothing is sent. */
START_TEST(no_key)
{
	begin("coaps://127.0.0.1/image", 0, "");
	receiver_run();
	ck_assert_int_eq(error, -EACCES);
	ck_assert_str_eq(trouble, "there is no key for this server: it is neither one of servers nor that of source");
}
END_TEST

static const char *const wrong[] = {
	"coap://host/a#b", "coap:///a", "coap://ho st/a", "coap://host:99999/a", "coap://host/%0", "coap://host/%zz",
	"coap://host/a%00b", "coap://host/1/2/3/4/5/6/7/8/9",
};

START_TEST(wrong_uris)
{
	struct coap_uri uri;

	ck_assert_int_lt(coap_uri_parse(wrong[_i], &uri), 0);
}
END_TEST

START_TEST(uris)
{
	struct coap_uri uri;

	ck_assert_int_eq(coap_uri_parse("coap://[::1]:99/a%2fb//c?x=%26&y", &uri), 0);
	ck_assert_str_eq(uri.server.host, "::1");
	ck_assert_uint_eq(uri.server.port, 99);
	ck_assert_uint_eq(uri.n_path, 3);
	ck_assert_str_eq(uri.path[0], "a/b");
	ck_assert_str_eq(uri.path[1], "");
	ck_assert_str_eq(uri.path[2], "c");
	ck_assert_uint_eq(uri.n_query, 2);
	ck_assert_str_eq(uri.query[0], "x=&");
	coap_uri_done(&uri);
	ck_assert_int_eq(coap_uri_parse("coaps://host", &uri), 0);
	ck_assert_uint_eq(uri.server.port, 5684);
	ck_assert_uint_eq(uri.n_path, 0);
	coap_uri_done(&uri);
	ck_assert_int_eq(coap_uri_parse("coap://host/?q", &uri), 0);
	ck_assert_uint_eq(uri.n_path, 0);
	ck_assert_uint_eq(uri.n_query, 1);
	coap_uri_done(&uri);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap");
	TCase *tcase = tcase_create("coap"), *pure = tcase_create("uris");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, whole);
	tcase_add_test(tcase, one_block);
	tcase_add_test(tcase, resumed);
	tcase_add_test(tcase, resumed_from_before);
	tcase_add_test(tcase, changed);
	tcase_add_test(tcase, nameless_now);
	tcase_add_test(tcase, changed_on_the_way);
	tcase_add_test(tcase, shorter_now);
	tcase_add_test(tcase, not_there);
	tcase_add_test(tcase, given_up);
	tcase_add_test(tcase, disk_is_slow);
	tcase_add_test(tcase, stopped);
	tcase_add_test(tcase, no_key);
	suite_add_tcase(suite, tcase);
	tcase_add_test(pure, uris);
	tcase_add_loop_test(pure, wrong_uris, 0, sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(suite, pure);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
