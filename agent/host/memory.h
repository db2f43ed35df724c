/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * How much memory a host may use: so much for itself, each device and each
 * point, as resident pages. A plugin that grows beyond that ends its host with
 * a clear word, before the machine has to choose whom to end. What it asks of
 * the kernel while it does not let the loop look is bounded besides.
 */
#define MEMORY_HOST_BYTES (UINT64_C(96) << 20)
#define MEMORY_DEVICE_BYTES (UINT64_C(128) << 10)
#define MEMORY_POINT_BYTES (UINT64_C(1) << 10)
#define MEMORY_LOOK_USEC UINT64_C(500000)

struct memory {
	struct timer timer;
	const struct host_services *services;
	const struct list *buses; /* struct host_bus */
	uint64_t limit;		  /* of RLIMIT_DATA, as it was set last */
};

/* services and buses outlive it. */
void memory_watch(struct memory *m, const struct host_services *services, const struct list *buses);
void memory_done(struct memory *m);
/* For buses with so many devices and points. */
uint64_t memory_limit(uint64_t n_devices, uint64_t n_points);
