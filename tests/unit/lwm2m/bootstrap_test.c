/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "codec/codec.h"
#include "lwm2m/bootstrap.h"
#include "lwm2m/staging.h"
#include "tests/unit/lwm2m/shape.h"
#include "tests/unit/transport/rig.h"

/* One endpoint over the transport's rig: the test is its bootstrap server. */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define ACCOUNT "/0/1/0 coap://127.0.0.1\n/0/1/1 1\n/0/1/2 3\n"
#define LIVE ACCOUNT "/1\n/3/0/0 ACME\n/16/0/0/0 host\n"

static struct {
	struct definitions *definitions;
	struct store *live;
	struct bootstrap *bootstrap;
	struct bootstrap_config config;
	char *before;
	/* Letters of the states: I(dle) h(olding) p(acking) r(equesting) O(pen) T(aking) W(aiting). */
	char states[32];
	int error;
	unsigned n_taken, n_complete, n_expired;
	int take_error; /* for the next take */
	bool take_later; /* the test ends it */
	char *content;	/* that was taken */
	bool free_when_complete;
} it;
static struct uri uri;
static char host[] = "127.0.0.1";
static uint16_t next_id;

static bool may_make(void *userdata, const struct store *store, const struct path *path)
{
	return path->object == 16;
}
static const struct resolver resolver = { .may_make = may_make };

static void on_state(void *userdata, enum bootstrap_state state, int error)
{
	static const char letters[] = "IhprOTW";
	size_t n = strlen(it.states);

	ck_assert_uint_lt(n + 1, sizeof(it.states));
	it.states[n] = letters[state];
	it.states[n + 1] = 0;
	it.error = error;
}

static void on_take(void *userdata, struct staging *staging)
{
	int r = it.take_error;

	ck_assert_ptr_eq(userdata, &it);
	it.take_error = 0;
	it.n_taken++;
	free(it.content);
	it.content = strdup(shape_text(staging_store(staging), "/"));
	if (!it.take_later)
		bootstrap_took(it.bootstrap, r);
}

static void on_complete(void *userdata)
{
	it.n_complete++;
	ck_assert_int_eq(bootstrap_state(it.bootstrap), BOOTSTRAP_IDLE);
	if (it.free_when_complete)
		it.bootstrap = bootstrap_free(it.bootstrap);
}

static void on_expired(void *userdata)
{
	it.n_expired++;
	it.bootstrap = bootstrap_free(it.bootstrap);
}

static const struct bootstrap_ops ops = {
	.state = on_state, .take = on_take, .taken = on_complete, .expired = on_expired
};

#define expect_states(text)                       \
	do {                                      \
		ck_assert_str_eq(it.states, (text)); \
		it.states[0] = 0;                 \
	} while (0)

static void set_up_live(const char *text)
{
	it.live = store_free(it.live);
	it.live = shape_new(it.definitions, text);
	free(it.before);
	it.before = strdup(shape_text(it.live, "/"));
	it.config.store = it.live;
	it.bootstrap = bootstrap_free(it.bootstrap);
	ck_assert_int_eq(bootstrap_new(&it.config, &ops, &it, &it.bootstrap), 0);
}

static void set_up(void)
{
	rig_set_up_v4();
	memset(&it, 0, sizeof(it));
	next_id = 0x4000;
	uri = (struct uri){ .scheme = URI_COAP, .host = host, .port = rig.port };
	it.definitions = shape_definitions();
	it.config = (struct bootstrap_config){
		.transport = rig.transport,
		.governor = rig.governor,
		.timers = rig.timers,
		.definitions = it.definitions,
		.resolver = &resolver,
		.endpoint = "urn:dev:ops:1-em1",
		.server_name = "bs",
		.uri = &uri,
		.audit = true,
	};
	set_up_live(LIVE);
}

/* Whatever happened: nothing live has moved. */
static void tear_down(void)
{
	it.bootstrap = bootstrap_free(it.bootstrap);
	ck_assert_str_eq(shape_text(it.live, "/"), it.before);
	store_free(it.live);
	definitions_free(it.definitions);
	free(it.before);
	free(it.content);
	rig_tear_down();
}

/* ---- the server ---- */

