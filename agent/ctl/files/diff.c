/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/difference.h"
#include "ctl/files/changes.h"
#include "ctl/files/configuration.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "state/state.h"

/* gateway/configuration/accepted.c keeps it under these. */
#define STATE_NAME "gateway"
#define STATE_KIND "last-good"

static int refuse(const char *text, int error)
{
	fprintf(stderr, "fieldwayctl: %s\n", text);
	return error;
}

/* What was accepted last, which is what runs. */
static int load_accepted(const struct invocation *i, struct configuration *ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	struct config_files *files = NULL;
	int r = state_peek(state_folder(i), STATE_NAME, STATE_KIND, &record);

	if (r == -ENOENT)
		return refuse("fieldwayd has accepted no configuration yet", r);
	if (r == -EACCES)
		return refuse("the state of fieldwayd is root's to read", r);
	if (r >= 0)
		r = config_files_load(span_of(record.data, record.size), &files);
	if (r < 0)
		return refuse("what fieldwayd accepted cannot be read", r);
	return configuration_load_files(i, files, ret);
}

static int print(const struct changes *changes, const struct invocation *i)
{
	static const char *const keys[] = { "change", "kind", "name", "effect" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(keys) };
	int r = table_add(&t, (const char *[]){ "CHANGE", "WHAT", "NAME", "EFFECT" });

	for (size_t k = 0; k < changes->n && r >= 0; k++) {
		const struct change *c = &changes->items[k];

		r = table_add(&t, (const char *[]){ change_name(c->sort), c->kind, c->name,
						    c->effect });
	}
	if (r < 0)
		return refuse("out of memory", r);
	if (i->json)
		return document_print(json_pack("{s:o}", "changes", document_rows(&t, keys)));
	if (changes->n == 0)
		puts("nothing changes");
	else
		table_print(stdout, &t, &(struct table_frame){ 0 });
	return 0;
}

static int compare(const struct invocation *i, const struct config *before,
		   const struct config *after)
{
	struct config_difference *d = NULL;
	struct changes changes = { 0 };
	int r = config_difference_new(before, after, &d);

	if (r >= 0)
		r = changes_find(d, &changes);
	r = r < 0 ? refuse("out of memory", r) : print(&changes, i);
	changes_done(&changes);
	config_difference_free(d);
	return r;
}

static int run(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration before = { 0 }, after = { 0 };
	int r = load_accepted(i, &before);

	if (r >= 0)
		r = configuration_load(i, &after);
	return exit_status(r < 0 ? r : compare(i, before.config, after.config));
}

static const struct command_option options[] = { CONFIGURATION_OPTIONS, { 0 } };

const struct command command_diff = {
	.name = "diff",
	.arguments = "",
	.help = "prints what a reload would change, and what that costs",
	.details =
		"Compares the files with the configuration that fieldwayd has accepted last and keeps\n"
		"in its state folder. What is not named stays as it is: registrations, observations,\n"
		"polls. Files that are wrong change nothing, see 'fieldwayctl check'. Needs the right\n"
		"to read the state folder.\n",
	.options = options,
	.run = run,
};
