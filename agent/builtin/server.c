/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "builtin/internal.h"
#include "model/account.h"

/* Object 1, Core appendix E.2. */

#define BINDING "U"

/* The trigger may name a binding to come over, 0='T' (Core 6.2.1.2); other arguments mean nothing. */
static bool names_other_binding(const char *argument)
{
	static const char bindings[] = "MHTSN";

	return has_prefix(argument, "0='") && argument[3] && strchr(bindings, argument[3]) && argument[4] == '\'';
}

static void server_execute(void *userdata, const struct path *path, const char *argument,
			   backing_done done, void *done_userdata)
{
	struct builtin *b = userdata;

	if (path->resource == SERVER_UPDATE_TRIGGER && names_other_binding(argument)) {
		done(done_userdata, -EINVAL, "only " BINDING " in this version");
		return;
	}
	/* The 2.04 leaves before what it promises begins (lwm2m.md). */
	done(done_userdata, 0, NULL);
	if (path->resource == SERVER_DISABLE)
		b->ports->disable(b->endpoint, path->instance);
	else if (path->resource == SERVER_BOOTSTRAP_TRIGGER)
		b->ports->bootstrap(b->endpoint);
	else
		b->ports->update(b->endpoint, path->instance);
}

static const struct backing_ops server_ops = { .execute = server_execute };

/* A binding that this client does not speak must not look accepted; `b` says U in every Register. */
static int binding_check(void *userdata, const struct path *path, const struct value *value,
			 char **ret_reason)
{
	(void)userdata;
	(void)path;
	if (streq(value->data, BINDING))
		return 0;
	*ret_reason = strdup("only " BINDING " in this version");
	return -EINVAL;
}

static const struct backing_ops binding_ops = { .check = binding_check };

static int add_binding(struct builtin *b, uint16_t instance)
{
	const struct path path = path_of_resource(1, instance, SERVER_BINDING);
	int r = builtin_back(b, &path, &binding_ops);

	return r < 0 ? r : builtin_set_text(b, 1, instance, SERVER_BINDING, BINDING);
}

static int add_executables(struct builtin *b, uint16_t instance)
{
	const struct path disable = path_of_resource(1, instance, SERVER_DISABLE);
	const struct path update = path_of_resource(1, instance, SERVER_UPDATE_TRIGGER);
	const struct path bootstrap = path_of_resource(1, instance, SERVER_BOOTSTRAP_TRIGGER);
	int r = builtin_back(b, &disable, &server_ops);

	if (r >= 0)
		r = builtin_back(b, &update, &server_ops);
	if (!b->bootstraps)
		store_remove_resource(b->store, &bootstrap);
	return r < 0 || !b->bootstraps ? r : builtin_back(b, &bootstrap, &server_ops);
}

/* Of thousands of endpoints each: what has its default stays away (Core 6.2.1.1 says what that means). */
static int set_optional(struct builtin *b, uint16_t instance, const struct builtin_settings *s)
{
	const struct {
		uint16_t resource;
		bool present;
		struct value value;
	} rows[] = {
		{ SERVER_PMIN, s->pmin_s >= 0, value_integer(s->pmin_s) },
		{ SERVER_PMAX, s->pmax_s >= 0, value_integer(s->pmax_s) },
		{ SERVER_PRIORITY, s->priority >= 0, value_integer(s->priority) },
		{ SERVER_INITIAL_DELAY, s->initial_delay_s >= 0, value_integer(s->initial_delay_s) },
		{ SERVER_FAILURE_BLOCK, s->failure_block, value_boolean(true) },
		{ SERVER_BOOTSTRAP_ON_FAILURE, s->stays_on_failure, value_boolean(false) },
		{ SERVER_RETRY_COUNT, s->retry_count >= 0, value_integer(s->retry_count) },
		{ SERVER_RETRY_TIMER, s->retry_timer_s >= 0, value_integer(s->retry_timer_s) },
		{ SERVER_SEQUENCE_DELAY, s->sequence_delay_s >= 0, value_integer(s->sequence_delay_s) },
		{ SERVER_SEQUENCE_COUNT, s->sequence_count >= 0, value_integer(s->sequence_count) },
		{ SERVER_NOTIFICATION_MODE, s->confirmable, value_integer(1) },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++) {
		const struct path path = path_of_resource(1, instance, rows[i].resource);

		if (rows[i].present)
			r = builtin_set(b, 1, instance, rows[i].resource, rows[i].value);
		else
			store_remove_resource(b->store, &path);
	}
	return r;
}

