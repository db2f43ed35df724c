/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

/* NONE, text and truth have no mean and no order. */
static bool number_of(const struct fieldway_sample *s, double *ret)
{
	if (s->quality != FIELDWAY_GOOD)
		return false;
	switch (s->value.type) {
	case FIELDWAY_INT:
		*ret = (double)s->value.integer;
		return true;
	case FIELDWAY_UINT:
		*ret = (double)s->value.unsignd;
		return true;
	case FIELDWAY_FLOAT:
		*ret = s->value.real;
		return true;
	case FIELDWAY_NONE:
	case FIELDWAY_BOOL:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return false;
	}
	return false;
}

static int keep_sample(struct sample_thinner *t, const struct fieldway_sample *s)
{
	char *data = NULL;

	if (has_data(&s->value)) {
		data = malloc(s->value.size + 1);
		if (!data)
			return -ENOMEM;
		if (s->value.size > 0)
			memcpy(data, s->value.data, s->value.size);
	}
	free(t->data);
	t->data = data;
	t->kept = *s;
	if (data)
		t->kept.value.data = data;
	return 0;
}

/* Does it take the place of the kept one? */
static bool is_better(const struct sample_thinner *t, enum link_keep keep,
		      const struct fieldway_sample *s)
{
	double a, b;

	if (keep != LINK_KEEP_LAST && s->quality != FIELDWAY_GOOD)
		return t->kept.quality != FIELDWAY_GOOD;
	if (!number_of(&t->kept, &a) || !number_of(s, &b))
		return true;
	switch (keep) {
	case LINK_KEEP_LAST:
	case LINK_KEEP_MEAN:
		return true;
	case LINK_KEEP_MINIMUM:
		return b < a;
	case LINK_KEEP_MAXIMUM:
		return b > a;
	}
	return true;
}

static int gather(struct sample_thinner *t, enum link_keep keep, const struct fieldway_sample *s)
{
	bool waited = t->waits;
	double number;
	int r = 0;

	if (!waited || is_better(t, keep, s))
		r = keep_sample(t, s);
	if (r < 0)
		return r;
	t->waits = true;
	if (keep == LINK_KEEP_MEAN && number_of(s, &number)) {
		t->sum += number;
		t->n++;
	}
	return waited ? SAMPLE_REPLACES : SAMPLE_WAITS;
}

int sample_take(struct sample_thinner *t, enum link_keep keep, uint64_t every_usec,
		uint64_t now_usec, const struct fieldway_sample *sample)
{
	if (t->end_usec > now_usec || t->waits)
		return gather(t, keep, sample);
	t->end_usec = every_usec > 0 ? usec_add(now_usec, every_usec) : 0;
	return SAMPLE_GOES;
}

bool sample_end(struct sample_thinner *t, uint64_t every_usec, uint64_t now_usec,
		struct fieldway_sample *ret)
{
	double number;

	if (t->end_usec == 0 || t->end_usec > now_usec)
		return false;
	t->end_usec = 0;
	if (!t->waits)
		return false;
	*ret = t->kept;
	if (t->n > 0 && number_of(&t->kept, &number))
		ret->value =
			(struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = t->sum / t->n };
	sample_forget(t);
	t->end_usec = every_usec > 0 ? usec_add(now_usec, every_usec) : 0;
	return true;
}

void sample_forget(struct sample_thinner *t)
{
	t->waits = false;
	t->sum = 0;
	t->n = 0;
}

void sample_done(struct sample_thinner *t)
{
	free(t->data);
	*t = (struct sample_thinner){ 0 };
}
