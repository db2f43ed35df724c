/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/daemon/inventory.h"

/* The tables of `fieldwayctl list`; memory of the inventory's arena is used. 0 or -ENOMEM. */
int list_endpoints(FILE *to, struct inventory *i);
int list_devices(FILE *to, const struct inventory *i);
int list_buses(FILE *to, struct inventory *i);
