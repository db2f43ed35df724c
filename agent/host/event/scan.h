/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/event/events.h"

/* What a plugin finds that could be a device: Scan and Found of link/host1.h. */

#define SCAN_FOUND_MAX 10000u /* of one scan; what is more is dropped and counted */
#define SCAN_ADDRESS_MAX 256u
#define SCAN_FACTS_MAX 1024u
#define SCAN_USEC_MAX UINT64_C(3600000000)

/*
 * Of one bus at a time: they share what is found. Whoever asked for one may be
 * gone long before it ends.
 */
#define SCANS_MAX 8u

/*
 * until_usec: CLOCK_MONOTONIC as the kernel has it. 0: the call is answered at
 * the end. -EOPNOTSUPP the plugin cannot, -EBUSY too many are under way, -EINVAL too
 * long, what the plugin says.
 */
int scan_begin(struct events *e, struct sd_bus_message *call, uint64_t until_usec);
/* As struct fieldway_host has it. */
void scan_found(const struct fieldway_host *host, const char *address, const char *facts);
/* All of them, before their time. error: why. */
void scans_end(struct events *e, int error);
