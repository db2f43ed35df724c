/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bootstrap/taken.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "codec/codec.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/persist_internal.h"
#include "lwm2m/bootstrap/account_objects.h"
#include "lwm2m/bootstrap/staging.h"

/* ---- what is in it ---- */

const struct value *taken_value(const struct taken *t, uint16_t object, uint16_t instance, uint16_t resource)
{
	const struct path path = path_of_resource(object, instance, resource);
	const struct record *record = records_find(&t->records, &path);

	return record ? &record->value : NULL;
}

static bool is_bootstrap(const struct taken *t, uint16_t security)
{
	const struct value *v = taken_value(t, ACCOUNT_SECURITY, security, SECURITY_IS_BOOTSTRAP);

	return v && v->boolean;
}

uint16_t taken_bootstrap(const struct taken *t)
{
	for (size_t i = 0; i < t->records.n; i++) {
		const struct path *path = &t->records.items[i].path;

		if (path->object == ACCOUNT_SECURITY && is_bootstrap(t, path->instance))
			return path->instance;
	}
	return ID_NONE;
}

static const struct taken_key *find_key(const struct taken *t, uint16_t security)
{
	for (size_t i = 0; i < t->n_keys; i++)
		if (t->keys[i].security == security)
			return &t->keys[i];
	return NULL;
}

void taken_done(struct taken *t)
{
	for (size_t i = 0; i < t->n_keys; i++)
		free(t->keys[i].reference);
	free(t->keys);
	free(t->instances);
	free(t->same);
	records_done(&t->records);
	*t = (struct taken){ 0 };
}

void taken_purge(struct taken *t)
{
	uint16_t security = taken_bootstrap(t);
	size_t kept = 0;

	for (size_t i = 0; i < t->records.n; i++) {
		struct record *record = &t->records.items[i];

		if (record->path.object == ACCOUNT_SECURITY && record->path.instance == security)
			value_done(&record->value);
		else
			t->records.items[kept++] = *record;
	}
	t->records.n = kept;
	t->purge_s = 0;
}

/* ---- out of what a bootstrap server did ---- */

struct collecting {
	const struct endpoint *endpoint;
	struct store *store;
	struct taken *taken;
};

static int add_instance(struct taken *t, const struct path *instance)
{
	struct path *instances = reallocarray(t->instances, t->n_instances + 1, sizeof(*instances));

	if (!instances)
		return -ENOMEM;
	t->instances = instances;
	instances[t->n_instances++] = *instance;
	return 0;
}

static int collect_value(void *userdata, const struct path *path)
{
	struct collecting *c = userdata;
	struct value v = { 0 };
	int r = 0;

	if (path->depth >= PATH_RESOURCE && store_read(c->store, path, true, &v, NULL) >= 0)
		return records_add(&c->taken->records, path, &v, 0);
	if (path->depth == PATH_INSTANCE && taken_is_once(c->endpoint, path->object))
		r = add_instance(c->taken, path);
	return r < 0 ? r : store_children(c->store, path, collect_value, c);
}

static int add_key(struct taken *t, uint16_t security, const struct account_terms *terms)
{
	struct taken_key *keys = reallocarray(t->keys, t->n_keys + 1, sizeof(*keys));
	const struct path path = path_of_resource(ACCOUNT_SECURITY, security, SECURITY_SECRET);
	struct taken_key *key;
	struct value v = { 0 };
	int r;

	if (!keys)
		return -ENOMEM;
	t->keys = keys;
	key = &keys[t->n_keys++];
	*key = (struct taken_key){ .security = security, .source = terms->source };
	r = str_replace(&key->reference, terms->key);
	if (r < 0 || !terms->secret || records_find(&t->records, &path))
		return r;
	r = value_set_bytes(&v, VALUE_OPAQUE, terms->secret, terms->n_secret);
	return r < 0 ? r : records_add(&t->records, &path, &v, 0);
}

static int add_keys(const struct bootstrapping *b, struct staging *staging, struct taken *t)
{
	int r = 0;

	for (const struct account *a = b->endpoint->accounts; a && r >= 0; a = a->next)
		if (staging_key_is_elsewhere(staging, a->security))
			r = add_key(t, a->security, &a->server->terms);
	if (r >= 0 && staging_key_is_elsewhere(staging, b->security))
		r = add_key(t, b->security, &b->server->terms);
	return r;
}

int taken_of_staging(const struct bootstrapping *b, struct staging *staging, struct taken *ret)
{
	const struct path root = { .depth = PATH_ROOT };
	struct taken t = { .rest = true };
	struct collecting c = { .endpoint = b->endpoint, .store = staging_store(staging), .taken = &t };
	int r = store_children(c.store, &root, collect_value, &c);

	if (r >= 0)
		r = add_keys(b, staging, &t);
	if (r >= 0)
		r = taken_note_same(b->endpoint, &t);
	if (r < 0)
		taken_done(&t);
	else
		*ret = t;
	return r;
}

