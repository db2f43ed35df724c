/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "transport/loop.h"

/*
 * Tells when addresses, links or routes of this machine have come or gone: once for all changes
 * within NETMON_SETTLE_USEC.
 */
#define NETMON_SETTLE_USEC (1 * USEC_PER_SEC)

struct netmon;
typedef void (*netmon_handler)(void *userdata);
/* -errno where the kernel gives no such news, as in a sandbox: life goes on without. */
int netmon_new(struct loop *loop, struct timers *timers, netmon_handler handler, void *userdata,
	       struct netmon **ret);
struct netmon *netmon_free(struct netmon *n);
