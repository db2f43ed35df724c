/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "link/host1.h"

/*
 * Thins what comes by itself. The first sample goes on at once and opens a
 * window; of those that come within it one goes on at its end, which opens the
 * next. A window in which nothing came closes. Pure: times are given.
 */
struct sample_thinner {
	uint64_t end_usec; /* of the window, 0: none is open */
	bool waits;
	struct fieldway_sample kept; /* while it waits */
	char *data;		     /* its text or bytes */
	double sum;		     /* of its good numbers */
	uint32_t n;		     /* how many those are */
};

enum sample_fate {
	SAMPLE_GOES,	 /* on, now; it is the caller's */
	SAMPLE_WAITS,	 /* for the end of the window; copied */
	SAMPLE_REPLACES, /* likewise, and shares that with an earlier one */
};

/*
 * keep says which one counts: the last, whatever it is; or of good numbers the
 * mean (a FLOAT, of the time of the last one), the lowest, the highest, and
 * where there are none of these the last. every_usec: length of a window that
 * this sample opens, 0: none. An enum sample_fate, or -ENOMEM.
 */
int sample_take(struct sample_thinner *t, enum link_keep keep, uint64_t every_usec,
		uint64_t now_usec, const struct fieldway_sample *sample);
/*
 * At the end of a window: true and what waited, whose data lives until the next
 * call; the next window is open, every_usec long (0: none). Else it is closed,
 * or not over.
 */
bool sample_end(struct sample_thinner *t, uint64_t every_usec, uint64_t now_usec,
		struct fieldway_sample *ret);
/* What waits is no longer true. */
void sample_forget(struct sample_thinner *t);
void sample_done(struct sample_thinner *t);