/* ---- as a record: lines, and SenML JSON behind them ---- */

#define HEAD "bootstrap 1"

static int print_head(const struct endpoint *e, const struct taken *t, struct buf *out)
{
	int r = buf_printf(out, HEAD " purge=%" PRIu64 "\nendpoint %s\n", t->purge_s, endpoint_client_name(e));

	for (size_t i = 0; i < t->n_keys && r >= 0; i++)
		r = buf_printf(out, "account %u %s %s\n", t->keys[i].security,
			       account_source_name(t->keys[i].source), t->keys[i].reference ?: "-");
	return r;
}

static int print_rest(const struct taken *t, struct buf *out)
{
	int r = buf_append_text(out, "rest\n");

	for (size_t i = 0; i < t->n_same && r >= 0; i++)
		r = buf_printf(out, "same %u\n", t->same[i]);
	for (size_t i = 0; i < t->n_instances && r >= 0; i++)
		r = buf_printf(out, "instance %u %u\n", t->instances[i].object, t->instances[i].instance);
	return r;
}

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->allocated);
	buf_done(b);
}
#define _cleanup_wipe_ _cleanup_(wipe)

/* All, or all but what is kept elsewhere; the values stay t's. The caller frees it. */
static struct record *find_kept(const struct endpoint *e, const struct taken *t, bool rest, size_t *ret_n)
{
	struct record *kept = calloc(t->records.n + 1, sizeof(*kept));

	*ret_n = 0;
	for (size_t i = 0; i < t->records.n && kept; i++)
		if (rest || !taken_is_once(e, t->records.items[i].path.object))
			kept[(*ret_n)++] = t->records.items[i];
	return kept;
}

static int print(const struct endpoint *e, const struct taken *t, bool rest, struct buf *out)
{
	const struct path root = { .depth = PATH_ROOT };
	size_t n;
	_cleanup_free_ struct record *kept = find_kept(e, t, rest, &n);
	int r = kept ? buf_reserve(out, STATE_RECORD_MAX / 64) : -ENOMEM;

	if (r >= 0)
		r = print_head(e, t, out);
	if (r >= 0 && rest)
		r = print_rest(t, out);
	if (r >= 0)
		r = buf_append_text(out, "\n");
	return r < 0 ? r : codec_find(FORMAT_SENML_JSON)->encode(&root, kept, n, false, out);
}

int taken_save(const struct endpoint *e, const struct taken *t)
{
	_cleanup_wipe_ struct buf out = { 0 };
	int r = print(e, t, false, &out);

	return r < 0 ? r : state_save(e->registry->config.state, endpoint_label(e), PERSIST_BOOTSTRAP, out.data, out.size);
}

int taken_commit(const struct endpoint *e, const struct taken *t, struct buf *former, state_done done, void *userdata,
		 struct state_commit **ret)
{
	struct state *state = e->registry->config.state;
	_cleanup_wipe_ struct buf out = { 0 };
	int r = print(e, t, true, &out);

	if (r < 0)
		return r;
	/* One that is damaged is of no use to anybody. */
	if (state_load(state, endpoint_label(e), PERSIST_BOOTSTRAP, former) == -ENOMEM)
		return -ENOMEM;
	return state_commit(state, endpoint_label(e), PERSIST_BOOTSTRAP, out.data, out.size, done, userdata, ret);
}

void taken_put_back(const struct endpoint *e, const struct buf *former)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };
	struct state *state = e->registry->config.state;
	int r = former->size > 0 ? state_save(state, endpoint_label(e), PERSIST_BOOTSTRAP, former->data, former->size) :
				   state_remove(state, endpoint_label(e), PERSIST_BOOTSTRAP);

	if (r < 0)
		log_error(&about, "%s: after a restart it may have accounts that are not in force now: %s",
			  endpoint_label(e), strerror(-r));
}

void taken_former_done(struct buf *former)
{
	wipe(former);
}

static const struct resource_definition *lookup(void *userdata, const struct path *path)
{
	const struct object_definition *object = definitions_newest(userdata, path->object);

	return object && path->depth >= PATH_RESOURCE ? object_resource(object, path->resource) : NULL;
}

static int take_line(struct span *text, struct span *ret)
{
	const uint8_t *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;

	if (!end)
		return -EBADMSG;
	*ret = span_of(text->p, (size_t)(end - text->p));
	*text = span_of(end + 1, text->n - ret->n - 1);
	return 0;
}

