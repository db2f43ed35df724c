/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/*
 * sink PORT [PRIORITY]: with the priority string of GnuTLS over DTLS. Says
 * `ready`, and ends with its standard input. Commands, a line each:
 *   observe PATH       places it at every endpoint but the host's
 *   put PATH TEXT      writes it there
 *   reach NAME VALUE   says `reached` once that counter is there
 *   buffer BYTES       the room for datagrams that it has not read yet; at first the system's default
 *   nap USEC           sleeps so long before it reads again what has come
 *   stats              says `stats NAME=VALUE...`
 */

#define READ_BATCH 64
#define READ_BATCH_NAPPING 16384
#define LINE_MAX_SIZE 256
/* The endpoint of the host has no devices. */
#define HOST "gw"

struct sink_peer *sink_peer_get(struct sink *s, const struct sockaddr_in *from)
{
	struct sink_peer **p = &s->peers[ntohs(from->sin_port)];

	if (!*p) {
		*p = calloc(1, sizeof(**p));
		need(*p != NULL, "peer");
		(*p)->address = *from;
	}
	return *p;
}

static void send_message(struct sink *s, struct sink_peer *p, const uint8_t *data, size_t n)
{
	if (p->tls)
		gnutls_record_send(p->tls, data, n);
	else
		sendto(s->fd, data, n, 0, (const struct sockaddr *)&p->address, sizeof(p->address));
}

/* ---- requests to all ---- */

static void next_requests(struct sink *s)
{
	uint8_t out[SINK_DATAGRAM_MAX];

	while (s->path && s->waiting < SINK_WINDOW && s->next_port < SINK_PORTS) {
		struct sink_peer *p = s->peers[s->next_port];

		if (p && p->registered && !p->host) {
			/* Observations keep their token: one each. */
			size_t n = wire_request(out, p->next_id++, (uint16_t)s->next_port, s->path,
						s->text);

			send_message(s, p, out, n);
			s->waiting++;
		}
		s->next_port++;
	}
}

static void start_requests(struct sink *s, const char *path, const char *text)
{
	static char kept_path[LINE_MAX_SIZE], kept_text[LINE_MAX_SIZE];

	snprintf(kept_path, sizeof(kept_path), "%s", path);
	snprintf(kept_text, sizeof(kept_text), "%s", text ? text : "");
	s->path = kept_path;
	s->text = text ? kept_text : NULL;
	s->next_port = s->waiting = 0;
	next_requests(s);
}

/* ---- what comes ---- */

static void take_post(struct sink *s, struct sink_peer *p, const struct wire *m, uint8_t *out)
{
	char location[16];
	size_t n;

	if (m->n_path == 1 && wire_is(&m->path[0], "rd")) {
		snprintf(location, sizeof(location), "/rd/%u", ntohs(p->address.sin_port));
		n = wire_answer(out, m, WIRE_CODE(2, 1), location);
		p->registered = true;
		p->host = wire_is(&m->endpoint, HOST);
		s->counters.registers++;
	} else {
		n = wire_answer(out, m, WIRE_CODE(2, 4), NULL);
		s->counters.updates++;
	}
	send_message(s, p, out, n);
}

static void take_request(struct sink *s, struct sink_peer *p, const struct wire *m)
{
	uint8_t out[SINK_DATAGRAM_MAX];

	/* With one request outstanding at a time the last id is enough. */
	if (p->has_last && p->last_id == m->id)
		s->counters.repeats++;
	p->has_last = true;
	p->last_id = m->id;
	if (m->code == WIRE_CODE(0, 2)) {
		take_post(s, p, m, out);
	} else if (m->code == WIRE_CODE(0, 4)) {
		s->counters.deletes++;
		p->registered = false;
		send_message(s, p, out, wire_answer(out, m, WIRE_CODE(2, 2), NULL));
	}
}

static void take_notification(struct sink *s, struct sink_peer *p, const struct wire *m, size_t n)
{
	uint8_t out[SINK_DATAGRAM_MAX];

	s->counters.bytes += n;
	if (m->type == WIRE_NON) {
		s->counters.non++;
		return;
	}
	if (p->has_last && p->last_id == m->id)
		s->counters.repeats++;
	p->has_last = true;
	p->last_id = m->id;
	s->counters.con++;
	send_message(s, p, out, wire_empty(out, WIRE_ACK, m->id));
}

