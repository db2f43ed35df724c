/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mapping/internal.h"

/* One endpoint that goes on with another configuration. */
struct change {
	struct mapped_endpoint *e; /* NULL: none, it is new */
	/* As they were before. */
	const struct config_endpoint *config;
	const struct row_plan *plan;
	struct mapped_row *rows;
	bool waiting; /* for first samples */
	/* NULL: its rows are all the same. Else the successor or predecessor of each row, or CONFIG_NONE. */
	uint32_t *to, *from;
};

/*
 * Brings the store to what the endpoint, which has its rows of the new configuration
 * already, shows. What cannot be shown is logged.
 */
void change_show(struct change *c);
