/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * One write from its call to its only answer: waits for the line, is sent at
 * most once (again only while nothing has reached the line), is read back
 * where the point says so. What is unknown is never repeated, only read back.
 */
struct write;

/* Between two read-backs of a value that has not arrived yet. */
#define WRITE_VERIFY_STEP_USEC UINT64_C(100000)
/* A plugin ends at the deadline; the answer may take so long after it. */
#define WRITE_GRACE_USEC UINT64_C(250000)

/*
 * Answers the call at once, or takes a reference to it; the deadline is the
 * call's. 0, or -ENOMEM: nothing was sent. The line is kicked by the caller.
 */
int write_begin(struct device *d, struct sd_bus_message *call, uint32_t point,
		uint64_t deadline_usec, const struct fieldway_value *value);
/* An answer to a call for which there is no device. */
int write_refuse(struct sd_bus_message *call, enum fieldway_outcome outcome, int error,
		 const char *text);

/* Likewise, with a text that names bus, device and point. */
int write_refuse_device(const struct device *d, struct sd_bus_message *call, uint32_t point,
			enum fieldway_outcome outcome, int error, const char *detail);
/* The end of a write, likewise. */
void write_tell(const struct device *d, struct sd_bus_message *call, uint32_t point,
		enum fieldway_outcome outcome, const struct fieldway_result *result);
/*
 * What stands before a write to any device: 0 and the raw value, whose data
 * lies in the call; 1: nothing is to be written, and the call is answered.
 * n_pending: writes that have not ended, of which there may be n_max.
 */
int write_prepare(struct device *d, unsigned n_pending, unsigned n_max, struct sd_bus_message *call,
		  uint32_t point, uint64_t deadline_usec, const struct fieldway_value *value,
		  struct fieldway_value *ret_raw);
/* The value as the register can show it: read-backs are compared with what was sent. */
struct fieldway_value write_proof(const struct device *d, uint32_t point, int exponent,
				  const struct fieldway_value *raw);

/* As messages name the point of a write: "point speed (holding 100)". */
void write_point_text(const struct device *d, uint32_t point, char *ret, size_t size);
/* Whose write is the oldest queued one; there is one. */
struct device *write_next_device(const struct line *l);
/* The oldest queued write becomes the line's job, with its own deadline. */
void write_start(struct line *l);
/* The line's job was this write and has come back. */
void write_done(struct line *l);
/* The next read-back that is due, of a device that is known; NULL and when it will be (USEC_INFINITY: none). */
struct write *write_next_verify(struct line *l, uint64_t now_usec, uint64_t *ret_due_usec);
/* The device and poll that read it back. */
void write_verify_what(const struct write *w, struct device **ret_device, struct poll **ret_poll);
/*
 * A request of the device was read with these samples, in the points' units; n
 * is 0, and result has the error, when it failed.
 */
void write_verify(struct line *l, struct device *d, const struct fieldway_sample *samples, size_t n,
		  const struct write *asked, const struct fieldway_result *result);
/* A device is gone from the configuration: what of its writes is not under way ends. */
void write_leave(struct line *l, const struct device *d);
/* Queued writes of a device end as not sent. NULL: of all devices, and read-backs end too. */
void write_cancel(struct line *l, const struct device *d, int error, const char *text);
