/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/bench/bench.h"

/*
 * loop SOCKETS: the loop alone. Each socket in turn sends a datagram to another
 * process, which sends it back; what such an exchange costs with
 *   inner_us    all sockets in one inner epoll (agent/transport/loop)
 *   sources_us  an sd-event source for each
 *   timed_us    and a time source for each besides, moved with each exchange
 */

#define EXCHANGES 200000u
#define SOCKETS_MAX 20000u
/* Under way at once. */
#define WINDOW 64u
#define BYTES 40u
#define TIMEOUT_USEC 2000000u

struct bench;

struct item {
	struct loop_io io;
	struct bench *bench;
	sd_event_source *source, *timer;
	int fd;
};

struct bench {
	sd_event *event;
	struct loop *loop;
	struct item *items;
	unsigned n, next, done;
};

static void send_next(struct bench *b)
{
	const uint8_t data[BYTES] = { 0 };
	struct item *item = &b->items[b->next++ % b->n];
	uint64_t now;

	if (item->timer) {
		sd_event_now(b->event, CLOCK_MONOTONIC, &now);
		sd_event_source_set_time(item->timer, now + TIMEOUT_USEC);
		sd_event_source_set_enabled(item->timer, SD_EVENT_ONESHOT);
	}
	need(send(item->fd, data, sizeof(data), 0) == sizeof(data), "send");
}

static void receive(struct item *item)
{
	struct bench *b = item->bench;
	uint8_t data[BYTES];

	need(recv(item->fd, data, sizeof(data), 0) == sizeof(data), "recv");
	if (item->timer)
		sd_event_source_set_enabled(item->timer, SD_EVENT_OFF);
	b->done++;
	if (b->next < EXCHANGES)
		send_next(b);
}

static void on_inner(struct loop_io *io, uint32_t events)
{
	receive(container_of(io, struct item, io));
}

static int on_source(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	receive(userdata);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	fprintf(stderr, "loop: a datagram was lost\n");
	exit(1);
}

enum kind { INNER, SOURCES, TIMED };

static void add(struct bench *b, struct item *item, enum kind kind)
{
	if (kind == INNER) {
		need(loop_add(b->loop, &item->io, item->fd, on_inner) >= 0, "loop_add");
		return;
	}
	need(sd_event_add_io(b->event, &item->source, item->fd, EPOLLIN, on_source, item) >= 0, "add_io");
	if (kind == TIMED)
		need(sd_event_add_time_relative(b->event, &item->timer, CLOCK_MONOTONIC, TIMEOUT_USEC,
						0, on_time, item) >= 0 &&
			     sd_event_source_set_enabled(item->timer, SD_EVENT_OFF) >= 0,
		     "add_time");
}

static void take_out(struct bench *b, struct item *item)
{
	sd_event_source_disable_unref(item->timer);
	sd_event_source_disable_unref(item->source);
	if (!item->source)
		loop_remove(b->loop, &item->io);
	item->source = item->timer = NULL;
}

static void measure(struct bench *b, enum kind kind, const char *name)
{
	uint64_t begin;

	need(sd_event_new(&b->event) >= 0 && loop_new(b->event, &b->loop) >= 0, "loop_new");
	for (unsigned i = 0; i < b->n; i++)
		add(b, &b->items[i], kind);
	b->next = b->done = 0;
	begin = cpu_nsec();
	for (unsigned i = 0; i < WINDOW && i < b->n; i++)
		send_next(b);
	while (b->done < EXCHANGES)
		need(sd_event_run(b->event, UINT64_MAX) >= 0, "sd_event_run");
	report(name, (double)(cpu_nsec() - begin) / EXCHANGES / 1000);
	for (unsigned i = 0; i < b->n; i++)
		take_out(b, &b->items[i]);
	b->loop = loop_free(b->loop);
	b->event = sd_event_unref(b->event);
}

/* Sends everything back, until an empty datagram comes. */
static pid_t start_echo(struct sockaddr_in *ret)
{
	socklen_t size = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t data[BYTES];
	pid_t pid;

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(fd >= 0 && bind(fd, (struct sockaddr *)ret, size) == 0 &&
		     getsockname(fd, (struct sockaddr *)ret, &size) == 0,
	     "bind");
	pid = fork();
	need(pid >= 0, "fork");
	while (pid == 0) {
		struct sockaddr_in from;
		ssize_t n;

		size = sizeof(from);
		n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
		if (n == 0)
			_exit(0);
		sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
	close(fd);
	return pid;
}

int main(int argc, char **argv)
{
	struct bench b = { .n = argument(argv, 1, 1, SOCKETS_MAX) };
	struct rlimit limit = { b.n + 100, b.n + 100 };
	struct sockaddr_in to;
	pid_t echo = start_echo(&to);

	(void)argc;
	setrlimit(RLIMIT_NOFILE, &limit);
	b.items = calloc(b.n, sizeof(*b.items));
	need(b.items != NULL, "sockets");
	for (unsigned i = 0; i < b.n; i++) {
		b.items[i] = (struct item){ .io.fd = -1, .bench = &b };
		b.items[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		need(b.items[i].fd >= 0 &&
			     connect(b.items[i].fd, (struct sockaddr *)&to, sizeof(to)) == 0,
		     "connect");
	}
	measure(&b, INNER, "inner_us");
	measure(&b, SOURCES, "sources_us");
	measure(&b, TIMED, "timed_us");
	send(b.items[0].fd, "", 0, 0);
	waitpid(echo, NULL, 0);
	free(b.items);
	return 0;
}
