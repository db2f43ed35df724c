/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/ports.h"

/* What an interface is, by a folder such as /sys/class/net; Ethernet where nothing says otherwise. */
enum builtin_bearer network_bearer(const char *folder, const char *interface);

/*
 * How this machine is connected: bearers of the interfaces that are up, their
 * addresses, and the routers of default routes; the best route's first. Where
 * there is nothing but loopback, that.
 */
void network_read(const char *folder, struct builtin_network *ret);