static void take_answer(struct sink *s, const struct wire *m)
{
	if (m->code >> 5 == 2)
		s->counters.answers++;
	else
		s->counters.errors++;
	if (s->waiting > 0)
		s->waiting--;
	next_requests(s);
}

void sink_take(struct sink *s, struct sink_peer *p, const uint8_t *data, size_t n)
{
	struct wire m;

	if (!wire_parse(data, n, &m))
		return;
	if (m.type == WIRE_CON && m.code >> 5 == 0)
		take_request(s, p, &m);
	else if (m.type == WIRE_ACK && m.code != 0)
		take_answer(s, &m);
	else if (m.type != WIRE_ACK && m.type != WIRE_RST)
		take_notification(s, p, &m, n);
}

static void read_datagrams(struct sink *s)
{
	uint8_t data[SINK_DATAGRAM_MAX];
	struct sockaddr_in from;

	for (unsigned i = 0; i < (s->nap_usec > 0 ? READ_BATCH_NAPPING : READ_BATCH); i++) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(s->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
				     &size);

		if (n < 0)
			return;
		if (s->secure)
			sink_dtls_input(s, &from, data, (size_t)n);
		else
			sink_take(s, sink_peer_get(s, &from), data, (size_t)n);
	}
}

/* ---- commands ---- */

struct name {
	const char *name;
	size_t offset;
};
#define COUNTER(member) { #member, offsetof(struct sink_counters, member) }
static const struct name names[] = {
	COUNTER(registers), COUNTER(updates), COUNTER(deletes), COUNTER(repeats), COUNTER(non),
	COUNTER(con),	    COUNTER(bytes),   COUNTER(answers), COUNTER(errors),  COUNTER(handshakes),
};

static const uint64_t *counter(const struct sink *s, const struct name *n)
{
	return (const uint64_t *)((const char *)&s->counters + n->offset);
}

static void say_stats(const struct sink *s)
{
	printf("stats suite=%s", *s->suite ? s->suite : "none");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		printf(" %s=%llu", names[i].name, (unsigned long long)*counter(s, &names[i]));
	printf("\n");
}

static void check_reached(struct sink *s)
{
	if (!s->reach || *s->reach < s->reach_value)
		return;
	s->reach = NULL;
	printf("reached\n");
}

static void reach(struct sink *s, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i].name, name) == 0)
			s->reach = counter(s, &names[i]);
	s->reach_value = strtoull(value, NULL, 10);
}

static void set_buffer(const struct sink *s, const char *text)
{
	int bytes = atoi(text);

	need(setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0, "SO_RCVBUFFORCE");
}

static void take_command(struct sink *s, char *line)
{
	char *word = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");

	if (!word)
		return;
	if (strcmp(word, "stats") == 0)
		say_stats(s);
	else if (strcmp(word, "observe") == 0 && first)
		start_requests(s, first, NULL);
	else if (strcmp(word, "put") == 0 && second)
		start_requests(s, first, second);
	else if (strcmp(word, "buffer") == 0 && first)
		set_buffer(s, first);
	else if (strcmp(word, "nap") == 0 && first)
		s->nap_usec = (unsigned)atoi(first);
	else if (strcmp(word, "reach") == 0 && second)
		reach(s, first, second);
	else
		printf("error %s\n", word);
}

static bool read_commands(struct sink *s)
{
	char text[4 * LINE_MAX_SIZE], *rest = text, *line;
	ssize_t n = read(STDIN_FILENO, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		take_command(s, line);
	return true;
}

static int open_socket(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	return fd;
}

static void run(struct sink *s)
{
	struct pollfd fds[] = { { s->fd, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };

	for (;;) {
		need(poll(fds, 2, -1) > 0 || errno == EINTR, "poll");
		if (s->nap_usec > 0)
			usleep(s->nap_usec);
		if (fds[0].revents)
			read_datagrams(s);
		if (fds[1].revents && !read_commands(s))
			return;
		check_reached(s);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (argc < 2 || !s) {
		fprintf(stderr, "sink PORT [PRIORITY]\n");
		return 2;
	}
	need(argc < 3 || sink_dtls_open(s, argv[2]) >= 0, "DTLS");
	s->fd = open_socket(argv[1]);
	printf("ready\n");
	fflush(stdout);
	run(s);
	if (s->secure)
		sink_dtls_close(s);
	for (size_t i = 0; i < SINK_PORTS; i++)
		free(s->peers[i]);
	close(s->fd);
	free(s);
	return 0;
}
