/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lwm2m/account.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/model/shipped.h"

struct account account;
char server_body[2048];
size_t server_body_size;
int32_t server_format, server_observe_number;
static uint16_t next_id;
static struct uri uri;
static char host[] = "127.0.0.1";

static struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

/* ---- what the client tells ---- */

static void on_state(void *userdata, enum client_state state, int error)
{
	static const char letters[] = {
		[CLIENT_STOPPED] = 'S',	      [CLIENT_REGISTERING] = 'g', [CLIENT_REGISTERED] = 'R',
		[CLIENT_UPDATING] = 'U',      [CLIENT_WAITING] = 'W',	  [CLIENT_DISABLED] = 'D',
		[CLIENT_DEREGISTERING] = 'd',
	};
	size_t n = strlen(account.states);

	ck_assert_uint_lt(n + 1, sizeof(account.states));
	account.states[n] = letters[state];
	account.states[n + 1] = 0;
	account.error = error;
}

static void on_attributes(void *userdata)
{
	account.n_attributes++;
}

static void on_failed(void *userdata)
{
	(void)userdata;
	account.failed++;
}

static const struct client_ops ops = { .state = on_state, .failed = on_failed, .attributes = on_attributes };

static int resolve(void *userdata, struct store *own, const struct span *segments, unsigned n,
		   struct target *ret)
{
	ret->store = own;
	return resolver_path(segments, n, &ret->path);
}

static bool may_make(void *userdata, const struct store *store, const struct path *path)
{
	return path->object == 16 || (path->object == 1 && path->depth >= PATH_RESOURCE);
}

static void on_change(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	client_changed(account.client, change, paths, n);
}

/* ---- the field ---- */

static void field_takes(const struct path *path, const char *text, backing_done done,
			void *userdata)
{
	char path_text[PATH_TEXT_MAX];

	account.n_field++;
	snprintf(account.field, sizeof(account.field), "%s=%s", path_format(path, path_text), text);
	account.done = done;
	account.done_userdata = userdata;
}

static void field_write(void *userdata, const struct path *path, const struct value *value,
			backing_done done, void *done_userdata)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(value_format_text(value, &text), 0);
	field_takes(path, text, done, done_userdata);
}

static void field_execute(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	field_takes(path, argument, done, done_userdata);
}

static int field_check(void *userdata, const struct path *path, const struct value *value,
		       char **ret_reason)
{
	if (value->type != VALUE_FLOAT || value->real <= 50)
		return 0;
	*ret_reason = strdup("vfd1.speed: out of range");
	return -ERANGE;
}

static void field_explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	snprintf(ret, size, "th1: words");
}

static const struct backing_ops field_ops = { .write = field_write,
					      .execute = field_execute,
					      .check = field_check,
					      .explain = field_explain };

void account_field(int error, const char *reason)
{
	backing_done done = account.done;

	ck_assert_ptr_nonnull(done);
	account.done = NULL;
	done(account.done_userdata, error, reason);
}

/* The agent's own executables, as builtin has them. */
static void agent_execute(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	done(done_userdata, 0, NULL);
	if (path->object == 3)
		client_restart(account.client);
	else if (path->resource == 4)
		client_disable(account.client);
	else
		client_update(account.client);
}

static const struct backing_ops agent_ops = { .execute = agent_execute };

/* ---- the store ---- */

void account_set(const char *path, struct value v)
{
	const struct path p = path_of(path);

	ck_assert_int_eq(store_update_one(account.store, &p, &v), 0);
	value_done(&v);
}

void account_set_text(const char *path, const char *text)
{
	struct value v = { 0 };

	ck_assert_int_eq(value_set_string(&v, text), 0);
	account_set(path, v);
}

void account_set_quality(const char *path, enum store_quality quality)
{
	const struct path p = path_of(path);

	ck_assert_int_eq(store_set_quality(account.store, &p, quality), 0);
}

