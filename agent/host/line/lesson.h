/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/*
 * What can be read together of a request that its device refuses as a whole:
 * illegal address, or more at once than it takes. The longest part from its
 * first point on that is answered is searched for by halves, then the next one
 * from there on; a point that is refused alone stands alone. Asks nothing
 * itself: the caller carries the requests out, one after the other.
 */

/* More requests than this are not spent: what is not known by then stays together. */
#define LESSON_REQUESTS_MAX 256u

enum lesson_kind {
	LESSON_READ,	/* readable as one */
	LESSON_REFUSED, /* one point that is not */
	LESSON_UNKNOWN, /* nobody knows */
};

struct lesson_part {
	enum lesson_kind kind;
	struct fieldway_plan plan; /* one request; of what is unknown perhaps more */
};

struct lesson {
	const struct fieldway_plugin *plugin;
	const struct fieldway_driver *driver;
	const struct fieldway_request *whole;
	struct fieldway_result why; /* it was refused */
	unsigned n_requests;
	/* The part that is looked for: begins there, so many points can be read, so many cannot. */
	uint32_t begin, good, bad;
	struct fieldway_plan best, trial; /* of good points; what is asked now */
	uint32_t n_trial;
	struct lesson_part *parts;
	size_t n_parts;
};

/* Everything that is passed in outlives the lesson. 0 and a request to be carried out, or -ENOMEM. */
int lesson_new(const struct fieldway_plugin *plugin, const struct fieldway_driver *driver,
	       const struct fieldway_request *whole, const struct fieldway_result *why,
	       struct lesson **ret);
/* Another configuration that says the same: what was passed in is this now. */
void lesson_follow(struct lesson *s, const struct fieldway_driver *driver,
		   const struct fieldway_request *whole);
struct lesson *
lesson_free(struct lesson *s); /* takes NULL; with the parts' plans that are still there */
static inline const struct fieldway_request *lesson_request(const struct lesson *s)
{
	return &s->trial.requests[0];
}
/*
 * How that went. 1: there is another request; 0: it is over, and the parts, in
 * order, are all points of the whole; -ENOMEM.
 */
int lesson_answer(struct lesson *s, bool refused);
/* Is this an answer to a request that in parts may be answered otherwise? */
bool lesson_is_refusal(int error);
