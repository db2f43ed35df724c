/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct gateway;
struct reading;

/*
 * All modules go over to the configuration that was read, in one turn of the
 * loop, which takes *ret_usec; what is left in *reading is the caller's. -ENOMEM, or what made an
 * endpoint or server impossible: nothing has happened. -ENOTRECOVERABLE: memory
 * ran out half-way, and the agent ends.
 */
int change_apply(struct gateway *g, struct reading *reading, uint64_t *ret_usec);
