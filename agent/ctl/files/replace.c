/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/edit.h"
#include "ctl/files/row.h"
#include "ctl/files/scalar.h"
#include "ctl/files/splice.h"
#include "ctl/output/text.h"

/* "{mac}" and nothing else: the name in it. */
static bool is_variable(const struct yaml_node *node, const char *name)
{
	size_t n = strlen(node->text);

	return node->kind == YAML_KIND_SCALAR && n == strlen(name) + 2 && node->text[0] == '{' &&
	       node->text[n - 1] == '}' && strncmp(node->text + 1, name, n - 2) == 0;
}

/* Of several devices each has what its line of `each:` says. */
static const struct yaml_node *value_of_each(const struct row *row, const struct yaml_node *value)
{
	const struct yaml_node *line = row->each ? row->each->items[row->each_index] : NULL;

	for (size_t i = 0; line && value && i < line->n; i++)
		if (is_variable(value, line->keys[i]->text))
			return line->items[i];
	return NULL;
}

static int raw_text(const char *value, char **ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	int r = scalar_append(&b, value);

	if (r < 0)
		return r;
	*ret = buf_take_text(&b);
	return *ret ? 0 : -ENOMEM;
}

static int refuse_shared(const struct row *row, const char *key)
{
	const struct yaml_node *each = yaml_get(row->node, "each");
	_cleanup_free_ char *text = NULL;
	int r;

	if (each && each->kind == YAML_KIND_SCALAR)
		r = asprintf(&text, "its %s may come from the table %s: edit that by hand", key, each->text);
	else
		r = asprintf(&text, "%s makes %zu devices of this row, not this one alone: edit it by hand", key,
			     row->devices);
	if (r < 0)
		text = NULL;
	return row_refuse(row, text ?: "out of memory");
}

static int set(const struct row *row, const struct given_option *o, char **ret)
{
	const struct yaml_node *address = yaml_get(row->node, "address"),
			       *value = address && address->kind == YAML_KIND_MAPPING ?
						yaml_get(address, o->name) :
						NULL,
			       *own = value_of_each(row, value);
	_cleanup_free_ char *raw = NULL;
	int r = raw_text(o->value, &raw);

	if (r < 0)
		return r;
	if (row->devices > 1 && !own)
		return refuse_shared(row, o->name);
	if (own || value)
		r = splice_replace(row->file->text, own ?: value, raw, ret);
	else
		r = address ? splice_insert(row->file->text, address, o->name, raw, ret) : -ENOTSUP;
	return r == -ENOTSUP ? row_refuse(row, "its row leaves no room for it: edit it by hand") : r;
}

/* One key after the other: each changes where the next one stands. */
static int replace_next(const struct invocation *i, const struct configuration *c, const char *name,
			size_t k, const struct row *first, char *text)
{
	_cleanup_configuration_ struct configuration after = { 0 };
	_cleanup_row_ struct row row = { 0 };
	struct changes changes = { 0 };
	char *next = NULL;
	int r;

	if (k == i->n_address)
		return row_commit(i, c, first, text);
	r = row_try(i, c, first, text, &after, &changes);
	changes_done(&changes);
	if (r >= 0)
		r = row_find(i, &after, name, &row);
	if (r >= 0)
		r = set(&row, &i->address[k], &next);
	free(text);
	return r < 0 ? r : replace_next(i, c, name, k + 1, first, next);
}

static int check_keys(const struct invocation *i)
{
	for (size_t k = 0; k < i->n_address; k++)
		if (!key_is_plain(i->address[k].name)) {
			fputs("fieldwayctl: --", stderr);
			text_print(stderr, i->address[k].name);
			fputs(": no key of an address\n", stderr);
			return -EDOM;
		}
	if (i->n_address > 0)
		return 0;
	fputs("fieldwayctl: what is new of it, such as --mac A4:C1:38:00:11:01 or --unit 7\n", stderr);
	return -EDOM;
}

static int run(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_row_ struct row row = { 0 };
	char *text = NULL;
	int r = check_keys(i);

	if (r >= 0)
		r = configuration_load(i, &c);
	if (r >= 0)
		r = row_find(i, &c, i->arguments[0], &row);
	if (r >= 0)
		r = set(&row, &i->address[0], &text);
	if (r == -ENOMEM)
		fputs("fieldwayctl: out of memory\n", stderr);
	return exit_status(r < 0 ? r : replace_next(i, &c, i->arguments[0], 1, &row, text));
}

static const struct command_option options[] = { EDIT_OPTIONS, CONFIGURATION_OPTIONS, { 0 } };

const struct command command_replace = {
	.name = "replace",
	.arguments = "DEVICE",
	.help = "gives a device that was swapped its new address",
	.details =
		"Changes what is said in address: of the device's row, or in its line of each:, and\n"
		"leaves comments and layout of the file as they are. Its name, endpoint and\n"
		"registration stay. A change that would touch other devices (of a range) or a table\n"
		"(csv:) is left to you: the file and line are said. What fieldwayd --check refuses is\n"
		"not written.\n",
	.least = 1,
	.most = 1,
	.options = options,
	.completes = "device",
	.address = true,
	.run = run,
};
