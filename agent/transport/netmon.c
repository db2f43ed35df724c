/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/netmon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"

#define DRAIN_MAX 64 /* messages in one turn */

struct netmon {
	struct loop *loop;
	struct loop_io io;
	struct timer timer;
	netmon_handler handler;
	void *userdata;
};

static void on_input(struct loop_io *io, uint32_t events)
{
	struct netmon *n = container_of(io, struct netmon, io);
	char data[4096];

	/* That something has changed is all we want to know; lost messages (ENOBUFS) say so as well. */
	for (unsigned i = 0; i < DRAIN_MAX; i++)
		if (recv(io->fd, data, sizeof(data), MSG_DONTWAIT) < 0)
			break;
	if (!timer_is_armed(&n->timer))
		timer_arm_in(&n->timer, NETMON_SETTLE_USEC);
}

static void on_timer(struct timer *timer, void *userdata)
{
	struct netmon *n = userdata;

	n->handler(n->userdata);
}

static int open_socket(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int netmon_new(struct loop *loop, struct timers *timers, netmon_handler handler, void *userdata,
	       struct netmon **ret)
{
	struct netmon *n;
	int fd, r;

	fd = open_socket();
	if (fd < 0)
		return fd;
	n = calloc(1, sizeof(*n));
	r = n ? loop_add(loop, &n->io, fd, on_input) : -ENOMEM;
	if (r < 0) {
		close(fd);
		free(n);
		return r;
	}
	n->loop = loop;
	n->handler = handler;
	n->userdata = userdata;
	timer_init(&n->timer, timers, on_timer, n);
	*ret = n;
	return 0;
}

struct netmon *netmon_free(struct netmon *n)
{
	if (!n)
		return NULL;
	timer_disarm(&n->timer);
	close(loop_remove(n->loop, &n->io));
	free(n);
	return NULL;
}
