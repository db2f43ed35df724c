/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/builtin/rig.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/model/shipped.h"

struct definitions *definitions;
struct timers *timers;
struct store *store;
struct builtin *builtin;
char changes[512];

void rig_set_up(void)
{
	*changes = '\0';
	definitions = shipped_definitions();
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(store_new(definitions, &store), 0);
}

void rig_tear_down(void)
{
	store = store_free(store);
	builtin = builtin_free(builtin);
	timers = timers_free(timers);
	definitions = definitions_free(definitions);
}

static void on_changes(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	char text[PATH_TEXT_MAX];
	size_t used = strlen(changes);

	for (size_t i = 0; i < n; i++) {
		used += snprintf(changes + used, sizeof(changes) - used, "%s ", path_format(&paths[i], text));
		ck_assert_uint_lt(used, sizeof(changes));
	}
}

void rig_watch(void)
{
	store_set_watch(store, on_changes, NULL);
}

struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

void expect(const char *path, const char *want)
{
	struct path p = path_of(path);
	_cleanup_value_ struct value v = { 0 };
	_cleanup_free_ char *got = NULL;
	int r = store_read(store, &p, false, &v, NULL);

	ck_assert_msg(r == (want ? 0 : -ENOENT), "%s: %s", path, strerror(-r));
	if (!want)
		return;
	ck_assert_int_eq(value_format_text(&v, &got), 0);
	ck_assert_msg(strcmp(got, want) == 0, "%s: %s, not %s", path, got, want);
}
