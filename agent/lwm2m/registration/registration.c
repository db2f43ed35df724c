/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/registration/registration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"

/* MAX_TRANSMIT_WAIT, RFC 7252 section 4.8.2. */
#define TRANSMIT_WAIT_S 93u

static bool is_listed(uint16_t object)
{
	return object != 0 && object != 21 && object != 23;
}

/*
 * The formats that can carry more than one value, and CBOR; others of one value
 * need no mention. Those of composite requests are of 1.2 (Core 7.5).
 */
static bool is_offered(const struct codec *codec, enum lwm2m_version version)
{
	return codec->since <= version && !codec->former && (!codec->single || codec->format == FORMAT_CBOR);
}

static int add_root(struct link_writer *w, enum lwm2m_version version)
{
	char text[128] = "";
	size_t used = 0;
	int r;

	for (size_t i = 0; i < n_codecs; i++)
		if (is_offered(codecs[i], version))
			used += snprintf(text + used, sizeof(text) - used, "%s%d", used ? " " : "",
					 (int)codecs[i]->format);
	if (version >= LWM2M_1_2)
		snprintf(text + used, sizeof(text) - used, " %d %d", FORMAT_ETCH_JSON, FORMAT_ETCH_CBOR);
	r = link_begin(w, "/");
	return r < 0 ? r : link_attribute(w, "ct", text, true);
}

struct list_walk {
	const struct view *view;
	struct link_writer writer;
	unsigned instances;
};

static int add_instance(void *userdata, const struct path *path)
{
	struct list_walk *walk = userdata;
	char text[PATH_TEXT_MAX];

	walk->instances++;
	return link_begin(&walk->writer, path_format(path, text));
}

static int count_instance(void *userdata, const struct path *path)
{
	(void)path;
	++*(unsigned *)userdata;
	return 0;
}

static int add_object(void *userdata, const struct path *path)
{
	struct list_walk *walk = userdata;
	const struct object_definition *object = view_object(walk->view, path->object);
	uint16_t implied = object_version_implied(path->object, walk->view->version);
	char text[PATH_TEXT_MAX], version[16];
	unsigned instances = 0;
	int r;

	if (!object || !is_listed(path->object))
		return 0;
	store_children(walk->view->store, path, count_instance, &instances);
	if (object->version != implied || instances == 0) {
		r = link_begin(&walk->writer, path_format(path, text));
		if (r < 0)
			return r;
	}
	if (object->version != implied) {
		snprintf(version, sizeof(version), "%u.%u", object->version >> 8, object->version & 0xff);
		r = link_attribute(&walk->writer, "ver", version, false);
		if (r < 0)
			return r;
	}
	return store_children(walk->view->store, path, add_instance, walk);
}

int registration_list(const struct view *view, struct buf *out)
{
	struct list_walk walk = { .view = view, .writer = { .out = out } };
	struct path root = { .depth = PATH_ROOT };
	int r;

	/* A 1.0 registration has no ct on the root link. */
	if (view->version >= LWM2M_1_1) {
		r = add_root(&walk.writer, view->version);
		if (r < 0)
			return r;
	}
	return store_children(view->store, &root, add_object, &walk);
}

int registration_register(struct message *m, struct registration_query *query, const char *endpoint,
			  uint32_t lifetime_s, enum lwm2m_version version, bool queue_mode)
{
	message_init(m, MESSAGE_CON, CODE_POST);
	if (strlen(endpoint) > ENDPOINT_NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(query->endpoint, sizeof(query->endpoint), "ep=%s", endpoint);
	snprintf(query->lifetime, sizeof(query->lifetime), "lt=%u", lifetime_s);
	snprintf(query->version, sizeof(query->version), "lwm2m=%u.%u", version / 10u, version % 10u);
	snprintf(query->binding, sizeof(query->binding), "b=U%s",
		 queue_mode && version < LWM2M_1_1 ? "Q" : "");
	m->content_format = FORMAT_LINK;
	if (message_add_path(m, "rd") < 0 || message_add_query(m, query->endpoint) < 0 ||
	    message_add_query(m, query->lifetime) < 0 || message_add_query(m, query->version) < 0 ||
	    message_add_query(m, query->binding) < 0 ||
	    (queue_mode && version >= LWM2M_1_1 && message_add_query(m, "Q") < 0))
		return -ENOBUFS;
	return 0;
}

int registration_update(struct message *m, struct registration_query *query,
			const struct span *location, unsigned n, uint32_t lifetime_s)
{
	message_init(m, MESSAGE_CON, CODE_POST);
	if (n > MESSAGE_SEGMENTS_MAX)
		return -ENOBUFS;
	memcpy(m->path, location, n * sizeof(*location));
	m->n_path = n;
	if (lifetime_s == UINT32_MAX)
		return 0;
	snprintf(query->lifetime, sizeof(query->lifetime), "lt=%u", lifetime_s);
	return message_add_query(m, query->lifetime);
}

int registration_add_profile(struct message *m, struct registration_query *query, const char *profile)
{
	const char *quote = strchr(profile, ',') ? "\"" : "";

	if (strlen(profile) > PROFILE_TEXT_MAX)
		return -ENAMETOOLONG;
	snprintf(query->profile, sizeof(query->profile), "pid=%s%s%s", quote, profile, quote);
	return message_add_query(m, query->profile);
}

uint64_t registration_refresh_usec(uint32_t lifetime_s)
{
	if (lifetime_s == 0)
		return USEC_INFINITY;
	if (lifetime_s < 2 * TRANSMIT_WAIT_S)
		return lifetime_s * USEC_PER_SEC / 2;
	return (lifetime_s - TRANSMIT_WAIT_S) * USEC_PER_SEC;
}
