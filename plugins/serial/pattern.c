/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "plugins/lib/moment.h"

/* PCRE2 counts its steps anew at each place where a match may begin: between so many the clock is looked at. */
#define PLACES 32u

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	bool anchored; /* a match begins where the text does */
	const uint8_t *names;
	uint32_t n_names, name_size;
	uint32_t groups;
};

static int refuse(char *text, size_t text_size, int error, size_t offset)
{
	char why[128] = "";

	pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
	snprintf(text, text_size, "the expression is wrong at character %zu: %s", offset + 1, why);
	return -EINVAL;
}

static int limit(struct pattern *p)
{
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits)
		return -ENOMEM;
	pcre2_set_match_limit(p->limits, PATTERN_STEPS_MAX);
	pcre2_set_depth_limit(p->limits, PATTERN_STEPS_MAX);
	pcre2_set_heap_limit(p->limits, PATTERN_MEMORY_KIB);
	return 0;
}

static int compile(struct pattern *p, const char *expression, size_t size, char *text, size_t text_size)
{
	PCRE2_SIZE offset = 0;
	uint32_t last = 0, options = 0;
	int error;

	p->code = pcre2_compile((PCRE2_SPTR)expression, size,
				PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_USE_OFFSET_LIMIT, &error,
				&offset, NULL);
	if (!p->code)
		return refuse(text, text_size, error, offset);
	pcre2_pattern_info(p->code, PCRE2_INFO_ALLOPTIONS, &options);
	p->anchored = options & PCRE2_ANCHORED;
	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &last);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &p->n_names);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &p->name_size);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &p->names);
	p->groups = last + 1;
	if (p->groups <= PATTERN_GROUPS_MAX)
		return 0;
	snprintf(text, text_size, "the expression has more than %u groups", PATTERN_GROUPS_MAX - 1);
	return -EINVAL;
}

int pattern_new(const char *expression, size_t size, struct pattern **ret, char *text, size_t text_size)
{
	struct pattern *p;
	int r;

	if (size > PATTERN_SIZE_MAX) {
		snprintf(text, text_size, "the expression is longer than %u bytes", PATTERN_SIZE_MAX);
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	r = p ? limit(p) : -ENOMEM;
	if (r >= 0)
		r = compile(p, expression, size, text, text_size);
	if (r < 0) {
		pattern_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct pattern *pattern_free(struct pattern *p)
{
	if (!p)
		return NULL;
	pcre2_code_free(p->code);
	pcre2_match_context_free(p->limits);
	free(p);
	return NULL;
}

static int match_error(int error)
{
	if (error == PCRE2_ERROR_NOMATCH)
		return 0;
	return error == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
}

/* Place after place, as long as the frame may take. Interpreted: PCRE2's machine code heeds fewer limits. */
static int search(const struct pattern *p, const char *subject, size_t size, uint64_t *spent_usec,
		  pcre2_match_context *limits, pcre2_match_data *data)
{
	uint64_t begin = moment_spent_usec() - *spent_usec;
	int r = PCRE2_ERROR_NOMATCH;

	for (size_t at = 0; at <= size && r == PCRE2_ERROR_NOMATCH; at += PLACES) {
		if (*spent_usec >= PATTERN_SPENT_USEC_MAX)
			return PCRE2_ERROR_MATCHLIMIT;
		pcre2_set_offset_limit(limits, at + PLACES - 1);
		r = pcre2_match(p->code, (PCRE2_SPTR)subject, size, at, PCRE2_NO_JIT, data, limits);
		*spent_usec = moment_spent_usec() - begin;
		if (p->anchored)
			break;
	}
	return r;
}

static void fill(const struct pattern *p, pcre2_match_data *data, const char *subject, struct slice *groups)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);

	for (uint32_t i = 0; i < p->groups; i++) {
		bool set = at[2 * i] != PCRE2_UNSET && at[2 * i + 1] >= at[2 * i];

		groups[i] = set ? (struct slice){ subject + at[2 * i], at[2 * i + 1] - at[2 * i] } :
				  (struct slice){ 0 };
	}
}

int pattern_match(const struct pattern *p, const char *subject, size_t size, uint64_t *spent_usec,
		  struct slice *groups)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);
	pcre2_match_context *limits = pcre2_match_context_copy(p->limits);
	int r = PCRE2_ERROR_NOMEMORY;

	if (data && limits)
		r = search(p, subject, size, spent_usec, limits, data);
	if (r > 0)
		fill(p, data, subject, groups);
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	return r > 0 ? 1 : match_error(r);
}

size_t pattern_names(const struct pattern *p)
{
	return p->n_names;
}

const char *pattern_name(const struct pattern *p, size_t index, unsigned *ret_group)
{
	const uint8_t *entry = p->names + index * p->name_size;

	*ret_group = (unsigned)(entry[0] << 8 | entry[1]);
	return (const char *)entry + 2;
}
