/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The host's side of Host1: loads plugins, runs buses, until the link closes,
 * a SIGTERM or SIGINT comes, or a worker is stuck.
 */

/*
 * Lines, and so threads, of one host; TCP connections mostly. The daemon splits
 * larger buses over hosts.
 */
#define HOST_LINES_MAX 500u
#define HOST_BUSES_MAX 1000u
/* So long may the last states take on their way out before a process with a stuck worker ends. */
#define HOST_FAREWELL_USEC UINT64_C(200000)
/*
 * At the end idle threads are joined; one that waits for a device for longer
 * than this ends with the process.
 */
#define HOST_JOIN_USEC UINT64_C(100000)

/* Messages about all devices together in 30 s; of one it is the usual 10. */
#define HOST_LOG_MAX 200u

struct host_options {
	int fd;		     /* the connected socket; taken over */
	const char *plugins; /* folder */
	uint64_t grace_usec; /* 0: LINE_GRACE_USEC */
};

/* The exit status: 0 the link was closed or a signal came; 1 with a message otherwise. */
int host_run(const struct host_options *options);
