/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kept/unreached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "gateway/bootstrap/taken.h"
#include "gateway/configuration/load.h"
#include "gateway/kept/persist_internal.h"

/* What holds instead of what a server's row of YAML says. */
enum instead {
	INSTEAD_BOOTSTRAP,
	INSTEAD_SETTINGS,
	INSTEAD_ACCESS,
	N_INSTEAD,
};

struct tally {
	size_t n;
	const char *first; /* of its endpoints, as YAML calls them */
};

struct unreached {
	const char *folder;
	const struct config *config;
	const struct config_difference *difference; /* or NULL */
	const int *stop_fd;
	bool renamed;				    /* some endpoints go on under other names */
	struct account_terms *terms;		    /* of each of config's servers */
	struct tally (*tallies)[N_INSTEAD];
};

/* An endpoint of the configuration, or the host. */
struct subject {
	const char *label, *client_name;
	const char *kept; /* the label that its records lie under, by now; NULL: it has none yet */
	bool goes_on;	  /* it is there already, in what is to be replaced */
};

/* What lies under its label is that of an endpoint which goes on under another one. */
static bool is_left(const struct config_difference *d, const char *label)
{
	const struct config *before = d->before;

	for (size_t i = 0; i < before->n_endpoints; i++)
		if (streq(before->endpoints[i].name, label))
			return d->endpoints_after[i] != CONFIG_NONE;
	return false;
}

static struct subject subject_at(const struct unreached *u, uint32_t i)
{
	const struct config *c = u->config;
	bool is_host = i == config_host(c);
	struct subject s = {
		.label = is_host ? "host" : c->endpoints[i].name,
		.client_name = is_host ? c->gateway.endpoint : c->endpoints[i].endpoint,
	};
	uint32_t before = u->difference && !is_host ? u->difference->endpoints[i].before : CONFIG_NONE;

	s.goes_on = before != CONFIG_NONE || (is_host && u->difference);
	if (before != CONFIG_NONE)
		s.kept = u->difference->before->endpoints[before].name;
	else if (is_host || !u->renamed || !is_left(u->difference, s.label))
		s.kept = s.label;
	return s;
}

static bool has_renames(const struct config_difference *d)
{
	for (size_t i = 0; i < d->after->n_endpoints; i++)
		if (d->endpoints[i].before != CONFIG_NONE &&
		    !streq(d->after->endpoints[i].name, d->before->endpoints[d->endpoints[i].before].name))
			return true;
	return false;
}

static void count(struct unreached *u, size_t server, enum instead instead, const struct subject *s)
{
	struct tally *t = &u->tallies[server][instead];

	t->first = t->first ?: s->label;
	t->n++;
}

/* The first line of a record; NULL: there is none that could be read. */
static char *peek_head(const struct unreached *u, const struct subject *s, const char *kind)
{
	_cleanup_buf_ struct buf record = { 0 };
	const uint8_t *end;

	if (!state_has(u->folder, s->kept, kind) || state_peek(u->folder, s->kept, kind, &record) < 0 ||
	    record.size == 0)
		return NULL;
	end = memchr(record.data, '\n', record.size);
	return end ? strndup((const char *)record.data, (size_t)(end - record.data)) : NULL;
}

static void look_at_settings(struct unreached *u, size_t server, const struct subject *s)
{
	_cleanup_free_ char *head = NULL;
	char kind[PERSIST_KIND_MAX];

	persist_kind_of(u->terms[server].short_id, PERSIST_SERVER, kind);
	head = peek_head(u, s, kind);
	if (head && !terms_same_settings(&u->terms[server], head))
		count(u, server, INSTEAD_SETTINGS, s);
}

/* What lies there of an earlier time, in which there was a bootstrap server, goes: bootstrapping_reload(). */
static bool holds(const struct unreached *u, const struct subject *s)
{
	const struct config_server *server = u->difference ? &u->difference->before->bootstrap.server : NULL;

	return !s->goes_on || (server->uri && config_server_wants(server, s->kept));
}

