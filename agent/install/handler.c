/* SPDX-License-Identifier: Apache-2.0 */
#include "install/handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

/* Nobody else may change it. */
static int vouched_for(const char *path, const struct stat *st, char reason[INSTALL_TEXT_MAX])
{
	if (st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(reason, INSTALL_TEXT_MAX, "%s may be changed by others", path);
	return -EACCES;
}

int handler_find(const char *folder, const char *name, char *path, size_t size, char reason[INSTALL_TEXT_MAX])
{
	struct stat st;
	int n = snprintf(path, size, "%s/%s", folder, name), r;

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (stat(folder, &st) < 0 || stat(path, &st) < 0) {
		r = -errno;
		snprintf(reason, INSTALL_TEXT_MAX, "%s: %s", path, strerror(errno));
		return r;
	}
	r = vouched_for(path, &st, reason);
	if (r >= 0 && (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))) {
		snprintf(reason, INSTALL_TEXT_MAX, "%s is no program", path);
		r = -EACCES;
	}
	if (r >= 0 && stat(folder, &st) >= 0)
		r = vouched_for(folder, &st, reason);
	return r;
}

static int set_files(posix_spawn_file_actions_t *a, int input, int output)
{
	int r;

	if (input >= 0)
		r = posix_spawn_file_actions_adddup2(a, input, STDIN_FILENO);
	else
		r = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
	return r;
}

static int set_signals(posix_spawnattr_t *a)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	r = posix_spawnattr_setsigmask(a, &set);
	sigfillset(&set);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(a, &set);
	if (r == 0)
		r = posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return r;
}

/* Nothing of the caller's environment: a handler behaves the same whoever starts it. */
static int spawn_with(const struct handler_run *run, const posix_spawn_file_actions_t *files,
		      const posix_spawnattr_t *attributes, pid_t *ret)
{
	_cleanup_free_ char *program = strdup(run->program), *action = strdup(run->action),
			    *package = strdup(run->package ?: "");
	char severity[40], defer[40], software[INSTALL_NAME_MAX + 20], path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				      language[] = "LANG=C.UTF-8", front[] = "DEBIAN_FRONTEND=noninteractive";
	char *argv[] = { program, action, run->package ? package : NULL, NULL };
	char *environment[] = { path, language, front, severity, defer,
				*run->software ? software : NULL, NULL };

	if (!program || !action || !package)
		return -ENOMEM;
	snprintf(severity, sizeof(severity), "FIELDWAY_SEVERITY=%u", run->severity);
	snprintf(defer, sizeof(defer), "FIELDWAY_DEFER=%u", run->defer_s);
	snprintf(software, sizeof(software), "FIELDWAY_SOFTWARE=%s", run->software);
	return -posix_spawn(ret, program, files, attributes, argv, environment);
}

static int spawn(const struct handler_run *run, int output, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r = -posix_spawn_file_actions_init(&files);

	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r >= 0) {
		r = -set_files(&files, run->input, output);
		if (r >= 0)
			r = -set_signals(&attributes);
		if (r >= 0)
			r = spawn_with(run, &files, &attributes, ret);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return r;
}

/* To its end, so that a handler that prints much is not held up. */
static size_t read_all(int fd, char *output)
{
	char rest[512];
	size_t size = 0;

	for (;;) {
		size_t room = HANDLER_OUTPUT_MAX - size;
		ssize_t n = read(fd, room > 0 ? output + size : rest, room > 0 ? room : sizeof(rest));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return size;
		if (room > 0)
			size += (size_t)n;
	}
}

static uint8_t wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return INSTALL_CODE_FAILED;
	return WIFEXITED(status) ? (uint8_t)WEXITSTATUS(status) : INSTALL_CODE_FAILED;
}

int handler_run(const struct handler_run *run, uint8_t *ret_code, char *output, size_t *ret_size)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int fds[2], r;
	pid_t pid;

	if (run->collect) {
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -errno;
		ours = fds[0];
		theirs = fds[1];
	}
	r = spawn(run, run->collect ? theirs : STDERR_FILENO, &pid);
	if (r < 0)
		return r;
	closep(&theirs);
	if (run->collect)
		*ret_size = read_all(ours, output);
	*ret_code = wait_for(pid);
	return 0;
}
