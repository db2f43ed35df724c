/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/*
 * When a value is an alarm (configuration.md "alarms"): it is once one comparison
 * has held for `delay`, and is not any more when the value has come back by
 * `hysteresis`. Pure.
 */
struct alarm {
	bool on;
	uint64_t since_usec; /* the comparison has held since then, and waits for `delay`; 0: it does not */
};

/* A value, in the point's unit, at a time that is not 0. True: on is another one than before. */
bool alarm_take(struct alarm *a, const struct config_condition *c, double value, uint64_t now_usec);
/* When it turns on without another value; UINT64_MAX: not by itself. */
uint64_t alarm_due_usec(const struct alarm *a, const struct config_condition *c);
/* The time has come. True: it turned on. */
bool alarm_wait(struct alarm *a, const struct config_condition *c, uint64_t now_usec);
