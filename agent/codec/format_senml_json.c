/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "codec/internal.h"
#include "codec/json.h"
#include "codec/senml.h"

/* Content format 110: SenML JSON (Core 7.5.6, RFC 8428 section 5). */

/* ---- writing ---- */

static const char *const keys[] = {
	[SENML_V] = "v",   [SENML_VS] = "vs",	[SENML_VB] = "vb",
	[SENML_VD] = "vd", [SENML_VLO] = "vlo",
};

static int write_entry(struct buf *out, const struct senml_entry *e)
{
	int r = buf_append_byte(out, '{');

	if (r >= 0 && e->base_name)
		r = json_write_path(out, "bn", e->base_name);
	if (r >= 0 && e->has_base_time)
		r = json_write_time(out, "bt", e->base_time_usec);
	if (r >= 0 && e->name)
		r = json_write_path(out, "n", e->name);
	if (r >= 0 && e->has_time)
		r = json_write_time(out, "t", e->time_usec);
	if (r >= 0)
		r = json_write_key(out, keys[senml_value_label(e->value)]);
	if (r >= 0)
		r = json_write_value(out, e->value, base64url_encode);
	return r < 0 ? r : buf_append_byte(out, '}');
}

static int senml_json_encode(const struct path *base, const struct record *records, size_t n,
			     bool times, struct buf *out)
{
	struct senml_writer writer;
	struct senml_entry entry;
	size_t size = out->size;
	bool first = true;
	int r = senml_begin(&writer, base, records, n, times);

	if (r >= 0)
		r = buf_append_byte(out, '[');
	while (r >= 0 && senml_next(&writer, &entry)) {
		if (!first)
			r = buf_append_byte(out, ',');
		first = false;
		if (r >= 0)
			r = write_entry(out, &entry);
	}
	if (r >= 0)
		r = buf_append_byte(out, ']');
	return encode_end(out, size, r);
}

/* ---- reading ---- */

struct reading {
	struct senml_reader *reader;
	struct senml_record record;
};

static int read_member(void *userdata, struct span name, const struct wire *value)
{
	struct reading *reading = userdata;
	struct wire wire = *value;
	enum senml_label label;

	if (senml_label(name, &label) < 0)
		return intake_fail(reading->reader->in, "unknown SenML field");
	/* JSON has no bytes: they come as base64url. */
	if (label == SENML_VD && wire.kind == WIRE_TEXT)
		wire.kind = WIRE_BASE64;
	return senml_field(reading->reader, &reading->record, label, &wire);
}

int senml_json_read(struct senml_reader *reader, struct span payload)
{
	_cleanup_(json_list_freep) struct json_list *list = NULL;
	struct reading reading = { .reader = reader };
	int r = json_list_parse(payload, NULL, &list, &reader->in->reason);

	for (size_t i = 0; r >= 0 && i < json_list_size(list); i++) {
		reading.record = (struct senml_record){ 0 };
		r = json_list_members(list, i, read_member, &reading);
		if (r >= 0)
			r = reader->take(reader, &reading.record);
	}
	return r == -ERANGE ? intake_fail(reader->in, "not a finite number") : r;
}

static int senml_json_decode(const struct path *base, struct span payload, codec_lookup lookup,
			     void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	struct senml_reader reader = { .in = &in, .take = senml_record };

	return intake_end(&in, senml_json_read(&reader, payload), ret_reason);
}

const struct codec senml_json_codec = {
	.format = FORMAT_SENML_JSON,
	.name = "senml-json",
	.since = LWM2M_1_1,
	.timed = true,
	.encode = senml_json_encode,
	.decode = senml_json_decode,
};
