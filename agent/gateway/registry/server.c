/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/difference.h"
#include "gateway/registry/internal.h"

int server_new_on(struct account_terms *t, struct transport *transport, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s) {
		terms_done(t);
		return -ENOMEM;
	}
	s->refs = 1;
	s->index = CONFIG_NONE;
	SWAP(s->terms, *t);
	r = uri_parse(s->terms.uri, &s->uri);
	if (r >= 0)
		r = governor_new(transport, s->uri.host, &s->governor);
	if (r < 0)
		server_unref(s);
	else
		*ret = s;
	return r;
}

int server_new(const struct config_server *config, struct transport *transport, struct server **ret)
{
	struct account_terms terms;
	int r = terms_of_yaml(config, &terms);

	return r < 0 ? r : server_new_on(&terms, transport, ret);
}

void server_adopt(struct server *s, struct account_terms *t)
{
	/* It may take another text than the one that it refused. */
	if (!streq_null(s->terms.profile_id, t->profile_id))
		s->profiles.refused = false;
	SWAP(s->terms, *t);
	/* It is the same, and clients point to it. */
	SWAP(s->terms.name, t->name);
}

struct server *server_ref(struct server *s)
{
	s->refs++;
	return s;
}

struct server *server_unref(struct server *s)
{
	if (!s || --s->refs > 0)
		return NULL;
	governor_free(s->governor);
	uri_done(&s->uri);
	terms_done(&s->terms);
	free(s);
	return NULL;
}
