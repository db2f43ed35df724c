/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "config/files.h"

#define READ_BYTES (64u << 10)

struct config_files *config_files_free(struct config_files *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].name);
		free(f->items[i].text);
	}
	free(f->items);
	free(f);
	return NULL;
}

size_t config_files_count(const struct config_files *f)
{
	return f->n;
}

const struct config_file *config_files_item(const struct config_files *f, size_t i)
{
	return &f->items[i];
}

int files_add(struct config_files *f, enum config_place place, bool shared, const char *name,
	      const void *text, size_t size)
{
	struct config_file file = { .place = place, .shared = shared, .size = size };
	struct config_file *grown;

	if (f->n == CONFIG_FILES_MAX || size > CONFIG_BYTES_MAX - f->bytes)
		return -E2BIG;
	if (f->n == f->allocated) {
		grown = reallocarray(f->items, 2 * f->allocated + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		f->items = grown;
		f->allocated = 2 * f->allocated + 16;
	}
	file.name = strdup(name);
	file.text = malloc(size + 1);
	if (!file.name || !file.text) {
		free(file.name);
		free(file.text);
		return -ENOMEM;
	}
	if (size > 0)
		memcpy(file.text, text, size);
	file.text[size] = '\0';
	f->items[f->n++] = file;
	f->bytes += size;
	return 0;
}

/* ---- reading ---- */

static int read_bytes(int fd, struct buf *b)
{
	struct stat st;
	ssize_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	do {
		r = buf_reserve(b, READ_BYTES);
		if (r < 0)
			return r;
		n = read(fd, b->data + b->size, READ_BYTES);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->size += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	return 0;
}

/* A pipe in the place of a file must not stop the start. */
static int read_file(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : read_bytes(fd, b);
}

struct run {
	struct config_files *files;
	struct yaml_errors *errors;
	bool failed;
};

static int fail(struct run *run, const char *path, int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ EFBIG, "larger than a configuration file may be" },
		{ EINVAL, "no regular file" },
		{ ENOENT, "a link to nothing" },
	};
	const char *text = strerror(error);

	if (error == ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			text = texts[i].text;
	if (error == E2BIG)
		yaml_error(run->errors, (struct yaml_mark){ path, 1, 1 },
			   "the configuration has more than %u files or %u bytes", CONFIG_FILES_MAX,
			   CONFIG_BYTES_MAX);
	else
		yaml_error(run->errors, (struct yaml_mark){ path, 1, 1 }, "cannot be read: %s",
			   text);
	run->failed = true;
	return 0;
}

static int add_file(struct run *run, enum config_place place, bool shared, const char *path)
{
	_cleanup_buf_ struct buf b = { .limit = YAML_BYTES_MAX + READ_BYTES };
	int r = read_file(path, &b);
	struct stat st;

	/* What is not there is no error, unless a link says that it should be. */
	if (r == -ENOENT && lstat(path, &st) < 0)
		return 0;
	if (r >= 0)
		r = files_add(run->files, place, shared, path, b.data, b.size);
	return r < 0 ? fail(run, path, -r) : 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), size = strlen(suffix);

	return n > size && streq(text + n - size, suffix);
}

static int is_configuration(const struct dirent *entry)
{
	return *entry->d_name != '.' &&
	       (has_suffix(entry->d_name, ".yaml") || has_suffix(entry->d_name, ".yml"));
}

