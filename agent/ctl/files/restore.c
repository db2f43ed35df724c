/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/files/archive.h"
#include "ctl/files/configuration.h"
#include "ctl/files/file.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

#define MANIFEST_BYTES_MAX 4096u
#define BEFORE ".before-restore"

static int refuse(const char *what, const char *text, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, what);
	fprintf(stderr, ": %s\n", text);
	return error;
}

/* ---- what is in it ---- */

/* As it was packed: files and folders, and nothing that leads out of it. */
static int look_at_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)type;
	(void)ftw;
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
		return 0;
	refuse(path, "neither a file nor a folder", 0);
	return 1;
}

static int check_manifest(const struct scratch *s, const char *file, int *ret_keys)
{
	_cleanup_free_ char *path = path_join(s->folder, ARCHIVE_MANIFEST), *text = NULL;
	json_t *manifest;
	int version = 0;
	size_t size;
	int r = path ? file_read(path, MANIFEST_BYTES_MAX, &text, &size) : -ENOMEM;

	if (r < 0)
		return refuse(file, "no backup of fieldwayctl", -EINVAL);
	manifest = json_loads(text, 0, NULL);
	r = manifest ? json_unpack(manifest, "{s:i, s:b}", "version", &version, "keys", ret_keys) :
		       -1;
	json_decref(manifest);
	if (r < 0 || version < 1)
		return refuse(file, "no backup of fieldwayctl", -EINVAL);
	return version > ARCHIVE_VERSION ? refuse(file, "of a later fieldwayctl than this one", -EINVAL) :
					   0;
}

static int unpack(const struct scratch *s, const char *file, int *ret_keys)
{
	const char *words[] = { "tar", "--extract", "--file", file, "--directory", s->folder,
				"--preserve-permissions", NULL };
	int r = tool_run(words, 0);

	if (r >= 0 && nftw(s->folder, look_at_one, 16, FTW_PHYS) != 0)
		return -EINVAL;
	return r < 0 ? r : check_manifest(s, file, ret_keys);
}

/* A backup without keys leaves those that are there. */
static int take_keys(const struct invocation *i, const struct scratch *s)
{
	_cleanup_free_ char *from = path_join(config_folder(i), "keys"),
			    *to = path_join(s->folder, "config"), *empty = path_join(s->folder, "config/keys");

	if (!from || !to || !empty)
		return file_complain(config_folder(i), -ENOMEM);
	if (access(from, F_OK) < 0)
		return 0;
	rmdir(empty);
	return tool_run((const char *[]){ "cp", "--archive", from, to, NULL }, 0);
}

static int check(const struct invocation *i, const struct scratch *s)
{
	_cleanup_free_ char *folder = path_join(s->folder, "config");
	_cleanup_buf_ struct buf lines = { 0 };
	int r = folder ? checker_run(i, folder, &lines) : -ENOMEM;

	/* Where it will be, not where it was unpacked. */
	if (folder && checker_rename(&lines, folder, config_folder(i)) < 0)
		buf_done(&lines);
	checker_print(&lines);
	if (r == -EINVAL && option_find(i, "force"))
		return 0;
	if (r == -EINVAL)
		fputs("fieldwayctl: nothing was changed\n", stderr);
	return r;
}

/* ---- putting it in place ---- */

/* The daemon holds this lock as long as it runs (state/state.c). */
static int check_stopped(const char *folder)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : file_complain(folder, -errno);
	if (flock(fd, LOCK_EX | LOCK_NB) >= 0)
		return 0;
	return refuse("fieldwayd", "it runs, and would write its state over this: systemctl stop fieldway",
		      -EBUSY);
}

/* Beside its place first, which may be another file system than /tmp; then renamed. */
static int put(const char *from, const char *to, bool *ret_kept)
{
	_cleanup_free_ char *fresh = NULL, *before = NULL;
	int r;

	if (asprintf(&fresh, "%s.restored", to) < 0 || asprintf(&before, "%s" BEFORE, to) < 0)
		return file_complain(to, -ENOMEM);
	if (access(before, F_OK) == 0)
		return refuse(before, "is there from an earlier time: look at it, and remove it", -EEXIST);
	r = tool_run((const char *[]){ "cp", "--archive", from, fresh, NULL }, 0);
	if (r < 0)
		return r;
	*ret_kept = rename(to, before) >= 0;
	if (!*ret_kept && errno != ENOENT)
		return file_complain(to, -errno);
	return rename(fresh, to) < 0 ? file_complain(to, -errno) : 0;
}

static int put_folder(const struct scratch *s, const char *name, const char *to, bool *ret_kept)
{
	_cleanup_free_ char *from = path_join(s->folder, name);

	if (!from)
		return file_complain(to, -ENOMEM);
	return access(from, F_OK) < 0 ? 0 : put(from, to, ret_kept);
}

static void tell_kept(const char *folder)
{
	fputs("What was there is kept in ", stdout);
	text_print(stdout, folder);
	puts(BEFORE ".");
}

static int restore(const struct invocation *i, const struct scratch *s)
{
	bool config_kept = false, state_kept = false;
	int r = put_folder(s, "config", config_folder(i), &config_kept);

	if (r >= 0)
		r = put_folder(s, "state", state_folder(i), &state_kept);
	if (r < 0)
		return r;
	if (i->json)
		return document_print(json_pack("{s:o, s:o}", "config",
						document_any_text(config_folder(i)), "state",
						document_any_text(state_folder(i))));
	puts("restored; 'systemctl start fieldway' puts it in force.");
	if (config_kept)
		tell_kept(config_folder(i));
	if (state_kept)
		tell_kept(state_folder(i));
	return 0;
}

static int run(const struct invocation *i)
{
	const char *file = i->arguments[0];
	struct scratch s = { 0 };
	int keys = 1;
	int r = access(file, R_OK) < 0 ? file_complain(file, -errno) : check_stopped(state_folder(i));

	if (r >= 0)
		r = scratch_make(&s);
	if (r >= 0)
		r = unpack(&s, file, &keys);
	if (r >= 0 && !keys)
		r = take_keys(i, &s);
	if (r >= 0)
		r = check(i, &s);
	if (r >= 0)
		r = restore(i, &s);
	scratch_remove(&s);
	return exit_status(r);
}

static const struct command_option options[] = {
	{ "force", NULL, "put it in place even if it is refused" },
	CONFIG_OPTION,
	STATE_OPTION,
	CHECKER_OPTIONS,
	{ 0 },
};

const struct command command_restore = {
	.name = "restore",
	.arguments = "FILE",
	.help = "puts configuration, keys and state of a backup in place",
	.details =
		"FILE is of 'fieldwayctl backup'. fieldwayd must be stopped, and its --check must accept\n"
		"the configuration. Of a backup without keys those that are here stay. What was there\n"
		"stays beside it, with " BEFORE " at its name.\n",
	.least = 1,
	.most = 1,
	.options = options,
	.completes = "file",
	.run = run,
};
