/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/daemon/inventory.h"

struct screen {
	size_t rows, columns; /* columns 0: lines may be as long as they are */
};

/* The page of `fieldwayctl status`, which fits screens of 24 rows and more. 0 or -ENOMEM. */
int status_print(FILE *to, const struct manager_record *m, const struct inventory *i,
		 const struct screen *screen);
