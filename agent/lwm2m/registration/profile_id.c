/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/registration/profile_id.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"
#include "store/store.h"

#define SHA_256_BYTES 32u
#define SUITE_DEFAULT 6u

/* Bytes of SHA-256 that a suite keeps. */
static const uint8_t suite_bytes[] = { [1] = 32, [2] = 16, [3] = 15, [4] = 12, [5] = 8, [6] = 4 };

struct walk {
	const struct view *view;
	struct link_writer writer;
};

static int add_instance(void *userdata, const struct path *path)
{
	struct walk *walk = userdata;
	char text[PATH_TEXT_MAX];

	return link_begin(&walk->writer, path_format(path, text));
}

static int add_object(void *userdata, const struct path *path)
{
	struct walk *walk = userdata;
	const struct object_definition *object = view_object(walk->view, path->object);
	char text[PATH_TEXT_MAX], version[16];
	int r;

	if (!object || object_is_secret(path->object))
		return 0;
	snprintf(version, sizeof(version), "%u.%u", object->version >> 8, object->version & 0xff);
	r = link_begin(&walk->writer, path_format(path, text));
	if (r >= 0)
		r = link_attribute(&walk->writer, "ver", version, false);
	return r < 0 ? r : store_children(walk->view->store, path, add_instance, walk);
}

int profile_list(const struct view *view, struct buf *out)
{
	struct walk walk = { .view = view, .writer = { .out = out } };
	const struct path root = { .depth = PATH_ROOT };

	return store_children(view->store, &root, add_object, &walk);
}

int profile_hash(struct span list, unsigned suite, char ret[PROFILE_ID_MAX])
{
	uint8_t digest[SHA_256_BYTES];
	int n;

	if (suite == 0 || suite >= ARRAY_SIZE(suite_bytes))
		suite = SUITE_DEFAULT;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, list.p, list.n, digest) < 0)
		return -EIO;
	n = snprintf(ret, PROFILE_ID_MAX, "%u:", suite);
	for (unsigned i = 0; i < suite_bytes[suite]; i++)
		n += snprintf(ret + n, PROFILE_ID_MAX - (size_t)n, "%02x", digest[i]);
	return 0;
}

static int find(const struct profile_memory *m, const char *id)
{
	for (unsigned i = 0; i < PROFILES_KNOWN_MAX; i++)
		if (streq(m->ids[i], id))
			return (int)i;
	return -1;
}

bool profile_is_known(const struct profile_memory *m, const char *id)
{
	return find(m, id) >= 0;
}

void profile_learn(struct profile_memory *m, const char *id)
{
	if (find(m, id) >= 0)
		return;
	snprintf(m->ids[m->next], PROFILE_ID_MAX, "%s", id);
	m->next = (m->next + 1) % PROFILES_KNOWN_MAX;
}

void profile_forget(struct profile_memory *m, const char *id)
{
	int at = find(m, id);

	if (at >= 0)
		m->ids[at][0] = 0;
}
