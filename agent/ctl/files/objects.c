/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "ctl/files/configuration.h"
#include "ctl/files/file.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"

#define OBJECT_FILE_MAX (4u << 20)

/* A definition as a file has it. */
struct known_object {
	uint16_t id;
	const char *version, *name, *file;
	size_t order;  /* later ones of the same id and version win */
	bool hidden;
	size_t endpoints; /* that show it */
};

struct known {
	struct arena arena;
	struct known_object *items;
	size_t n, allocated;
};

static void known_done(struct known *k)
{
	free(k->items);
	arena_done(&k->arena);
}

/* ---- what files have ---- */

static int add(struct known *k, const struct known_object *object)
{
	size_t allocated = k->allocated ? 2 * k->allocated : 64;
	struct known_object *grown;

	if (k->n == k->allocated) {
		grown = reallocarray(k->items, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		k->items = grown;
		k->allocated = allocated;
	}
	k->items[k->n] = *object;
	k->items[k->n].order = k->n;
	k->n++;
	return 0;
}

static const char *keep(struct known *k, const struct yaml_node *node)
{
	const char *text = node && node->kind == YAML_KIND_SCALAR ? node->text : "";

	return arena_text(&k->arena, text, strlen(text));
}

static int add_document(struct known *k, const char *file, const struct yaml_node *document)
{
	const struct yaml_node *object = yaml_get(document, "object"),
			       *id = object ? yaml_get(object, "id") : NULL,
			       *version = object ? yaml_get(object, "version") : NULL;
	struct known_object o = { .file = arena_text(&k->arena, file, strlen(file)) };

	if (!id || id->kind != YAML_KIND_SCALAR || parse_u16(id->text, &o.id) < 0)
		return 0; /* `check` says what is wrong with it */
	o.version = version ? keep(k, version) : "1.0";
	o.name = keep(k, yaml_get(object, "name"));
	return o.file && o.version && o.name ? add(k, &o) : -ENOMEM;
}

static int add_text(struct known *k, const char *file, const char *text, size_t size)
{
	struct yaml_errors ignored = { 0 };
	struct yaml_file *yaml = NULL;
	int r = yaml_read_text(file, text, size, &ignored, &yaml);

	yaml_errors_done(&ignored);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < yaml->n && r >= 0; i++)
		if (yaml->documents[i]->kind == YAML_KIND_MAPPING)
			r = add_document(k, file, yaml->documents[i]);
	yaml_file_free(yaml);
	return r;
}

static int is_yaml(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && streq(entry->d_name + n - 5, ".yaml");
}

static int add_file(struct known *k, const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t size;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return file_read(path, OBJECT_FILE_MAX, &text, &size) < 0 ? 0 :
								    add_text(k, path, text, size);
}

static int add_folder(struct known *k, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_yaml, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_file(k, folder, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return r;
}

/* In the order in which the daemon reads them: shipped, shared, own. */
static int find_all(struct known *k, const struct invocation *i, const struct config_files *files)
{
	int r = add_folder(k, objects_folder(i));

	for (size_t n = 0; n < config_files_count(files) && r >= 0; n++) {
		const struct config_file *file = config_files_item(files, n);

		if (file->place == CONFIG_PLACE_OBJECTS && file->text)
			r = add_text(k, file->name, file->text, file->size);
	}
	return r;
}

/* ---- who uses them ---- */

static int by_object(const void *a, const void *b)
{
	const struct known_object *x = a, *y = b;
	int order;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	order = strverscmp(x->version, y->version);
	return order != 0 ? order : x->order < y->order ? -1 : 1;
}

static bool shows(const struct config_endpoint *e, uint16_t id)
{
	for (size_t i = 0; i < e->n_map; i++)
		if (e->map[i].path.object == id)
			return true;
	return false;
}

/* Endpoints show the newest version, and older servers what theirs had. */
static void count(struct known *k, const struct config *c)
{
	if (k->n > 1)
		qsort(k->items, k->n, sizeof(*k->items), by_object);
	for (size_t i = 0; i < k->n; i++) {
		struct known_object *o = &k->items[i];
		const struct known_object *next = i + 1 < k->n ? o + 1 : NULL;

		o->hidden = next && next->id == o->id && streq(next->version, o->version);
		if (next && next->id == o->id)
			continue;
		for (size_t e = 0; e < c->n_endpoints; e++)
			o->endpoints += shows(&c->endpoints[e], o->id);
	}
}

/* ---- printing ---- */

static json_t *document_of(const struct known *k)
{
	json_t *array = json_array();

	for (size_t i = 0; i < k->n; i++) {
		const struct known_object *o = &k->items[i];

		document_add(&array,
			     json_pack("{s:i, s:s, s:s, s:o, s:b, s:I}", "id", o->id, "version",
				       o->version, "name", o->name, "file",
				       document_any_text(o->file), "hidden", o->hidden, "endpoints",
				       (json_int_t)o->endpoints));
	}
	return array;
}

static int add_row(struct table *t, struct arena *arena, const struct known_object *o)
{
	char id[8], endpoints[24];
	const char *kept_id, *kept_endpoints;

	snprintf(id, sizeof(id), "%u", o->id);
	snprintf(endpoints, sizeof(endpoints), "%zu", o->endpoints);
	kept_id = arena_text(arena, id, strlen(id));
	kept_endpoints = arena_text(arena, o->endpoints ? endpoints : "",
				    o->endpoints ? strlen(endpoints) : 0);
	if (!kept_id || !kept_endpoints)
		return -ENOMEM;
	return table_add(t, (const char *[]){ kept_id, o->version, o->name, kept_endpoints, o->file,
					      o->hidden ? "hidden by the next" : "" });
}

static int print(struct known *k)
{
	static const char *const titles[] = { "ID", "VERSION", "NAME", "ENDPOINTS", "FILE", "NOTE" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles) };
	int r = table_add(&t, titles);

	for (size_t i = 0; i < k->n && r >= 0; i++)
		r = add_row(&t, &k->arena, &k->items[i]);
	if (r >= 0)
		table_print(stdout, &t, &(struct table_frame){ 0 });
	return r;
}

static int run(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	struct known k = { 0 };
	int r = configuration_load(i, &c);

	if (r < 0)
		return exit_status(r);
	r = find_all(&k, i, c.files);
	if (r >= 0) {
		count(&k, c.config);
		r = i->json ? document_print(document_of(&k)) : print(&k);
	}
	if (r < 0)
		fputs("fieldwayctl: out of memory\n", stderr);
	known_done(&k);
	return exit_status(r);
}

static const struct command_option options[] = { CONFIGURATION_OPTIONS, { 0 } };

const struct command command_objects = {
	.name = "objects",
	.arguments = "",
	.help = "prints which objects and versions are known, from which files, and who shows them",
	.details = "Own definitions are in objects.d of the configuration; of the same id and version\n"
		   "they hide those that were shipped. ENDPOINTS counts the endpoints of the\n"
		   "configuration that show an object, at its newest version.\n",
	.options = options,
	.run = run,
};
