/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/composite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/lwm2m_cbor.h"
#include "codec/senml.h"

#define BIT(label) (1u << ((label)-SENML_BS))
/* All that a record of a FETCH may have (RFC 8790 section 3.1). */
#define FETCH_FIELDS                                                                               \
	(BIT(SENML_N) | BIT(SENML_BN) | BIT(SENML_T) | BIT(SENML_BT) | BIT(SENML_U) | BIT(SENML_BU))

struct reading {
	struct senml_reader reader;
	struct composite *composite;
	bool bare; /* the last entry is but a base, if the next record builds upon it */
};

/* ---- names ---- */

/* "/d01/3/0" in segments that point into text; "/" has none. */
static int split(struct intake *in, char *text, size_t size, struct composite_entry *ret)
{
	char *end = text + size;

	ret->n_segments = 0;
	if (size == 0 || *text != '/')
		return intake_fail(in, "SenML name is no path");
	if (size == 1)
		return 0;
	while (text < end) {
		char *slash;

		text++;
		slash = memchr(text, '/', (size_t)(end - text));
		if (!slash)
			slash = end;
		if (slash == text)
			return intake_fail(in, "path with an empty segment");
		if (ret->n_segments == COMPOSITE_SEGMENTS_MAX)
			return intake_fail(in, "path with too many segments");
		ret->segments[ret->n_segments++] = span_of(text, (size_t)(slash - text));
		text = slash;
	}
	return 0;
}

static int append_entry(struct composite *c, struct intake *in, const struct composite_entry *entry)
{
	struct composite_entry *items;

	if (c->n == COMPOSITE_ENTRIES_MAX)
		return intake_fail(in, "too many paths");
	if (c->n == c->allocated) {
		size_t allocated = c->allocated > 0 ? 2 * c->allocated : 8;

		items = reallocarray(c->items, allocated, sizeof(*items));
		if (!items)
			return -ENOMEM;
		c->items = items;
		c->allocated = allocated;
	}
	c->items[c->n++] = *entry;
	return 0;
}

/* An entry for base name and name as one. */
static int add_entry(struct composite *c, struct intake *in, struct span base, struct span name,
		     const struct wire *value)
{
	struct composite_entry entry = { .value = *value };
	char text[COMPOSITE_NAME_MAX];
	char *copy;
	int r;

	if (base.n > sizeof(text) || name.n > sizeof(text) - base.n)
		return intake_fail(in, "path is too long");
	if (base.n > 0)
		memcpy(text, base.p, base.n);
	if (name.n > 0)
		memcpy(text + base.n, name.p, name.n);
	copy = arena_text(&c->texts, text, base.n + name.n);
	if (!copy)
		return -ENOMEM;
	r = split(in, copy, base.n + name.n, &entry);
	return r < 0 ? r : append_entry(c, in, &entry);
}

/* ---- FETCH ---- */

static bool ends_in_slash(struct span name)
{
	return name.n > 0 && name.p[name.n - 1] == '/';
}

/*
 * A base that ends in a slash means itself unless the next record builds upon
 * it: "/" alone is the root, "/3/" the object.
 */
static int add_bare(struct reading *reading, struct span base)
{
	if (base.n > 1)
		base.n--;
	reading->bare = true;
	return add_entry(reading->composite, reading->reader.in, base, (struct span){ 0 },
			 &(struct wire){ 0 });
}

static int take_fetch(struct senml_reader *reader, const struct senml_record *record)
{
	struct reading *reading = container_of(reader, struct reading, reader);

	if (record->seen & ~FETCH_FIELDS)
		return intake_fail(reader->in, "a path to read comes with other fields");
	if (!record->has_name && !record->has_base_name)
		return intake_fail(reader->in, "SenML record without name");
	if (reading->bare && !record->has_base_name)
		reading->composite->n--;
	reading->bare = false;
	senml_take_base(reader, record);
	if (!record->has_name && ends_in_slash(record->base_name))
		return add_bare(reading, record->base_name);
	return add_entry(reading->composite, reader->in, reader->base_name, record->name,
			 &(struct wire){ 0 });
}

/* A device behind a prefix is not part of the gateway's own tree. */
static bool root_holds(const struct composite_entry *e)
{
	uint16_t id;

	return e->n_segments == 0 ||
	       path_parse_id((const char *)e->segments[0].p, e->segments[0].n, &id) >= 0;
}

