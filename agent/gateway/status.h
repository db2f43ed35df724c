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

enum status_configuration {
	STATUS_ACCEPTED,
	STATUS_WRONG,	    /* the files are, and the last good ones run */
	STATUS_UNCONFIRMED, /* the former ones run again soon, unless somebody confirms it */
	STATUS_TAKEN_BACK,  /* nobody did */
};
int status_new(struct timers *timers, const struct config *config, enum status_configuration configuration,
	       struct status **ret);
struct status *status_free(struct status *s);
void status_configuration(struct status *s, enum status_configuration configuration);
/*
 * Another configuration. Prepared, nothing has happened yet: -ENOMEM. Devices of
 * s are numbered as in it from status_commit() on, and unknown until they are told.
 */
struct status_change {
	const struct config *config;
	uint8_t *devices;
};
int status_prepare(const struct config *after, struct status_change *ret);
void status_commit(struct status *s, struct status_change *c);
void status_change_done(struct status_change *c);
void status_device(struct status *s, uint32_t device, enum fieldbus_state state);
void status_paused(struct status *s, uint32_t n);
void status_accounts(struct status *s, uint32_t accounts, uint32_t registered);
