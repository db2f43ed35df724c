/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "bus.h"

/*
 * TLS 1.2 and 1.3 with certificates on both sides, as MODBUS/TCP Security V21
 * (2018) has it. The role that its certificate gives a client (that
 * specification's extension 1.3.6.1.4.1.50316.802.1) is for the device to judge:
 * what it does not allow it refuses with exception 1.
 */

struct secure;

/* Do the contents go together: certificates, a key, the key of the certificate? 0, or -EINVAL with error. */
int secure_check(const struct tls *tls, struct fieldway_error *error);

/*
 * A session over a connected non-blocking socket, which stays the caller's. The
 * peer has proved by the deadline (CLOCK_MONOTONIC microseconds) to be `name`
 * (a host name or an address). 0, or a negative errno and why, for people.
 */
int secure_open(const struct tls *tls, int fd, const char *name, uint64_t deadline_usec,
		struct secure **ret, char *why, size_t size);
/* Says goodbye, as far as that does not block. Takes NULL, returns NULL. */
struct secure *secure_close(struct secure *s);

/* As the operations of struct transport. */
int secure_send(struct secure *s, const uint8_t *bytes, size_t size, uint64_t deadline_usec);
ssize_t secure_receive(struct secure *s, uint8_t *bytes, size_t size);
bool secure_pending(const struct secure *s);
/* Why the session has ended, for people; NULL when TLS has nothing to do with it. */
const char *secure_why(const struct secure *s);
