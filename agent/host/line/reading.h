/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "host/device/parts.h"
#include "host/value/exponent.h"

/*
 * Some points of a device, read once: the requests for them, one after the
 * other, and what came of it. Asks nothing itself. What is refused as a whole
 * is asked point by point.
 */
struct reading {
	const struct setup *setup;
	const struct setup_device *device;
	const struct exponents *exponents; /* those that are known, or NULL */
	uint8_t *wanted;                   /* by point */
	struct fieldway_plan *plans;
	size_t n_plans, plan, request; /* the next request of the next plan */
	struct fieldway_sample *samples;
	size_t n_samples;
	struct arena arena; /* their text */
	struct fieldway_result result; /* the first that went wrong */
	char what[96];                 /* of which request; "": of all of it */
};

/*
 * Points that are no readable ones of the device, or come twice, are passed
 * over; those that they need for a scale10 are read, too, unless the last one counts.
 * 0, -ENOMEM; then reading_done() all the same.
 */
int reading_init(struct reading *r, const struct setup *setup, const struct setup_device *device,
		 const struct exponents *exponents, const uint32_t *points, size_t n);
void reading_done(struct reading *r);
/* Those of the points that this request of the device's holds are asked together. 0, -ENOMEM. */
int reading_add(struct reading *r, const struct fieldway_request *request);
/* What is to be carried out next; NULL: it is over. */
const struct fieldway_request *reading_next(const struct reading *r);
/* How that went: raw samples, boot times as the plugin has them. 0; -ENOMEM, and it is over. */
int reading_take(struct reading *r, const struct fieldway_sample *samples,
		 const struct fieldway_result *result);
/* It ends here: what has not been asked is not asked. */
void reading_stop(struct reading *r, const struct fieldway_result *why, const char *what);
/* The samples in their points' units, once. */
void reading_finish(struct reading *r);
