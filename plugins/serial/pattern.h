/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A regular expression (PCRE2), safe with whatever a wire brings: what takes
 * too many steps, too much memory or too long gives up. Works on bytes. Never
 * changes once it is made, so any thread may use it.
 */
#define PATTERN_SIZE_MAX 2048u	 /* bytes of an expression */
#define PATTERN_GROUPS_MAX 64u
#define PATTERN_STEPS_MAX 50000u /* from one place in the text: a few milliseconds */
#define PATTERN_SPENT_USEC_MAX UINT64_C(20000) /* of one frame, by all expressions that look at it */
#define PATTERN_MEMORY_KIB 1024u

struct slice {
	const char *data; /* NULL: there is none */
	size_t size;
};

struct pattern;

/* 0, -ENOMEM, or -EINVAL with text for the user. */
int pattern_new(const char *expression, size_t size, struct pattern **ret, char *text, size_t text_size);
struct pattern *pattern_free(struct pattern *p);

/*
 * Returns 1 and the groups (0: all that matched) when it matches, 0 when not,
 * -E2BIG when it gave up, -ENOMEM. groups has room for PATTERN_GROUPS_MAX.
 * *spent_usec: what the frame has cost so far; 0 at first.
 */
int pattern_match(const struct pattern *p, const char *subject, size_t size, uint64_t *spent_usec,
		  struct slice *groups);

/* The groups that have a name. */
size_t pattern_names(const struct pattern *p);
const char *pattern_name(const struct pattern *p, size_t index, unsigned *ret_group);
