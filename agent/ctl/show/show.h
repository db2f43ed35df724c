/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/daemon/inventory.h"

/* The pages of `fieldwayctl show`. 0 or -ENOMEM. */
int show_endpoint(FILE *to, const struct endpoint_record *e, const struct inventory *i);
int show_device(FILE *to, const struct device_record *d, const struct inventory *i);
