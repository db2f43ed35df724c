/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * A poll for several points that its device refuses is asked in parts (a
 * lesson, see lesson.h) until it is known what can be read together; from then
 * on these parts are polled instead, as long as the device is configured as it is.
 */

/* A point that is refused while others of its request are read is asked again so seldom. */
#define LEARN_AGAIN_USEC UINT64_C(300000000)
/* Parts, and refused points, that the log names. */
#define LEARN_NAMED_MAX 4u

/* What is to be asked in the poll's turn. */
const struct fieldway_request *learn_request(const struct poll *p);
/* True: the answer is part of a lesson, and says nothing yet of the points that it refuses. */
bool learn_is_answer(const struct poll *p, const struct fieldway_result *result);
/*
 * The poll's turn is over and all use of its request is made. May begin a
 * lesson, or end one and replace the poll: pointers to polls of the device end
 * here.
 */
void learn_done(struct device *d, uint32_t poll, const struct fieldway_result *result);
/* What the polls own: lessons, the plans that these have left, texts. */
void learn_free(struct device *d);
