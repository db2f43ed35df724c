/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/registry/terms.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"
#include "model/account.h"
#include "secret/secret.h"

const char *account_source_name(enum account_source source)
{
	static const char *const names[] = {
		[ACCOUNT_YAML] = "yaml",
		[ACCOUNT_BOOTSTRAP] = "bootstrap",
	};

	return names[source];
}

static int find_formats(const struct config_server *config, struct account_terms *t)
{
	t->formats = calloc(config->n_formats + 1, sizeof(*t->formats));
	if (!t->formats)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_formats; i++) {
		const struct codec *codec = codec_find_name(config->formats[i]);

		if (codec) /* load_check() has refused others */
			t->formats[t->n_formats++] = codec;
	}
	return 0;
}

/* `protocol:` auto begins with the newest, and falls back when the server refuses it. */
static void take_version(const struct config_server *config, struct account_terms *t)
{
	t->version_fixed = config->protocol != CONFIG_PROTOCOL_AUTO;
	t->version = t->version_fixed ? (enum lwm2m_version)config->protocol : LWM2M_1_2;
}

static int copy_texts(const struct config_server *config, struct account_terms *t)
{
	int r = str_replace(&t->name, config->name);

	if (r >= 0)
		r = str_replace(&t->uri, config->uri);
	if (r >= 0)
		r = str_replace(&t->identity, config->psk_identity);
	if (r >= 0)
		r = str_replace(&t->profile_id, config->profile_id);
	if (r >= 0)
		r = str_replace(&t->profile_list, config->profile_list);
	return r < 0 ? r : str_replace(&t->key, config->psk_key);
}

/* Bits of /2/x/2; Create is another instance's. */
static uint8_t right_bits(enum config_right right)
{
	static const uint8_t bits[] = {
		[CONFIG_RIGHT_ALL] = ACCESS_ALL & ~ACCESS_CREATE,
		[CONFIG_RIGHT_READ] = ACCESS_READ,
		[CONFIG_RIGHT_NONE] = 0,
	};

	return bits[right];
}

static int copy_access(const struct config_server *config, struct account_terms *t)
{
	t->rights = calloc(config->n_rights + 1, sizeof(*t->rights));
	if (!t->rights)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_rights; i++)
		t->rights[i] = (struct builtin_right){ .object = config->rights[i].object,
						       .rights = right_bits(config->rights[i].right) };
	t->access = (struct builtin_access){ .rights = t->rights,
					     .n = config->n_rights,
					     .others = right_bits(config->other_right) };
	return 0;
}

int terms_of_yaml(const struct config_server *config, struct account_terms *ret)
{
	struct account_terms t = {
		.source = ACCOUNT_YAML,
		.short_id = config->short_id,
		.security = config->security == CONFIG_SECURITY_PSK ? SESSION_SECURITY_PSK : SESSION_SECURITY_NONE,
		.liveness_usec = config->liveness_usec,
		.queue_mode = config->queue_mode,
		.settings = {
			.lifetime_s = config->lifetime_s,
			.pmin_s = config->pmin_s,
			.pmax_s = config->pmax_s,
			.disable_timeout_s = config->disable_timeout_s,
			.storing = config->storing,
			.send = config->send,
			.priority = config->priority,
			.initial_delay_s = config->initial_delay_s,
			.failure_block = config->failure_block,
			.stays_on_failure = !config->bootstrap_on_failure,
			.retry_count = config->retry_count,
			.retry_timer_s = config->retry_timer_s,
			.sequence_delay_s = config->sequence_delay_s,
			.sequence_count = config->sequence_count,
			.confirmable = config->confirmable,
		},
	};
	int r = copy_texts(config, &t);

	take_version(config, &t);
	if (r >= 0)
		r = find_formats(config, &t);
	if (r >= 0)
		r = copy_access(config, &t);
	if (r < 0)
		terms_done(&t);
	else
		*ret = t;
	return r;
}

void terms_done(struct account_terms *t)
{
	free(t->name);
	free(t->uri);
	free(t->identity);
	free(t->key);
	free(t->profile_id);
	free(t->profile_list);
	secret_free(t->secret, t->n_secret);
	free(t->formats);
	free(t->rights);
	*t = (struct account_terms){ 0 };
}