static void add_backed(const char *path, const struct backing_ops *backing_ops)
{
	const struct backing backing = { .ops = backing_ops };
	const struct path p = path_of(path);

	ck_assert_int_eq(store_add_resource(account.store, &p, &backing), 0);
}

static void fill_store(void)
{
	static const uint16_t objects[] = { 0, 1, 3, 16, 3303, 3306, 3308, 3341 };
	const struct object_definition *temperature = definitions_newest(account.definitions, 3303);

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		ck_assert_int_eq(
			store_add_instance(account.store,
					   definitions_newest(account.definitions, objects[i]), 0),
			0);
	ck_assert_int_eq(store_add_instance(account.store, temperature, 1), 0);
	account_set_text("/0/0/0", "coap://127.0.0.1");
	account_set("/1/0/0", value_integer(101));
	account_set("/1/0/1", value_integer(3600));
	account_set("/1/0/6", value_boolean(true));
	account_set_text("/1/0/7", "U");
	account_set("/1/0/23", value_boolean(true));
	add_backed("/1/0/4", &agent_ops);
	add_backed("/1/0/8", &agent_ops);
	account_set_text("/3/0/0", "ACME");
	add_backed("/3/0/4", &agent_ops);
	account_set("/3/0/11/0", value_integer(0));
	account_set_text("/3/0/16", "U");
	account_set_text("/16/0/0/0", "host");
	add_backed("/3303/0/5700", &field_ops);
	account_set("/3303/1/5700", value_float(21.5));
	account_set_text("/3303/1/5701", "Cel");
	add_backed("/3306/0/5850", &field_ops);
	account_set("/3306/0/5850", value_boolean(false));
	add_backed("/3308/0/5900", &field_ops);
	add_backed("/3341/0/5530", &field_ops);
}

/* ---- life ---- */

void account_open(enum lwm2m_version version, bool fixed)
{
	account.client = client_free(account.client);
	account.config.version = version;
	account.config.version_fixed = fixed;
	ck_assert_int_eq(client_new(&account.config, &ops, NULL, &account.client), 0);
}

void account_set_up(void)
{
	struct definitions *definitions = account.definitions;

	rig_set_up_v4();
	account = (struct account){ .definitions = definitions, .resolver = { .resolve = resolve, .may_make = may_make } };
	next_id = 0x4000;
	uri = (struct uri){ .scheme = URI_COAP, .host = host, .port = rig.port };
	/* Once for all accounts that leave them standing. */
	if (!definitions)
		account.definitions = shipped_definitions();
	ck_assert_int_eq(store_new(account.definitions, &account.store), 0);
	fill_store();
	store_set_watch(account.store, on_change, NULL);
	account.config = (struct client_config){
		.transport = rig.transport,
		.governor = rig.governor,
		.timers = rig.timers,
		.definitions = account.definitions,
		.resolver = &account.resolver,
		.store = account.store,
		.endpoint = "urn:dev:ops:1-em1",
		.server_name = "plant",
		.uri = &uri,
		.short_id = 101,
		.first_value_usec = 30 * USEC_PER_SEC,
	};
	account_open(LWM2M_1_2, false);
}

void account_tear_down(void)
{
	account.client = client_free(account.client);
	account.store = store_free(account.store);
	account.definitions = definitions_free(account.definitions);
	rig_tear_down();
}

/* ---- the server ---- */

void server_registers(const struct message *request)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE(2, 01));
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	message_add_path(&m, "rd");
	message_add_path(&m, "1");
	peer_send(&m);
}

void account_register(void)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd"));
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account.states[0] = 0;
}

const char *message_queries(const struct message *m)
{
	static char text[512];
	size_t n = 0;

	text[0] = 0;
	for (unsigned i = 0; i < m->n_query; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%.*s", i > 0 ? "&" : "",
			      (int)m->query[i].n, (const char *)m->query[i].p);
	return text;
}

