/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "codec/codec.h"
#include "gateway/configuration/load.h"
#include "gateway/registry/internal.h"
#include "secret/secret.h"
#include "transport/uri.h"

static bool refuse(struct yaml_errors *errors, bool wrong, struct yaml_mark mark, const char *name,
		   const char *text)
{
	if (wrong)
		yaml_error(errors, mark, "server %s: %s", name, text);
	return wrong;
}

static bool uri_is_wrong(const struct config_server *s, struct yaml_errors *errors)
{
	bool secure = s->security == CONFIG_SECURITY_PSK;
	struct uri uri;
	bool wrong;

	if (uri_parse(s->uri, &uri) < 0)
		return refuse(errors, true, s->mark, s->name,
			      "uri: expected coap://HOST[:PORT] or coaps://HOST[:PORT]");
	wrong = refuse(errors, uri.scheme == URI_COAP_TCP || uri.scheme == URI_COAPS_TCP, s->mark,
		       s->name, "uri: TCP is not in this version") ||
		refuse(errors, uri.scheme == URI_COAP && secure, s->mark, s->name,
		       "uri: coap:// has no security, security: {mode: psk} needs coaps://") ||
		refuse(errors, uri.scheme == URI_COAPS && !secure, s->mark, s->name,
		       "uri: coaps:// needs security: {mode: psk, ...}");
	uri_done(&uri);
	return wrong;
}

static bool formats_are_wrong(const struct config_server *s, struct yaml_errors *errors)
{
	bool wrong = false;

	for (size_t i = 0; i < s->n_formats; i++) {
		const struct codec *codec = codec_find_name(s->formats[i]);

		if (codec && !codec->single && !codec->former)
			continue;
		yaml_error(errors, s->mark, "server %s: formats: %s %s", s->name, s->formats[i],
			   !codec	 ? "is unknown" :
			   codec->single ? "carries one value only" :
					   "is not offered");
		wrong = true;
	}
	return wrong;
}

static bool profile_is_wrong(const struct config_server *s, struct yaml_errors *errors)
{
	struct links links = { 0 };
	const char *text = s->profile_list;

	if (!text || streq(text, PROFILE_LIST_ALL))
		return false;
	if (links_parse(text, strlen(text), &links) >= 0 && links.n > 0) {
		links_done(&links);
		return false;
	}
	yaml_error(errors, s->mark,
		   "server %s: profile_list: \"%s\" is none, all or links as </4/0>", s->name,
		   text);
	return true;
}

static bool key_is_wrong(const struct load_sources *sources, const struct config_server *s,
			 struct yaml_errors *errors, struct yaml_errors *warnings)
{
	if (s->security != CONFIG_SECURITY_PSK || secret_check(sources->secrets, s->psk_key) >= 0)
		return false;
	yaml_error(sources->keys_optional ? warnings : errors, s->mark,
		   "server %s: security: key: %s", s->name, secret_reason(sources->secrets));
	return true;
}

struct missing_keys {
	size_t n, of;
	char *first;
};

static int look_up(const struct load_sources *sources, const struct config_server *s,
		   const char *endpoint, struct missing_keys *m)
{
	_cleanup_free_ char *identity = config_identity(s->psk_identity, endpoint);
	uint8_t *key = NULL;
	size_t size = 0;
	int r = identity ? secret_lookup(sources->secrets, s->psk_key, identity, &key, &size) :
			   -ENOMEM;

	secret_free(key, size);
	if (r == -ENOMEM)
		return r;
	m->of++;
	if (r == -ENOKEY && m->n++ == 0)
		m->first = TAKE_PTR(identity);
	return 0;
}

/* Keys come one by one, and a new one needs no restart: who has none yet is no error. */
static int note_missing_keys(const struct load_sources *sources, const struct config *c,
			     const struct config_server *s, struct yaml_errors *warnings)
{
	struct missing_keys m = { 0 };
	int r = 0;

	if (config_server_wants(s, "host"))
		r = look_up(sources, s, c->gateway.endpoint, &m);
	for (size_t i = 0; r >= 0 && i < c->n_endpoints; i++)
		if (config_server_wants(s, c->endpoints[i].name))
			r = look_up(sources, s, c->endpoints[i].endpoint, &m);
	if (m.n > 0)
		yaml_error(warnings, s->mark,
			   "server %s: %s has no key for %zu of %zu endpoints; the first is %s",
			   s->name, s->psk_key, m.n, m.of, m.first);
	free(m.first);
	return r;
}

static bool limits_are_wrong(const struct config *c, struct yaml_errors *errors)
{
	/* The host is an endpoint too, and does not count. */
	if (c->n_endpoints <= c->limits.endpoints)
		return false;
	yaml_error(errors, c->endpoints[c->limits.endpoints].mark,
		   "endpoint %s: limits: endpoints: %u are allowed, there are %zu",
		   c->endpoints[c->limits.endpoints].name, c->limits.endpoints, c->n_endpoints);
	return true;
}

static int check_server(const struct load_sources *sources, const struct config *config,
			const struct config_server *s, struct yaml_errors *errors, struct yaml_errors *warnings,
			bool *wrong)
{
	*wrong |= uri_is_wrong(s, errors);
	*wrong |= formats_are_wrong(s, errors);
	*wrong |= profile_is_wrong(s, errors);
	if (key_is_wrong(sources, s, errors, warnings))
		*wrong |= !sources->keys_optional;
	else if (s->security == CONFIG_SECURITY_PSK)
		return note_missing_keys(sources, config, s, warnings);
	return 0;
}

int load_check(const struct load_sources *sources, const struct config *config,
	       struct yaml_errors *errors, struct yaml_errors *warnings)
{
	bool wrong = limits_are_wrong(config, errors);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < config->n_servers; i++)
		r = check_server(sources, config, &config->servers[i], errors, warnings, &wrong);
	if (r >= 0 && config->bootstrap.server.uri)
		r = check_server(sources, config, &config->bootstrap.server, errors, warnings, &wrong);
	if (r >= 0 && config->firmware.source.uri)
		r = check_server(sources, config, &config->firmware.source, errors, warnings, &wrong);
	for (size_t i = 0; r >= 0 && i < config->n_software; i++)
		if (config->software[i].package.source.uri)
			r = check_server(sources, config, &config->software[i].package.source, errors, warnings, &wrong);
	if (r >= 0 && !wrong)
		r = load_advise(sources, config, warnings);
	return r < 0 ? r : wrong ? -EINVAL : 0;
}
