/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lwm2m/dm/pending.h"

/* resource: the path's, NULL above one. */
static bool is_single(const struct path *path, const struct resource_definition *resource)
{
	return path->depth == PATH_RESOURCE_INSTANCE ||
	       (path->depth == PATH_RESOURCE && resource && !resource->multiple);
}

/* The first of those that the server prefers, and knows by the version of its registration. */
static const struct codec *codec_preferred(const struct client *c)
{
	for (size_t i = 0; i < c->config.n_formats; i++)
		if (c->config.formats[i]->since <= c->version)
			return c->config.formats[i];
	return codec_find(FORMAT_SENML_CBOR);
}

/* Format without Accept (lwm2m.md "Format without Accept"). */
static const struct codec *codec_default(const struct client *c, const struct path *path,
					 const struct resource_definition *resource)
{
	if (c->version == LWM2M_1_0)
		return codec_find(FORMAT_TLV);
	if (is_single(path, resource))
		return codec_find(resource->type == VALUE_OPAQUE ? FORMAT_OPAQUE : FORMAT_TEXT);
	return codec_preferred(c);
}

static int codec_choose(const struct client *c, const struct path *path,
			const struct resource_definition *resource, int32_t accept,
			const struct codec **ret)
{
	const struct codec *codec =
		accept >= 0 ? codec_find(accept) : codec_default(c, path, resource);

	if (!codec || (codec->single && !is_single(path, resource)))
		return -ENOMEDIUM;
	if (codec->format == FORMAT_OPAQUE && resource->type != VALUE_OPAQUE)
		return -ENOMEDIUM;
	*ret = codec;
	return 0;
}

/* Readable records of the target; 5.03 with a reason when nothing is left but what is not good. */
static int collect(const struct target *target, const struct view *view, const struct access *access,
		   struct records *ret, char ret_reason[REASON_MAX])
{
	const struct path *path = &target->path;
	enum store_quality quality;
	unsigned left_out = 0;
	int r;

	r = store_collect(target->store, path, false, ret, &left_out);
	/* It is the answer that is too large, not the request that is wrong. */
	if (r < 0)
		return r == -E2BIG ? -EIO : r;
	view_filter(view, ret);
	access_filter(access, ret);
	if (ret->n > 0 || left_out == 0)
		return 0;
	store_explain(target->store, path, ret_reason, REASON_MAX);
	if (path->depth < PATH_RESOURCE)
		return -ENODATA;
	quality = store_quality(target->store, path);
	return quality == STORE_OFFLINE ? -EHOSTDOWN : quality == STORE_STALE ? -ESTALE : -ENODATA;
}

/* What can be said of a read before any value is looked at. */
static int read_prepare(const struct client *c, const struct view *view, const struct path *path,
			int32_t accept, const struct codec **ret)
{
	const struct resource_definition *resource = view_resource(view, path);

	if ((path->depth >= PATH_RESOURCE && !resource) || !store_exists(view->store, path))
		return -ENOENT;
	if (resource && !(resource->operations & OPERATION_READ))
		return -EPERM;
	return codec_choose(c, path, resource, accept, ret);
}

int read_check(const struct client *c, const struct target *target, int32_t accept)
{
	struct view view = client_view(c, target->store);
	const struct codec *codec;

	return read_prepare(c, &view, &target->path, accept, &codec);
}

void records_set_common_time(struct records *records)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < records->n; i++)
		newest = MAX(newest, records->items[i].boottime_usec);
	for (size_t i = 0; i < records->n; i++)
		records->items[i].boottime_usec = newest;
}

int read_content(struct client *c, const struct target *target, int32_t accept, bool times,
		 struct buf *ret, int32_t *ret_format, char ret_reason[REASON_MAX])
{
	const struct access *access = client_access(c, target->store);
	struct view view = client_view(c, target->store);
	_cleanup_records_ struct records records = { 0 };
	const struct codec *codec;
	int r;

	*ret_reason = 0;
	r = read_prepare(c, &view, &target->path, accept, &codec);
	if (r < 0)
		return r;
	/* Rights may have gone since it was asked for: a field takes its time, an observation goes on. */
	if (!access_reads(access, target->store, &target->path))
		return -EACCES;
	r = collect(target, &view, access, &records, ret_reason);
	if (r < 0)
		return r;
	if (times)
		records_set_common_time(&records);
	ret->limit = CONTENT_MAX;
	r = codec->encode(&target->path, records.items, records.n, times && codec->timed, ret);
	if (r < 0)
		return r == -EINVAL ? -ENOMEDIUM : r == -EMSGSIZE ? -EIO : r;
	*ret_format = codec->format;
	return 0;
}

static void answer_read(struct request *q, int32_t accept)
{
	_cleanup_buf_ struct buf content = { 0 };
	char reason[REASON_MAX];
	int32_t format;
	int r;

	r = read_content(q->client, &q->target, accept, false, &content, &format, reason);
	if (r < 0)
		respond_error(q, r, reason);
	else
		respond_content(q, format, span_of(content.data, content.size));
}

/* Of one resource it is said why it could not be asked for; of more what is known is read. */
static void refreshed(void *userdata, int error, const char *reason)
{
	struct pending *op = userdata;
	struct request q = { .client = op->client, .exchange = op->exchange, .target = op->target };

	if (op->client) {
		q.view = client_view(op->client, op->target.store);
		if (error < 0 && op->target.path.depth >= PATH_RESOURCE)
			respond_error(&q, error, reason);
		else
			answer_read(&q, op->accept);
	}
	pending_free(op);
}

void dm_read(struct request *q)
{
	int r = read_check(q->client, &q->target, q->message->accept);
	struct pending *op;

	if (r < 0) {
		respond_error(q, r, NULL);
		return;
	}
	op = pending_new(q, CODE(2, 05));
	if (!op)
		return;
	op->target = q->target;
	op->accept = q->message->accept;
	store_refresh(q->target.store, &q->target.path, refreshed, op);
}
