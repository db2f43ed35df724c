/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dbus/dbus.h"
#include "metrics/metrics.h"

/* What the D-Bus face asks of the rest; userdata is the registry, or NULL while nothing is configured. */
extern const struct dbus_ports ports_of_registry;
/* What the metrics ask; userdata is the registry. */
extern const struct metrics_ports metrics_ports_of_registry;
/* What D-Bus asks about the configuration; userdata is the gateway. */
extern const struct dbus_reload_ports reload_ports_of_gateway;