void server_expect_register(struct message *m, const char *queries)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_POST);
	ck_assert(message_is_path(m, "/rd"));
	ck_assert_str_eq(message_queries(m), queries);
	ck_assert_int_eq(m->content_format, FORMAT_LINK);
}

void server_expect_update(const char *query, bool list)
{
	struct message m;

	peer_receive(&m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	ck_assert_int_eq(m.code, CODE_POST);
	ck_assert(message_is_path(&m, "/rd/1"));
	ck_assert_str_eq(message_queries(&m), query);
	ck_assert_int_eq(m.content_format, list ? FORMAT_LINK : -1);
	ck_assert_int_eq(m.payload.n > 0, list);
	ck_assert_int_eq(client_state(account.client), CLIENT_UPDATING);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
}

void server_request(struct message *m, uint8_t type, uint8_t code, const char *path)
{
	peer_request(m, type, code, next_id++, path);
	m->token[0] = m->id & 0xff;
}

static void take_answer(const struct message *answer)
{
	server_body_size = answer->payload.n;
	ck_assert_uint_lt(server_body_size, sizeof(server_body));
	if (server_body_size > 0)
		memcpy(server_body, answer->payload.p, server_body_size);
	server_body[server_body_size] = 0;
	server_format = answer->content_format;
	server_observe_number = answer->observe;
}

void server_ask(const struct message *m, struct message *answer)
{
	peer_send(m);
	peer_receive(answer);
	ck_assert_int_eq(answer->type, MESSAGE_ACK);
	ck_assert_uint_eq(answer->id, m->id);
	if (answer->code != CODE_EMPTY) {
		ck_assert_uint_eq(answer->token_size, m->token_size);
		ck_assert_mem_eq(answer->token, m->token, m->token_size);
	}
	take_answer(answer);
}

static uint8_t ask(uint8_t code, const char *path, int32_t format, int32_t accept, const void *body,
		   size_t size)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, code, path);
	m.content_format = format;
	m.accept = accept;
	m.payload = span_of(body, size);
	server_ask(&m, &answer);
	return answer.code;
}

uint8_t server_get(const char *path, int32_t accept)
{
	return ask(CODE_GET, path, -1, accept, NULL, 0);
}

uint8_t server_put(const char *path, int32_t format, const void *body, size_t size)
{
	return ask(CODE_PUT, path, format, -1, body, size);
}

uint8_t server_post(const char *path, int32_t format, const void *body, size_t size)
{
	return ask(CODE_POST, path, format, -1, body, size);
}

uint8_t server_delete(const char *path)
{
	return ask(CODE_DELETE, path, -1, -1, NULL, 0);
}

static void add_queries(struct message *m, const char *queries)
{
	while (*queries) {
		size_t n = strcspn(queries, "&");

		m->query[m->n_query++] = span_of(queries, n);
		queries += n + (queries[n] == '&');
	}
}

uint8_t server_attributes(const char *path, const char *queries)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_PUT, path);
	add_queries(&m, queries);
	server_ask(&m, &answer);
	return answer.code;
}

uint8_t server_observe(const char *path, uint8_t token, int32_t accept)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_GET, path);
	m.token[0] = token;
	m.observe = 0;
	m.accept = accept;
	server_ask(&m, &answer);
	return answer.code;
}

void server_expect_notification(uint8_t token, const char *text, struct message *ret)
{
	peer_receive(ret);
	ck_assert_uint_eq(ret->token_size, 1);
	ck_assert_uint_eq(ret->token[0], token);
	take_answer(ret);
	if (text) {
		ck_assert_uint_eq(ret->code, CODE(2, 05));
		ck_assert_int_ge(ret->observe, 0);
		ck_assert_str_eq(server_body, text);
	}
	if (ret->type == MESSAGE_CON)
		peer_empty(MESSAGE_ACK, ret->id);
}