char *terms_identity(const struct account_terms *t, const char *client_name)
{
	return config_identity(t->identity, client_name);
}

int terms_key(const struct account_terms *t, struct secret_store *secrets, const char *identity,
	      uint8_t **ret, size_t *ret_size)
{
	uint8_t *copy;

	if (!t->secret)
		return secret_lookup(secrets, t->key, identity, ret, ret_size);
	copy = malloc(t->n_secret);
	if (!copy)
		return -ENOMEM;
	*ret = memcpy(copy, t->secret, t->n_secret);
	*ret_size = t->n_secret;
	return 0;
}

/* ---- as lines of records ---- */

static int add_setting(struct buf *text, const char *name, int64_t value)
{
	return value < 0 ? 0 : buf_printf(text, " %s=%" PRId64, name, value);
}

static int add_word(struct buf *text, const char *word, bool is)
{
	return is ? buf_append_text(text, word) : 0;
}

/* Records of former versions are compared with this: what has its default is left out. */
static int add_settings(struct buf *text, const struct builtin_settings *s)
{
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "priority", s->priority },
		{ "initial_delay", s->initial_delay_s },
		{ "retry_count", s->retry_count },
		{ "retry_timer", s->retry_timer_s },
		{ "sequence_delay", s->sequence_delay_s },
		{ "sequence_count", s->sequence_count },
		{ "disable_timeout", s->disable_timeout_s == 86400 ? INT64_C(-1) : s->disable_timeout_s },
	};
	int r = add_word(text, " send", s->send);

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && r >= 0; i++)
		r = add_setting(text, numbers[i].name, numbers[i].value);
	if (r >= 0)
		r = add_word(text, " failure_block", s->failure_block);
	if (r >= 0)
		r = add_word(text, " stays_on_failure", s->stays_on_failure);
	if (r >= 0)
		r = add_word(text, " no_storing", !s->storing);
	return r < 0 ? r : add_word(text, " confirmable", s->confirmable);
}

char *terms_settings(const struct account_terms *t)
{
	const struct builtin_settings *s = &t->settings;
	_cleanup_buf_ struct buf text = { 0 };
	int r = buf_printf(&text, "account %u %s lifetime=%" PRIu32 " pmin=%" PRId64 " pmax=%" PRId64, t->short_id,
			   t->uri, s->lifetime_s, s->pmin_s, s->pmax_s);

	if (r >= 0)
		r = add_settings(&text, s);
	return r < 0 ? NULL : buf_take_text(&text);
}

/* Behind the server and where it is. */
static const char *settings_in(const char *line)
{
	return strstr(line, " lifetime=") ?: "";
}

bool terms_same_settings(const struct account_terms *t, const char *line)
{
	_cleanup_free_ char *own = terms_settings(t);

	return !own || streq(settings_in(own), settings_in(line));
}

int terms_access(const struct account_terms *t, struct buf *out)
{
	const struct builtin_access *access = &t->access;
	int r = buf_printf(out, " %u %u", t->short_id, access->others);

	for (size_t i = 0; i < access->n && r >= 0; i++)
		r = buf_printf(out, " %u=%u", access->rights[i].object, access->rights[i].rights);
	return r;
}

/* From the space before a part on: behind its two numbers and what has a "=". */
static size_t part_size(const char *part)
{
	size_t n = 0;

	for (unsigned words = 0; part[n]; words++) {
		size_t word = 1 + strcspn(part + n + 1, " ");

		if (words >= 2 && !memchr(part + n, '=', word))
			break;
		n += word;
	}
	return n;
}

bool terms_same_access(const struct account_terms *t, const char *line)
{
	_cleanup_buf_ struct buf own = { 0 };
	size_t size;

	if (terms_access(t, &own) < 0)
		return true;
	for (const char *part = line + strcspn(line, " "); *part; part += size) {
		size = part_size(part);
		if (size == own.size && memcmp(part, own.data, size) == 0)
			return true;
	}
	return false;
}
