/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "metrics/internal.h"

#define BACKLOG 8

/* Whether somebody answers there: 0, or -EADDRINUSE; else errno. */
static int try_socket(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) >= 0)
		return -EADDRINUSE;
	switch (errno) {
	case ECONNREFUSED:
		return 0;
	case EAGAIN:
	case EPROTOTYPE:
		return -EADDRINUSE;
	default:
		return -errno;
	}
}

/* A daemon that did not end well leaves its socket behind. That of one that runs, or of another program, stays. */
static int remove_socket(const struct sockaddr_un *address)
{
	struct stat st;
	int r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	r = try_socket(address);
	if (r < 0)
		return r;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_path(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	r = remove_socket(&address);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return chmod(path, 0666) < 0 ? -errno : 0;
}

static int bind_port(int fd, const struct config_metrics *m)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(m->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(m->port) };
	const int on = 1;
	int r;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (inet_pton(AF_INET, m->host, &v4.sin_addr) == 1)
		r = bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
	else if (inet_pton(AF_INET6, m->host, &v6.sin6_addr) == 1)
		r = bind(fd, (const struct sockaddr *)&v6, sizeof(v6));
	else
		return -EINVAL;
	return r < 0 ? -errno : 0;
}

int metrics_listen(const struct config_metrics *m, int *ret)
{
	int family = m->path ? AF_UNIX : strchr(m->host, ':') ? AF_INET6 : AF_INET;
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = m->path ? bind_path(fd, m->path) : bind_port(fd, m);
	if (r < 0)
		return r;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret = fd;
	fd = -1;
	return 0;
}