static int fill(struct builtin *b, const struct builtin_account *a)
{
	const struct builtin_settings *s = a->settings;
	const uint16_t i = a->instance;
	int r = builtin_set(b, 1, i, SERVER_SHORT_ID, value_integer(a->short_id));

	if (r >= 0)
		r = builtin_set(b, 1, i, SERVER_LIFETIME, value_integer(s->lifetime_s));
	if (r >= 0)
		r = set_optional(b, i, s);
	if (r >= 0)
		r = builtin_set(b, 1, i, SERVER_DISABLE_TIMEOUT, value_integer(s->disable_timeout_s));
	if (r >= 0)
		r = builtin_set(b, 1, i, SERVER_STORING, value_boolean(s->storing));
	if (r >= 0)
		r = add_binding(b, i);
	if (r >= 0)
		r = builtin_set(b, 1, i, SERVER_MUTE_SEND, value_boolean(!s->send));
	return r < 0 ? r : add_executables(b, i);
}

static int add_account(struct builtin *b, const struct object_definition *object, const struct builtin_account *a)
{
	int r = store_add_instance(b->store, object, a->instance);

	return r < 0 ? r : fill(b, a);
}

int server_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 1);
	int r = 0;

	b->bootstraps = v->bootstrap != NULL;
	if (v->n_accounts > 0 && !object)
		return -ENOENT;
	for (size_t i = 0; i < v->n_accounts && r >= 0; i++)
		r = add_account(b, object, &v->accounts[i]);
	return r;
}

/* What a server may neither have written nor taken away: other definitions may have. */
static int fill_missing(struct builtin *b, const struct builtin_account *a)
{
	const struct {
		uint16_t resource;
		struct value value;
	} settings[] = {
		{ SERVER_SHORT_ID, value_integer(a->short_id) },
		{ SERVER_LIFETIME, value_integer(a->settings->lifetime_s) },
		{ SERVER_STORING, value_boolean(a->settings->storing) },
	};
	const struct path binding = path_of_resource(1, a->instance, SERVER_BINDING);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings) && r >= 0; i++) {
		const struct path path = path_of_resource(1, a->instance, settings[i].resource);

		if (!store_exists(b->store, &path))
			r = builtin_set(b, 1, a->instance, settings[i].resource, settings[i].value);
	}
	if (r >= 0 && !store_exists(b->store, &binding))
		r = add_binding(b, a->instance);
	return r < 0 ? r : add_executables(b, a->instance);
}

static bool is_of_server(const struct builtin *b, const struct builtin_account *a)
{
	const struct path path = path_of_resource(1, a->instance, SERVER_SHORT_ID);
	struct value v = { 0 };

	return store_read(b->store, &path, true, &v, NULL) >= 0 && v.integer == a->short_id;
}

static int reload_account(struct builtin *b, const struct object_definition *object, const struct builtin_account *a)
{
	bool stays = is_of_server(b, a);

	if (!stays)
		store_remove_instance(b->store, 1, a->instance);
	return stays && a->overlaid ? fill_missing(b, a) : add_account(b, object, a);
}

int server_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 1);
	int r = 0;

	b->bootstraps = v->bootstrap != NULL;
	builtin_keep_accounts(b, 1, v);
	if (v->n_accounts > 0 && !object)
		return -ENOENT;
	for (size_t i = 0; i < v->n_accounts && r >= 0; i++)
		r = reload_account(b, object, &v->accounts[i]);
	return r;
}
