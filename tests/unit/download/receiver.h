/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/timer.h"
#include "download/download.h"

/* Whom a download is for: what it is told. */

extern sd_event *event;
extern struct timers *timers;
extern struct download *download;
extern struct buf received;
extern int n_begun, n_done, error; /* error: of the end */
extern uint64_t size_told;
extern char etag[DOWNLOAD_ETAG_MAX], trouble[200];
/* So often it has no room; and what it answers otherwise. */
extern int busy, begin_error, take_error;
extern const struct download_ops receiver_ops;

void receiver_setup(void);
void receiver_teardown(void);
/* Until it is done. The pauses between attempts are moved over, once nothing else happens. */
void receiver_run(void);