static bool holds(const struct composite_entry *outer, const struct composite_entry *inner)
{
	if (outer->n_segments == 0)
		return root_holds(inner);
	if (outer->n_segments > inner->n_segments)
		return false;
	for (unsigned i = 0; i < outer->n_segments; i++)
		if (outer->segments[i].n != inner->segments[i].n ||
		    memcmp(outer->segments[i].p, inner->segments[i].p, inner->segments[i].n) != 0)
			return false;
	return true;
}

/* ---- iPATCH ---- */

/* Text and bytes live as long as the body, which may go before the composite does. */
static int keep(struct composite *c, struct wire *w)
{
	char *copy;

	if (!wire_has_bytes(w))
		return 0;
	copy = arena_text(&c->texts, w->bytes.p, w->bytes.n);
	if (!copy)
		return -ENOMEM;
	w->bytes = span_of(copy, w->bytes.n);
	return 0;
}

static int take_patch(struct senml_reader *reader, const struct senml_record *record)
{
	struct reading *reading = container_of(reader, struct reading, reader);
	struct wire value;
	int r;

	senml_take_base(reader, record);
	/* A record of base fields only sets them. */
	if (record->n_values == 0 && !record->has_name)
		return 0;
	r = senml_value(reader, record, &value);
	if (r >= 0)
		r = keep(reading->composite, &value);
	return r < 0 ? r :
		       add_entry(reading->composite, reader->in, reader->base_name, record->name,
				 &value);
}

struct cbor_reading {
	struct lwm2m_cbor_reader reader;
	struct composite *composite;
};

/* "/d01" in text; empty without a prefix. */
static int write_prefix(struct intake *in, const struct lwm2m_cbor_name *name,
			char text[COMPOSITE_NAME_MAX], struct span *ret)
{
	*ret = (struct span){ 0 };
	if (!name->has_prefix)
		return 0;
	if (name->prefix.n >= COMPOSITE_NAME_MAX)
		return intake_fail(in, "path is too long");
	if (memchr(name->prefix.p, '/', name->prefix.n))
		return intake_fail(in, "prefix with a slash");
	text[0] = '/';
	memcpy(text + 1, name->prefix.p, name->prefix.n);
	*ret = span_of(text, name->prefix.n + 1);
	return 0;
}

static int take_cbor(struct lwm2m_cbor_reader *reader, const struct lwm2m_cbor_name *name,
		     const struct wire *value)
{
	struct composite *c = container_of(reader, struct cbor_reading, reader)->composite;
	char prefix[COMPOSITE_NAME_MAX], path[PATH_TEXT_MAX];
	struct wire kept = *value;
	struct span base;
	int r;

	/* Nothing can be said to be removed (Core 7.5.4). */
	if (value->kind == WIRE_NULL)
		return intake_fail(reader->in, "null as a value");
	if (name->path.instance == ID_NONE)
		return intake_fail(reader->in, "65535 as an id");
	r = write_prefix(reader->in, name, prefix, &base);
	if (r >= 0)
		r = keep(c, &kept);
	path_format(&name->path, path);
	return r < 0 ? r : add_entry(c, reader->in, base, span_of(path, strlen(path)), &kept);
}

static int read_cbor(struct intake *in, struct span payload, struct composite *c)
{
	struct cbor_reading reading = { { in, take_cbor }, c };

	return lwm2m_cbor_read(&reading.reader, payload);
}

/* ---- entries among each other ---- */

static int compare_names(const struct composite_entry *a, const struct composite_entry *b)
{
	for (unsigned i = 0; i < a->n_segments && i < b->n_segments; i++) {
		size_t n = MIN(a->segments[i].n, b->segments[i].n);
		int order = memcmp(a->segments[i].p, b->segments[i].p, n);

		if (order == 0)
			order = (a->segments[i].n > n) - (b->segments[i].n > n);
		if (order != 0)
			return order;
	}
	return (a->n_segments > b->n_segments) - (a->n_segments < b->n_segments);
}

/* By name, then as they came: what holds others stands before them. */
static int compare_entries(const void *a, const void *b)
{
	const struct composite_entry *x = *(struct composite_entry *const *)a;
	const struct composite_entry *y = *(struct composite_entry *const *)b;
	int order = compare_names(x, y);

	return order != 0 ? order : (x > y) - (x < y);
}

static int sort(struct composite *c, struct composite_entry ***ret)
{
	struct composite_entry **sorted =
		reallocarray(NULL, c->n, sizeof(struct composite_entry *));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		sorted[i] = &c->items[i];
	qsort(sorted, c->n, sizeof(struct composite_entry *), compare_entries);
	*ret = sorted;
	return 0;
}

