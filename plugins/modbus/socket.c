/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/lib/moment.h"

#define KEEPALIVE_PROBES 4

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

static void set_options(int fd, uint64_t keepalive_usec)
{
	int on = 1, probes = KEEPALIVE_PROBES;
	int idle = (int)((keepalive_usec + 999999) / 1000000);
	int interval = (idle + KEEPALIVE_PROBES - 1) / KEEPALIVE_PROBES;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (idle == 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static int connect_address(const struct addrinfo *a, uint64_t keepalive_usec, uint64_t deadline_usec)
{
	int fd, r;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (fd < 0)
		return -errno;
	set_options(fd, keepalive_usec);
	r = connect(fd, a->ai_addr, a->ai_addrlen) < 0 ? -errno : 0;
	if (r == -EINPROGRESS)
		r = wait_connected(fd, deadline_usec);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* One that nobody is at must not use up the time of those that follow. */
static uint64_t share_of_time(const struct addrinfo *addresses, uint64_t deadline_usec)
{
	uint64_t now = moment_now_usec(), n = 0;

	for (const struct addrinfo *a = addresses; a; a = a->ai_next)
		n++;
	return deadline_usec > now ? now + (deadline_usec - now) / n : deadline_usec;
}

int socket_connect(const struct addrinfo *addresses, uint64_t keepalive_usec, uint64_t deadline_usec)
{
	int r = -EHOSTUNREACH;

	for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
		r = connect_address(a, keepalive_usec, share_of_time(a, deadline_usec));
		if (r >= 0 || r == -EMFILE)
			break;
	}
	return r;
}