static void look_at(struct unreached *u, const struct subject *s)
{
	const struct config *c = u->config;
	bool bootstrapped = c->bootstrap.server.uri && config_server_wants(&c->bootstrap.server, s->label) &&
			    holds(u, s) && taken_lies(u->folder, s->kept, s->client_name);
	_cleanup_free_ char *access = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_servers; i++)
		n += config_server_wants(&c->servers[i], s->label);
	/* One server may do all. */
	if (n > 1 && !bootstrapped)
		access = peek_head(u, s, PERSIST_ACCESS);
	for (size_t i = 0; i < c->n_servers; i++) {
		if (!config_server_wants(&c->servers[i], s->label))
			continue;
		if (bootstrapped) {
			count(u, i, INSTEAD_BOOTSTRAP, s);
			continue;
		}
		look_at_settings(u, i, s);
		if (access && !streq(access, PERSIST_ACCESS_BOOTSTRAP) && !terms_same_access(&u->terms[i], access))
			count(u, i, INSTEAD_ACCESS, s);
	}
}

#define AGAIN "; the first is %s, and 'fieldwayctl account reset' has it follow again"

static void warn(const struct unreached *u, size_t server, struct yaml_errors *warnings)
{
	const struct config_server *s = &u->config->servers[server];
	const struct tally *t = u->tallies[server];

	if (t[INSTEAD_BOOTSTRAP].n > 0)
		yaml_error(warnings, s->mark,
			   "server %s: does not reach %zu endpoint%s that a bootstrap server has told where to register" AGAIN,
			   s->name, t[INSTEAD_BOOTSTRAP].n, t[INSTEAD_BOOTSTRAP].n > 1 ? "s" : "",
			   t[INSTEAD_BOOTSTRAP].first);
	if (t[INSTEAD_SETTINGS].n > 0)
		yaml_error(warnings, s->mark,
			   "server %s: its settings here do not reach %zu endpoint%s whose /1 it wrote to before they were changed" AGAIN,
			   s->name, t[INSTEAD_SETTINGS].n, t[INSTEAD_SETTINGS].n > 1 ? "s" : "",
			   t[INSTEAD_SETTINGS].first);
	if (t[INSTEAD_ACCESS].n > 0)
		yaml_error(warnings, s->mark,
			   "server %s: its access here does not reach what servers wrote to /2 of %zu endpoint%s before it was changed" AGAIN,
			   s->name, t[INSTEAD_ACCESS].n, t[INSTEAD_ACCESS].n > 1 ? "s" : "", t[INSTEAD_ACCESS].first);
}

static int look(struct unreached *u)
{
	const struct config *c = u->config;
	int r = 0;

	u->terms = calloc(c->n_servers + 1, sizeof(*u->terms));
	u->tallies = calloc(c->n_servers + 1, sizeof(*u->tallies));
	if (!u->terms || !u->tallies)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_servers && r >= 0; i++)
		r = terms_of_yaml(&c->servers[i], &u->terms[i]);
	if (r < 0)
		return r;
	u->renamed = u->difference && has_renames(u->difference);
	for (uint32_t i = 0; i <= c->n_endpoints; i++) {
		struct subject s = subject_at(u, i == 0 ? config_host(c) : i - 1);

		if (load_is_stopped(u->stop_fd))
			return -ECANCELED;
		if (s.kept)
			look_at(u, &s);
	}
	return 0;
}

int unreached_tell(const char *state_folder, const struct config *config, const struct config_difference *d,
		   const int *stop_fd, struct yaml_errors *warnings)
{
	struct unreached u = { .folder = state_folder, .config = config, .difference = d, .stop_fd = stop_fd };
	int r = look(&u);

	for (size_t i = 0; i < config->n_servers && r >= 0; i++)
		warn(&u, i, warnings);
	for (size_t i = 0; i < config->n_servers && u.terms; i++)
		terms_done(&u.terms[i]);
	free(u.terms);
	free(u.tallies);
	return r;
}