static const char *queries(const struct message *m)
{
	static char text[1024];
	size_t n = 0;

	text[0] = 0;
	for (unsigned i = 0; i < m->n_query; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%.*s", i > 0 ? "&" : "", (int)m->query[i].n,
			      (const char *)m->query[i].p);
	return text;
}

static void expect_request(struct message *m, const char *text)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_POST);
	ck_assert(message_is_path(m, "/bs"));
	ck_assert_str_eq(queries(m), text);
	ck_assert_uint_eq(m->payload.n, 0);
	ck_assert_int_eq(m->content_format, -1);
}

#define REQUEST "ep=urn:dev:ops:1-em1&pct=112"

static void open_it(void)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	it.states[0] = 0;
}

static char body[2048];
static int32_t body_format;

static void request(struct message *m, uint8_t code, const char *path, int32_t format, const char *text)
{
	peer_request(m, MESSAGE_CON, code, next_id++, path);
	m->token[0] = m->id & 0xff;
	m->content_format = format;
	m->payload = span_of(text, strlen(text));
}

static uint8_t exchange(struct message *m)
{
	struct message answer;

	peer_send(m);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_ACK);
	ck_assert_uint_eq(answer.id, m->id);
	ck_assert_uint_lt(answer.payload.n, sizeof(body));
	snprintf(body, sizeof(body), "%.*s", (int)answer.payload.n, (const char *)answer.payload.p);
	body_format = answer.content_format;
	return answer.code;
}

static uint8_t ask(uint8_t code, const char *path, int32_t format, const char *text)
{
	struct message m;

	request(&m, code, path, format, text);
	return exchange(&m);
}

static uint8_t put(const char *path, const char *text)
{
	return ask(CODE_PUT, path, FORMAT_SENML_JSON, text);
}

static uint8_t get(const char *path, int32_t accept)
{
	struct message m;

	request(&m, CODE_GET, path, -1, "");
	m.accept = accept;
	return exchange(&m);
}

static uint8_t finish(void)
{
	return ask(CODE_POST, "/bs", -1, "");
}

#define SECURITY_5                                                                                     \
	"{\"bn\":\"/0/5/\",\"n\":\"0\",\"vs\":\"coap://two\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3}," \
	"{\"n\":\"10\",\"v\":102}"
#define SERVER_5 "{\"bn\":\"/1/5/\",\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":60},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}"
#define TAKEN_5 "/0/5\n/0/5/0 coap://two\n/0/5/1 0\n/0/5/2 3\n/0/5/10 102\n"

static void write_all(void)
{
	ck_assert_uint_eq(put("/0/5", "[" SECURITY_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
}

/* ---- client-initiated ---- */

START_TEST(test_bootstrap)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	/* Once is enough. */
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	bootstrap_start(it.bootstrap, true);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states("hrO");
	write_all();
	ck_assert_uint_eq(it.n_taken, 0);
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_str_eq(body, "");
	ck_assert_uint_eq(it.n_taken, 1);
	ck_assert_uint_eq(it.n_complete, 1);
	ck_assert_ptr_nonnull(strstr(it.content, TAKEN_5));
	expect_states("TI");
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
}
END_TEST

/* The owner may need none of it any more: another account, another server. */
START_TEST(test_freed_when_it_is_through)
{
	it.free_when_complete = true;
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_ptr_null(it.bootstrap);
}
END_TEST

/* The 2.04 may be lost: the same Finish is answered again, and not taken again. */
START_TEST(test_finish_repeated)
{
	struct message m;

	open_it();
	write_all();
	request(&m, CODE_POST, "/bs", -1, "");
	ck_assert_uint_eq(exchange(&m), CODE(2, 04));
	ck_assert_uint_eq(exchange(&m), CODE(2, 04));
	ck_assert_uint_eq(it.n_taken, 1);
}
END_TEST

START_TEST(test_hold_off)
{
	struct message m;

	set_up_live(LIVE "/0/1/11 30\n");
	bootstrap_start(it.bootstrap, false);
	rig_advance(SECONDS(29));
	peer_expect_silence();
	expect_states("h");
	rig_advance(SECONDS(1));
	expect_request(&m, REQUEST);
	bootstrap_stop(it.bootstrap);
	expect_states("rI");
	/* A server that asks for it is not put off, nor is who holds off already. */
	bootstrap_start(it.bootstrap, true);
	expect_request(&m, REQUEST);
	bootstrap_stop(it.bootstrap);
	bootstrap_start(it.bootstrap, false);
	bootstrap_start(it.bootstrap, true);
	expect_request(&m, REQUEST);
}
END_TEST

START_TEST(test_hold_off_out_of_range)
{
	struct message m;

	set_up_live(LIVE "/0/1/11 -30\n");
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	set_up_live(LIVE "/0/1/11 99999999999\n");
	bootstrap_start(it.bootstrap, false);
	rig_advance(USEC_PER_DAY);
	expect_request(&m, REQUEST);
}
END_TEST

START_TEST(test_without_format)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 15));
	expect_request(&m, "ep=urn:dev:ops:1-em1");
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states("hrrO");
}
END_TEST

