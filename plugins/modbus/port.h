/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bus.h"

/*
 * What libmodbus leaves to be done on a serial port that it has opened: nobody
 * else may use it, and RS-485 drivers are switched. 0 or a negative errno with
 * *ret_why, a text for people.
 */
int port_claim(int fd, const struct serial *serial, const char **ret_why);
/* Gives it back; does not close it. */
void port_release(int fd);
/* Sends all by the deadline (CLOCK_MONOTONIC microseconds). */
int port_send(int fd, const struct serial *serial, const uint8_t *bytes, size_t size,
	      uint64_t deadline_usec);
