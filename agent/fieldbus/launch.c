/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fieldbus/internal.h"

#define HOST_FD 3
#define HOST_FD_TEXT "3"

/*
 * All that a host may know of the environment: a daemon's own can name
 * credentials and sockets. Of sockets only the system bus, where BlueZ is.
 */
static const char *const inherited[] = {
	"PATH",		"LANG",		"LC_ALL",	 "TZ",	       "JOURNAL_STREAM",
	"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH",
	"DBUS_SYSTEM_BUS_ADDRESS",
};

static int environment_make(char *ret[ARRAY_SIZE(inherited) + 1], struct arena *arena)
{
	size_t n = 0, size;
	const char *value;

	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		value = getenv(inherited[i]);
		if (!value)
			continue;
		size = strlen(inherited[i]) + 1 + strlen(value) + 1;
		ret[n] = arena_new(arena, size);
		if (!ret[n])
			return -ENOMEM;
		snprintf(ret[n++], size, "%s=%s", inherited[i], value);
	}
	ret[n] = NULL;
	return 0;
}

/* The daemon's loop blocks signals and ignores some: the host starts as from a shell. */
static int attributes_make(posix_spawnattr_t *a)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	r = posix_spawnattr_setsigmask(a, &set);
	if (r == 0) {
		sigfillset(&set);
		r = posix_spawnattr_setsigdefault(a, &set);
	}
	/* A Ctrl-C is for the daemon, which ends its hosts in order. */
	if (r == 0)
		r = posix_spawnattr_setpgroup(a, 0);
	if (r == 0)
		r = posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							POSIX_SPAWN_SETPGROUP);
	return r;
}

static int actions_make(posix_spawn_file_actions_t *a, int fd)
{
	int r = posix_spawn_file_actions_adddup2(a, fd, HOST_FD);

	/* What a plugin prints must not mix with the daemon's own output. */
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(a, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(a, HOST_FD + 1);
	return r;
}

static int spawn_with(const struct fieldbus_config *config, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, pid_t *ret)
{
	_cleanup_free_ char *program = strdup(config->host_program);
	_cleanup_free_ char *folder = strdup(config->plugin_folder);
	char fd_option[] = "--fd", fd_text[] = HOST_FD_TEXT, plugins_option[] = "--plugins";
	char *argv[] = { program, fd_option, fd_text, plugins_option, folder, NULL };
	char *environment[ARRAY_SIZE(inherited) + 1];
	_cleanup_arena_ struct arena arena = { 0 };
	int r;

	if (!program || !folder)
		return -ENOMEM;
	r = environment_make(environment, &arena);
	if (r < 0)
		return r;
	r = -posix_spawn(ret, program, actions, attributes, argv, environment);
	/* ENOENT is for plugins. */
	return r == -ENOENT ? -ENOPKG : r;
}

static int spawn(const struct fieldbus_config *config, int fd, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	r = -posix_spawn_file_actions_init(&actions);
	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attributes);
	if (r >= 0) {
		r = -attributes_make(&attributes);
		if (r >= 0)
			r = -actions_make(&actions, fd);
		if (r >= 0)
			r = spawn_with(config, &actions, &attributes, ret);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

int launch_child(const struct fieldbus_config *config, struct process *ret, int *ret_fd)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct process p = { .kind = PROCESS_CHILD };
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ours = fds[0];
	theirs = fds[1];
	r = spawn(config, theirs, &p.pid);
	if (r < 0)
		return r;
	p.fd = pidfd_open(p.pid, 0);
	if (p.fd < 0) {
		r = -errno;
		kill(p.pid, SIGKILL);
		waitpid(p.pid, NULL, 0);
		return r;
	}
	*ret = p;
	*ret_fd = ours;
	ours = -1;
	return 0;
}
