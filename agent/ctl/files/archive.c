/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/archive.h"

#include <errno.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl/files/file.h"
#include "ctl/output/text.h"

extern char **environ;

char *path_join(const char *folder, const char *name)
{
	char *text;

	return asprintf(&text, "%s/%s", folder, name) < 0 ? NULL : text;
}

int scratch_make(struct scratch *s)
{
	strcpy(s->folder, "/tmp/fieldway-backup-XXXXXX");
	if (mkdtemp(s->folder))
		return 0;
	*s->folder = '\0';
	return file_complain("/tmp", -errno);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(struct scratch *s)
{
	if (*s->folder)
		nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	*s->folder = '\0';
}

int tool_run(const char *const *words, int most)
{
	int status = 0, r;
	pid_t pid;

	r = posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)(uintptr_t)words, environ);
	if (r > 0)
		return file_complain(words[0], r == ENOENT ? -ENOEXEC : -r);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return file_complain(words[0], -errno);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= most)
		return 0;
	fprintf(stderr, "fieldwayctl: %s has failed\n", words[0]);
	return -EIO;
}
