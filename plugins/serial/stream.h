/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/* The event-driven operations of the contract (api/plugin.h): devices that speak by themselves. */

int stream_start(const struct fieldway_bus *bus, const struct fieldway_driver *const *drivers,
		 size_t n_drivers, const struct fieldway_host *host, struct fieldway_session **ret);
void stream_stop(struct fieldway_session *session);
void stream_write(struct fieldway_session *session, uint32_t device, uint32_t point,
		  const struct fieldway_value *value, uint64_t deadline_usec, struct fieldway_ticket *ticket);
int stream_change(struct fieldway_session *session, const struct fieldway_bus *bus,
		  const struct fieldway_driver *const *drivers, size_t n_drivers, const uint32_t *before);
void stream_release(struct fieldway_session *session, bool released);
