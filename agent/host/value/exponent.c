/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value/exponent.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "host/value/transform.h"

struct exponents {
	const struct link_type *type;
	struct waiting {
		struct fieldway_sample sample;
		int before;
	} * waiting; /* room for all that can */
	size_t n_waiting;
	int8_t known[]; /* by point; only those of exponents mean something */
};

static size_t count_scaled(const struct link_type *type)
{
	size_t n = 0;

	for (size_t i = 0; i < type->n_points; i++)
		n += type->points[i].scale10 >= 0;
	return n;
}

int exponents_new(const struct link_type *type, struct exponents **ret)
{
	size_t n = count_scaled(type);
	struct exponents *e;

	*ret = NULL;
	if (n == 0)
		return 0;
	e = calloc(1, sizeof(*e) + type->n_points * sizeof(*e->known));
	if (!e)
		return -ENOMEM;
	e->type = type;
	e->waiting = calloc(n, sizeof(*e->waiting));
	if (!e->waiting) {
		free(e);
		return -ENOMEM;
	}
	exponents_reset(e);
	*ret = e;
	return 0;
}

void exponents_follow(struct exponents *e, const struct link_type *type)
{
	if (e)
		e->type = type;
}

struct exponents *exponents_free(struct exponents *e)
{
	if (e)
		free(e->waiting);
	free(e);
	return NULL;
}

int exponents_of(const struct exponents *e, uint32_t point)
{
	int32_t exponent = e ? e->type->points[point].scale10 : -1;

	return exponent >= 0 ? e->known[exponent] : 0;
}

static int whole_value(double real)
{
	return real == rint(real) && fabs(real) <= EXPONENT_MAX ? (int)real : EXPONENT_INVALID;
}

int exponent_value(const struct fieldway_sample *s)
{
	if (s->quality != FIELDWAY_GOOD)
		return EXPONENT_INVALID;
	switch (s->value.type) {
	case FIELDWAY_INT:
		return whole_value((double)s->value.integer);
	case FIELDWAY_UINT:
		return whole_value((double)s->value.unsignd);
	case FIELDWAY_FLOAT:
		return whole_value(s->value.real);
	case FIELDWAY_NONE:
	case FIELDWAY_BOOL:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return EXPONENT_INVALID;
}

bool exponent_follows(const struct link_type *type, uint32_t point)
{
	const struct link_point *p = &type->points[point], *e;

	if (p->scale10 < 0)
		return false;
	e = &type->points[p->scale10];
	if (e->period_usec == LINK_PERIOD_ONCE)
		return false;
	if (e->period_usec == LINK_PERIOD_ON_DEMAND || p->period_usec == LINK_PERIOD_ON_DEMAND)
		return p->period_usec == LINK_PERIOD_ON_DEMAND;
	return p->period_usec == LINK_PERIOD_ONCE || e->period_usec <= p->period_usec;
}

bool exponents_learn(struct exponents *e, const struct fieldway_sample *s)
{
	if (!e)
		return false;
	if (s->quality != FIELDWAY_FAILED)
		e->known[s->point] = (int8_t)exponent_value(s);
	return e->n_waiting > 0;
}

void exponents_reset(struct exponents *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->type->n_points; i++)
		e->known[i] = EXPONENT_UNKNOWN;
	e->n_waiting = 0;
}

static void take_out(struct exponents *e, size_t i)
{
	e->waiting[i] = e->waiting[--e->n_waiting];
}

void exponents_forget(struct exponents *e, uint32_t point)
{
	for (size_t i = 0; e && i < e->n_waiting; i++) {
		if (e->waiting[i].sample.point != point)
			continue;
		take_out(e, i);
		return;
	}
}

void exponents_wait(struct exponents *e, const struct fieldway_sample *s)
{
	exponents_forget(e, s->point);
	e->waiting[e->n_waiting++] = (struct waiting){ *s, exponents_of(e, s->point) };
}

bool exponents_take(struct exponents *e, uint32_t exponent, struct fieldway_sample *ret,
		    int *ret_before)
{
	for (size_t i = 0; i < e->n_waiting; i++) {
		if (e->type->points[e->waiting[i].sample.point].scale10 != (int32_t)exponent)
			continue;
		*ret = e->waiting[i].sample;
		*ret_before = e->waiting[i].before;
		take_out(e, i);
		return true;
	}
	return false;
}

void exponent_apply(const struct link_point *p, int exponent, struct fieldway_sample *s)
{
	if (exponent != EXPONENT_INVALID && exponent != EXPONENT_UNKNOWN) {
		transform_forward_by(p, exponent, s);
		return;
	}
	s->quality = s->quality == FIELDWAY_GOOD ? FIELDWAY_INVALID : s->quality;
	s->value = (struct fieldway_value){ .type = FIELDWAY_NONE };
}
