/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/senml.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"

/* Version of RFC 8428: what has none. */
#define SENML_VERSION 10u
/* Below it a time is relative to now (RFC 8428 section 4.5.3). */
#define SENML_ABSOLUTE_S 268435456.0
/* No time lies further away, in seconds. */
#define SENML_TIME_MAX_S 1099511627776.0

static const struct {
	const char *name;
	enum senml_label label;
} names[] = {
	{ "n", SENML_N },   { "v", SENML_V },	    { "vs", SENML_VS }, { "vb", SENML_VB },
	{ "vd", SENML_VD }, { "vlo", SENML_VLO },   { "bn", SENML_BN }, { "bt", SENML_BT },
	{ "t", SENML_T },   { "bver", SENML_BVER }, { "bu", SENML_BU }, { "bv", SENML_BV },
	{ "bs", SENML_BS }, { "u", SENML_U },	    { "s", SENML_S },	{ "ut", SENML_UT },
};

int senml_label(struct span name, enum senml_label *ret)
{
	*ret = SENML_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].name) != name.n || memcmp(names[i].name, name.p, name.n) != 0)
			continue;
		*ret = names[i].label;
		return 0;
	}
	return name.n > 0 && name.p[name.n - 1] == '_' ? -EINVAL : 0;
}

/* Does a field of this label take such a value? */
static bool fits(const struct senml_reader *r, enum senml_label label, const struct wire *w)
{
	switch (label) {
	case SENML_BN:
	case SENML_N:
		return w->kind == WIRE_TEXT;
	case SENML_VS:
		return w->kind == WIRE_TEXT || w->kind == WIRE_TEXT_OR_BASE64;
	case SENML_V:
		return wire_is_number(w) || (r->removes && w->kind == WIRE_NULL);
	case SENML_BT:
	case SENML_T:
	case SENML_BV:
		return wire_is_number(w);
	case SENML_VB:
		return w->kind == WIRE_BOOLEAN;
	case SENML_VD:
		return w->kind == WIRE_BYTES || w->kind == WIRE_BASE64;
	case SENML_VLO:
		return w->kind == WIRE_LINK;
	case SENML_BVER:
		return w->kind == WIRE_UNSIGNED;
	case SENML_BU:
	case SENML_BS:
	case SENML_U:
	case SENML_S:
	case SENML_UT:
	case SENML_UNKNOWN:
		break;
	}
	return true;
}

static bool is_second(struct senml_record *record, enum senml_label label)
{
	unsigned bit = 1u << (label - SENML_BS), seen = record->seen;

	record->seen |= bit;
	return label != SENML_UNKNOWN && seen & bit;
}

int senml_field(struct senml_reader *r, struct senml_record *record, enum senml_label label,
		const struct wire *w)
{
	struct wire wire = *w;

	if (label == SENML_VLO && wire.kind == WIRE_TEXT)
		wire.kind = WIRE_LINK;
	if (is_second(record, label))
		return intake_fail(r->in, "SenML field occurs twice");
	if (!fits(r, label, &wire))
		return intake_fail(r->in, "SenML field of the wrong kind");
	switch (label) {
	case SENML_BN:
		record->base_name = wire.bytes;
		record->has_base_name = true;
		break;
	case SENML_N:
		record->name = wire.bytes;
		record->has_name = true;
		break;
	case SENML_BT:
		record->base_time = wire;
		break;
	case SENML_T:
		record->time = wire;
		break;
	case SENML_BV:
		record->base_value = wire;
		break;
	case SENML_V:
	case SENML_VS:
	case SENML_VB:
	case SENML_VD:
	case SENML_VLO:
		record->value = wire;
		record->n_values++;
		break;
	case SENML_BVER:
		if (wire.unsignd > SENML_VERSION)
			return intake_fail(r->in, "unknown SenML version");
		break;
	case SENML_BU:
	case SENML_BS:
	case SENML_U:
	case SENML_S:
	case SENML_UT:
	case SENML_UNKNOWN:
		break;
	}
	return 0;
}

