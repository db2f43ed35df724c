/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/macro.h"
#include "base/str.h"
#include "ctl/output/text.h"

/* packaging/sysusers */
#define DAEMON_GROUP "fieldway"
#define OTHERS 0007

const struct file_rights rights_plain = { .mode = 0644 };
const struct file_rights rights_secret = { .mode = 0640, .is_secret = true };

/* Where a new file stands, open for its fsync. */
static int open_folder(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	int fd;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Only root can give it away; for anybody else the daemon is one of their own. */
static int give_to_daemon(int fd)
{
	const struct group *group = geteuid() == 0 ? getgrnam(DAEMON_GROUP) : NULL;

	return group && fchown(fd, (uid_t)-1, group->gr_gid) < 0 ? -errno : 0;
}

/* before NULL: it is new. Owner first: changing it may take bits off the mode. */
static int set_rights(int fd, const struct stat *before, const struct file_rights *rights)
{
	mode_t mode = before ? before->st_mode & 07777 : rights->mode;
	int r = 0;

	if (before && fchown(fd, before->st_uid, before->st_gid) < 0 && geteuid() == 0)
		return -errno;
	if (!before && rights->is_secret)
		r = give_to_daemon(fd);
	if (rights->is_secret)
		mode &= ~(mode_t)OTHERS;
	if (r >= 0 && fchmod(fd, mode) < 0)
		r = -errno;
	return r;
}

static int fill(int fd, const void *data, size_t size, const struct stat *before,
		const struct file_rights *rights)
{
	int r = set_rights(fd, before, rights);

	if (r >= 0)
		r = io_write(fd, data, size);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int put_in_place(const char *temporary, const char *path, bool must_be_new)
{
	_cleanup_close_ int folder = open_folder(path);
	int r;

	if (folder < 0)
		return folder;
	r = must_be_new ? link(temporary, path) : rename(temporary, path);
	if (r < 0)
		return -errno;
	if (must_be_new)
		unlink(temporary);
	return fsync(folder) < 0 ? -errno : 0;
}

/* Files whose name begins with a dot are no *.yaml of a folder for long. */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name;

	if (asprintf(&name, "%.*s.%s.XXXXXX", (int)(slash ? slash + 1 - path : 0), path,
		     slash ? slash + 1 : path) < 0)
		return NULL;
	return name;
}

static int replace(const char *path, const void *data, size_t size,
		   const struct file_rights *rights, bool must_be_new)
{
	_cleanup_free_ char *temporary = temporary_name(path);
	struct stat before;
	bool there = stat(path, &before) == 0;
	int fd, r;

	if (there && must_be_new)
		return -EEXIST;
	fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1;
	if (fd < 0)
		return temporary ? -errno : -ENOMEM;
	r = fill(fd, data, size, there ? &before : NULL, rights);
	close(fd);
	if (r >= 0)
		r = put_in_place(temporary, path, must_be_new);
	if (r < 0)
		unlink(temporary);
	return r;
}

int file_replace(const char *path, const void *data, size_t size, const struct file_rights *rights,
		 bool must_be_new)
{
	char real[PATH_MAX];

	/* Not the link itself: it is somebody's way to keep the file elsewhere. */
	return replace(realpath(path, real) ? real : path, data, size, rights, must_be_new);
}

int file_make_folder(const char *path, const struct file_rights *rights)
{
	mode_t mode = rights->is_secret ? S_ISGID | 0750 : 0755;
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;
	const char *folder;
	int r;

	if (!copy)
		return -ENOMEM;
	folder = dirname(copy);
	if (mkdir(folder, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = rights->is_secret ? give_to_daemon(fd) : 0;
	/* Whatever the umask is: the daemon is another user. */
	if (r >= 0 && fchmod(fd, mode) < 0)
		r = -errno;
	return r;
}

int file_read(const char *path, size_t most, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode) && (size_t)st.st_size > most)
		return -EFBIG;
	/* One that grows meanwhile is refused. */
	most = S_ISREG(st.st_mode) ? (size_t)st.st_size : most;
	text = malloc(most + 2);
	if (!text)
		return -ENOMEM;
	n = io_read(fd, text, most + 1);
	if (n < 0 || (size_t)n > most) {
		explicit_bzero(text, most + 2);
		free(text);
		return n < 0 ? (int)n : -EFBIG;
	}
	text[n] = '\0';
	*ret_size = (size_t)n;
	*ret = text;
	return 0;
}

int file_complain(const char *path, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, path);
	fprintf(stderr, ": %s\n", strerror(-error));
	return error;
}
