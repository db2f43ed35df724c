/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/names.h"
#include "config/places.h"

#define HOST_MAX 255u
#define FORMATS_MAX 16u
#define PATTERNS_MAX 1000u
#define SERVERS_MAX 100u
#define PROFILE_ID_MAX 200u /* as a query, with quotes (RFC 7252 table 4) */
#define IDENTITY_MAX 128u   /* bytes that DTLS takes for sure (RFC 4279 5.1) */

enum scheme { COAP, COAPS };

static int read_scheme(struct loader *l, struct yaml_mark mark, const char *uri, enum scheme *ret)
{
	static const char *const later[] = { "coap+tcp://", "coaps+tcp://", "coap+ws://",
					     "coaps+ws://" };

	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (strncasecmp(uri, later[i], strlen(later[i])) == 0) {
			loader_error(l, mark, "%s: " NOT_IN_THIS_VERSION, later[i]);
			return -EINVAL;
		}
	if (strncasecmp(uri, "coap://", strlen("coap://")) == 0)
		*ret = COAP;
	else if (strncasecmp(uri, "coaps://", strlen("coaps://")) == 0)
		*ret = COAPS;
	else {
		loader_error(
			l, mark,
			"\"%s\": a server is coap://HOST or coaps://HOST, with :PORT if need be",
			uri);
		return -EINVAL;
	}
	return 0;
}

static bool is_port(const char *text)
{
	uint16_t port;

	return parse_u16(text, &port) >= 0 && port > 0;
}

/* An IPv6 address, with or without a zone. */
static bool is_literal(const char *text, size_t size)
{
	_cleanup_free_ char *address = strndup(text, size);
	struct in6_addr ignored;

	if (!address)
		return false;
	address[strcspn(address, "%")] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1;
}

static bool is_host(const char *text, size_t size)
{
	if (size == 0 || size > HOST_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return false;
	return true;
}

/* What is behind "//": a name or IPv4 address, or an IPv6 address in brackets, and a port. */
static bool is_authority(const char *text)
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	size_t size = close ? (size_t)(close + 1 - text) : strcspn(text, ":");

	if (close ? !is_literal(text + 1, size - 2) : !is_host(text, size))
		return false;
	return text[size] == '\0' || (text[size] == ':' && is_port(text + size + 1));
}

static int read_uri(struct loader *l, struct yaml_mark mark, const char *uri, enum scheme *ret)
{
	int r = read_scheme(l, mark, uri, ret);

	if (r < 0)
		return r;
	if (!is_authority(strstr(uri, "//") + 2)) {
		loader_error(
			l, mark,
			"\"%s\": behind the scheme stands a host and perhaps :PORT, 1 to 65535, nothing else",
			uri);
		return -EINVAL;
	}
	return 0;
}

/* config may not look into secret/: here only whether it is a reference at all. */
static int check_key(struct loader *l, struct yaml_mark mark, const char *key)
{
	static const char *const now[] = { "psk-file:", "file:", "derive:" };
	static const char *const later[] = { "credential:", "pkcs11:", "table:" };

	for (size_t i = 0; i < ARRAY_SIZE(now); i++) {
		if (!has_prefix(key, now[i]))
			continue;
		if (key[strlen(now[i])])
			return 0;
		loader_error(l, mark, "\"%s\" names no file", now[i]);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		if (!has_prefix(key, later[i]))
			continue;
		loader_error(l, mark, "a key by \"%s\": " NOT_IN_THIS_VERSION, later[i]);
		return -EINVAL;
	}
	/* Should it be the key itself, it is not printed. */
	loader_error(l, mark,
		     "a key is psk-file:FILE, file:FILE or derive:FILE, never the key itself");
	return -EINVAL;
}

