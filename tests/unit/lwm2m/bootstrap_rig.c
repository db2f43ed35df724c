/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lwm2m/bootstrap_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "lwm2m/bootstrap/staging.h"
#include "tests/unit/lwm2m/shape.h"
#include "tests/unit/transport/rig.h"
#include "tests/unit/model/shipped.h"

struct bootstrapped it;
char body[2048];
int32_t body_format;
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

void set_up_live(const char *text)
{
	it.live = store_free(it.live);
	it.live = shape_new(it.definitions, text);
	free(it.before);
	it.before = strdup(shape_text(it.live, "/"));
	it.config.store = it.live;
	it.bootstrap = bootstrap_free(it.bootstrap);
	ck_assert_int_eq(bootstrap_new(&it.config, &ops, &it, &it.bootstrap), 0);
}

void bootstrap_set_up(void)
{
	rig_set_up_v4();
	memset(&it, 0, sizeof(it));
	next_id = 0x4000;
	uri = (struct uri){ .scheme = URI_COAP, .host = host, .port = rig.port };
	it.definitions = shipped_definitions();
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

void bootstrap_tear_down(void)
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

void expect_request(struct message *m, const char *text)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_POST);
	ck_assert(message_is_path(m, "/bs"));
	ck_assert_str_eq(queries(m), text);
	ck_assert_uint_eq(m->payload.n, 0);
	ck_assert_int_eq(m->content_format, -1);
}

void open_it(void)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	it.states[0] = 0;
}

void request(struct message *m, uint8_t code, const char *path, int32_t format, const char *text)
{
	peer_request(m, MESSAGE_CON, code, next_id++, path);
	m->token[0] = m->id & 0xff;
	m->content_format = format;
	m->payload = span_of(text, strlen(text));
}

uint8_t exchange(struct message *m)
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

uint8_t ask(uint8_t code, const char *path, int32_t format, const char *text)
{
	struct message m;

	request(&m, code, path, format, text);
	return exchange(&m);
}

uint8_t put(const char *path, const char *text)
{
	return ask(CODE_PUT, path, FORMAT_SENML_JSON, text);
}

uint8_t get(const char *path, int32_t accept)
{
	struct message m;

	request(&m, CODE_GET, path, -1, "");
	m.accept = accept;
	return exchange(&m);
}

uint8_t finish(void)
{
	return ask(CODE_POST, "/bs", -1, "");
}

void write_all(void)
{
	ck_assert_uint_eq(put("/0/5", "[" SECURITY_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
}


void expect_pack_request(struct message *m)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_GET);
	ck_assert(message_is_path(m, "/bspack"));
	ck_assert_str_eq(queries(m), "ep=urn:dev:ops:1-em1&acc=</0/1>");
	ck_assert_int_eq(m->accept, FORMAT_SENML_CBOR);
}

void answer_pack(const struct message *asked, uint8_t code, int32_t format, const char *text)
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
