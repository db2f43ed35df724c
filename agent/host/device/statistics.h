/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* What is counted of a device's requests and points, for people to look at. */

/* A turn of the poll is over. */
void statistics_turn(struct poll *p, uint64_t begun_usec, const struct job *job);
void statistics_done(struct poll *p);
/* LINK_TYPE_STATISTICS of the device. */
int statistics_append(struct sd_bus_message *m, const struct device *d);
