/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What the programs of tests/bench share. Results are lines `name=value` on standard output. */

#define NSEC_PER_SEC UINT64_C(1000000000)

static inline uint64_t clock_nsec(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* Of all threads of this process, without those of its children. */
static inline uint64_t cpu_nsec(void)
{
	return clock_nsec(CLOCK_PROCESS_CPUTIME_ID);
}

static inline uint64_t now_nsec(void)
{
	return clock_nsec(CLOCK_MONOTONIC);
}

static inline void report(const char *name, double value)
{
	printf("%s=%.6g\n", name, value);
	fflush(stdout);
}

/* A bench that cannot go on ends: whatever it would print is not true. */
static inline void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* A number of the command line from minimum to maximum. */
static inline unsigned argument(char **argv, int i, unsigned minimum, unsigned maximum)
{
	char *end;
	unsigned long v = argv[i] ? strtoul(argv[i], &end, 10) : 0;

	if (argv[i] && *argv[i] && !*end && v >= minimum && v <= maximum)
		return (unsigned)v;
	fprintf(stderr, "argument %d: a number from %u to %u is wanted\n", i, minimum, maximum);
	exit(2);
}
