/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/row.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/edit.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"

/* ---- finding it ---- */

static int refuse_name(const struct config *c, const char *name)
{
	_cleanup_free_ const char **names = calloc(c->n_devices + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; names && i < c->n_devices; i++)
		names[i] = c->devices[i].name;
	near = names ? str_nearest(name, names, c->n_devices) : NULL;
	fputs("fieldwayctl: no device '", stderr);
	text_print(stderr, name);
	fputs(near ? "' in the configuration, did you mean '" : "' in the configuration", stderr);
	text_print(stderr, near ?: "");
	fputs(near ? "'?\n" : "\n", stderr);
	return -ENOENT;
}

static const struct config_file *find_file(const struct configuration *c, const char *name)
{
	for (size_t i = 0; i < config_files_count(c->files); i++)
		if (streq(config_files_item(c->files, i)->name, name))
			return config_files_item(c->files, i);
	return NULL;
}

static bool is_at(const struct yaml_node *node, const struct yaml_mark *mark)
{
	return node->mark.line == mark->line && node->mark.column == mark->column;
}

/* The mark of a device is somewhere in its row. */
static bool holds(const struct yaml_node *node, const struct yaml_mark *mark)
{
	if (is_at(node, mark))
		return true;
	for (size_t i = 0; i < node->n; i++)
		if (holds(node->items[i], mark) ||
		    (node->kind == YAML_KIND_MAPPING && is_at(node->keys[i], mark)))
			return true;
	return false;
}

static int find_node(struct row *r)
{
	for (size_t d = 0; d < r->yaml->n; d++) {
		const struct yaml_node *document = r->yaml->documents[d],
				       *devices = document->kind == YAML_KIND_MAPPING ?
							  yaml_get(document, "devices") :
							  NULL;

		for (size_t i = 0; devices && devices->kind == YAML_KIND_SEQUENCE && i < devices->n;
		     i++)
			if (holds(devices->items[i], &r->device->mark)) {
				r->sequence = devices;
				r->index = i;
				r->node = devices->items[i];
				return 0;
			}
	}
	return -ENOENT;
}

/* ---- ranges and tables ---- */

/* "{room}" or "{unit:03}" at *p: the value of that name, and *p goes behind it. */
static const char *variable(const char **p, const struct yaml_node *values, size_t *ret_width)
{
	const char *name = *p + 1, *end = strchr(name, '}'), *colon;
	size_t size;

	if (!end)
		return NULL;
	colon = memchr(name, ':', (size_t)(end - name));
	size = (size_t)((colon ?: end) - name);
	*ret_width = colon ? strtoul(colon + 1, NULL, 10) : 0;
	for (size_t i = 0; i < values->n; i++)
		if (strlen(values->keys[i]->text) == size &&
		    strncmp(values->keys[i]->text, name, size) == 0 &&
		    values->items[i]->kind == YAML_KIND_SCALAR) {
			*p = end + 1;
			return values->items[i]->text;
		}
	return NULL;
}

static bool makes(const char *template, const struct yaml_node *values, const char *name)
{
	const char *value;
	size_t width, n;

	while (*template) {
		if (*template != '{') {
			if (*template++ != *name++)
				return false;
			continue;
		}
		value = variable(&template, values, &width);
		if (!value)
			return false;
		for (n = strlen(value); n < width; n++)
			if (*name++ != '0')
				return false;
		n = strlen(value);
		if (strncmp(name, value, n) != 0)
			return false;
		name += n;
	}
	return !*name;
}

static void find_each(struct row *r)
{
	const struct yaml_node *each = yaml_get(r->node, "each"), *name = yaml_get(r->node, "name");

	if (!each || each->kind != YAML_KIND_SEQUENCE || !name || name->kind != YAML_KIND_SCALAR)
		return;
	for (size_t i = 0; i < each->n; i++)
		if (each->items[i]->kind == YAML_KIND_MAPPING &&
		    makes(name->text, each->items[i], r->device->name)) {
			r->each = each;
			r->each_index = i;
			return;
		}
}

char *row_override_key(const struct row *r)
{
	const struct yaml_node *name = yaml_get(r->node, "name");
	const char *template = name && name->kind == YAML_KIND_SCALAR ? name->text : "",
		   *open = strchr(template, '{'), *close = open ? strchr(open, '}') : NULL,
		   *full = r->device->name;
	size_t before = open ? (size_t)(open - template) : 0, after = close ? strlen(close + 1) : 0,
	       n = strlen(full);

	/* Of one placeholder its value, without the zeros that its width brings. */
	if (!close || strchr(close, '{') || n < before + after)
		return strdup(full);
	full += before;
	n -= before + after;
	while (n > 1 && *full == '0' && memchr(open, ':', (size_t)(close - open))) {
		full++;
		n--;
	}
	return strndup(full, n);
}

/* ---- all of it ---- */

static size_t count_devices(const struct config *c, const struct config_device *device)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_devices; i++)
		n += streq(c->devices[i].mark.file, device->mark.file) &&
		     c->devices[i].mark.line == device->mark.line &&
		     c->devices[i].mark.column == device->mark.column;
	return n;
}

