/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lwm2m/client_internal.h"
#include "store/store.h"

/* Discover (Core 6.3.2): links with the asking server's attributes. */

struct discovery {
	struct request *request;
	struct link_writer writer;
	unsigned depth; /* of the deepest links */
};

/* Levels below the target that are shown: 2 below an object, else 1; ?depth=0..3 from 1.2 on. */
static int wanted_levels(const struct request *q, unsigned *ret)
{
	static const char key[] = "depth=";
	unsigned levels = q->target.path.depth == PATH_OBJECT ? 2 : 1;

	for (unsigned i = 0; i < q->message->n_query && q->client->version >= LWM2M_1_2; i++) {
		const struct span *s = &q->message->query[i];

		if (s->n != sizeof(key) || memcmp(s->p, key, s->n - 1) != 0 ||
		    s->p[s->n - 1] < '0' || s->p[s->n - 1] > '3')
			return -EINVAL;
		levels = s->p[s->n - 1] - '0';
	}
	*ret = levels;
	return 0;
}

static int add_attribute(void *userdata, const char *name, const char *value)
{
	return link_attribute(userdata, name, value, false);
}

static int count_child(void *userdata, const struct path *child)
{
	(void)child;
	++*(unsigned *)userdata;
	return 0;
}

static int add_dimension(struct discovery *d, const struct path *path)
{
	const struct resource_definition *resource = view_resource(&d->request->view, path);
	unsigned n = 0;
	char text[16];

	if (path->depth != PATH_RESOURCE || !resource->multiple)
		return 0;
	store_children(d->request->target.store, path, count_child, &n);
	snprintf(text, sizeof(text), "%u", n);
	return link_attribute(&d->writer, "dim", text, false);
}

static int add_version(struct discovery *d, const struct path *path)
{
	const struct object_definition *object = view_object(&d->request->view, path->object);
	char text[16];

	if (path->depth != PATH_OBJECT ||
	    object->version == object_version_implied(path->object, d->request->client->version))
		return 0;
	snprintf(text, sizeof(text), "%u.%u", object->version >> 8, object->version & 0xff);
	return link_attribute(&d->writer, "ver", text, false);
}

/*
 * The target shows what is in force there, all below their own only. The
 * defaults of /1 are shown to 1.2 servers (ETS 264); an instance target of 1.0
 * and 1.1 shows only its own (ETS 260).
 */
static struct attributes shown(const struct discovery *d, const struct path *path)
{
	struct client *c = d->request->client;
	const struct attributes *own = attribute_set_find(c->attributes, path);
	struct attributes a = own ? *own : (struct attributes){ 0 };

	if (!path_equal(path, &d->request->target.path))
		return a;
	if (c->version >= LWM2M_1_2 || path->depth >= PATH_RESOURCE) {
		a = attribute_set_effective(c->attributes, path);
	}
	if (c->version >= LWM2M_1_2) {
		struct attributes defaults = client_default_attributes(c);

		attributes_inherit(&a, &defaults);
	}
	return a;
}

static int add_link(void *userdata, const struct path *path)
{
	struct discovery *d = userdata;
	char text[PATH_TEXT_MAX];
	struct attributes a;
	int r;

	if (!view_exists(&d->request->view, path))
		return 0;
	r = link_begin(&d->writer, path_format(path, text));
	if (r >= 0)
		r = add_version(d, path);
	if (r >= 0)
		r = add_dimension(d, path);
	a = shown(d, path);
	/* What the server does not know may spoil all of the answer for it (Leshan). */
	a.present &= attributes_known(d->request->client->version);
	if (r >= 0)
		r = attributes_each(&a, add_attribute, &d->writer);
	if (r < 0 || path->depth >= d->depth)
		return r;
	return store_children(d->request->target.store, path, add_link, d);
}

void dm_discover(struct request *q)
{
	_cleanup_buf_ struct buf links = { 0 };
	struct discovery d = { .request = q, .writer = { .out = &links } };
	unsigned levels;
	int r;

	if (q->target.path.depth > PATH_RESOURCE) {
		respond_error(q, -EPERM, NULL);
		return;
	}
	r = wanted_levels(q, &levels);
	if (r >= 0) {
		d.depth = MIN(q->target.path.depth + levels, (unsigned)PATH_RESOURCE_INSTANCE);
		r = add_link(&d, &q->target.path);
	}
	if (r < 0)
		respond_error(q, r, NULL);
	else
		respond_content(q, FORMAT_LINK, span_of(links.data, links.size));
}
