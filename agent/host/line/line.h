/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* A line's thread, and what is next for it. */

/* One without devices yet. 0 or -ENOMEM. */
int line_new(struct host_bus *b, const char *name, struct line **ret);
/* Its thread has ended. */
struct line *line_free(struct line *l);

/* The devices that a line gets, and all that comes with it: made first, installed when nothing can fail any more. */
struct line_plan {
	struct device **devices;
	size_t n_devices;
	struct schedule schedule;
	struct fieldway_sample *samples; /* where the longest request has no room yet */
	size_t n_samples;
};
/*
 * Room for so many devices with these requests of theirs: entries in the
 * schedule, and points of the longest. 0 or -ENOMEM.
 */
int line_plan_init(struct line_plan *p, const struct line *l, size_t n_devices, size_t n_entries,
		   size_t longest);
void line_plan_done(struct line_plan *p);
/* Adds one, with what the line's schedule knows of it if it is there already. */
void line_plan_add(struct line_plan *p, const struct line *l, struct device *d);
/* What is new is due, spread by its place in the line's bus. Takes the plan. */
void line_install(struct line *l, struct line_plan *p);
/* Another setup that says the same of the line: its thread is told next. */
void line_follow(struct line *l);
/* Its last device has gone: no more jobs, and the line goes with its thread. */
void line_leave(struct line *l);
/* 0, -ENOMEM, -EAGAIN. */
int line_start(struct line *l);
void line_retire(struct line *l);
/* Gives an idle line what is next. */
void line_kick(struct line *l);
/* When so many tries of a request must have ended, on the kernel's clock. */
uint64_t line_job_deadline(const struct fieldway_bus *bus, unsigned tries, uint32_t wire_bytes);
