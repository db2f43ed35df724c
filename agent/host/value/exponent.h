/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "link/host1.h"

/*
 * Points whose value is a power of ten for others (scale10) of one device, and
 * the samples of those others that came before it. Pure.
 */

#define EXPONENT_MAX 10 /* and as far below 0 */

enum {
	EXPONENT_INVALID = 126, /* read, and no whole number within the limits */
	EXPONENT_UNKNOWN = 127, /* not read since the device came online */
};

struct exponents;

/* *ret is NULL when no point of the type needs one. 0 or -ENOMEM. */
int exponents_new(const struct link_type *type, struct exponents **ret);
/* Another configuration that says the same. */
void exponents_follow(struct exponents *e, const struct link_type *type);
struct exponents *exponents_free(struct exponents *e); /* takes NULL */

/* What goes on top of the point's scale: 0 where nothing does. */
int exponents_of(const struct exponents *e, uint32_t point);
/* The exponent's last sample, in its own unit. A FAILED one says nothing new. True: those that wait can go. */
bool exponents_learn(struct exponents *e, const struct fieldway_sample *sample);
/* The device is gone: what comes back may have other ones. Nothing waits any more. */
void exponents_reset(struct exponents *e);

/*
 * A device changes number and exponent together: what is read of them apart
 * fits only if the exponent was the same before and is after it. True: the
 * point's exponent is read as often as itself, for that. One that is read more
 * rarely, or once, counts as it was read last.
 */
bool exponent_follows(const struct link_type *type, uint32_t point);

/* The raw number waits for its exponent, instead of an older one of the point. */
void exponents_wait(struct exponents *e, const struct fieldway_sample *sample);
/*
 * The next sample that waits for this exponent is taken out; false: none does.
 * ret_before: what the exponent was when it began to wait.
 */
bool exponents_take(struct exponents *e, uint32_t exponent, struct fieldway_sample *ret,
		    int *ret_before);
/* What waits of a point is no longer true. */
void exponents_forget(struct exponents *e, uint32_t point);
/* The power of ten that a good sample in its own unit stands for, or EXPONENT_INVALID. */
int exponent_value(const struct fieldway_sample *sample);
/* transform_forward_by(); without an exponent a good sample becomes INVALID. */
void exponent_apply(const struct link_point *point, int exponent, struct fieldway_sample *sample);
