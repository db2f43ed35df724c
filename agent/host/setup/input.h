/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/refusals.h"
#include "host/setup/setup.h"

struct sd_bus_message;

/* What a device's points are when something came from it: samples of profiles without registers. */
struct decoded {
	struct fieldway_sample *samples; /* in the points' units */
	size_t n;
	char *text;
};

/* Asks the plugin. 0, -ENOMEM, or -EINVAL with a refusal. */
int decode_inputs(const struct setup *s, const struct setup_device *device,
		  const struct fieldway_input *inputs, size_t n_inputs, struct refusals *refusals,
		  struct decoded *ret);
void decoded_done(struct decoded *d);
/* As LINK_TYPE_SAMPLES. */
int decoded_append(struct sd_bus_message *m, const struct decoded *d);
