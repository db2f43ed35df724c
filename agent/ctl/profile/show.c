/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/merged.h"
#include "ctl/output/document.h"
#include "ctl/profile/profile.h"
#include "ctl/show/explain_more.h"

/* A profile as a device has it: what it extends, parameters and repeats are done. */

struct showing {
	struct arena arena;
	struct profile_value *values;
	size_t n, allocated;
};

static const char *origin_text(struct showing *s, const struct yaml_mark *mark)
{
	_cleanup_free_ char *text = NULL;

	if (!mark->file)
		return "";
	if (streq(mark->file, PROFILE_COMMAND_LINE))
		return PROFILE_COMMAND_LINE;
	if (asprintf(&text, "%s:%u", mark->file, mark->line) < 0) {
		text = NULL;
		return NULL;
	}
	return arena_text(&s->arena, text, strlen(text));
}

static int keep(void *userdata, const struct merged_row *row)
{
	struct showing *s = userdata;
	struct profile_value *grown;

	if (s->n == s->allocated) {
		s->allocated = s->allocated ? 2 * s->allocated : 64;
		grown = reallocarray(s->values, s->allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->values = grown;
	}
	grown = &s->values[s->n++];
	*grown = (struct profile_value){
		.point = row->point,
		.key = arena_text(&s->arena, row->key, strlen(row->key)),
		.value = arena_text(&s->arena, row->value, strlen(row->value)),
		.origin = origin_text(s, &row->origin),
	};
	return grown->key && grown->value && grown->origin ? 0 : -ENOMEM;
}

static int show(const struct invocation *i)
{
	const struct profile_device device = { 0 };
	_cleanup_profile_load_ struct profile_load l = { 0 };
	struct showing s = { 0 };
	int r = profile_load(i, i->arguments[1], &device, &l);

	if (r < 0)
		return r;
	r = merged_each(l.config, &l.config->devices[0], keep, &s);
	if (r >= 0 && i->json)
		r = document_print(json_pack("{s:s, s:o}", "profile", l.name, "values",
					     profile_values_document(s.values, s.n)));
	else if (r >= 0)
		r = profile_values_print(stdout, s.values, s.n, option_find(i, "origin"));
	if (r < 0)
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
	free(s.values);
	arena_done(&s.arena);
	return r;
}

int profile_show(const struct invocation *i)
{
	return exit_status(show(i));
}
