/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pattern.h"

/* Units that devices write beside their numbers, for points whose unit changes on the device. */

/*
 * A value in `from` as one in `to`. 0; -ENOENT when a unit is not known, -EDOM
 * when they are of different dimensions.
 */
int unit_convert(double value, struct slice from, struct slice to, double *ret);
/* -ENOENT when it is not known. */
int unit_check(struct slice unit);
