/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* A line's thread, and what is next for it. */

/* What a line of any kind needs before its start, and what it leaves. 0 or -ENOMEM. */
int line_init(struct line *l);
void line_done(struct line *l);
/* 0, -ENOMEM, -EAGAIN. */
int line_start(struct line *l);
void line_retire(struct line *l);
/* Gives an idle line what is next. */
void line_kick(struct line *l);
/* When so many tries of a request must have ended, on the kernel's clock. */
uint64_t line_job_deadline(const struct fieldway_bus *bus, unsigned tries, uint32_t wire_bytes);
