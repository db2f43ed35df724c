/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/condition.h"

#include <float.h>
#include <math.h>

#include "base/clock.h"
#include "base/macro.h"

/* Numbers come as decimals: from 230.3 to 230.4 is a step of 0.1, though a little less in binary. */
static bool is_step(double st, double last, double value)
{
	double slack = 2 * DBL_EPSILON * fmax(fabs(last), fabs(value));

	return value != last && fabs(value - last) >= st - slack;
}

bool condition_crossed(const struct attributes *a, double last, double value)
{
	if (a->present & ATTRIBUTE_GT && (value > a->gt) != (last > a->gt))
		return true;
	if (a->present & ATTRIBUTE_LT && (value < a->lt) != (last < a->lt))
		return true;
	if (a->present & ATTRIBUTE_EDGE && value == a->edge && last != a->edge)
		return true;
	return a->present & ATTRIBUTE_ST && is_step(a->st, last, value);
}

static uint64_t pmin_usec(const struct attributes *a)
{
	return a->present & ATTRIBUTE_PMIN ? a->pmin_s * USEC_PER_SEC : 0;
}

/* pmax 0 or below pmin is ignored. */
uint64_t condition_repeat_usec(const struct attributes *a)
{
	uint64_t pmax = a->present & ATTRIBUTE_PMAX ? a->pmax_s * USEC_PER_SEC : 0;

	return pmax == 0 || pmax < pmin_usec(a) ? USEC_INFINITY : pmax;
}

uint64_t condition_sampling_usec(const struct attributes *a)
{
	uint32_t epmin = a->present & ATTRIBUTE_EPMIN ? a->epmin_s : 0;

	if (!(a->present & ATTRIBUTE_EPMAX) || a->epmax_s == 0)
		return USEC_INFINITY;
	return MAX(epmin, a->epmax_s) * USEC_PER_SEC;
}

bool condition_due(const struct condition *c, uint64_t now_usec, uint64_t *ret_next_usec)
{
	const struct attributes *a = c->attributes;
	uint64_t earliest = usec_add(c->sent_usec, pmin_usec(a));
	uint64_t latest = usec_add(c->sent_usec, condition_repeat_usec(a));
	uint64_t due = c->triggered ? earliest : latest;

	*ret_next_usec = USEC_INFINITY;
	if (!c->good)
		return false;
	if (due <= now_usec)
		return true;
	*ret_next_usec = due;
	return false;
}