static int check_identity(struct loader *l, struct yaml_mark mark, const char *identity)
{
	static const struct variables sample = {
		.items = { { .name = "endpoint", .text = "endpoint" } }, .n = 1
	};
	const char *expanded;
	int r = text_expand(l, mark, identity, &sample, &expanded);

	if (r >= 0 && strlen(identity) > IDENTITY_MAX) {
		loader_error(l, mark, "an identity has at most %u bytes", IDENTITY_MAX);
		r = -EINVAL;
	}
	return r;
}

static int read_psk(struct loader *l, const struct yaml_node *node,
		    struct security_section *section, struct config_server *server)
{
	int r = 0, one = 0;

	if (section->identity)
		r = check_identity(l, mapping_mark(node, "identity"), section->identity);
	else
		section->identity = loader_text(l, "{endpoint}");
	if (section->key)
		one = check_key(l, mapping_mark(node, "key"), section->key);
	else if (!yaml_get(node, "key"))
		loader_error(l, node->mark, "key: is missing");
	server->security = CONFIG_SECURITY_PSK;
	server->psk_identity = section->identity;
	server->psk_key = section->key;
	return one < 0 ? one : r;
}

/* False: what the mode is cannot be told, and so not whether it fits the URI. */
static bool read_security(struct loader *l, const struct yaml_node *node,
			  struct config_server *server)
{
	static const char *const modes[] = { "none", "psk" };
	struct security_section section = { .mode = -1 };

	mapping_read(l, node, node->mark, &keys_security, NULL, &section);
	if (section.mode >= (int)ARRAY_SIZE(modes))
		loader_error(l, mapping_mark(node, "mode"),
			     "security mode %s: " NOT_IN_THIS_VERSION,
			     keys_security.keys[0].choices[section.mode]);
	else if (section.mode == 1)
		read_psk(l, node, &section, server);
	else if (section.mode == 0 && (section.identity || section.key))
		loader_error(l, node->mark, "without security there is no identity and no key");
	return section.mode >= 0 && section.mode < (int)ARRAY_SIZE(modes);
}

static void check_security(struct loader *l, const struct yaml_node *security, struct yaml_mark uri,
			   const struct config_server *server)
{
	enum scheme scheme;

	if (read_uri(l, uri, server->uri, &scheme) < 0)
		return;
	if (scheme == COAPS && server->security == CONFIG_SECURITY_NONE)
		loader_error(l, security ? security->mark : uri,
			     "coaps needs security, such as {mode: psk, key: \"psk-file:FILE\"}");
	if (scheme == COAP && server->security == CONFIG_SECURITY_PSK)
		loader_error(l, uri, "mode psk needs coaps");
}

void server_security_read(struct loader *l, const struct yaml_node *security, struct yaml_mark uri,
			  struct config_server *server)
{
	bool known = !security || read_security(l, security, server);

	if (server->uri && known)
		check_security(l, security, uri, server);
}

static void read_notify(struct loader *l, const struct yaml_node *node,
			struct config_server *server)
{
	struct notify_section section = { .pmin_s = -1, .pmax_s = -1, .storing = true };

	if (node)
		mapping_read(l, node, node->mark, &keys_notify, NULL, &section);
	if (section.pmin_s >= 0 && section.pmax_s >= 0 && section.pmin_s > section.pmax_s)
		loader_error(l, mapping_mark(node, "pmin"), "pmin is longer than pmax");
	server->pmin_s = section.pmin_s;
	server->pmax_s = section.pmax_s;
	server->storing = section.storing;
	server->confirmable = section.confirmable;
}

static void read_retry(struct loader *l, const struct yaml_node *node, struct config_server *server)
{
	struct retry_section section = { .timer_s = -1, .sequence_delay_s = -1 };

	if (node)
		mapping_read(l, node, node->mark, &keys_retry, NULL, &section);
	server->retry_count = section.count > 0 ? section.count : INT64_C(-1);
	server->retry_timer_s = section.timer_s;
	server->sequence_delay_s = section.sequence_delay_s;
	server->sequence_count = section.sequence_count > 0 ? section.sequence_count : INT64_C(-1);
}

