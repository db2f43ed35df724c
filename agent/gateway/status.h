/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fieldbus/fieldbus.h"

struct timers;

/*
 * The line that `systemctl status` shows. Changes within STATUS_SETTLE_USEC
 * are told together.
 */
#define STATUS_SETTLE_USEC UINT64_C(1000000)
struct status;

int status_new(struct timers *timers, const struct config *config, bool last_good, struct status **ret);
struct status *status_free(struct status *s);
void status_device(struct status *s, uint32_t device, enum fieldbus_state state);
void status_paused(struct status *s, uint32_t n);
void status_accounts(struct status *s, uint32_t accounts, uint32_t registered);