void senml_take_base(struct senml_reader *r, const struct senml_record *record)
{
	if (record->has_base_name)
		r->base_name = record->base_name;
	if (record->base_time.kind != WIRE_NONE)
		r->base_time = wire_to_double(&record->base_time);
	if (record->base_value.kind != WIRE_NONE)
		r->base_value = record->base_value;
}

/* "/3/0/1"; 65535 stands for the open instance id of a Create. */
static int parse_path(const struct path *base, const char *text, size_t size, struct path *ret)
{
	struct path path = { .depth = PATH_ROOT };
	const char *end = text + size;

	while (text < end) {
		const char *slash;
		uint16_t id;

		if (*text++ != '/' || path.depth == PATH_RESOURCE_INSTANCE)
			return -EINVAL;
		slash = memchr(text, '/', (size_t)(end - text));
		if (!slash)
			slash = end;
		if (path_parse_id(text, (size_t)(slash - text), &id) < 0)
			return -EINVAL;
		if (id == ID_NONE && (base->depth != PATH_OBJECT || path.depth != PATH_OBJECT))
			return -EINVAL;
		path.ids[path.depth++] = id;
		text = slash;
	}
	if (path.depth < PATH_RESOURCE)
		return -EINVAL;
	*ret = path;
	return 0;
}

static int resolve_path(struct senml_reader *r, const struct senml_record *record, struct path *ret)
{
	char text[PATH_TEXT_MAX];
	size_t n = 0;

	if (r->base_name.n > sizeof(text) || record->name.n > sizeof(text) - r->base_name.n)
		return intake_fail(r->in, "SenML name is no path of a resource");
	if (r->base_name.n > 0)
		memcpy(text, r->base_name.p, r->base_name.n);
	n = r->base_name.n;
	if (record->name.n > 0)
		memcpy(text + n, record->name.p, record->name.n);
	n += record->name.n;
	if (parse_path(r->in->base, text, n, ret) < 0)
		return intake_fail(r->in, "SenML name is no path of a resource");
	return 0;
}

static void read_clocks(struct senml_reader *r)
{
	if (r->boottime_usec > 0)
		return;
	r->boottime_usec = clock_boottime_usec();
	r->realtime_usec = clock_realtime_from_boottime(r->boottime_usec);
}

static int resolve_time(struct senml_reader *r, const struct senml_record *record, uint64_t *ret)
{
	double seconds = r->base_time + wire_to_double(&record->time);
	int64_t usec, boottime;

	*ret = 0;
	if (seconds == 0)
		return 0;
	if (!(fabs(seconds) < SENML_TIME_MAX_S))
		return intake_fail(r->in, "SenML time out of range");
	/* Without a clock of our own another's instant means nothing. */
	if (seconds >= SENML_ABSOLUTE_S && !clock_realtime_is_plausible())
		return 0;
	read_clocks(r);
	usec = llround(seconds * USEC_PER_SEC);
	if (seconds >= SENML_ABSOLUTE_S)
		usec -= (int64_t)r->realtime_usec;
	boottime = (int64_t)r->boottime_usec + usec;
	*ret = boottime < 1 ? 1 : (uint64_t)boottime;
	return 0;
}

int senml_value(struct senml_reader *r, const struct senml_record *record, struct wire *ret)
{
	if (record->n_values != 1)
		return intake_fail(r->in, record->n_values > 0 ? "SenML record with two values" :
								 "SenML record without value");
	*ret = record->value;
	if (r->base_value.kind != WIRE_NONE && wire_is_number(ret))
		*ret = wire_add(&r->base_value, ret);
	return 0;
}

int senml_record(struct senml_reader *r, const struct senml_record *record)
{
	struct wire value;
	struct path path;
	uint64_t time;
	int error;

	senml_take_base(r, record);
	/* A record of base fields only sets them. */
	if (record->n_values == 0 && !record->has_name)
		return 0;
	error = senml_value(r, record, &value);
	if (error >= 0)
		error = resolve_path(r, record, &path);
	if (error >= 0)
		error = resolve_time(r, record, &time);
	return error < 0 ? error : intake_add_wire(r->in, &path, &value, time);
}
