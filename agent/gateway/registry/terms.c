/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/registry/terms.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"
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
		[CONFIG_RIGHT_ALL] = 15,
		[CONFIG_RIGHT_READ] = 1,
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
