/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/*
 * modbus_slave PORT PERIOD_MS: Modbus TCP devices at every address of loopback.
 * Answers reads of registers with numbers that change with every request, and
 * counts how regularly each unit of each connection is asked. Says `ready`, ends
 * with its standard input; the line `stats` is answered by
 * `stats requests= connections= late= longest_ms=`, and begins anew.
 * late: half a period more than one since the last request.
 */

#define UNITS 256
#define EVENTS 64
#define HEADER 7u
#define REQUEST (HEADER + 5u)
#define REGISTERS_MAX 125u
#define FILES 4096

struct connection {
	int fd;
	uint8_t in[REQUEST];
	size_t n;
	uint64_t last_nsec[UNITS];
};

struct slave {
	int epoll_fd, listener;
	uint64_t period_nsec;
	uint64_t requests, late, longest_nsec, connections;
	uint16_t value;
};

static unsigned word(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void put_word(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void watch(struct slave *s, int fd, void *ptr)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = ptr };

	need(epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
}

static void accept_connection(struct slave *s)
{
	struct connection *c = calloc(1, sizeof(*c));
	int on = 1;

	need(c != NULL, "connection");
	c->fd = accept(s->listener, NULL, NULL);
	need(c->fd >= 0, "accept");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(s, c->fd, c);
	s->connections++;
}

static void note_interval(struct slave *s, struct connection *c)
{
	uint64_t *last = &c->last_nsec[c->in[6]], now = now_nsec();

	if (*last > 0 && now - *last > s->longest_nsec)
		s->longest_nsec = now - *last;
	if (*last > 0 && now - *last > s->period_nsec + s->period_nsec / 2)
		s->late++;
	*last = now;
	s->requests++;
}

static void answer(struct slave *s, struct connection *c)
{
	uint8_t out[HEADER + 2 + 2 * REGISTERS_MAX];
	unsigned n = word(c->in + 10);
	size_t size = HEADER + 2 + 2 * n;

	note_interval(s, c);
	memcpy(out, c->in, HEADER + 1);
	if (n > REGISTERS_MAX) {
		out[HEADER] |= 0x80;
		out[HEADER + 1] = 2;
		size = HEADER + 2;
	} else {
		out[HEADER + 1] = (uint8_t)(2 * n);
		s->value++;
		for (unsigned i = 0; i < n; i++)
			put_word(out + HEADER + 2 + 2 * i, (s->value + i) & 0x7fff);
	}
	put_word(out + 4, (unsigned)(size - 6));
	send(c->fd, out, size, MSG_NOSIGNAL);
}

static void serve(struct slave *s, struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->n, REQUEST - c->n, 0);

	if (n <= 0) {
		close(c->fd);
		free(c);
		s->connections--;
		return;
	}
	c->n += (size_t)n;
	if (c->n < REQUEST)
		return;
	answer(s, c);
	c->n = 0;
}

static bool take_command(struct slave *s)
{
	char text[64];

	if (read(STDIN_FILENO, text, sizeof(text)) <= 0)
		return false;
	printf("stats requests=%llu connections=%llu late=%llu longest_ms=%.1f\n",
	       (unsigned long long)s->requests, (unsigned long long)s->connections,
	       (unsigned long long)s->late, (double)s->longest_nsec / 1e6);
	fflush(stdout);
	s->requests = s->late = s->longest_nsec = 0;
	return true;
}

static void open_listener(struct slave *s, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;

	/* Every address of 127.0.0.0/8 is here; the namespace has no other interface. */
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	need(s->listener >= 0 &&
		     setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		     bind(s->listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		     listen(s->listener, SOMAXCONN) == 0,
	     "listen");
	watch(s, s->listener, &s->listener);
	watch(s, STDIN_FILENO, s);
}

int main(int argc, char **argv)
{
	struct rlimit limit = { FILES, FILES };
	struct slave s = { .epoll_fd = epoll_create1(0) };
	struct epoll_event events[EVENTS];

	s.period_nsec = argument(argv, 2, 1, 60000) * UINT64_C(1000000);
	setrlimit(RLIMIT_NOFILE, &limit);
	open_listener(&s, argument(argv, 1, 1, 65535));
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(s.epoll_fd, events, EVENTS, -1);

		need(n >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &s.listener)
				accept_connection(&s);
			else if (events[i].data.ptr != &s)
				serve(&s, events[i].data.ptr);
			else if (!take_command(&s))
				return 0;
		}
	}
}
