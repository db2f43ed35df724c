/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* What was heard of a device's points, on its way up the link. values_flush() is the caller's. */

/*
 * Samples as the plugin gives them; turned into the points' units where they
 * lie. What was asked before a point's last write is dropped: begun_writes is
 * the line's n_writes of then, UINT64_MAX for what comes by itself.
 */
void take_samples(struct device *d, struct fieldway_sample *samples, size_t n, uint64_t begun_writes);
/* What stands for a point that could not be read. */
struct fieldway_sample take_failed(uint32_t point, const struct fieldway_result *why);
/* These points could not be read. */
void take_failure(struct device *d, const uint32_t *points, size_t n, const struct fieldway_result *why,
		  uint64_t begun_writes);
/* One sample in its point's unit: the deadband, and on. */
void take_put(struct device *d, struct fieldway_sample *s);