static int parse_key(struct taken *t, const char *line)
{
	const struct account_terms none = { .source = ACCOUNT_YAML };
	char source[16], reference[4096];
	unsigned security;
	int r;

	if (sscanf(line, "account %u %15s %4095[^\n]", &security, source, reference) != 3 || security >= ID_NONE)
		return -EBADMSG;
	r = add_key(t, (uint16_t)security, &none);
	if (r < 0)
		return r;
	if (streq(source, account_source_name(ACCOUNT_BOOTSTRAP)))
		t->keys[t->n_keys - 1].source = ACCOUNT_BOOTSTRAP;
	return streq(reference, "-") ? 0 : str_replace(&t->keys[t->n_keys - 1].reference, reference);
}

static int parse_rest(struct taken *t, const char *line)
{
	struct path instance = path_of_instance(0, 0);
	uint16_t short_id;

	if (streq(line, "rest"))
		t->rest = true;
	else if (sscanf(line, "same %" SCNu16, &short_id) == 1)
		return taken_add_same(t, short_id);
	else if (sscanf(line, "instance %" SCNu16 " %" SCNu16, &instance.object, &instance.instance) == 2)
		return add_instance(t, &instance);
	else
		return -EBADMSG;
	return 0;
}

/* Keys and accounts are those of an endpoint client name. */
static int check_name(const struct endpoint *e, const char *name)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (streq(name, endpoint_client_name(e)))
		return 0;
	log_notice(&about, "%s: what was bootstrapped is that of %s, which it is not any more", endpoint_label(e), name);
	return -ENOENT;
}

static int parse_head(const struct endpoint *e, struct taken *t, struct span *text)
{
	struct span line;
	int r = take_line(text, &line);

	while (r >= 0 && line.n > 0) {
		_cleanup_free_ char *copy = strndup((const char *)line.p, line.n);

		if (!copy)
			return -ENOMEM;
		if (has_prefix(copy, "account "))
			r = parse_key(t, copy);
		else if (has_prefix(copy, "endpoint "))
			r = check_name(e, copy + strlen("endpoint "));
		else if (sscanf(copy, HEAD " purge=%" SCNu64, &t->purge_s) != 1)
			r = parse_rest(t, copy);
		if (r >= 0)
			r = take_line(text, &line);
	}
	return r;
}

int taken_load(const struct endpoint *e, struct taken *ret)
{
	const struct path root = { .depth = PATH_ROOT };
	const struct registry_config *config = &e->registry->config;
	_cleanup_wipe_ struct buf record = { 0 };
	struct taken t = { .purge_s = 0 };
	const char *reason = NULL;
	struct span text;
	int r = e->nameless ? -ENOENT : state_load(config->state, endpoint_label(e), PERSIST_BOOTSTRAP, &record);

	if (r < 0)
		return r;
	text = span_of(record.data, record.size);
	r = parse_head(e, &t, &text);
	if (r >= 0)
		r = codec_find(FORMAT_SENML_JSON)->decode(&root, text, lookup, (void *)(uintptr_t)config->definitions, &t.records, &reason);
	if (r < 0)
		taken_done(&t);
	else
		*ret = t;
	return r;
}

static bool is_of(struct span text, const char *client_name)
{
	static const char word[] = "endpoint ";
	const size_t n = sizeof(word) - 1, size = strlen(client_name);
	struct span line;

	while (take_line(&text, &line) >= 0 && line.n > 0)
		if (line.n == n + size && memcmp(line.p, word, n) == 0 && memcmp(line.p + n, client_name, size) == 0)
			return true;
	return false;
}

bool taken_lies(const char *state_folder, const char *label, const char *client_name)
{
	_cleanup_wipe_ struct buf record = { 0 };

	return state_has(state_folder, label, PERSIST_BOOTSTRAP) && state_peek(state_folder, label, PERSIST_BOOTSTRAP, &record) >= 0 &&
	       is_of(span_of(record.data, record.size), client_name);
}

/* ---- accounts out of it ---- */

/* The server of the configuration that has this short id, or NULL. */
static const struct config_server *find_config(const struct config *c, uint16_t short_id)
{
	for (size_t i = 0; i < c->n_servers; i++)
		if (c->servers[i].short_id == short_id)
			return &c->servers[i];
	return NULL;
}

#define LIVENESS_USEC (5 * USEC_PER_MINUTE)

/* What no object says: as servers[] has it of the same server, or by default. */
static int take_manners(const struct config *config, struct account_terms *t)
{
	const struct config_server *same = find_config(config, t->short_id);
	struct account_terms yaml;
	int r = same ? terms_of_yaml(same, &yaml) : 0;

	t->version = LWM2M_1_2;
	t->liveness_usec = LIVENESS_USEC;
	if (r < 0)
		return r;
	if (!same)
		return asprintf(&t->name, t->short_id ? "server-%u" : "bootstrap", t->short_id) < 0 ? -ENOMEM : 0;
	SWAP(t->name, yaml.name);
	SWAP(t->formats, yaml.formats);
	SWAP(t->n_formats, yaml.n_formats);
	SWAP(t->profile_id, yaml.profile_id);
	SWAP(t->profile_list, yaml.profile_list);
	t->version = yaml.version;
	t->version_fixed = yaml.version_fixed;
	t->liveness_usec = yaml.liveness_usec;
	t->queue_mode = yaml.queue_mode;
	terms_done(&yaml);
	return 0;
}

