/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
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
	uint32_t last = 0;
	int error;

	p->code = pcre2_compile((PCRE2_SPTR)expression, size, PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
				&error, &offset, NULL);
	if (!p->code)
		return refuse(text, text_size, error, offset);
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

int pattern_match(const struct pattern *p, const char *subject, size_t size, struct slice *groups)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);
	const PCRE2_SIZE *at;
	int r;

	if (!data)
		return -ENOMEM;
	/* Interpreted: the machine code of PCRE2's compiler heeds fewer limits, and wants writable code. */
	r = pcre2_match(p->code, (PCRE2_SPTR)subject, size, 0, PCRE2_NO_JIT, data, p->limits);
	at = pcre2_get_ovector_pointer(data);
	for (uint32_t i = 0; r > 0 && i < p->groups; i++) {
		bool set = at[2 * i] != PCRE2_UNSET && at[2 * i + 1] >= at[2 * i];

		groups[i] = set ? (struct slice){ subject + at[2 * i], at[2 * i + 1] - at[2 * i] } :
				  (struct slice){ 0 };
	}
	pcre2_match_data_free(data);
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
