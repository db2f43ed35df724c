/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/daemon/inventory.h"

/* The page of `fieldwayctl bus`, with the inventory's devices of that bus. 0 or -ENOMEM. */
int bus_print(FILE *to, const struct bus_record *b, const struct inventory *i);