/* A list of texts, each checked by its own function. */
static int read_texts(struct loader *l, const struct yaml_node *node, const char *what, size_t max,
		      int (*check)(struct loader *, const struct yaml_node *, const char *),
		      char ***ret, size_t *ret_n)
{
	int r = sequence_expect(l, node, what), failed = 0;
	const char *text;
	char **texts;

	if (r < 0)
		return r;
	if (node->n > max) {
		loader_error(l, node->mark, "more than %zu %s", max, what);
		return -EINVAL;
	}
	texts = loader_array(l, char *, node->n);
	for (size_t i = 0; texts && i < node->n; i++) {
		r = scalar_text(l, node->items[i], &text);
		r = r < 0 ? r : check(l, node->items[i], text);
		failed = r < 0 ? r : failed;
		texts[i] = r < 0 ? NULL : loader_text(l, text);
	}
	*ret = texts;
	*ret_n = texts && failed == 0 ? node->n : 0;
	return failed;
}

static int check_format(struct loader *l, const struct yaml_node *node, const char *text)
{
	static const char *const formats[] = { "senml-cbor", "senml-json", "lwm2m-cbor", "tlv",
					       NULL };
	int ignored;

	if (streq(text, "json")) {
		loader_error(l, node->mark,
			     "format json: LwM2M 1.0 only, given to servers that ask for it");
		return -EINVAL;
	}
	return scalar_choice(l, node, formats, &ignored);
}

static int check_pattern(struct loader *l, const struct yaml_node *node, const char *text)
{
	for (const char *p = text; *p; p++)
		if (strchr("{}/ ", *p)) {
			loader_error(l, node->mark,
				     "\"%s\" is no pattern of names: only * and ? are special",
				     text);
			return -EINVAL;
		}
	return 0;
}

void patterns_read(struct loader *l, const struct yaml_node *node, const char *what, char ***ret,
		   size_t *ret_n)
{
	char **all;

	if (read_texts(l, node, what, PATTERNS_MAX, check_pattern, ret, ret_n) != -ENOENT)
		return;
	all = loader_array(l, char *, 1);
	if (!all)
		return;
	all[0] = loader_text(l, "*");
	*ret = all;
	*ret_n = 1;
}

