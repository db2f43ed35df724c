/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "config/config.h"
#include "fieldbus/fieldbus.h"
#include "lwm2m/client.h"
#include "metrics/metrics.h"

/* ---- process.c: this process, as the kernel counts it ---- */

struct process_figures {
	double cpu_s, start_s; /* used; since 1970 */
	uint64_t resident_bytes, descriptors;
};
/* What cannot be found out is 0. */
void process_figures_read(struct process_figures *ret);

/* ---- listen.c ---- */

/*
 * A listening socket, non-blocking. -EEXIST: something else than a socket has the
 * path, -EADDRINUSE: somebody listens there; else errno.
 */
int metrics_listen(const struct config_metrics *m, int *ret);

/* ---- page.c: the text, pure but for the clock of the process figures ---- */

/* All accounts of a server together. */
struct server_figures {
	uint32_t states[CLIENT_DEREGISTERING + 1];
	struct session_sums {
		uint64_t sent_bytes, received_bytes, sent_messages, received_messages, retransmissions,
			duplicates, malformed, handshakes, resumptions;
	} sums;
};

/* A page on its way out. */
struct page {
	const struct config *config;
	const struct fieldbus *fieldbus;
	bool last_good;
	struct process_figures process;
	struct server_figures *servers; /* config.n_servers */
	size_t family, sample;		/* what comes next */
};

/* Counts what is counted once for a page. -ENOMEM. */
int page_init(struct page *p, const struct metrics_config *config, const struct metrics_ports *ports,
	      void *userdata);
void page_done(struct page *p);
/*
 * Appends at least so many bytes, or all that are left. 1: there is more, 0: that
 * was the end, -ENOMEM.
 */
int page_continue(struct page *p, struct buf *b, size_t size);
