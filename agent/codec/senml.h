/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/intake.h"

/*
 * SenML (RFC 8428) without its spelling: how records resolve against the base
 * fields before them, and how a list of values is laid out. JSON and CBOR share
 * it and only read and write fields.
 */

/* The labels of RFC 8428 table 4; LwM2M's vlo has a name only. */
enum senml_label {
	SENML_BVER = -1,
	SENML_BN = -2,
	SENML_BT = -3,
	SENML_BU = -4,
	SENML_BV = -5,
	SENML_BS = -6,
	SENML_N = 0,
	SENML_U = 1,
	SENML_V = 2,
	SENML_VS = 3,
	SENML_VB = 4,
	SENML_S = 5,
	SENML_T = 6,
	SENML_UT = 7,
	SENML_VD = 8,
	SENML_VLO = 9, /* ours */
	SENML_UNKNOWN = 10,
};

/* "vlo" and the names of the labels; a name that must be understood (it ends in "_") is -EINVAL. */
int senml_label(struct span name, enum senml_label *ret);

/* ---- reading ---- */

/* One record; zero-initialised is empty. */
struct senml_record {
	unsigned seen; /* labels, as bits */
	bool has_base_name, has_name;
	unsigned n_values;
	struct span base_name, name;
	struct wire base_time, time, base_value, value;
};

struct senml_reader {
	struct intake *in;
	/* What each record means: senml_record(), or something else's idea of it. */
	int (*take)(struct senml_reader *r, const struct senml_record *record);
	bool removes; /* v may be null (RFC 8790 section 3.2) */
	struct span base_name;
	struct wire base_value;
	double base_time;
	uint64_t boottime_usec, realtime_usec; /* one instant on both clocks; 0: not asked yet */
};

/* One field, borrowed. -EINVAL with a reason: of the wrong kind, or a second one. */
int senml_field(struct senml_reader *r, struct senml_record *record, enum senml_label label,
		const struct wire *w);
/* The fields that stay for the records behind it; every take() begins with this. */
void senml_take_base(struct senml_reader *r, const struct senml_record *record);
/* The value of a record, its base value added; -EINVAL with a reason: not just one. */
int senml_value(struct senml_reader *r, const struct senml_record *record, struct wire *ret);
/* One record with all its fields, as a value for intake. */
int senml_record(struct senml_reader *r, const struct senml_record *record);
/* A whole pack, record by record. Texts are good while take() runs. */
int senml_json_read(struct senml_reader *r, struct span payload);
int senml_cbor_read(struct senml_reader *r, struct span payload);

/* ---- writing ---- */

struct senml_writer {
	const struct path *base;
	const struct record *records;
	size_t n, at;
	bool times, whole, begun;
	bool absolute;
	uint64_t now_usec, shift_usec;
	uint64_t common_usec; /* the sampling time of all records; 0: they differ */
	char base_name[PATH_TEXT_MAX + 1];
};

/* What one record has to say; names are NULL when it has none, value never is. */
struct senml_entry {
	const char *base_name, *name;
	char text[PATH_TEXT_MAX]; /* of name */
	bool has_base_time, has_time;
	int64_t base_time_usec, time_usec;
	const struct value *value;
};

/* -EINVAL: records outside base, or numbers that are none. */
int senml_begin(struct senml_writer *w, const struct path *base, const struct record *records,
		size_t n, bool times);
/* How many entries there will be. */
size_t senml_count(const struct senml_writer *w);
/* False behind the last. */
bool senml_next(struct senml_writer *w, struct senml_entry *ret);
/* SENML_V, VS, VB, VD or VLO. */
enum senml_label senml_value_label(const struct value *v);
