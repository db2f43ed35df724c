/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/dm/composite_read.h"

#include <errno.h>

#include "codec/composite.h"

/* ---- the request ---- */

static int resolve(const struct request *q, const struct composite_entry *entry, struct target *ret)
{
	const struct client_config *config = &q->client->config;
	int r = config->resolver->resolve(config->resolver->userdata, config->store, entry->segments,
					  entry->n_segments, ret);

	if (r < 0)
		return r;
	return path_is_secret(&ret->path) ? -EACCES : 0;
}

int composite_targets(const struct request *q, struct observed **ret, unsigned *ret_n, const char **ret_reason)
{
	const struct message *m = q->message;
	_cleanup_composite_ struct composite composite = { 0 };
	_cleanup_free_ struct observed *targets = NULL;
	unsigned n = 0;
	int r;

	if (m->content_format < 0)
		return -EPROTONOSUPPORT;
	r = composite_decode_fetch(m->content_format, m->payload, &composite, ret_reason);
	if (r < 0)
		return r;
	targets = calloc(composite.n, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < composite.n; i++) {
		struct target target;

		r = composite.items[i].covered ? -ENOENT : resolve(q, &composite.items[i], &target);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		targets[n++] = (struct observed){ .path = target.path, .store = target.store };
	}
	*ret = TAKE_PTR(targets);
	*ret_n = n;
	return 0;
}

int composite_format(const struct message *m, int32_t *ret)
{
	const struct codec *codec;
	int r = composite_answer(m->content_format, m->accept, &codec);

	if (r >= 0)
		*ret = codec->format;
	return r;
}

bool composite_may_read(struct client *c, const struct observed *at)
{
	return access_reads(client_access(c, at->store), at->store, &at->path);
}

/* ---- the content ---- */

void composite_content_done(struct composite_content *c)
{
	records_done(&c->records);
}

static bool is_readable(const struct view *view, const struct path *path)
{
	const struct resource_definition *resource = view_resource(view, path);

	return view_exists(view, path) && (!resource || resource->operations & OPERATION_READ);
}

static int move_records(struct records *from, struct records *to)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r >= 0; i++) {
		struct record *record = &from->items[i];

		r = records_add(to, &record->path, &record->value, record->boottime_usec);
		record->value = (struct value){ 0 };
	}
	return r;
}

int composite_content_add(struct composite_content *c, const struct observed *at)
{
	const struct access *access = client_access(c->client, at->store);
	const struct view view = client_view(c->client, at->store);
	_cleanup_records_ struct records records = { 0 };
	int r;

	if (!is_readable(&view, &at->path))
		return 0;
	if (!composite_may_read(c->client, at)) {
		c->denied = true;
		return 0;
	}
	c->allowed = true;
	r = store_collect(at->store, &at->path, false, &records, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r == -E2BIG ? -EIO : r;
	view_filter(&view, &records);
	access_filter(access, &records);
	records_remove_secrets(&records);
	r = move_records(&records, &c->records);
	/* It is the answer that is too large, not the request that is wrong. */
	return r == -E2BIG ? -EIO : r;
}

static int by_path(const void *a, const void *b)
{
	const struct record *first = a, *second = b;

	return path_compare(&first->path, &second->path);
}

int composite_content_encode(struct composite_content *c, int32_t format, bool times, struct buf *ret)
{
	const struct path root = { .depth = PATH_ROOT };
	const struct codec *codec = codec_find(format);
	int r;

	if (c->denied && !c->allowed)
		return -EACCES;
	if (c->records.n > 0)
		qsort(c->records.items, c->records.n, sizeof(*c->records.items), by_path);
	if (times)
		records_set_common_time(&c->records);
	ret->limit = CONTENT_MAX;
	r = codec->encode(&root, c->records.items, c->records.n, times && codec->timed, ret);
	return r == -EMSGSIZE || r == -EINVAL ? -EIO : r;
}
