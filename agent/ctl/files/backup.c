/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/files/archive.h"
#include "ctl/files/configuration.h"
#include "ctl/files/file.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

static const struct file_rights rights_own = { .mode = 0600, .is_secret = true };

static int write_manifest(const struct scratch *s, bool keys)
{
	_cleanup_free_ char *path = path_join(s->folder, ARCHIVE_MANIFEST), *text = NULL;
	json_t *manifest = json_pack("{s:i, s:s, s:b}", "version", ARCHIVE_VERSION, "program",
				     PACKAGE_VERSION, "keys", keys);
	int r = -ENOMEM;

	text = manifest ? json_dumps(manifest, JSON_COMPACT) : NULL;
	json_decref(manifest);
	if (path && text)
		r = file_replace(path, text, strlen(text), &rights_own, true);
	return r < 0 ? file_complain(ARCHIVE_MANIFEST, r) : 0;
}

/* The folders stand in it under names of their own, wherever they lie. */
static int link_folder(const struct scratch *s, const char *name, const char *folder)
{
	_cleanup_free_ char *path = path_join(s->folder, name), *real = realpath(folder, NULL);

	if (!real)
		return errno == ENOENT && streq(name, "state") ? 0 : file_complain(folder, -errno);
	return !path || symlink(real, path) < 0 ? file_complain(folder, path ? -errno : -ENOMEM) : 0;
}

/*
 * Links become what they lead to: the archive is whole wherever it is unpacked. A record
 * of a running daemon may go while it is read, which tar tells by 1.
 */
static int pack(const struct scratch *s, const char *file, bool keys, bool state)
{
	const char *words[] = {
		"tar", "--create", "--file", file, "--directory", s->folder, "--dereference",
		"--warning=no-file-changed", "--exclude=state/temporary/*", "--exclude=state/quarantine/*",
		"--exclude=config/.*", keys ? ARCHIVE_MANIFEST : "--exclude=config/keys/*",
		keys ? "config" : ARCHIVE_MANIFEST, keys ? (state ? "state" : NULL) : "config",
		!keys && state ? "state" : NULL, NULL,
	};

	return tool_run(words, 1);
}

static int back_up(const struct invocation *i, const struct scratch *s, const char *file)
{
	bool keys = !option_find(i, "without-keys");
	_cleanup_free_ char *state = path_join(s->folder, "state");
	int r = write_manifest(s, keys);

	if (r >= 0)
		r = link_folder(s, "config", config_folder(i));
	if (r >= 0)
		r = link_folder(s, "state", state_folder(i));
	return r < 0 ? r : pack(s, file, keys, state && access(state, F_OK) == 0);
}

static int tell(const struct invocation *i, const char *file)
{
	bool keys = !option_find(i, "without-keys");

	if (i->json)
		return document_print(json_pack("{s:o, s:b}", "file", document_any_text(file),
						"keys", keys));
	fputs("written: ", stdout);
	text_print(stdout, file);
	puts(keys ? "\nIt holds keys: whoever reads it can pass for these endpoints." : "");
	return 0;
}

/* Beside its place first: a file that is there is whole. */
static int run(const struct invocation *i)
{
	const char *file = i->arguments[0];
	struct scratch s = { 0 };
	_cleanup_free_ char *part = NULL;
	mode_t mask = umask(0077);
	int r;

	if (access(file, F_OK) == 0)
		return exit_status(file_complain(file, -EEXIST));
	if (asprintf(&part, "%s.part", file) < 0) {
		part = NULL;
		return exit_status(file_complain(file, -ENOMEM));
	}
	r = scratch_make(&s);
	if (r >= 0)
		r = back_up(i, &s, part);
	scratch_remove(&s);
	if (r >= 0 && rename(part, file) < 0)
		r = file_complain(file, -errno);
	if (r < 0)
		unlink(part);
	umask(mask);
	return exit_status(r < 0 ? r : tell(i, file));
}

static const struct command_option options[] = {
	{ "without-keys", NULL, "leave out the folder keys of the configuration" },
	CONFIG_OPTION,
	STATE_OPTION,
	{ 0 },
};

const struct command command_backup = {
	.name = "backup",
	.arguments = "FILE",
	.help = "puts configuration, keys and state into one tar file",
	.details =
		"FILE must not exist, and only you can read it. State is what servers wrote, counters,\n"
		"and what was accepted last. fieldwayd may run meanwhile: its records are whole, each\n"
		"of its own time. 'fieldwayctl restore' takes it.\n",
	.least = 1,
	.most = 1,
	.options = options,
	.completes = "file",
	.run = run,
};
