/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct client;
struct config;
struct fieldbus;
struct sd_event;
struct timers;

/*
 * Figures for monitoring, as a page of OpenMetrics 1.0 text: GET /metrics on the
 * Unix socket or port of loopback that `metrics:` names. Whoever can connect may
 * read them: they hold names and counts, no values. The page is written in
 * pieces, so that the loop goes on whatever its size is.
 */
struct metrics;

/* What this module asks of the rest. */
struct metrics_ports {
	/*
	 * An account of an endpoint (0: the host, i + 1: config.endpoints[i]), and which
	 * of config.servers it is at. False: it has not so many.
	 */
	bool (*account)(void *userdata, uint32_t endpoint, unsigned index,
			uint32_t *ret_server, const struct client **ret_client);
};

struct metrics_config {
	struct sd_event *event;
	struct timers *timers;
	const struct config *config;
	struct fieldbus *fieldbus;
	bool last_good; /* the files are wrong */
};

/*
 * Nothing is opened when config has no `metrics:`. That it cannot be opened is no
 * error: it is logged, and tried again. -ENOMEM.
 */
int metrics_new(const struct metrics_config *config, const struct metrics_ports *ports, void *userdata,
		struct metrics **ret);
struct metrics *metrics_free(struct metrics *m);
/* Another configuration, of which the ports speak from now on. Pages that are half read end. */
void metrics_reload(struct metrics *m, const struct config *config, bool last_good);
