/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "config/config.h"
#include "model/value.h"

#define PUBLISHED_MAX 1000u /* values of one call */
/* What a program publishes of a local device: a(svtu), each checked against its point. */
struct publication {
	struct fieldway_sample *samples; /* their data lies in values */
	struct value *values;
	bool *there; /* by point: it is one of them */
	size_t n;
};

/* 0; -ENOMEM, -EBADMSG, or an error of agent1.h is set, which names the point: nothing is of use then. */
int publication_read(sd_bus_message *m, const struct config_type *type, struct publication *ret,
		     sd_bus_error *error);
void publication_done(struct publication *p);