/* Core 6.2.1: a hash of RFC 6920's suites, registered at OMNA, or of the vendor's own. */
static bool is_profile(const char *text, size_t n)
{
	static const char *const kinds[] = { "1:", "2:", "3:", "4:", "5:", "6:", "oma:", "v:" };
	size_t kind = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			kind = strlen(kinds[i]);
	if (kind == 0 || n <= kind)
		return false;
	for (size_t i = kind; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static bool are_profiles(const char *text)
{
	if (strlen(text) > PROFILE_ID_MAX)
		return false;
	for (;; text++) {
		size_t n = strcspn(text, ",");

		if (!is_profile(text, n))
			return false;
		text += n;
		if (!*text)
			return true;
	}
}

static bool speaks_1_2(const struct config_server *server)
{
	return server->protocol == CONFIG_PROTOCOL_AUTO || server->protocol == CONFIG_PROTOCOL_1_2;
}

static void check_profile(struct loader *l, const struct yaml_node *node,
			  const struct server_section *section, const struct config_server *server)
{
	if (!section->profile_id || !section->profile_list)
		return; /* said already */
	if (streq(section->profile_id, "none") || streq(section->profile_id, "auto")) {
		if (!streq(section->profile_list, "none"))
			loader_error(
				l, mapping_mark(node, "profile_list"),
				"profile_list: goes with a profile_id of your own, as 6:27354b9a");
	} else if (!are_profiles(section->profile_id)) {
		loader_error(
			l, mapping_mark(node, "profile_id"),
			"profile_id: none, auto, or a text as 6:27354b9a, oma:NAME, v:NAME; several with commas");
	}
	if (!streq(section->profile_id, "none") && !speaks_1_2(server))
		loader_error(l, mapping_mark(node, "profile_id"),
			     "profile_id: needs protocol \"1.2\" or auto");
}

static void take_profile(const struct server_section *section, struct config_server *server)
{
	if (section->profile_id && !streq(section->profile_id, "none"))
		server->profile_id = section->profile_id;
	if (section->profile_list && !streq(section->profile_list, "none"))
		server->profile_list = section->profile_list;
}

static void read_server(struct loader *l, const struct yaml_node *node,
			struct config_server *server)
{
	static const enum config_protocol protocols[] = { CONFIG_PROTOCOL_AUTO, CONFIG_PROTOCOL_1_0,
							  CONFIG_PROTOCOL_1_1,
							  CONFIG_PROTOCOL_1_2 };
	struct server_section section = { .priority = UINT32_MAX, .initial_delay_s = -1 };

	server->mark = node->mark;
	if (mapping_expect(l, node, "a server") < 0)
		return;
	mapping_read(l, node, node->mark, &keys_server, NULL, &section);
	server->name = section.name;
	if (section.name && !name_is_valid(section.name))
		loader_error(l, mapping_mark(node, "name"), "a server's name has no placeholders");
	server->short_id = (uint16_t)section.short_id;
	server->uri = section.uri;
	server->protocol = protocols[section.protocol];
	server->lifetime_s = (uint32_t)section.lifetime_s;
	server->liveness_usec = section.liveness_usec;
	server->send = section.send;
	server->priority = section.priority == UINT32_MAX ? INT64_C(-1) : section.priority;
	server->initial_delay_s = section.initial_delay_s;
	server->failure_block = section.failure_block;
	server->bootstrap_on_failure = section.bootstrap_on_failure;
	server->disable_timeout_s = (uint32_t)section.disable_timeout_s;
	check_profile(l, node, &section, server);
	take_profile(&section, server);
	server->queue_mode = section.queue_mode;
	read_notify(l, section.notify, server);
	read_retry(l, section.retry, server);
	read_texts(l, section.formats, "formats", FORMATS_MAX, check_format, &server->formats,
		   &server->n_formats);
	patterns_read(l, section.endpoints, "endpoints", &server->endpoints, &server->n_endpoints);
	access_read(l, section.access, server);
	l->server_patterns[server - l->config->servers] = section.endpoints;
	server_security_read(l, section.security, mapping_mark(node, "uri"), server);
}

/* Objects and messages tell them apart by these. */
static void check_unique(struct loader *l)
{
	const struct config *c = l->config;

	for (size_t i = 1; i < c->n_servers; i++)
		for (size_t k = 0; k < i; k++) {
			const struct config_server *s = &c->servers[i], *other = &c->servers[k];

			if (s->name && other->name && streq(s->name, other->name))
				loader_error(l, s->mark, "server %s: another server has this name, in line %u",
					     s->name, other->mark.line);
			if (s->short_id > 0 && s->short_id == other->short_id)
				loader_error(l, s->mark, "server %s: another server has short_id %u, in line %u",
					     s->name ?: "?", s->short_id, other->mark.line);
		}
}

void servers_read(struct loader *l, const struct yaml_node *node)
{
	struct config *c = l->config;

	if (sequence_expect(l, node, "servers") < 0)
		return;
	if (node->n > SERVERS_MAX) {
		loader_error(l, node->items[SERVERS_MAX]->mark, "more than %u servers", SERVERS_MAX);
		return;
	}
	c->servers = loader_array(l, struct config_server, node->n);
	l->server_patterns = loader_scratch(l, (node->n + 1) * sizeof(*l->server_patterns));
	for (size_t i = 0; c->servers && l->server_patterns && i < node->n; i++) {
		if (node_is_null(node->items[i]))
			loader_error(l, node->items[i]->mark,
				     "a server is a mapping, written {key: value}");
		else
			read_server(l, node->items[i], &c->servers[c->n_servers++]);
	}
	check_unique(l);
}