static int read_row(const struct invocation *i, const struct configuration *c, struct row *r)
{
	const char *folder = config_folder(i), *name;
	struct yaml_errors ignored = { 0 };
	int q;

	r->file = find_file(c, r->device->mark.file);
	if (!r->file)
		return -ENOENT;
	q = yaml_read_text(r->file->name, r->file->text, r->file->size, &ignored, &r->yaml);
	yaml_errors_done(&ignored);
	if (q >= 0)
		q = find_node(r);
	if (q < 0)
		return q;
	name = r->file->name;
	if (!has_prefix(name, folder))
		return -ENOENT;
	name += strlen(folder);
	r->path = strdup(name + strspn(name, "/"));
	r->devices = count_devices(c->config, r->device);
	find_each(r);
	return r->path ? 0 : -ENOMEM;
}

int row_find(const struct invocation *i, const struct configuration *c, const char *device,
	     struct row *ret)
{
	struct row r = { .device = config_device_find(c->config, device) };
	int q;

	if (!r.device)
		return refuse_name(c->config, device);
	q = read_row(i, c, &r);
	if (q < 0) {
		fprintf(stderr, "fieldwayctl: the row of this device cannot be found: %s\n",
			strerror(-q));
		row_done(&r);
		return q == -ENOENT ? -EIO : q;
	}
	*ret = r;
	return 0;
}

void row_done(struct row *r)
{
	yaml_file_free(r->yaml);
	free(r->path);
	*r = (struct row){ 0 };
}

int row_refuse(const struct row *r, const char *text)
{
	text_print(stderr, r->path);
	fprintf(stderr, ":%u: %s\n", r->node->mark.line, text);
	return -ENOTSUP;
}

/* ---- trying a change ---- */

static int copy_files(const struct configuration *c, const struct row *row, const char *text,
		      struct config_files **ret)
{
	struct config_files *files = NULL;
	int r = config_files_new(&files);

	for (size_t i = 0; i < config_files_count(c->files) && r >= 0; i++) {
		struct config_file file = *config_files_item(c->files, i);

		if (config_files_item(c->files, i) == row->file) {
			if (!text)
				continue;
			file.text = (char *)(uintptr_t)text;
			file.size = strlen(text);
		}
		r = config_files_add(files, &file);
	}
	if (r < 0)
		config_files_free(files);
	else
		*ret = files;
	return r;
}

int row_try(const struct invocation *i, const struct configuration *c, const struct row *row,
	    const char *text, struct configuration *ret_after, struct changes *ret_changes)
{
	struct configuration after = { 0 };
	struct config_difference *d = NULL;
	struct config_files *files;
	int r = copy_files(c, row, text, &files);

	if (r < 0) {
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
		return r;
	}
	r = configuration_load_files(i, files, &after);
	if (r < 0)
		return r;
	r = config_difference_new(c->config, after.config, &d);
	if (r >= 0)
		r = changes_find(d, ret_changes);
	config_difference_free(d);
	if (r < 0) {
		fputs("fieldwayctl: out of memory\n", stderr);
		configuration_done(&after);
		return r;
	}
	*ret_after = after;
	return 0;
}

/* ---- committing it ---- */

static int check_others(const struct row *row, const struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *c = &changes->items[i];

		if (!streq(c->kind, "endpoint") &&
		    !(streq(c->kind, "device") && streq(c->name, row->device->name)))
			return row_refuse(row, "this would change others, too: edit it by hand");
	}
	return changes->n > 0 ? 0 : row_refuse(row, "this changes nothing");
}

static int print_changes(const struct changes *changes)
{
	_cleanup_table_ struct table t = { .columns = 4 };
	int r = 0;

	for (size_t i = 0; i < changes->n && r >= 0; i++)
		r = table_add(&t, (const char *[]){ change_name(changes->items[i].sort),
						    changes->items[i].kind, changes->items[i].name,
						    changes->items[i].effect });
	if (r >= 0)
		table_print(stdout, &t, &(struct table_frame){ 0 });
	return r;
}

static int write_text(const struct invocation *i, const struct row *row, char *text)
{
	_cleanup_edits_ struct edits e = { 0 };
	int r = edits_add(&e, row->path, text, text ? strlen(text) : 0, false);

	if (r < 0) {
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
		return r;
	}
	r = edits_commit(&e, i);
	return r < 0 ? r : edits_tell(&e, i);
}

int row_commit(const struct invocation *i, const struct configuration *c, const struct row *row,
	       char *text)
{
	_cleanup_configuration_ struct configuration after = { 0 };
	struct changes changes = { 0 };
	int r = row_try(i, c, row, text, &after, &changes);

	if (r >= 0)
		r = check_others(row, &changes);
	if (r >= 0 && !i->json && !option_find(i, "print"))
		r = print_changes(&changes);
	changes_done(&changes);
	if (r >= 0)
		return write_text(i, row, text);
	free(text);
	return r;
}