static int cover_within(struct composite *c)
{
	_cleanup_free_ struct composite_entry **sorted = NULL;
	const struct composite_entry *root = NULL, *outer = NULL;
	int r = sort(c, &sorted);

	for (size_t i = 0; r >= 0 && i < c->n; i++) {
		struct composite_entry *e = sorted[i];

		e->covered = (root && holds(root, e)) || (outer && holds(outer, e));
		if (e->covered)
			continue;
		if (e->n_segments == 0)
			root = e;
		else
			outer = e;
	}
	return r;
}

/* once: a second time is an error, else it is the one that counts. */
static int cover_repeated(struct composite *c, bool once, struct intake *in)
{
	_cleanup_free_ struct composite_entry **sorted = NULL;
	int r = sort(c, &sorted);

	for (size_t i = 1; r >= 0 && i < c->n; i++) {
		if (compare_names(sorted[i - 1], sorted[i]) != 0)
			continue;
		if (once)
			return intake_fail(in, "path occurs twice");
		sorted[i - 1]->covered = true;
	}
	return r;
}

/* ---- bodies ---- */

static int read_pack(struct senml_reader *reader, enum content_format format, struct span payload)
{
	if (format == FORMAT_ETCH_JSON || format == FORMAT_SENML_JSON)
		return senml_json_read(reader, payload);
	return senml_cbor_read(reader, payload);
}

static bool is_etch(enum content_format format)
{
	return format == FORMAT_ETCH_JSON || format == FORMAT_ETCH_CBOR;
}

static bool is_senml(enum content_format format)
{
	return is_etch(format) || format == FORMAT_SENML_JSON || format == FORMAT_SENML_CBOR;
}

static int end(struct composite *c, int r, const struct intake *in, const char **ret_reason)
{
	if (r >= 0)
		return 0;
	composite_done(c);
	if (r == -ENOMEM)
		return r;
	*ret_reason = in->reason ? in->reason : "content cannot be read";
	return -EINVAL;
}

int composite_decode_fetch(enum content_format format, struct span payload, struct composite *ret,
			   const char **ret_reason)
{
	struct intake in = { 0 };
	struct reading reading = { { .in = &in, .take = take_fetch }, ret, false };
	int r;

	*ret = (struct composite){ 0 };
	if (!is_senml(format))
		return -EPROTONOSUPPORT;
	r = read_pack(&reading.reader, format, payload);
	if (r >= 0 && ret->n == 0)
		r = intake_fail(&in, "no path at all");
	if (r >= 0)
		r = cover_within(ret);
	return end(ret, r, &in, ret_reason);
}

static int read_patch(struct intake *in, enum content_format format, struct span payload,
		      struct composite *ret)
{
	struct reading reading = { { .in = in, .take = take_patch, .removes = is_etch(format) },
				   ret,
				   false };

	if (format == FORMAT_LWM2M_CBOR)
		return read_cbor(in, payload, ret);
	return read_pack(&reading.reader, format, payload);
}

int composite_decode_patch(enum content_format format, struct span payload, struct composite *ret,
			   const char **ret_reason)
{
	struct intake in = { 0 };
	int r;

	*ret = (struct composite){ 0 };
	if (!is_senml(format) && format != FORMAT_LWM2M_CBOR)
		return -EPROTONOSUPPORT;
	r = read_patch(&in, format, payload, ret);
	if (r >= 0 && ret->n == 0)
		r = intake_fail(&in, "no value at all");
	if (r >= 0)
		r = cover_repeated(ret, !is_etch(format), &in);
	return end(ret, r, &in, ret_reason);
}

int composite_answer(enum content_format request, int32_t accept, const struct codec **ret)
{
	if (accept < 0)
		accept = request == FORMAT_ETCH_JSON || request == FORMAT_SENML_JSON ?
				 FORMAT_SENML_JSON :
				 FORMAT_SENML_CBOR;
	if (accept != FORMAT_SENML_JSON && accept != FORMAT_SENML_CBOR &&
	    accept != FORMAT_LWM2M_CBOR)
		return -ENOMEDIUM;
	*ret = codec_find(accept);
	return 0;
}

void composite_done(struct composite *c)
{
	free(c->items);
	arena_done(&c->texts);
	*c = (struct composite){ 0 };
}

int composite_value(const struct composite_entry *e, const struct resource_definition *definition,
		    struct value *ret, const char **ret_reason)
{
	int r = wire_to_value(&e->value, definition ? definition->type : VALUE_NONE, ret);

	if (r >= 0 || r == -ENOMEM)
		return r;
	*ret_reason = wire_reason(r);
	return -EINVAL;
}
