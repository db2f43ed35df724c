/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/event/events.h"

/*
 * Writes to event-driven devices, each with exactly one answer; what write.h
 * says of those to polled ones. The plugin names a write by a number, so that
 * one that it has ended already can be told from a newer one.
 */

/* Answers the call at once, or takes a reference to it. 0, or -ENOMEM: nothing was sent. */
int ticket_begin(struct events *e, struct device *d, struct sd_bus_message *call, uint32_t point,
		 uint64_t deadline_usec, const struct fieldway_value *value);
/* As struct fieldway_host has it. */
void ticket_written(const struct fieldway_host *host, struct fieldway_ticket *ticket,
		    enum fieldway_outcome outcome, const struct fieldway_result *result);
/* A sample in the point's unit: a write may wait for it. */
void ticket_heard(struct events *e, const struct device *d, const struct fieldway_sample *sample);
/* All of a device that is gone. */
void tickets_leave(struct events *e, const struct device *d);
/* All of them: the plugin has stopped. */
void tickets_end(struct events *e);
