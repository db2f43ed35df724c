/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "codec/internal.h"
#include "codec/json.h"
#include "codec/senml.h"

/*
 * Content format 11543: the JSON of LwM2M 1.0 (6.4.4 there). It is SenML in
 * another order: an object with what is common, and an array of the rest.
 */

#define LIST "e"

/* ---- writing ---- */

static const char *const keys[] = {
	[SENML_V] = "v",   [SENML_VS] = "sv",  [SENML_VB] = "bv",
	[SENML_VD] = "sv", [SENML_VLO] = "ov",
};

static int write_entry(struct buf *out, const struct senml_entry *e)
{
	int r = buf_append_byte(out, '{');

	if (r >= 0)
		r = json_write_path(out, "n", e->name);
	if (r >= 0 && e->has_time)
		r = json_write_time(out, "t", e->time_usec);
	if (r >= 0)
		r = json_write_key(out, keys[senml_value_label(e->value)]);
	if (r >= 0)
		r = json_write_value(out, e->value, base64_encode);
	return r < 0 ? r : buf_append_byte(out, '}');
}

/* first: NULL when there is no entry. */
static int write_head(struct buf *out, const char *base_name, const struct senml_entry *first)
{
	int r = buf_append_byte(out, '{');

	if (r >= 0)
		r = json_write_path(out, "bn", base_name);
	if (r >= 0 && first && first->has_base_time)
		r = json_write_time(out, "bt", first->base_time_usec);
	if (r >= 0)
		r = json_write_key(out, LIST);
	return r < 0 ? r : buf_append_byte(out, '[');
}

/* Of a value alone the last id: readers differ in what an entry without a name is to them. */
static struct path parent_of(const struct path *base, const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (path_equal(&records[i].path, base))
			return path_cut(base, base->depth - 1u);
	return *base;
}

static int write_all(struct buf *out, struct senml_writer *writer)
{
	struct senml_entry entry;
	bool more = senml_next(writer, &entry);
	int r = write_head(out, writer->base_name, more ? &entry : NULL);

	while (r >= 0 && more) {
		r = write_entry(out, &entry);
		more = senml_next(writer, &entry);
		if (r >= 0 && more)
			r = buf_append_byte(out, ',');
	}
	return r < 0 ? r : buf_append_text(out, "]}");
}

static int json_encode(const struct path *base, const struct record *records, size_t n, bool times,
		       struct buf *out)
{
	struct path parent = parent_of(base, records, n);
	struct senml_writer writer;
	size_t size = out->size;
	int r;

	for (size_t i = 0; i < n; i++)
		if (!path_contains(base, &records[i].path))
			return -EINVAL;
	r = senml_begin(&writer, &parent, records, n, times);
	return encode_end(out, size, r < 0 ? r : write_all(out, &writer));
}

/* ---- reading ---- */

static const struct {
	const char *name;
	enum senml_label label;
} names[] = {
	{ "n", SENML_N },    { "v", SENML_V }, { "sv", SENML_VS }, { "bv", SENML_VB },
	{ "ov", SENML_VLO }, { "t", SENML_T }, { "bn", SENML_BN }, { "bt", SENML_BT },
};

static enum senml_label label_of(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == name.n && memcmp(names[i].name, name.p, name.n) == 0)
			return names[i].label;
	return SENML_UNKNOWN;
}

struct reading {
	struct senml_reader reader;
	struct senml_record record;
	bool has_base;	  /* the payload has bn, else it is the target */
	struct span base; /* without a slash behind it */
};

static int read_member(void *userdata, struct span name, const struct wire *value)
{
	struct reading *reading = userdata;
	enum senml_label label = label_of(name);
	struct wire wire = *value;

	if (label == SENML_VS && wire.kind == WIRE_TEXT)
		wire.kind = WIRE_TEXT_OR_BASE64;
	return senml_field(&reading->reader, &reading->record, label, &wire);
}

static struct span without_slash(struct span base)
{
	if (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	return base;
}

static int read_head(struct reading *reading, const struct json_list *list, const char *target)
{
	int r = json_list_head(list, read_member, reading);

	if (r < 0)
		return r;
	reading->has_base = reading->record.has_base_name;
	reading->base = without_slash(reading->has_base ? reading->record.base_name :
							  span_of(target, strlen(target)));
	reading->record.has_base_name = false;
	senml_take_base(&reading->reader, &reading->record);
	return 0;
}

/* "/3/0" or "/3/0/", and "9" or "/9", are taken for /3/0/9; "/3/0/9" alone is a path as well. */
static int join(struct reading *reading, char *text, size_t size, struct span *ret)
{
	struct span name = reading->record.name;
	bool slash = name.n > 0 && *name.p == '/';
	struct span base = slash && !reading->has_base ? span_of("", 0) : reading->base;
	size_t n = base.n + (name.n > 0 && !slash) + name.n;

	if (n > size)
		return intake_fail(reading->reader.in, "name is no path of a resource");
	if (base.n > 0)
		memcpy(text, base.p, base.n);
	if (name.n > 0) {
		text[base.n] = '/';
		memcpy(text + n - name.n, name.p, name.n);
	}
	*ret = span_of(text, n);
	return 0;
}

static int read_entry(struct reading *reading, const struct json_list *list, size_t index)
{
	char text[PATH_TEXT_MAX];
	int r;

	reading->record = (struct senml_record){ 0 };
	r = json_list_members(list, index, read_member, reading);
	if (r >= 0)
		r = join(reading, text, sizeof(text), &reading->record.name);
	if (r < 0)
		return r;
	reading->record.has_name = true;
	reading->record.has_base_name = false;
	reading->record.base_time = (struct wire){ 0 };
	return senml_record(&reading->reader, &reading->record);
}

static int read_all(struct intake *in, struct span payload)
{
	_cleanup_(json_list_freep) struct json_list *list = NULL;
	struct reading reading = { .reader = { .in = in } };
	char target[PATH_TEXT_MAX];
	int r = json_list_parse(payload, LIST, &list, &in->reason);

	if (r >= 0)
		r = read_head(&reading, list, path_format(in->base, target));
	for (size_t i = 0; r >= 0 && i < json_list_size(list); i++)
		r = read_entry(&reading, list, i);
	return r == -ERANGE ? intake_fail(in, "not a finite number") : r;
}

static int json_decode(const struct path *base, struct span payload, codec_lookup lookup,
		       void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };

	return intake_end(&in, read_all(&in, payload), ret_reason);
}

const struct codec json_codec = {
	.format = FORMAT_JSON,
	.name = "json",
	.since = LWM2M_1_0,
	.former = true,
	.timed = true,
	.encode = json_encode,
	.decode = json_decode,
};
