/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/observe/script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/str.h"

struct attributes server_defaults;
struct buf told;
enum outcome outcome;

static const char objects[] =
	"schema: 1\n"
	"object: {id: 1000, name: Test, version: \"1.0\", instances: multiple}\n"
	"resources:\n"
	"  0: {name: Number, operations: RW, type: float}\n"
	"  1: {name: Text, operations: RW, type: string}\n"
	"  2: {name: Numbers, operations: RW, type: integer, multiple: true}\n"
	"  3: {name: Switch, operations: RW, type: boolean}\n"
	"  4: {name: Switches, operations: RW, type: boolean, multiple: true}\n"
	"  5518: {name: Timestamp, operations: R, type: time}\n"
	"  6042: {name: Quality, operations: R, type: integer}\n";

struct attributes script_defaults(void *userdata)
{
	return server_defaults;
}

static void log_path(const struct observed *at)
{
	_cleanup_records_ struct records now = { 0 };
	char path[PATH_TEXT_MAX];
	int r = store_collect(store, &at->path, false, &now, NULL);

	if (at->path.depth < PATH_RESOURCE || r < 0)
		buf_printf(&told, r < 0 ? "-" : "%s", path_format(&at->path, path));
	for (size_t i = 0; i < now.n && at->path.depth >= PATH_RESOURCE; i++) {
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(value_format_text(&now.items[i].value, &text), 0);
		buf_printf(&told, "%s%s", i ? "," : "", text);
	}
}

static void log_content(struct observation *o)
{
	for (unsigned i = 0; i < o->n_paths; i++) {
		if (i > 0)
			buf_append_byte(&told, '|');
		log_path(observation_path(o, i));
	}
	buf_printf(&told, "@%u ", second);
}

static void notify(void *userdata, struct observation *o)
{
	switch (outcome) {
	case SENT:
	case IN_FLIGHT:
		log_content(o);
		o->in_flight = outcome == IN_FLIGHT;
		observation_sent(observations, o);
		return;
	case FAILED:
		buf_printf(&told, "failed@%u ", second);
		observation_failed(observations, o, 5 * USEC_PER_SEC);
		return;
	case NOTHING:
		buf_printf(&told, "nothing@%u ", second);
		return;
	case REMOVES_ALL:
		log_content(o);
		observations_clear(observations);
		return;
	}
}

void script_gone(void *userdata, struct observation *o)
{
	char path[PATH_TEXT_MAX];

	buf_printf(&told, "gone:%s@%u ", path_format(&observation_path(o, 0)->path, path), second);
	if (outcome == REMOVES_ALL)
		observations_clear(observations);
}

void script_set_up(void)
{
	const struct observations_config config = { .defaults = script_defaults,
						    .notify = notify,
						    .gone = script_gone };

	outcome = SENT;
	server_defaults = (struct attributes){ 0 };
	rig_set_up(objects, &config);
}

void script_tear_down(void)
{
	rig_tear_down();
	buf_done(&told);
}

static struct path below_instance(const char *text)
{
	char full[64];

	snprintf(full, sizeof(full), "/1000/0/%s", text);
	return path_of(full);
}

static void set_value(const char *where, const char *text)
{
	struct path path = below_instance(where);
	_cleanup_value_ struct value value = { 0 };

	ck_assert_int_eq(
		value_parse_text(text, strlen(text), store_resource(store, &path)->type, &value),
		0);
	ck_assert_int_eq(store_update_one(store, &path, &value), 0);
}

static void attach(char *text)
{
	*strchr(text, ',') = ' ';
	ck_assert_int_eq(attribute_set_parse(attributes, span_of(text, strlen(text))), 0);
	observations_reconsider(observations);
}

static void run_word(char *word)
{
	const struct object_definition *object = definitions_newest(definitions, 1000);
	struct path path;
	char *equals;

	if (*word == '+') {
		pass(atoi(word + 1));
	} else if (*word == 'i') {
		ck_assert_int_eq(store_add_instance(store, object, atoi(word + 1)), 0);
	} else if (has_prefix(word, "-i")) {
		ck_assert_int_eq(store_remove_instance(store, 1000, atoi(word + 2)), 0);
	} else if (*word == '-') {
		path = below_instance(word + 1);
		ck_assert_int_eq(store_remove_value(store, &path), 0);
	} else if (*word == '~') {
		path = below_instance(word + 1);
		ck_assert_int_eq(store_set_quality(store, &path, STORE_STALE), 0);
	} else if (has_prefix(word, "a:")) {
		attach(word + 2);
	} else {
		equals = strchr(word, '=');
		ck_assert_msg(equals, "%s", word);
		*equals = 0;
		set_value(word, equals + 1);
	}
}

const char *run(const char *script)
{
	static char out[1024];
	char copy[512], *word, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", script);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		run_word(word);
	snprintf(out, sizeof(out), "%.*s", (int)told.size, (const char *)told.data ?: "");
	told.size = 0;
	return out;
}

int observe_with(const char *paths, uint8_t token, const struct attributes *own)
{
	struct observation o = { .token = { token }, .token_size = 1, .attributes = own };
	struct observed at[8];
	char copy[256], *word, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", paths);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		ck_assert_uint_lt(o.n_paths, ARRAY_SIZE(at));
		at[o.n_paths++] = (struct observed){ .path = path_of(word), .store = store };
	}
	o.composite = o.n_paths > 1;
	return observations_add(observations, &o, at);
}

int observe(const char *paths, uint8_t token)
{
	return observe_with(paths, token, NULL);
}

void begin(const char *before, const char *attached, const char *path)
{
	run("i0");
	run(before);
	ck_assert_int_eq(attribute_set_parse(attributes, span_of(attached, strlen(attached))), 0);
	ck_assert_int_eq(observe(path, 1), 0);
}
