/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/alarm.h"

#include "base/clock.h"

/* Does the comparison hold? One that holds already ends `hysteresis` later. */
static bool holds(const struct config_condition *c, double value, bool already)
{
	double back = already ? c->hysteresis : 0;

	switch (c->comparison) {
	case CONFIG_ABOVE:
		return value > c->limit - back;
	case CONFIG_BELOW:
		return value < c->limit + back;
	case CONFIG_EQUALS:
		return value == c->limit;
	}
	return false;
}

uint64_t alarm_due_usec(const struct alarm *a, const struct config_condition *c)
{
	return a->since_usec > 0 ? usec_add(a->since_usec, c->delay_usec) : USEC_INFINITY;
}

bool alarm_wait(struct alarm *a, const struct config_condition *c, uint64_t now_usec)
{
	if (alarm_due_usec(a, c) > now_usec)
		return false;
	*a = (struct alarm){ .on = true };
	return true;
}

bool alarm_take(struct alarm *a, const struct config_condition *c, double value, uint64_t now_usec)
{
	bool was = a->on;

	if (!holds(c, value, was)) {
		*a = (struct alarm){ 0 };
		return was;
	}
	if (was)
		return false;
	if (a->since_usec == 0)
		a->since_usec = now_usec;
	return alarm_wait(a, c, now_usec);
}
