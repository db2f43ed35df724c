/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/files.h"
#include "config/places.h"

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), size = strlen(suffix);

	return n >= size && streq(text + n - size, suffix);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The own file of this name, that hides a shared one. */
static const struct source_file *find_hiding(const struct loader *l,
					     const struct config_file *shared)
{
	for (size_t i = 0; i < l->n_files; i++) {
		const struct config_file *file = l->files[i].file;

		if (file->place == shared->place && !file->shared &&
		    streq(base_name(file->name), base_name(shared->name)))
			return &l->files[i];
	}
	return NULL;
}

static struct yaml_mark start_of(const char *name)
{
	return (struct yaml_mark){ .file = name, .line = 1, .column = 1 };
}

static char *keep_name(struct loader *l, char *name)
{
	struct config_memory *memory = l->config->arena;
	size_t allocated = memory->n_file_names;
	char **grown = loader_grow(l, memory->file_names, &allocated, allocated, sizeof(*grown));

	if (!grown)
		return NULL;
	memory->file_names = grown;
	return grown[memory->n_file_names++] = name;
}

static int add_documents(struct loader *l, const struct source_file *source, size_t *allocated)
{
	struct document *grown;

	for (size_t i = 0; i < source->yaml->n; i++) {
		const struct yaml_node *node = source->yaml->documents[i];

		if (node_is_null(node))
			continue;
		if (node->kind != YAML_KIND_MAPPING) {
			loader_error(l, node->mark, "a file of the configuration is a mapping");
			continue;
		}
		grown = loader_grow(l, l->documents, allocated, l->n_documents, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->documents = grown;
		grown[l->n_documents++] = (struct document){ .file = source->file, .node = node };
	}
	return 0;
}

/* The tree goes at the end of the run; its name stays, since marks point to it. */
static int read_file(struct loader *l, struct source_file *source, size_t *allocated)
{
	struct yaml_errors errors = { 0 };
	const struct config_file *file = source->file;
	int r = yaml_read_text(file->name, file->text, file->size, &errors, &source->yaml);

	if (r < 0) {
		l->no_memory = l->no_memory || r == -ENOMEM;
		reports_take_lines(l, file->name, &errors);
		source->damaged = true;
		return r;
	}
	yaml_errors_done(&errors);
	return add_documents(l, source, allocated);
}

static bool is_read(struct loader *l, const struct config_file *file)
{
	if (has_suffix(file->name, ".yml")) {
		loader_warning(l, start_of(file->name),
			       "not read: configuration files are named *.yaml");
		return false;
	}
	if (file->place == CONFIG_PLACE_OBJECTS || file->place == CONFIG_PLACE_TABLES)
		return false;
	return true;
}

static void tell_hidden(struct loader *l, const struct config_file *shared,
			const struct source_file *own)
{
	loader_warning(l, start_of(own->file->name), "revision %llu hides revision %llu of %s",
		       (unsigned long long)file_revision(own->file),
		       (unsigned long long)file_revision(shared), shared->name);
}

/* Of two files with one name the shared one is only mentioned. */
static void read_files(struct loader *l)
{
	size_t allocated = 0;

	for (size_t i = 0; i < l->n_files && !l->no_memory; i++) {
		struct source_file *source = &l->files[i];

		if (!is_read(l, source->file))
			continue;
		if (!source->file->shared || !find_hiding(l, source->file))
			read_file(l, source, &allocated);
	}
	for (size_t i = 0; i < l->n_files && !l->no_memory; i++) {
		const struct config_file *file = l->files[i].file;
		const struct source_file *own =
			file->shared && is_read(l, file) ? find_hiding(l, file) : NULL;

		if (own)
			tell_hidden(l, file, own);
	}
}

bool documents_are_damaged(const struct loader *l, enum config_place place, const char *profile)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].damaged && l->files[i].file->place == place &&
		    (!profile || is_file_of(l->files[i].file, profile)))
			return true;
	return false;
}

void documents_read(struct loader *l)
{
	size_t n = config_files_count(l->sources->files);

	l->files = calloc(n ?: 1, sizeof(*l->files));
	if (!l->files) {
		l->no_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		l->files[i].file = config_files_item(l->sources->files, i);
	l->n_files = n;
	read_files(l);
}

void documents_done(struct loader *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		struct yaml_file *yaml = l->files[i].yaml;

		if (yaml && keep_name(l, yaml->name))
			yaml->name = NULL;
		yaml_file_free(yaml);
	}
	free(l->files);
	free(l->documents);
}