static int64_t number(const struct taken *t, uint16_t object, uint16_t instance, uint16_t resource, int64_t missing)
{
	const struct value *v = taken_value(t, object, instance, resource);
	_cleanup_value_ struct value integer = { 0 };

	if (!v)
		return missing;
	if (v->type == VALUE_BOOLEAN)
		return v->boolean;
	return value_convert(v, VALUE_INTEGER, &integer) < 0 ? missing : integer.integer;
}

static int take_text(const struct taken *t, uint16_t security, uint16_t resource, char **ret)
{
	const struct value *v = taken_value(t, ACCOUNT_SECURITY, security, resource);

	if (!v)
		return 0;
	/* This client's identities are texts. */
	if (v->size > 0 && memchr(v->data, 0, v->size))
		return -EINVAL;
	*ret = strndup(v->data, v->size);
	return *ret ? 0 : -ENOMEM;
}

/* The binding modes of LwM2M 1.0 have it among them ("UQ"); later versions, and no object, in Register alone. */
static bool wants_queue_mode(const struct taken *t, uint16_t server)
{
	const struct value *v = taken_value(t, ACCOUNT_SERVER, server, SERVER_BINDING);

	return v && v->size > 0 && memchr(v->data, 'Q', v->size);
}

static int take_key(const struct taken *t, uint16_t security, struct account_terms *terms)
{
	const struct value *v = taken_value(t, ACCOUNT_SECURITY, security, SECURITY_SECRET);
	const struct taken_key *key = find_key(t, security);

	terms->source = key ? key->source : ACCOUNT_BOOTSTRAP;
	if (terms->security != SESSION_SECURITY_PSK)
		return 0;
	if (!v)
		return key ? str_replace(&terms->key, key->reference) : -EINVAL;
	terms->secret = malloc(v->size ?: 1);
	if (!terms->secret)
		return -ENOMEM;
	memcpy(terms->secret, v->data, v->size);
	terms->n_secret = v->size;
	return 0;
}

static struct builtin_settings settings_of(const struct taken *t, uint16_t server)
{
	const struct {
		uint16_t resource;
		int64_t missing;
	} settings[] = { { SERVER_LIFETIME, 86400 }, { 5, 86400 }, { SERVER_STORING, true }, { 23, true },
			 { 2, -1 },  { 3, -1 },	 { 13, -1 }, { 14, -1 }, { 15, false }, { 16, true },
			 { 17, -1 }, { 18, -1 }, { 19, -1 }, { 20, -1 }, { 26, false } };
	int64_t v[ARRAY_SIZE(settings)];

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		v[i] = number(t, ACCOUNT_SERVER, server, settings[i].resource, settings[i].missing);
	return (struct builtin_settings){
		.lifetime_s = (uint32_t)v[0],
		.disable_timeout_s = (uint32_t)v[1],
		.storing = v[2],
		.send = !v[3],
		.pmin_s = v[4],
		.pmax_s = v[5],
		.priority = v[6],
		.initial_delay_s = v[7],
		.failure_block = v[8],
		.stays_on_failure = !v[9],
		.retry_count = v[10],
		.retry_timer_s = v[11],
		.sequence_delay_s = v[12],
		.sequence_count = v[13],
		.confirmable = v[14],
	};
}

int taken_terms(const struct taken *t, const struct config *config, uint16_t security, uint16_t server,
		struct account_terms *ret)
{
	bool secure = number(t, ACCOUNT_SECURITY, security, SECURITY_MODE, -1) == SECURITY_MODE_PSK;
	struct account_terms terms = {
		.short_id = server == ID_NONE ? 0 : (uint16_t)number(t, ACCOUNT_SECURITY, security, SECURITY_SHORT_ID, 0),
		.security = secure ? SESSION_SECURITY_PSK : SESSION_SECURITY_NONE,
		.settings = settings_of(t, server),
	};
	int r = take_manners(config, &terms);

	terms.queue_mode = terms.queue_mode || wants_queue_mode(t, server);
	if (r >= 0)
		r = take_text(t, security, SECURITY_URI, &terms.uri);
	if (r >= 0 && secure)
		r = take_text(t, security, SECURITY_IDENTITY, &terms.identity);
	if (r >= 0)
		r = take_key(t, security, &terms);
	if (r < 0 || !terms.uri) {
		terms_done(&terms);
		return r < 0 ? r : -EINVAL;
	}
	*ret = terms;
	return 0;
}
