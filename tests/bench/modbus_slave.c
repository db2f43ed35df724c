/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/*
 * modbus_slave PORT PERIOD_MS: Modbus TCP devices at every address of loopback;
 * with a PATH instead of a port, RTU devices of every unit on a pty that is linked there.
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
#define SERIAL_REQUEST 8u
#define REGISTERS_MAX 125u
#define FILES 4096

struct connection {
	int fd;
	bool serial;
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

static void note_interval(struct slave *s, struct connection *c, uint8_t unit)
{
	uint64_t *last = &c->last_nsec[unit], now = now_nsec();

	if (*last > 0 && now - *last > s->longest_nsec)
		s->longest_nsec = now - *last;
	if (*last > 0 && now - *last > s->period_nsec + s->period_nsec / 2)
		s->late++;
	*last = now;
	s->requests++;
}

/* The answer's PDU to that of a request; returns its size. */
static size_t make_answer(struct slave *s, const uint8_t *request, uint8_t *out)
{
	unsigned n = word(request + 3);

	out[0] = request[0];
	if (n > REGISTERS_MAX) {
		out[0] |= 0x80;
		out[1] = 2;
		return 2;
	}
	out[1] = (uint8_t)(2 * n);
	s->value++;
	for (unsigned i = 0; i < n; i++)
		put_word(out + 2 + 2 * i, (s->value + i) & 0x7fff);
	return 2 + 2 * n;
}

static void answer_tcp(struct slave *s, struct connection *c)
{
	uint8_t out[HEADER + 2 + 2 * REGISTERS_MAX];
	size_t size;

	note_interval(s, c, c->in[6]);
	memcpy(out, c->in, HEADER);
	size = HEADER + make_answer(s, c->in + HEADER, out + HEADER);
	put_word(out + 4, (unsigned)(size - 6));
	send(c->fd, out, size, MSG_NOSIGNAL);
}

static uint16_t crc_of(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static void answer_serial(struct slave *s, struct connection *c)
{
	uint8_t out[1 + 2 + 2 * REGISTERS_MAX + 2];
	size_t size;
	uint16_t crc;

	note_interval(s, c, c->in[0]);
	out[0] = c->in[0];
	size = 1 + make_answer(s, c->in + 1, out + 1);
	crc = crc_of(out, size);
	out[size++] = (uint8_t)crc;
	out[size++] = (uint8_t)(crc >> 8);
	need(write(c->fd, out, size) == (ssize_t)size, "write");
}

static void serve(struct slave *s, struct connection *c)
{
	size_t whole = c->serial ? SERIAL_REQUEST : REQUEST;
	ssize_t n = read(c->fd, c->in + c->n, whole - c->n);

	/* Nobody has the line open at the moment. */
	if (n < 0 && c->serial)
		return;
	if (n <= 0) {
		close(c->fd);
		free(c);
		s->connections--;
		return;
	}
	c->n += (size_t)n;
	if (c->n < whole)
		return;
	if (c->serial)
		answer_serial(s, c);
	else
		answer_tcp(s, c);
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
}

/* Our own handle of the far end stays open, so that its coming and going is no end of the line. */
static void open_line(struct slave *s, const char *path)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct termios t;
	int far;

	need(c != NULL, "line");
	c->serial = true;
	c->fd = posix_openpt(O_RDWR | O_NOCTTY);
	need(c->fd >= 0 && grantpt(c->fd) == 0 && unlockpt(c->fd) == 0, "pty");
	far = open(ptsname(c->fd), O_RDWR | O_NOCTTY);
	need(far >= 0 && tcgetattr(far, &t) == 0, "far end");
	cfmakeraw(&t);
	need(tcsetattr(far, TCSANOW, &t) == 0 && symlink(ptsname(c->fd), path) == 0, "link");
	watch(s, c->fd, c);
	s->connections = 1;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { FILES, FILES };
	struct slave s = { .epoll_fd = epoll_create1(0) };
	struct epoll_event events[EVENTS];

	s.period_nsec = argument(argv, 2, 1, 60000) * UINT64_C(1000000);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (argv[1] && *argv[1] == '/')
		open_line(&s, argv[1]);
	else
		open_listener(&s, argument(argv, 1, 1, 65535));
	watch(&s, STDIN_FILENO, &s);
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