START_TEST(test_without_format_refused)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 15));
	expect_request(&m, "ep=urn:dev:ops:1-em1");
	peer_answer(&m, CODE(4, 15));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
}
END_TEST

/* ---- failures ---- */

START_TEST(test_refused)
{
	char trouble[BOOTSTRAP_TROUBLE_MAX];
	struct message m;

	ck_assert_str_eq(bootstrap_trouble(it.bootstrap, trouble), "");
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 00));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
	expect_states("hrW");
	ck_assert_int_eq(it.error, -EINVAL);
	ck_assert(has_prefix(bootstrap_trouble(it.bootstrap, trouble), "it answered 4.00"));
	/* Again after a minute, then two, lengthened by no more than a quarter. */
	rig_advance(SECONDS(59));
	peer_expect_silence();
	rig_advance(SECONDS(16));
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 00));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
	rig_advance(SECONDS(119));
	peer_expect_silence();
	rig_advance(SECONDS(31));
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_str_eq(bootstrap_trouble(it.bootstrap, trouble), "");
}
END_TEST

START_TEST(test_unanswered)
{
	bootstrap_start(it.bootstrap, false);
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_REQUESTING);
	for (int i = 0; i < 200 && bootstrap_state(it.bootstrap) == BOOTSTRAP_REQUESTING; i++) {
		rig_advance(SECONDS(1));
		rig_turn();
	}
	expect_states("hrW");
	ck_assert_int_eq(it.error, -ETIMEDOUT);
}
END_TEST

/* 247 s without a message; each one begins them anew (Core 6.1.3.3). */
START_TEST(test_silent_server)
{
	open_it();
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert_uint_eq(get("/1", FORMAT_LINK), CODE(2, 05));
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert(bootstrap_is_open(it.bootstrap));
	rig_advance(SECONDS(1));
	rig_turn();
	expect_states("W");
	ck_assert_int_eq(it.error, -ETIMEDOUT);
	ck_assert_uint_eq(it.n_taken, 0);
}
END_TEST

