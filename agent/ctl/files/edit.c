/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/edit.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

int edits_add(struct edits *e, const char *path, char *text, size_t size, bool is_new)
{
	char *copy = strdup(path);

	if (!copy || e->n == EDITS_MAX) {
		free(copy);
		free(text);
		return copy ? -E2BIG : -ENOMEM;
	}
	e->items[e->n++] = (struct edit){ .path = copy, .text = text, .size = size, .is_new = is_new };
	return 0;
}

int edits_add_secret(struct edits *e, const char *path, char *text)
{
	int r = text ? edits_add(e, path, text, strlen(text), true) : -ENOMEM;

	if (r >= 0)
		e->items[e->n - 1].is_secret = true;
	return r;
}

void edits_done(struct edits *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->items[i].path);
		free(e->items[i].text);
	}
	*e = (struct edits){ 0 };
}

/* ---- a folder as it would be ---- */

struct stage {
	char folder[sizeof("/tmp/fieldway-check-XXXXXX")];
	const char *real; /* the folder that it stands for */
	const struct edits *edits;
};

static char *join(const char *folder, const char *name)
{
	char *text;

	return asprintf(&text, "%s/%s", folder, name) < 0 ? NULL : text;
}

/* Is it edited itself, or does something below it change? */
static bool is_touched(const struct stage *s, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < s->edits->n; i++) {
		const char *edited = s->edits->items[i].path;

		if (strncmp(edited, path, n) == 0 && (edited[n] == '/' || edited[n] == '\0'))
			return true;
	}
	return false;
}

static int link_all(const struct stage *s, const char *inside);

/* path: below the folder. What is edited comes later; a folder with an edit in it is one of ours. */
static int link_one(const struct stage *s, const char *path)
{
	_cleanup_free_ char *to = join(s->folder, path), *from = join(s->real, path);
	_cleanup_free_ char *real = from ? realpath(from, NULL) : NULL;
	struct stat st;

	if (!to || !from)
		return -ENOMEM;
	if (is_touched(s, path))
		return stat(from, &st) == 0 && S_ISDIR(st.st_mode) ? link_all(s, path) : 0;
	/* A link to nothing stays one, for the check to say so. */
	return symlink(real ?: from, to) < 0 ? -errno : 0;
}

static int link_entries(const struct stage *s, const char *inside, DIR *dir)
{
	struct dirent *entry;
	int r = 0;

	while (r >= 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *path = *inside ? join(inside, entry->d_name) :
						      strdup(entry->d_name);

		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		r = path ? link_one(s, path) : -ENOMEM;
	}
	return r;
}

static int link_all(const struct stage *s, const char *inside)
{
	_cleanup_free_ char *from = join(s->real, inside), *to = join(s->folder, inside);
	DIR *dir;
	int r;

	if (!from || !to)
		return -ENOMEM;
	if (*inside && mkdir(to, 0700) < 0)
		return -errno;
	dir = opendir(from);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	r = link_entries(s, inside, dir);
	closedir(dir);
	return r;
}

static int put_edits(const struct stage *s)
{
	int r = 0;

	for (size_t i = 0; i < s->edits->n && r >= 0; i++) {
		const struct edit *e = &s->edits->items[i];
		_cleanup_free_ char *path = join(s->folder, e->path);

		if (!e->text)
			continue;
		r = path ? file_make_folder(path, &rights_plain) : -ENOMEM;
		if (r >= 0)
			r = file_replace(path, e->text, e->size, &rights_secret, false);
	}
	return r;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int stage_make(struct stage *s)
{
	int r;

	strcpy(s->folder, "/tmp/fieldway-check-XXXXXX");
	if (!mkdtemp(s->folder))
		return -errno;
	r = link_all(s, "");
	return r < 0 ? r : put_edits(s);
}

static void stage_remove(const struct stage *s)
{
	nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int check_stage(struct stage *s, const struct invocation *i)
{
	_cleanup_buf_ struct buf lines = { 0 };
	int r = stage_make(s), named;

	if (r < 0)
		return file_complain(s->folder, r);
	r = checker_run(i, s->folder, &lines);
	named = checker_rename(&lines, s->folder, s->real);
	checker_print(&lines);
	return named < 0 ? named : r;
}

static int check(const struct edits *e, const struct invocation *i)
{
	struct stage s = { .real = config_folder(i), .edits = e };
	int r = check_stage(&s, i);

	stage_remove(&s);
	if (r == -EINVAL && option_find(i, "force"))
		return 0;
	if (r == -EINVAL)
		fputs("fieldwayctl: nothing was changed\n", stderr);
	return r;
}

/* ---- writing ---- */

static int write_one(const struct edit *e, const char *folder)
{
	const struct file_rights *rights = e->is_secret ? &rights_secret : &rights_plain;
	_cleanup_free_ char *path = join(folder, e->path);
	int r;

	if (!path)
		return file_complain(e->path, -ENOMEM);
	if (!e->text)
		return unlink(path) < 0 ? file_complain(path, -errno) : 0;
	r = file_make_folder(path, rights);
	if (r >= 0)
		r = file_replace(path, e->text, e->size, rights, e->is_new);
	return r < 0 ? file_complain(path, r) : 0;
}

/* Before the check, which may take seconds and would tell of something else. */
static int check_new(const struct edits *e, const char *folder)
{
	for (size_t i = 0; i < e->n; i++) {
		_cleanup_free_ char *path = join(folder, e->items[i].path);

		if (path && e->items[i].is_new && access(path, F_OK) == 0)
			return file_complain(path, -EEXIST);
	}
	return 0;
}

static int print_texts(const struct edits *e)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->items[i].is_secret)
			continue;
		if (e->n > 1)
			printf("# %s\n", e->items[i].path);
		fwrite(e->items[i].text ?: "", 1, e->items[i].size, stdout);
	}
	return 0;
}

int edits_commit(const struct edits *e, const struct invocation *i)
{
	const char *folder = config_folder(i);
	int r;

	if (option_find(i, "print"))
		return i->json ? 0 : print_texts(e);
	r = check_new(e, folder);
	if (r >= 0)
		r = check(e, i);
	for (size_t k = 0; k < e->n && r >= 0; k++)
		r = write_one(&e->items[k], folder);
	return r;
}

static int tell_json(const struct edits *e, const struct invocation *i)
{
	json_t *files = json_array();

	for (size_t k = 0; k < e->n; k++)
		if (!e->items[k].is_secret)
			document_add(&files,
			     json_pack("{s:o, s:o}", "file", document_any_text(e->items[k].path),
				       "text",
				       e->items[k].text ? document_any_text(e->items[k].text) :
							  json_null()));
	return document_print(json_pack("{s:o, s:b}", "files", files, "written",
					option_find(i, "print") == NULL));
}

int edits_tell(const struct edits *e, const struct invocation *i)
{
	if (i->json)
		return tell_json(e, i);
	if (option_find(i, "print"))
		return 0;
	for (size_t k = 0; k < e->n; k++) {
		fputs(e->items[k].text ? "written: " : "removed: ", stdout);
		text_print(stdout, config_folder(i));
		putchar('/');
		text_print(stdout, e->items[k].path);
		putchar('\n');
	}
	puts("'systemctl reload fieldway' puts it in force.");
	return 0;
}
