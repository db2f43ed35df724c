/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "codec/internal.h"
#include "codec/senml.h"

/* SenML has no way to say "there, but empty": such records are left out. */
static bool is_written(const struct record *record)
{
	return record->value.type != VALUE_NONE;
}

static const struct record *first_record(const struct record *records, size_t at, size_t n)
{
	for (size_t i = at; i < n; i++)
		if (is_written(&records[i]))
			return &records[i];
	return NULL;
}

/* The sampling time of more than one record, when it is the same for all. */
static uint64_t common_time(const struct record *records, size_t n)
{
	const struct record *first = first_record(records, 0, n);
	size_t same = 0;

	for (size_t i = 0; first && i < n; i++) {
		if (!is_written(&records[i]))
			continue;
		if (records[i].boottime_usec != first->boottime_usec)
			return 0;
		same++;
	}
	return same > 1 ? first->boottime_usec : 0;
}

int senml_begin(struct senml_writer *w, const struct path *base, const struct record *records,
		size_t n, bool times)
{
	const struct record *first = first_record(records, 0, n);

	*w = (struct senml_writer){ .base = base, .records = records, .n = n, .times = times };
	w->whole = first && path_equal(&first->path, base);
	for (size_t i = 0; i < n; i++) {
		const struct path *path = &records[i].path;

		if (!is_written(&records[i]))
			continue;
		if (!path_contains(base, path) || path->depth < PATH_RESOURCE ||
		    path_equal(path, base) != w->whole || !encode_carries(&records[i].value))
			return -EINVAL;
	}
	path_format(base, w->base_name);
	/* The root ends in its slash already. */
	if (!w->whole && base->depth > PATH_ROOT)
		strcat(w->base_name, "/");
	if (!times)
		return 0;
	w->common_usec = common_time(records, n);
	w->absolute = clock_realtime_is_plausible();
	w->now_usec = clock_boottime_usec();
	/* Wraps around, and back when a boot time is added. */
	w->shift_usec = clock_realtime_from_boottime(w->now_usec) - w->now_usec;
	return 0;
}

size_t senml_count(const struct senml_writer *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += is_written(&w->records[i]);
	return n;
}

/* False: now, which needs no saying. */
static bool time_of(const struct senml_writer *w, uint64_t boottime_usec, int64_t *ret)
{
	if (boottime_usec == 0)
		return false;
	if (w->absolute)
		*ret = (int64_t)(boottime_usec + w->shift_usec);
	else
		*ret = (int64_t)(boottime_usec - w->now_usec);
	return w->absolute || *ret < 0;
}

static char *put_id(char *at, uint16_t id)
{
	char digits[5];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + id % 10);
	while ((id /= 10) > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

/* "6/0": what path has below the base. */
static const char *relative_name(const struct senml_writer *w, const struct path *path, char *text)
{
	char *at = text;

	for (unsigned i = w->base->depth; i < path->depth; i++) {
		if (at > text)
			*at++ = '/';
		at = put_id(at, path->ids[i]);
	}
	*at = 0;
	return text;
}

bool senml_next(struct senml_writer *w, struct senml_entry *ret)
{
	const struct record *record = first_record(w->records, w->at, w->n);

	if (!record)
		return false;
	ret->base_name = w->begun ? NULL : w->base_name;
	ret->name = w->whole ? NULL : relative_name(w, &record->path, ret->text);
	ret->has_base_time = ret->has_time = false;
	ret->value = &record->value;
	if (w->times && w->common_usec > 0)
		ret->has_base_time = !w->begun && time_of(w, w->common_usec, &ret->base_time_usec);
	else if (w->times)
		ret->has_time = time_of(w, record->boottime_usec, &ret->time_usec);
	w->begun = true;
	w->at = (size_t)(record - w->records) + 1;
	return true;
}

enum senml_label senml_value_label(const struct value *v)
{
	switch (v->type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		return SENML_VS;
	case VALUE_BOOLEAN:
		return SENML_VB;
	case VALUE_OPAQUE:
		return SENML_VD;
	case VALUE_OBJLNK:
		return SENML_VLO;
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_FLOAT:
	case VALUE_TIME:
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return SENML_V;
}
