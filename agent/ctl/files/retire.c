/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/edit.h"
#include "ctl/files/row.h"
#include "ctl/files/splice.h"
#include "ctl/output/text.h"

/* ---- what servers lose ---- */

static void print_path(const struct config_map *row, const struct config_device *device)
{
	char text[PATH_TEXT_MAX];

	printf("  %s  ", path_format(&row->path, text));
	text_print(stdout, device->type->points[row->point].name);
	putchar('\n');
}

static bool is_of(const struct config *c, const struct config_endpoint *e,
		  const struct config_map *row, const struct config_device *device)
{
	uint32_t own = config_row_device(e, row);

	return row->kind != CONFIG_MAP_CONSTANT && own != UINT32_MAX && &c->devices[own] == device;
}

static void print_losses(const struct config *c, const struct config_device *device)
{
	for (size_t k = 0; k < c->n_endpoints; k++) {
		const struct config_endpoint *e = &c->endpoints[k];
		bool named = false;

		for (size_t i = 0; i < e->n_map; i++) {
			if (!is_of(c, e, &e->map[i], device))
				continue;
			if (!named) {
				fputs("servers lose of ", stdout);
				text_print(stdout, e->endpoint);
				puts(":");
			}
			named = true;
			print_path(&e->map[i], device);
		}
	}
}

/* ---- the text ---- */

/* {enabled: false} into what `override:` has of this device. */
static int disable_in_override(const struct row *row, char **ret)
{
	const struct yaml_node *override = yaml_get(row->node, "override"), *own, *enabled;
	_cleanup_free_ char *key = row_override_key(row), *raw = NULL;

	if (!key)
		return -ENOMEM;
	own = override && override->kind == YAML_KIND_MAPPING ? yaml_get(override, key) : NULL;
	enabled = own && own->kind == YAML_KIND_MAPPING ? yaml_get(own, "enabled") : NULL;
	if (enabled)
		return splice_replace(row->file->text, enabled, "false", ret);
	if (own)
		return splice_insert(row->file->text, own, "enabled", "false", ret);
	if (override)
		return splice_insert(row->file->text, override, key, "{enabled: false}", ret);
	if (asprintf(&raw, "{%s: {enabled: false}}", key) < 0) {
		raw = NULL;
		return -ENOMEM;
	}
	return splice_insert(row->file->text, row->node, "override", raw, ret);
}

static int disable(const struct row *row, char **ret)
{
	const struct yaml_node *enabled = yaml_get(row->node, "enabled");

	if (row->devices > 1)
		return disable_in_override(row, ret);
	return enabled ? splice_replace(row->file->text, enabled, "false", ret) :
			 splice_insert(row->file->text, row->node, "enabled", "false", ret);
}

/* *ret NULL: the file goes. */
static int take_out(const struct row *row, char **ret)
{
	if (row->devices > 1 && row->each && row->each->n > 1)
		return splice_remove(row->file->text, row->each, row->each_index, ret);
	if (row->devices > 1)
		return row_refuse(row, "a range or table makes this device and others: without --remove it is disabled by override:");
	if (row->sequence->n > 1)
		return splice_remove(row->file->text, row->sequence, row->index, ret);
	if (row->yaml->n > 1)
		return row_refuse(row, "the only device of its document, in a file with others: remove that by hand");
	*ret = NULL;
	return 0;
}

static int retire(const struct invocation *i, const struct configuration *c, const struct row *row)
{
	char *text = NULL;
	int r = option_find(i, "remove") ? take_out(row, &text) : disable(row, &text);

	if (r == -ENOMEM)
		fputs("fieldwayctl: out of memory\n", stderr);
	else if (r < 0 && !option_find(i, "remove"))
		row_refuse(row, "its row leaves no room for it: edit it by hand");
	if (r < 0)
		return r;
	if (!i->json && !option_find(i, "print"))
		print_losses(c->config, row->device);
	return row_commit(i, c, row, text);
}

static int run(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_row_ struct row row = { 0 };
	int r = configuration_load(i, &c);

	if (r >= 0)
		r = row_find(i, &c, i->arguments[0], &row);
	return exit_status(r < 0 ? r : retire(i, &c, &row));
}

static const struct command_option options[] = {
	{ "remove", NULL, "take its row out, instead of enabled: false" },
	EDIT_OPTIONS,
	CONFIGURATION_OPTIONS,
	{ 0 },
};

const struct command command_retire = {
	.name = "retire",
	.arguments = "DEVICE",
	.help = "takes a device out of use, and prints what servers lose",
	.details =
		"Sets enabled: false in its row, or for one of a range or table in override:; with\n"
		"--remove the row goes. Comments and layout of the file stay as they are. A change that would\n"
		"touch other devices is refused, with its file and line.\n",
	.least = 1,
	.most = 1,
	.options = options,
	.completes = "device",
	.run = run,
};
