/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "codec/cbor.h"
#include "codec/internal.h"
#include "codec/senml.h"

/* Content format 112: SenML CBOR (Core 7.5.7, RFC 8428 section 6). */

/* ---- writing ---- */

static int write_label(struct buf *out, enum senml_label label)
{
	return label == SENML_VLO ? cbor_write_text(out, "vlo", 3) : cbor_write_integer(out, label);
}

static int write_name(struct buf *out, enum senml_label label, const char *name)
{
	int r = write_label(out, label);

	return r < 0 ? r : cbor_write_text(out, name, strlen(name));
}

static int write_time(struct buf *out, enum senml_label label, int64_t usec)
{
	int r = write_label(out, label);

	if (r < 0)
		return r;
	if (usec % (int64_t)USEC_PER_SEC == 0)
		return cbor_write_integer(out, usec / (int64_t)USEC_PER_SEC);
	return cbor_write_double(out, (double)usec / (double)USEC_PER_SEC);
}

static int write_entry(struct buf *out, const struct senml_entry *e)
{
	unsigned fields = !!e->base_name + !!e->name + e->has_base_time + e->has_time + 1;
	int r = cbor_write_head(out, CBOR_MAP, fields);

	if (r >= 0 && e->base_name)
		r = write_name(out, SENML_BN, e->base_name);
	if (r >= 0 && e->has_base_time)
		r = write_time(out, SENML_BT, e->base_time_usec);
	if (r >= 0 && e->name)
		r = write_name(out, SENML_N, e->name);
	if (r >= 0 && e->has_time)
		r = write_time(out, SENML_T, e->time_usec);
	if (r >= 0)
		r = write_label(out, senml_value_label(e->value));
	return r < 0 ? r : cbor_write_value(out, e->value);
}

static int senml_cbor_encode(const struct path *base, const struct record *records, size_t n,
			     bool times, struct buf *out)
{
	struct senml_writer writer;
	struct senml_entry entry;
	size_t size = out->size;
	int r = senml_begin(&writer, base, records, n, times);

	if (r >= 0)
		r = cbor_write_head(out, CBOR_ARRAY, senml_count(&writer));
	while (r >= 0 && senml_next(&writer, &entry))
		r = write_entry(out, &entry);
	return encode_end(out, size, r);
}

/* ---- reading ---- */

static int read_label(struct span *s, struct senml_reader *reader, enum senml_label *ret)
{
	struct wire label;
	int r = cbor_read(s, &label, &reader->in->reason);

	if (r < 0)
		return r;
	*ret = SENML_UNKNOWN;
	if (label.kind == WIRE_TEXT) {
		if (senml_label(label.bytes, ret) < 0)
			return intake_fail(reader->in, "unknown SenML field");
		/* The others have numbers, and a name of theirs is some other field. */
		if (*ret != SENML_VLO)
			*ret = SENML_UNKNOWN;
		return 0;
	}
	if (label.kind == WIRE_UNSIGNED && label.unsignd <= SENML_VD)
		*ret = (enum senml_label)label.unsignd;
	else if (label.kind == WIRE_SIGNED && label.integer >= SENML_BS)
		*ret = (enum senml_label)label.integer;
	else if (label.kind != WIRE_UNSIGNED && label.kind != WIRE_SIGNED)
		return intake_fail(reader->in, "SenML label is no number or text");
	return 0;
}

static int read_field(struct span *s, struct senml_reader *reader, struct senml_record *record)
{
	enum senml_label label;
	struct wire value = { 0 };
	int r = read_label(s, reader, &label);

	if (r < 0)
		return r;
	if (label == SENML_UNKNOWN)
		r = cbor_skip(s, &reader->in->reason);
	else
		r = cbor_read(s, &value, &reader->in->reason);
	return r < 0 ? r : senml_field(reader, record, label, &value);
}

static int read_record(struct span *s, struct senml_reader *reader)
{
	const char **reason = &reader->in->reason;
	struct senml_record record = { 0 };
	struct cbor_items fields;
	int r = cbor_enter(s, CBOR_MAP, &fields, reason);

	while (r >= 0 && (r = cbor_next(s, &fields, reason)) > 0)
		r = read_field(s, reader, &record);
	return r < 0 ? r : reader->take(reader, &record);
}

int senml_cbor_read(struct senml_reader *reader, struct span payload)
{
	const char **reason = &reader->in->reason;
	struct cbor_items records;
	int r = cbor_enter(&payload, CBOR_ARRAY, &records, reason);

	while (r >= 0 && (r = cbor_next(&payload, &records, reason)) > 0)
		r = read_record(&payload, reader);
	if (r >= 0 && payload.n > 0)
		r = intake_fail(reader->in, "more than one CBOR item");
	return r;
}

static int senml_cbor_decode(const struct path *base, struct span payload, codec_lookup lookup,
			     void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	struct senml_reader reader = { .in = &in, .take = senml_record };

	return intake_end(&in, senml_cbor_read(&reader, payload), ret_reason);
}

const struct codec senml_cbor_codec = {
	.format = FORMAT_SENML_CBOR,
	.name = "senml-cbor",
	.since = LWM2M_1_1,
	.timed = true,
	.encode = senml_cbor_encode,
	.decode = senml_cbor_decode,
};
