/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "codec/codec.h"
#include "tests/bench/bench.h"

/*
 * codecs: an instance of a sensor with ten resources (five floats, two strings,
 * a time, two integers), encoded and decoded; the best of some rounds.
 *   NAME_encode_ns, NAME_decode_ns, NAME_bytes
 */

#define ROUNDS 10u
#define REPEATS 20000u
#define OBJECT 3303
#define N_RECORDS 10

struct row {
	struct resource_definition definition;
	struct value value;
};

static struct value text(const char *s)
{
	struct value v;

	need(value_set_string(&v, s) == 0, "value");
	return v;
}

#define DEFINITION(n, t) .definition = { .id = n, .type = VALUE_##t, .operations = 1 }

static void fill(struct row *rows)
{
	const struct row all[N_RECORDS] = {
		{ DEFINITION(5518, TIME), .value = value_time(1700000000) },
		{ DEFINITION(5601, FLOAT), .value = value_float(-12.25) },
		{ DEFINITION(5602, FLOAT), .value = value_float(41.7) },
		{ DEFINITION(5603, FLOAT), .value = value_float(-40) },
		{ DEFINITION(5604, FLOAT), .value = value_float(125) },
		{ DEFINITION(5700, FLOAT), .value = value_float(38.1) },
		{ DEFINITION(5701, STRING), .value = text("Cel") },
		{ DEFINITION(5750, STRING), .value = text("hall 1, north") },
		{ DEFINITION(6042, INTEGER), .value = value_integer(4) },
		{ DEFINITION(6049, INTEGER), .value = value_integer(100) },
	};

	memcpy(rows, all, sizeof(all));
}

static const struct resource_definition *lookup(void *userdata, const struct path *path)
{
	const struct row *rows = userdata;

	for (size_t i = 0; i < N_RECORDS; i++)
		if (rows[i].definition.id == path->resource)
			return &rows[i].definition;
	return NULL;
}

static const struct path instance = { .depth = PATH_INSTANCE, .ids = { OBJECT, 0 } };

static double measure_encode(const struct codec *c, const struct record *records, struct buf *out)
{
	uint64_t begin = cpu_nsec();

	for (unsigned i = 0; i < REPEATS; i++) {
		out->size = 0;
		need(c->encode(&instance, records, N_RECORDS, false, out) >= 0, c->name);
	}
	return (double)(cpu_nsec() - begin) / REPEATS;
}

static double measure_decode(const struct codec *c, struct row *rows, const struct buf *in)
{
	uint64_t begin = cpu_nsec();

	for (unsigned i = 0; i < REPEATS; i++) {
		_cleanup_records_ struct records records = { 0 };

		need(c->decode(&instance, span_of(in->data, in->size), lookup, rows, &records, NULL) >= 0 &&
			     records.n == N_RECORDS,
		     c->name);
	}
	return (double)(cpu_nsec() - begin) / REPEATS;
}

static void say(const struct codec *c, const char *what, double value)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", c->name, what);
	report(name, value);
}

static void measure(const struct codec *c, struct row *rows, const struct record *records)
{
	_cleanup_buf_ struct buf out = { 0 };
	double encode = 0, decode = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double e = measure_encode(c, records, &out), d = measure_decode(c, rows, &out);

		encode = i == 0 || e < encode ? e : encode;
		decode = i == 0 || d < decode ? d : decode;
	}
	say(c, "encode_ns", encode);
	say(c, "decode_ns", decode);
	say(c, "bytes", (double)out.size);
}

int main(void)
{
	static const enum content_format formats[] = { FORMAT_TLV, FORMAT_SENML_CBOR, FORMAT_SENML_JSON,
							FORMAT_LWM2M_CBOR };
	struct record records[N_RECORDS];
	struct row rows[N_RECORDS];

	fill(rows);
	for (size_t i = 0; i < N_RECORDS; i++)
		records[i] = (struct record){ .path = path_of_resource(OBJECT, 0, rows[i].definition.id),
					      .value = rows[i].value };
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		measure(codec_find(formats[i]), rows, records);
	for (size_t i = 0; i < N_RECORDS; i++)
		value_done(&rows[i].value);
	return 0;
}
