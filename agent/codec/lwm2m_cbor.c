/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/lwm2m_cbor.h"

#include <errno.h>

static bool is_next(const struct span *s, enum cbor_major major)
{
	return s->n > 0 && *s->p >> 5 == (unsigned)major;
}

static int take_prefix(struct lwm2m_cbor_reader *r, const struct wire *w,
		       struct lwm2m_cbor_name *name)
{
	if (name->has_prefix || name->path.depth > PATH_ROOT)
		return intake_fail(r->in, "text as an id");
	if (w->bytes.n == 0)
		return intake_fail(r->in, "empty prefix");
	name->has_prefix = true;
	name->prefix = w->bytes;
	return 0;
}

static int take_id(struct lwm2m_cbor_reader *r, const struct wire *w, struct lwm2m_cbor_name *name)
{
	if (w->kind != WIRE_UNSIGNED || w->unsignd > ID_NONE)
		return intake_fail(r->in, "CBOR key is no id");
	if (name->path.depth == PATH_RESOURCE_INSTANCE)
		return intake_fail(r->in, "CBOR keys name no path");
	/* As an instance it leaves the id open (Core 6.3.6). */
	if (w->unsignd == ID_NONE && name->path.depth != PATH_OBJECT)
		return intake_fail(r->in, "65535 as an id");
	name->path = path_child(&name->path, (uint16_t)w->unsignd);
	return 0;
}

static int read_id(struct lwm2m_cbor_reader *r, struct span *s, struct lwm2m_cbor_name *name)
{
	struct wire w;
	int error = cbor_read(s, &w, &r->in->reason);

	if (error < 0)
		return error;
	return w.kind == WIRE_TEXT ? take_prefix(r, &w, name) : take_id(r, &w, name);
}

static int read_key(struct lwm2m_cbor_reader *r, struct span *s, struct lwm2m_cbor_name *name)
{
	const char **reason = &r->in->reason;
	struct cbor_items ids;
	bool any = false;
	int error;

	if (!is_next(s, CBOR_ARRAY))
		return read_id(r, s, name);
	error = cbor_enter(s, CBOR_ARRAY, &ids, reason);
	while (error >= 0 && (error = cbor_next(s, &ids, reason)) > 0) {
		error = read_id(r, s, name);
		any = true;
	}
	return error >= 0 && !any ? intake_fail(r->in, "CBOR key without ids") : error;
}

static int read_leaf(struct lwm2m_cbor_reader *r, struct span *s,
		     const struct lwm2m_cbor_name *name)
{
	struct wire value;
	int error;

	if (name->path.depth < PATH_RESOURCE)
		return intake_fail(r->in, "value above a resource");
	error = cbor_read(s, &value, &r->in->reason);
	if (error < 0)
		return error;
	/* An Objlnk has no CBOR type of its own (Core table C-2). */
	if (value.kind == WIRE_TEXT)
		value.kind = WIRE_TEXT_OR_LINK;
	return r->take(r, name, &value);
}

/* Each key takes the path further down, so maps do not nest deeper than paths do. */
static int read_map(struct lwm2m_cbor_reader *r, struct span *s,
		    const struct lwm2m_cbor_name *above)
{
	const char **reason = &r->in->reason;
	struct cbor_items entries;
	bool any = false;
	int error = cbor_enter(s, CBOR_MAP, &entries, reason);

	while (error >= 0 && (error = cbor_next(s, &entries, reason)) > 0) {
		struct lwm2m_cbor_name name = *above;

		any = true;
		error = read_key(r, s, &name);
		if (error >= 0)
			error = is_next(s, CBOR_MAP) ? read_map(r, s, &name) :
						       read_leaf(r, s, &name);
	}
	return error >= 0 && !any ? intake_fail(r->in, "empty CBOR map") : error;
}

int lwm2m_cbor_read(struct lwm2m_cbor_reader *r, struct span payload)
{
	const struct lwm2m_cbor_name root = { 0 };
	int error = read_map(r, &payload, &root);

	if (error >= 0 && payload.n > 0)
		error = intake_fail(r->in, "more than one CBOR item");
	return error;
}
