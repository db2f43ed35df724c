/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/lib/moment.h"

int descriptor_check(int fd)
{
	return fd >= FD_SETSIZE ? -EMFILE : 0;
}

static int wait_connected(int fd, uint64_t deadline_usec)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int r, error;

	do
		r = poll(&p, 1, moment_poll_msec(deadline_usec));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static int connect_address(const struct addrinfo *a, uint64_t deadline_usec)
{
	int fd, r, on = 1;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (fd < 0)
		return -errno;
	r = descriptor_check(fd);
	if (r >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		r = connect(fd, a->ai_addr, a->ai_addrlen) < 0 ? -errno : 0;
	}
	if (r == -EINPROGRESS)
		r = wait_connected(fd, deadline_usec);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int socket_connect(const struct addrinfo *addresses, uint64_t deadline_usec)
{
	int r = -EHOSTUNREACH;

	for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
		r = connect_address(a, deadline_usec);
		if (r >= 0 || r == -EMFILE)
			break;
	}
	return r;
}

int socket_is_clean(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}