START_TEST(test_inconsistent)
{
	open_it();
	ck_assert_uint_eq(put("/0/5", "[" SECURITY_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(finish(), CODE(4, 06));
	ck_assert_str_eq(body, "server 102 of /0/5 has no /1");
	ck_assert_int_eq(body_format, -1);
	ck_assert_uint_eq(it.n_taken, 0);
	ck_assert(bootstrap_is_open(it.bootstrap));
	/* It may mend it. */
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

/* What cannot be put in force is not finished, either. */
START_TEST(test_not_taken)
{
	open_it();
	write_all();
	it.take_error = -ENOMEM;
	ck_assert_uint_eq(finish(), CODE(4, 06));
	ck_assert(has_prefix(body, "it cannot be put in force: "));
	ck_assert_uint_eq(it.n_complete, 0);
	ck_assert(bootstrap_is_open(it.bootstrap));
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

/* Nobody hears of it before it has ended; meanwhile nothing else is done. */
START_TEST(test_taken_later)
{
	static const int errors[] = { -ENOSPC, 0 };
	struct message m, late;

	open_it();
	write_all();
	it.take_later = true;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		request(&m, CODE_POST, "/bs", -1, "");
		peer_send(&m);
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
		ck_assert(bootstrap_is_open(it.bootstrap));
		bootstrap_start(it.bootstrap, true);
		request(&late, CODE_DELETE, "/", -1, "");
		peer_send(&late);
		peer_expect_silence();
		/* Said again it is the same Finish. */
		peer_send(&m);
		peer_expect_silence();
		ck_assert_uint_eq(it.n_taken, i + 1);
		bootstrap_took(it.bootstrap, errors[i]);
		peer_receive(&late);
		ck_assert_uint_eq(late.id, m.id);
		ck_assert_uint_eq(late.code, errors[i] < 0 ? CODE(4, 06) : CODE(2, 04));
		ck_assert_uint_eq(it.n_complete, i);
	}
	expect_states("TOTI");
}
END_TEST

/* It takes longer than the server waits for, or the connection is gone: it ends all the same. */
START_TEST(test_taken_much_later)
{
	struct message m, answer;

	open_it();
	write_all();
	it.take_later = true;
	request(&m, CODE_POST, "/bs", -1, "");
	peer_send(&m);
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
	rig_advance(SECONDS(2));
	peer_receive(&answer);
	ck_assert_int_eq(answer.code, 0);
	rig_advance(SECONDS(300));
	rig_turn();
	ck_assert_int_eq(bootstrap_state(it.bootstrap), BOOTSTRAP_TAKING);
	bootstrap_took(it.bootstrap, 0);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_CON);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

/* ---- operations ---- */

static const struct {
	uint8_t code;
	const char *path;
	int32_t format; /* of a GET: Accept */
	const char *text;
	uint8_t answer;
	const char *body; /* NULL: whatever */
} operations[] = {
	{ CODE_GET, "/", FORMAT_LINK, "", CODE(2, 05), "</>;lwm2m=1.2,</0/1>,</1>,</3/0>,</16/0>" },
	{ CODE_GET, "/0", FORMAT_LINK, "", CODE(2, 05), "</>;lwm2m=1.2,</0/1>" },
	{ CODE_GET, "/7", FORMAT_LINK, "", CODE(4, 04), "" },
	{ CODE_GET, "/0/1", FORMAT_LINK, "", CODE(4, 05), "" },
	{ CODE_GET, "/1", -1, "", CODE(2, 05), NULL },
	{ CODE_GET, "/1", FORMAT_SENML_JSON, "", CODE(2, 05), NULL },
	{ CODE_GET, "/1", FORMAT_TEXT, "", CODE(4, 06), "" },
	{ CODE_GET, "/2", -1, "", CODE(4, 04), "" },
	{ CODE_GET, "/0", -1, "", CODE(4, 05), "" },
	{ CODE_GET, "/3/0", -1, "", CODE(4, 05), "" },
	{ CODE_GET, "/d01/3", -1, "", CODE(4, 05), "" },
	{ CODE_PUT, "/1/0", FORMAT_SENML_JSON, "[{\"n\":\"/1/0/0\",\"v\":1}]", CODE(2, 04), "" },
	{ CODE_PUT, "/1", FORMAT_SENML_JSON, "[{\"n\":\"/1/0/0\",\"v\":1}]", CODE(2, 04), "" },
	{ CODE_PUT, "/1/0/5", FORMAT_TEXT, "1", CODE(2, 04), "" },
	{ CODE_PUT, "/0/5/5", FORMAT_OPAQUE, "secret", CODE(2, 04), "" },
	{ CODE_PUT, "/1/0/5", FORMAT_TEXT, "x", CODE(4, 00), NULL },
	{ CODE_PUT, "/1/0/5", FORMAT_LINK, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0/5", -1, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0", FORMAT_TEXT, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0/5/0/0", FORMAT_TEXT, "1", CODE(4, 05), "" },
	{ CODE_PUT, "/d01/1/0/5", FORMAT_TEXT, "1", CODE(4, 05), "" },
	{ CODE_PUT, "/9999/0/5", FORMAT_TEXT, "1", CODE(4, 00), "/9999 is unknown here" },
	{ CODE_DELETE, "/", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/16", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/16/0", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/0/1", -1, "", CODE(4, 00), "this instance stays" },
	{ CODE_DELETE, "/1/0/5", -1, "", CODE(4, 00), "no less than an instance is deleted" },
	{ CODE_POST, "/1", FORMAT_SENML_JSON, "[]", CODE(4, 05), "" },
	{ CODE_POST, "/1/0/8", -1, "", CODE(4, 05), "" },
	{ CODE_POST, "/bs", FORMAT_TEXT, "x", CODE(4, 00), "Finish has no payload" },
	{ CODE_FETCH, "/", FORMAT_SENML_JSON, "[]", CODE(4, 05), "" },
};

START_TEST(test_operation)
{
	bool is_get = operations[_i].code == CODE_GET;

	open_it();
	ck_assert_uint_eq(is_get ? get(operations[_i].path, operations[_i].format) :
				   ask(operations[_i].code, operations[_i].path, operations[_i].format,
				       operations[_i].text),
			  operations[_i].answer);
	if (operations[_i].body)
		ck_assert_str_eq(body, operations[_i].body);
	if (is_get && operations[_i].answer == CODE(2, 05))
		ck_assert_int_eq(body_format, operations[_i].format < 0 ? FORMAT_SENML_CBOR : operations[_i].format);
	ck_assert(bootstrap_is_open(it.bootstrap));
}
END_TEST

/* ---- the Pack ---- */

static void expect_pack_request(struct message *m)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_GET);
	ck_assert(message_is_path(m, "/bspack"));
	ck_assert_str_eq(queries(m), "ep=urn:dev:ops:1-em1&acc=</0/1>");
	ck_assert_int_eq(m->accept, FORMAT_SENML_CBOR);
}

static void answer_pack(const struct message *asked, uint8_t code, int32_t format, const char *text)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.id = asked->id;
	m.token_size = asked->token_size;
	memcpy(m.token, asked->token, sizeof(m.token));
	m.content_format = format;
	m.payload = span_of(text, strlen(text));
	peer_send(&m);
}

START_TEST(test_pack)
{
	struct message m;

	it.config.pack = true;
	set_up_live(LIVE);
	bootstrap_start(it.bootstrap, false);
	expect_pack_request(&m);
	answer_pack(&m, CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "," SERVER_5 "]");
	rig_until(it.n_complete > 0);
	expect_states("hpTI");
	ck_assert_uint_eq(it.n_taken, 1);
	ck_assert_ptr_nonnull(strstr(it.content, TAKEN_5));
	/* No Finish is waited for, and nobody is listened to. */
	request(&m, CODE_POST, "/bs", -1, "");
	peer_send(&m);
	peer_expect_silence();
}
END_TEST

static const struct {
	uint8_t code;
	int32_t format;
	const char *text;
	int take_error;
} useless[] = {
	{ CODE(5, 01), -1, "", 0 },
	{ CODE(4, 05), -1, "", 0 },
	{ CODE(4, 00), -1, "", 0 },
	{ CODE(2, 05), FORMAT_TEXT, "x", 0 },
	{ CODE(2, 05), -1, "", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "]", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[{\"n\":\"/9999/0/0\",\"v\":1}]", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "," SERVER_5 "]", -ENOMEM },
};

START_TEST(test_pack_of_no_use)
{
	struct message m;

	it.config.pack = true;
	it.take_error = useless[_i].take_error;
	set_up_live(LIVE);
	bootstrap_start(it.bootstrap, false);
	expect_pack_request(&m);
	answer_pack(&m, useless[_i].code, useless[_i].format, useless[_i].text);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states(useless[_i].take_error < 0 ? "hpTrO" : "hprO");
	/* Nothing of the pack is left. */
	ck_assert_uint_eq(get("/0", FORMAT_LINK), CODE(2, 05));
	ck_assert_str_eq(body, "</>;lwm2m=1.2,</0/1>");
	ck_assert_uint_eq(it.n_complete, 0);
}
END_TEST

/* ---- the account's time ---- */

START_TEST(test_expiry)
{
	set_up_live(LIVE "/0/1/12 600\n");
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	rig_advance(SECONDS(599));
	ck_assert_uint_eq(it.n_expired, 0);
	rig_advance(SECONDS(1));
	ck_assert_uint_eq(it.n_expired, 1);
	ck_assert_ptr_null(it.bootstrap);
}
END_TEST

START_TEST(test_expiry_that_was_left)
{
	bootstrap_expire_in(it.bootstrap, SECONDS(5));
	bootstrap_expire_in(it.bootstrap, USEC_INFINITY);
	rig_advance(USEC_PER_DAY);
	ck_assert_uint_eq(it.n_expired, 0);
	bootstrap_expire_in(it.bootstrap, SECONDS(5));
	/* 0 or absent: never. What comes out of a bootstrap counts. */
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	rig_advance(USEC_PER_DAY);
	ck_assert_uint_eq(it.n_expired, 0);
}
END_TEST

/* ---- every event in every state ---- */

static void enter(enum bootstrap_state state)
{
	struct message m;

	switch (state) {
	case BOOTSTRAP_IDLE:
		break;
	case BOOTSTRAP_HOLDING:
		set_up_live(LIVE "/0/1/11 30\n");
		bootstrap_start(it.bootstrap, false);
		break;
	case BOOTSTRAP_PACKING:
		it.config.pack = true;
		set_up_live(LIVE);
		bootstrap_start(it.bootstrap, false);
		expect_pack_request(&m);
		break;
	case BOOTSTRAP_REQUESTING:
		bootstrap_start(it.bootstrap, false);
		expect_request(&m, REQUEST);
		break;
	case BOOTSTRAP_OPEN:
		open_it();
		break;
	case BOOTSTRAP_TAKING:
		open_it();
		write_all();
		it.take_later = true;
		request(&m, CODE_POST, "/bs", -1, "");
		peer_send(&m);
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
		break;
	case BOOTSTRAP_WAITING:
		bootstrap_start(it.bootstrap, false);
		expect_request(&m, REQUEST);
		peer_answer(&m, CODE(4, 03));
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
		break;
	}
	ck_assert_int_eq(bootstrap_state(it.bootstrap), state);
	it.states[0] = 0;
}

START_TEST(test_stop)
{
	enter((enum bootstrap_state)_i);
	bootstrap_stop(it.bootstrap);
	ck_assert_int_eq(bootstrap_state(it.bootstrap), BOOTSTRAP_IDLE);
	rig_turn();
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
	ck_assert_str_eq(it.states, _i == BOOTSTRAP_IDLE ? "" : "I");
}
END_TEST

START_TEST(test_free)
{
	enter((enum bootstrap_state)_i);
	it.bootstrap = bootstrap_free(it.bootstrap);
	rig_turn();
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
	ck_assert_str_eq(it.states, "");
}
END_TEST

/* Only an open door lets anything in. */
START_TEST(test_request_before_the_answer)
{
	struct message asked, m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&asked, REQUEST);
	request(&m, CODE_DELETE, "/", -1, "");
	peer_send(&m);
	peer_expect_silence();
	peer_answer(&asked, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	/* It comes again. */
	ck_assert_uint_eq(exchange(&m), CODE(2, 02));
}
END_TEST

START_TEST(test_names)
{
	for (int i = BOOTSTRAP_IDLE; i <= BOOTSTRAP_WAITING; i++)
		ck_assert_uint_gt(strlen(bootstrap_state_name((enum bootstrap_state)i)), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bootstrap");
	TCase *tests = tcase_create("bootstrap");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_bootstrap);
	tcase_add_test(tests, test_freed_when_it_is_through);
	tcase_add_test(tests, test_finish_repeated);
	tcase_add_test(tests, test_hold_off);
	tcase_add_test(tests, test_hold_off_out_of_range);
	tcase_add_test(tests, test_without_format);
	tcase_add_test(tests, test_without_format_refused);
	tcase_add_test(tests, test_refused);
	tcase_add_test(tests, test_unanswered);
	tcase_add_test(tests, test_silent_server);
	tcase_add_test(tests, test_inconsistent);
	tcase_add_test(tests, test_not_taken);
	tcase_add_test(tests, test_taken_later);
	tcase_add_test(tests, test_taken_much_later);
	tcase_add_loop_test(tests, test_operation, 0, ARRAY_SIZE(operations));
	tcase_add_test(tests, test_pack);
	tcase_add_loop_test(tests, test_pack_of_no_use, 0, ARRAY_SIZE(useless));
	tcase_add_test(tests, test_expiry);
	tcase_add_test(tests, test_expiry_that_was_left);
	tcase_add_loop_test(tests, test_stop, BOOTSTRAP_IDLE, BOOTSTRAP_WAITING + 1);
	tcase_add_loop_test(tests, test_free, BOOTSTRAP_IDLE, BOOTSTRAP_WAITING + 1);
	tcase_add_test(tests, test_request_before_the_answer);
	tcase_add_test(tests, test_names);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
