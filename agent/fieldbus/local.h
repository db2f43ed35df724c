/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fieldbus/fieldbus.h"

/*
 * Local devices (`plugin: local`): a program of this machine says what they
 * are. No host has them, and who the program is and how it is spoken to is not
 * known here: dbus/ comes in by these calls, and what is to be written goes out
 * by fieldbus_ops.local_write.
 *
 * A device is FIELDBUS_UNKNOWN until its program publishes, then
 * FIELDBUS_ONLINE. With `silence:` it is FIELDBUS_OFFLINE when nothing has been
 * published for the longest one of its points; without, when the last of its
 * programs has left: then nobody would say that a value is another one by now.
 */
bool fieldbus_is_local(const struct fieldbus *f, uint32_t device);

/* Values of one device in one second, twice as many at once. */
#define FIELDBUS_LOCAL_RATE_MAX 1000u
/*
 * What the program says, all of one turn, in the points' types and ranges; data
 * lives during the call. boottime_usec 1: it is older than this machine's boot.
 * n 0: it is there. 0; -EINVAL no local device, or no such point; -EHOSTDOWN it is disabled, paused
 * or its bus is; -ENOSPC more than FIELDBUS_LOCAL_RATE_MAX; -ESTALE a point, the
 * number *ret_at of samples, has a later value already. Nothing has been taken
 * then.
 */
int fieldbus_publish(struct fieldbus *f, uint32_t device, const struct fieldway_sample *samples, size_t n,
		     size_t *ret_at);
/* None of its programs is on the bus any more: what it has not answered ends as unknown. */
void fieldbus_program_left(struct fieldbus *f, uint32_t device);
/*
 * The program's answer to what fieldbus_ops.local_write has told it: error 0 it is
 * done, else as api/plugin.h names them; sent false: it has not tried. detail:
 * text for people, or "". -ENOENT: nothing of this serial waits for an answer.
 */
int fieldbus_complete(struct fieldbus *f, uint32_t device, uint64_t serial, bool sent, int error,
		      const char *detail);

struct fieldbus_local_counters {
	uint64_t good, invalid, failed;
};
/* Of one of its points, since the configuration has it. */
void fieldbus_local_counters(const struct fieldbus *f, uint32_t device, uint32_t point,
			     struct fieldbus_local_counters *ret);
