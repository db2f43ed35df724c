/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/machine/routes.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"

/* rtnetlink(7): a dump, which the kernel has ready when it is asked. */

#define ANSWER_MAX 16384
#define DATAGRAMS_MAX 256 /* of thousands of routes */

static void insert(struct routes *r, const struct route *route)
{
	unsigned i = MIN(r->n, ROUTES_MAX - 1);

	if (r->n == ROUTES_MAX && r->items[i].metric <= route->metric)
		return;
	r->n = i + 1;
	for (; i > 0 && r->items[i - 1].metric > route->metric; i--)
		r->items[i] = r->items[i - 1];
	r->items[i] = *route;
}

static void take_attribute(struct route *route, struct rtattr *a)
{
	uint32_t number;

	switch (a->rta_type) {
	case RTA_GATEWAY:
		inet_ntop(route->family, RTA_DATA(a), route->router, sizeof(route->router));
		break;
	case RTA_OIF:
		memcpy(&number, RTA_DATA(a), sizeof(number));
		route->interface = number;
		break;
	case RTA_PRIORITY:
		memcpy(&route->metric, RTA_DATA(a), sizeof(route->metric));
		break;
	}
}

static void take_route(struct routes *r, struct nlmsghdr *m)
{
	struct rtmsg *message = NLMSG_DATA(m);
	struct route route = { .family = message->rtm_family };
	int size = (int)RTM_PAYLOAD(m);

	if (message->rtm_dst_len != 0 || message->rtm_type != RTN_UNICAST || message->rtm_table != RT_TABLE_MAIN ||
	    (route.family != AF_INET && route.family != AF_INET6))
		return;
	for (struct rtattr *a = RTM_RTA(message); RTA_OK(a, size); a = RTA_NEXT(a, size))
		take_attribute(&route, a);
	if (route.interface > 0)
		insert(r, &route);
}

/* True: there is more. */
static bool take_answer(struct routes *r, void *data, size_t size)
{
	for (struct nlmsghdr *m = data; NLMSG_OK(m, size); m = NLMSG_NEXT(m, size)) {
		if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
			return false;
		if (m->nlmsg_type == RTM_NEWROUTE && m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg)))
			take_route(r, m);
	}
	return true;
}

static void read_family(int fd, uint8_t family, struct routes *r)
{
	const struct {
		struct nlmsghdr header;
		struct rtmsg message;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.message = { .rtm_family = family },
	};
	_Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
	ssize_t n;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
		if (n <= 0 || !take_answer(r, answer, (size_t)n))
			return;
	}
}

void routes_read(struct routes *ret)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	*ret = (struct routes){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		/* One for each: what is left of a dump that was cut short is nobody's then. */
		_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

		if (fd >= 0)
			read_family(fd, families[i], ret);
	}
}
