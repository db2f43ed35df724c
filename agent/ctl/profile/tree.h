/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "config/config.h"
#include "ctl/daemon/reading.h"

struct definitions;

/* What a server would see of a device that was read once. */
struct tree {
	const struct config_type *type;
	const struct definitions *definitions;
	const struct reading *readings;
	size_t n;
};

/*
 * The page of `fieldwayctl profile try`: a row for each resource; points that no
 * resource shows; whether it is the model that the profile is for. *ret_good:
 * that it is, and that all points were read (INVALID is read). 0 or -ENOMEM.
 */
/* The same as JSON: {profile, rows, model, read, points}. */
int tree_print_document(const struct tree *t, bool *ret_good);
int tree_print(FILE *to, const struct tree *t, bool *ret_good);
