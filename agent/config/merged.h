/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"

/* What all files together make of one device, for people. */

struct merged_row {
	const char *point; /* name; "": the device as a whole */
	const char *key;   /* as in YAML; "rates.fast", "parameters.ct", "lwm2m" */
	const char *value; /* never a secret */
	struct yaml_mark origin; /* where it stands; file NULL: nowhere, it is a default */
};

/* One row after the other, those of a point together; not 0 ends it and is returned. */
typedef int (*merged_take)(void *userdata, const struct merged_row *row);
/* 0, -ENOMEM, or what take said. */
int merged_each(const struct config *config, const struct config_device *device, merged_take take,
		void *userdata);