/* *.yml is only named, so that config_read() can warn about it. */
static int add_entry(struct run *run, enum config_place place, bool shared, const char *folder,
		     const char *name)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (has_suffix(name, ".yaml"))
		return add_file(run, place, shared, path);
	if (access(path, F_OK) < 0)
		return 0;
	r = files_add(run->files, place, shared, path, NULL, 0);
	return r < 0 ? fail(run, path, -r) : 0;
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct run *run, enum config_place place, bool shared, const char *parent,
		      const char *name)
{
	_cleanup_free_ char *folder = NULL;
	struct dirent **entries;
	int n, r = 0;

	if (asprintf(&folder, "%s/%s", parent, name) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	n = scandir(folder, &entries, is_configuration, byte_order);
	if (n < 0)
		return errno == ENOENT ? 0 : fail(run, folder, errno);
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_entry(run, place, shared, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* ---- tables that `each: csv:` names ---- */

static bool is_added(const struct config_files *f, const char *path)
{
	for (size_t i = f->n; i-- > 0 && f->items[i].place == CONFIG_PLACE_TABLES;)
		if (streq(f->items[i].name, path))
			return true;
	return false;
}

static int add_table(struct run *run, const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/", name) <
	    0) {
		path = NULL;
		return -ENOMEM;
	}
	return is_added(run->files, path) ? 0 : add_file(run, CONFIG_PLACE_TABLES, false, path);
}

static int add_tables_of(struct run *run, const char *folder, const struct yaml_node *rows)
{
	int r = 0;

	for (size_t i = 0; rows && rows->kind == YAML_KIND_SEQUENCE && i < rows->n && r >= 0; i++) {
		const struct yaml_node *each = yaml_get(rows->items[i], "each");

		if (each && each->kind == YAML_KIND_SCALAR && has_prefix(each->text, "csv:") &&
		    each->text[4])
			r = add_table(run, folder, each->text + 4);
	}
	return r;
}

/* What is wrong in the file is config_read()'s to say. */
static int add_tables(struct run *run, const char *folder, const struct config_file *file)
{
	struct yaml_errors ignored = { 0 };
	struct yaml_file *yaml = NULL;
	int r = yaml_read_text(file->name, file->text, file->size, &ignored, &yaml);

	yaml_errors_done(&ignored);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < yaml->n && r >= 0; i++) {
		r = add_tables_of(run, folder, yaml_get(yaml->documents[i], "devices"));
		r = r < 0 ? r :
			    add_tables_of(run, folder, yaml_get(yaml->documents[i], "endpoints"));
	}
	yaml_file_free(yaml);
	return r;
}

static int add_all_tables(struct run *run, const char *folder)
{
	size_t n = run->files->n;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		if (run->files->items[i].place == CONFIG_PLACE_DEVICES)
			r = add_tables(run, folder,
				       &(struct config_file){ .name = run->files->items[i].name,
							      .text = run->files->items[i].text,
							      .size = run->files->items[i].size });
	return r;
}

/* Of shared and own files with one name the own ones come later, and win. */
static int read_all(struct run *run, const char *folder, const char *shared)
{
	static const struct {
		enum config_place place;
		bool shared;
		const char *name;
	} folders[] = {
		{ CONFIG_PLACE_BUSES, false, "buses.d" },
		{ CONFIG_PLACE_DEVICES, false, "devices.d" },
		{ CONFIG_PLACE_PROFILES, true, "profiles.d" },
		{ CONFIG_PLACE_PROFILES, false, "profiles.d" },
		{ CONFIG_PLACE_OBJECTS, true, "objects" },
		{ CONFIG_PLACE_OBJECTS, true, "objects.d" },
		{ CONFIG_PLACE_OBJECTS, false, "objects.d" },
	};
	int r = add_entry(run, CONFIG_PLACE_MAIN, false, folder, "fieldway.yaml");

	r = r < 0 ? r : add_entry(run, CONFIG_PLACE_MAIN, false, folder, "fieldway.yml");
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++)
		if (!folders[i].shared || shared)
			r = add_folder(run, folders[i].place, folders[i].shared,
				       folders[i].shared ? shared : folder, folders[i].name);
	return r < 0 ? r : add_all_tables(run, folder);
}

int config_files_read(const char *folder, const char *shared, struct yaml_errors *errors,
		      struct config_files **ret)
{
	struct run run = { .files = calloc(1, sizeof(*run.files)), .errors = errors };
	int r = run.files ? read_all(&run, folder, shared) : -ENOMEM;

	if (r >= 0 && run.failed)
		r = -EINVAL;
	if (r < 0) {
		config_files_free(run.files);
		return r;
	}
	*ret = run.files;
	return 0;
}

/* ---- by hand ---- */

int config_files_new(struct config_files **ret)
{
	struct config_files *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*ret = f;
	return 0;
}

int config_files_add(struct config_files *f, const struct config_file *file)
{
	return files_add(f, file->place, file->shared, file->name, file->text, file->size);
}

int config_files_add_path(struct config_files *f, enum config_place place, const char *path,
			  struct yaml_errors *errors)
{
	struct run run = { .files = f, .errors = errors };
	_cleanup_buf_ struct buf b = { .limit = YAML_BYTES_MAX + READ_BYTES };
	int r = read_file(path, &b);

	if (r >= 0)
		r = files_add(f, place, false, path, b.data, b.size);
	if (r < 0)
		r = fail(&run, path, -r);
	return run.failed ? -EINVAL : r;
}
