/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/registration/profile_id.h"
#include "lwm2m/registration/registration.h"
#include "lwm2m/status.h"
#include "model/account.h"

/*
 * Profile ID in the life of an account (Core 6.2.1): what a Register or Update
 * says of the objects, and what follows when the server will not have it.
 */

static bool is_dynamic(const struct client *c)
{
	return streq(c->config.profile_id, PROFILE_AUTO);
}

/* Servers of 1.1 know no ids; one that refused them is left alone with them. */
static bool has_profile(const struct client *c)
{
	const struct profile_memory *memory = c->config.profiles;

	return c->config.profile_id && memory && c->version >= LWM2M_1_2 && !memory->refused &&
	       c->profile.step != PROFILE_STEP_LIST;
}

static int add_list(struct client *c, struct message *m, struct buf *list)
{
	struct view view = client_view(c, c->config.store);
	int r = registration_list(&view, list);

	if (r < 0)
		return r;
	m->content_format = FORMAT_LINK;
	m->payload = span_of(list->data, list->size);
	return 0;
}

static int take_id(struct client *c)
{
	struct view view = client_view(c, c->config.store);
	int64_t suite = client_setting(c, SERVER_PROFILE_HASH, 0);
	_cleanup_buf_ struct buf list = { 0 };
	char id[PROFILE_ID_MAX];
	int r = profile_list(&view, &list);

	if (r >= 0)
		r = profile_hash(span_of(list.data, list.size), (unsigned)suite, id);
	return r < 0 ? r : str_replace(&c->profile.id, id);
}

/* With the list until the server has seen both: the id means nothing to it before. */
static int say_dynamic(struct client *c, struct message *m, struct registration_query *query,
		       struct buf *list)
{
	int r = take_id(c);

	if (r < 0)
		return r;
	c->profile.says = PROFILE_SAYS_ID;
	if (c->profile.step == PROFILE_STEP_BOTH ||
	    !profile_is_known(c->config.profiles, c->profile.id)) {
		c->profile.says = PROFILE_SAYS_BOTH;
		r = add_list(c, m, list);
	}
	return r < 0 ? r : registration_add_profile(m, query, c->profile.id);
}

static int say_fixed(struct client *c, struct message *m, struct registration_query *query,
		     struct buf *list)
{
	const char *more = c->config.profile_list;
	int r = 0;

	c->profile.says = PROFILE_SAYS_FIXED;
	if (more && streq(more, PROFILE_LIST_ALL)) {
		r = add_list(c, m, list);
	} else if (more) {
		m->content_format = FORMAT_LINK;
		m->payload = span_of(more, strlen(more));
	}
	return r < 0 ? r : registration_add_profile(m, query, c->config.profile_id);
}

int client_say_objects(struct client *c, struct message *m, struct registration_query *query,
		       struct buf *list, bool update)
{
	m->content_format = -1;
	if (has_profile(c) && is_dynamic(c))
		return say_dynamic(c, m, query, list);
	/* What a fixed id stands for is no longer so after a change. */
	if (has_profile(c) && !update)
		return say_fixed(c, m, query, list);
	c->profile.says = PROFILE_SAYS_LIST;
	return add_list(c, m, list);
}

void client_profile_taken(struct client *c)
{
	if (c->profile.says == PROFILE_SAYS_BOTH)
		profile_learn(c->config.profiles, c->profile.id);
	/* The list alone is what it wanted, and so will others of its accounts find. */
	if (c->profile.says == PROFILE_SAYS_LIST && c->profile.step == PROFILE_STEP_LIST &&
	    c->config.profiles)
		c->config.profiles->refused = true;
	client_profile_reset(c);
}

void client_profile_reset(struct client *c)
{
	c->profile.step = PROFILE_STEP_ID;
	c->profile.says = PROFILE_SAYS_NOTHING;
	free(TAKE_PTR(c->profile.id));
}

static void log_refusal(struct client *c, uint8_t code)
{
	const struct failure f = { .error = status_error(code), .code = code, .alert = -1 };
	struct log_about about = client_about(c, NULL);
	char text[STATUS_TEXT_MAX], suppressed[SUPPRESSED_MAX];

	if (!client_may_log(c, &f, suppressed))
		return;
	log_info(&about, "%s: server %s answered Profile ID %s with %s; telling it the full list%s",
		 c->config.endpoint, c->config.server_name,
		 c->profile.id		      ?:
			 c->config.profile_id ?:
						"",
		 status_format(code, text), suppressed);
}

bool client_profile_retry(struct client *c, uint8_t code)
{
	switch (c->profile.says) {
	case PROFILE_SAYS_ID:
		/* It has forgotten, or never kept it: it may learn anew. */
		profile_forget(c->config.profiles, c->profile.id);
		c->profile.step = PROFILE_STEP_BOTH;
		break;
	case PROFILE_SAYS_BOTH:
	case PROFILE_SAYS_FIXED:
		c->profile.step = PROFILE_STEP_LIST;
		break;
	case PROFILE_SAYS_LIST:
	case PROFILE_SAYS_NOTHING:
		client_profile_reset(c);
		return false;
	}
	log_refusal(c, code);
	return true;
}
