/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/counter.h"

#include <stdio.h>
#include <stdlib.h>

/* Digits that every double has. */
#define TOTAL_DIGITS 15

/* Had it gone on over its last digit: how far would that be? */
static enum counter_event backwards(const struct config_counter *config, struct counter *c, double reading,
				    bool watched)
{
	double over = config->wrap - c->last + reading;
	double most = config->max_step > 0 ? config->max_step : config->wrap / 2;

	if (config->wrap > 0 && over >= 0 && over <= most) {
		c->base += config->wrap;
		c->wraps++;
		return COUNTER_WRAP;
	}
	if (watched && config->max_step > 0 && reading > config->max_step) {
		c->base += c->last - reading;
		c->jumps++;
		return COUNTER_JUMP;
	}
	c->base += c->last;
	c->resets++;
	return COUNTER_RESET;
}

static enum counter_event forwards(const struct config_counter *config, struct counter *c, double reading,
				   bool watched)
{
	if (!watched || config->max_step == 0 || reading - c->last <= config->max_step)
		return COUNTER_STEP;
	c->base -= reading - c->last;
	c->jumps++;
	return COUNTER_JUMP;
}

enum counter_event counter_take(const struct config_counter *config, struct counter *c, double reading,
				bool watched)
{
	enum counter_event event = COUNTER_STEP;

	if (c->known)
		event = reading < c->last ? backwards(config, c, reading, watched) :
					    forwards(config, c, reading, watched);
	c->known = true;
	c->last = reading;
	return event;
}

double counter_total(const struct counter *c)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*g", TOTAL_DIGITS, c->base + c->last);
	return strtod(text, NULL);
}
