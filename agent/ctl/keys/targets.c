/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/output/text.h"

#define PENDING ".pending"

static const char *pattern_of(const struct invocation *i)
{
	return option_find(i, "endpoint") ?: "*";
}

static int add_key(struct target_server *s, const char *name, const char *client)
{
	size_t allocated = s->allocated ? 2 * s->allocated : 64;
	struct target_key *grown;

	if (s->n == s->allocated) {
		grown = reallocarray(s->keys, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->keys = grown;
		s->allocated = allocated;
	}
	s->keys[s->n] = (struct target_key){
		.server = s->server,
		.name = name,
		.client = client,
		.identity = config_identity(s->server->psk_identity, client),
	};
	return s->keys[s->n].identity ? s->n++, 0 : -ENOMEM;
}

static int add_keys(struct target_server *s, const struct config *c, const char *pattern)
{
	int r = 0;

	if (config_server_wants(s->server, "host") && glob_match(pattern, "host"))
		r = add_key(s, "host", c->gateway.endpoint);
	for (size_t k = 0; k < c->n_endpoints && r >= 0; k++)
		if (config_server_wants(s->server, c->endpoints[k].name) &&
		    glob_match(pattern, c->endpoints[k].name))
			r = add_key(s, c->endpoints[k].name, c->endpoints[k].endpoint);
	return r;
}

static char *path_of(const struct invocation *i, const char *path)
{
	char *text;

	if (*path == '/')
		return strdup(path);
	return asprintf(&text, "%s/%s", config_folder(i), path) < 0 ? NULL : text;
}

static int add_server(struct targets *t, const struct invocation *i, const struct config *c,
		      const struct config_server *server)
{
	struct target_server *s = &t->servers[t->n++];
	const char *path, *why;

	s->server = server;
	/* config_read() has accepted it. */
	if (secret_reference_parse(server->psk_key, &s->kind, &path, &why) < 0)
		return -EINVAL;
	s->path = path_of(i, path);
	return s->path ? add_keys(s, c, pattern_of(i)) : -ENOMEM;
}

static bool is_wanted(const struct invocation *i, int first, const char *name)
{
	for (int k = first; k < i->n; k++)
		if (streq(i->arguments[k], name))
			return true;
	return first >= i->n;
}

/* Those of `servers:`, then the one of `bootstrap:`, which is called that; NULL behind the last. */
static const struct config_server *server_at(const struct config *c, size_t k)
{
	if (k < c->n_servers)
		return &c->servers[k];
	return k == c->n_servers && c->bootstrap.server.uri ? &c->bootstrap.server : NULL;
}

static const struct config_server *find_server(const struct config *c, const char *name)
{
	const struct config_server *s;

	for (size_t k = 0; (s = server_at(c, k)); k++)
		if (streq(s->name, name))
			return s;
	return NULL;
}

/* Room for all of them. */
static struct target_server *servers_new(const struct config *c)
{
	return calloc(c->n_servers + 1, sizeof(struct target_server));
}

static int refuse(const char *what, const char *text, int error)
{
	fputs("fieldwayctl: ", stderr);
	if (what) {
		text_print(stderr, what);
		fputs(": ", stderr);
	}
	fprintf(stderr, "%s\n", text);
	return error;
}

static int check_names(const struct invocation *i, int first, const struct config *c)
{
	for (int k = first; k < i->n; k++) {
		const struct config_server *s = find_server(c, i->arguments[k]);

		if (!s)
			return refuse(i->arguments[k], "no such server in the configuration",
				      -ENOENT);
		if (s->security != CONFIG_SECURITY_PSK)
			return refuse(s->name, "this server has no keys: its security is none",
				      -EINVAL);
	}
	return 0;
}

int targets_with_keys(const struct invocation *i, const struct configuration *c, struct targets *ret)
{
	struct targets t = { .servers = servers_new(c->config) };
	const struct config_server *s;
	int r = t.servers ? 0 : -ENOMEM;

	for (size_t k = 0; r >= 0 && (s = server_at(c->config, k)); k++)
		if (s->security == CONFIG_SECURITY_PSK)
			r = add_server(&t, i, c->config, s);
	if (r < 0)
		targets_done(&t);
	else
		*ret = t;
	return r;
}

int targets_find(const struct invocation *i, int first, const struct configuration *c,
		 struct targets *ret)
{
	struct targets t = { .servers = servers_new(c->config) };
	const struct config_server *s;
	int r = t.servers ? check_names(i, first, c->config) : -ENOMEM;
	size_t found = 0;

	for (size_t k = 0; r >= 0 && (s = server_at(c->config, k)); k++) {
		if (s->security != CONFIG_SECURITY_PSK || !is_wanted(i, first, s->name))
			continue;
		r = add_server(&t, i, c->config, s);
		found += t.servers[t.n - 1].n;
	}
	if (r >= 0 && t.n == 0)
		r = refuse(NULL, "no server of the configuration has keys", -ENOENT);
	else if (r >= 0 && found == 0)
		r = refuse(pattern_of(i), "no endpoint of this name registers there", -ENOENT);
	if (r < 0)
		targets_done(&t);
	else
		*ret = t;
	return r == -ENOMEM ? refuse(NULL, "out of memory", r) : r;
}

void targets_done(struct targets *t)
{
	for (size_t k = 0; k < t->n; k++) {
		for (size_t j = 0; j < t->servers[k].n; j++)
			free(t->servers[k].keys[j].identity);
		free(t->servers[k].keys);
		free(t->servers[k].path);
	}
	free(t->servers);
	*t = (struct targets){ 0 };
}

char *target_pending(const struct target_server *s)
{
	char *text;

	return asprintf(&text, "%s" PENDING, s->path) < 0 ? NULL : text;
}
