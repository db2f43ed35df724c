/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One line of standard input; longer ones are dropped. Holds a payload of 64 kB in hex. */
#define LINE_SIZE 140000
/* libcoap's timer is lost now and then under another loop, so it is asked at least this often. */
#define TURN_MSEC 100
#define PLACES_MAX 8

struct program {
	struct server server;
	struct {
		const char *text;
		coap_proto_t proto;
	} places[PLACES_MAX];
	size_t n_places;
	char line[LINE_SIZE];
	size_t line_size;
	uint64_t ahead_usec; /* of the true time */
	uint64_t held_usec; /* 0: it goes by itself */
	volatile sig_atomic_t ended;
};

static struct program program;

static void usage(void)
{
	fprintf(stderr,
		"lwm2m_server [--coap HOST:PORT] [--coaps HOST:PORT] [--psk IDENTITY:HEX]\n"
		"\t[--psk-file FILE]\n"
		"Port 0 is any. Commands on standard input; ends with it.\n");
}

static uint64_t true_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t now_usec(void)
{
	return (program.held_usec > 0 ? program.held_usec : true_usec()) + program.ahead_usec;
}

void clock_hold(void)
{
	if (program.held_usec == 0)
		program.held_usec = true_usec();
}

void clock_step(unsigned long seconds)
{
	program.ahead_usec += seconds * UINT64_C(1000000);
}

/* The library acknowledges by itself; only its own simulation of losses keeps it from that. */
void server_mute(struct server *s)
{
	s->mute = true;
	coap_debug_set_packet_loss("100%");
}

static int add_place(struct program *p, const char *text, coap_proto_t proto)
{
	if (p->n_places == PLACES_MAX)
		return -E2BIG;
	p->places[p->n_places].text = text;
	p->places[p->n_places++].proto = proto;
	return 0;
}

static int parse_options(struct program *p, int argc, char **argv)
{
	static const struct option options[] = {
		{ "coap", required_argument, NULL, 'c' },
		{ "coaps", required_argument, NULL, 's' },
		{ "psk", required_argument, NULL, 'k' },
		{ "psk-file", required_argument, NULL, 'f' },
		{ 0 },
	};
	int c, r = 0;

	while (r >= 0 && (c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'c' || c == 's')
			r = add_place(p, optarg, c == 'c' ? COAP_PROTO_UDP : COAP_PROTO_DTLS);
		else if (c == 'k' || c == 'f')
			r = c == 'k' ? psk_add(&p->server, optarg) : psk_read(&p->server, optarg);
		else
			return -EINVAL;
		if (r < 0)
			fprintf(stderr, "lwm2m_server: %s: %s\n", optarg, strerror(-r));
	}
	return r < 0 ? r : p->n_places && optind == argc ? 0 : -EINVAL;
}

/* HOST:PORT, an IPv6 host in brackets */
static int parse_place(const char *text, coap_address_t *ret)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_DGRAM };
	char host[64];
	const char *colon = strrchr(text, ':');
	struct addrinfo *found;
	size_t size = colon ? (size_t)(colon - text) : 0;

	if (size == 0 || size >= sizeof(host))
		return -EINVAL;
	if (text[0] == '[' && text[size - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)size - 2, text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)size, text);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -EINVAL;
	coap_address_init(ret);
	ret->size = found->ai_addrlen;
	memcpy(&ret->addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

static int open_place(struct program *p, const char *text, coap_proto_t proto)
{
	coap_address_t address;
	coap_endpoint_t *e;
	int r = parse_place(text, &address);

	if (r < 0)
		return r;
	e = coap_new_endpoint(p->server.context, &address, proto);
	if (!e)
		return -EADDRINUSE;
	printf("%s %.*s\n", proto == COAP_PROTO_DTLS ? "coaps" : "coap",
	       (int)strcspn(coap_endpoint_str(e), " "), coap_endpoint_str(e));
	return 0;
}

static int open_all(struct program *p)
{
	struct server *s = &p->server;
	int r;

	s->context = coap_new_context(NULL);
	if (!s->context)
		return -ENOMEM;
	coap_set_app_data(s->context, s);
	coap_context_set_block_mode(s->context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
	requests_init(s);
	r = registration_init(s);
	if (r >= 0)
		r = send_init(s);
	if (r >= 0)
		r = bootstrap_init(s);
	if (r >= 0 && s->keys)
		r = psk_install(s);
	for (size_t i = 0; i < p->n_places && r >= 0; i++) {
		r = open_place(p, p->places[i].text, p->places[i].proto);
		/* libcoap opens none, and says nothing. */
		if (r < 0 && p->places[i].proto == COAP_PROTO_DTLS && !s->keys)
			fprintf(stderr, "lwm2m_server: %s: coaps needs a key\n", p->places[i].text);
		else if (r < 0)
			fprintf(stderr, "lwm2m_server: %s: %s\n", p->places[i].text, strerror(-r));
	}
	if (r >= 0)
		printf("ready\n");
	return r;
}

static void read_commands(struct program *p)
{
	ssize_t size =
		read(STDIN_FILENO, p->line + p->line_size, sizeof(p->line) - 1 - p->line_size);
	char *end;

	if (size <= 0) {
		p->ended = size == 0 || errno != EINTR;
		return;
	}
	p->line_size += (size_t)size;
	p->line[p->line_size] = '\0';
	while ((end = strchr(p->line, '\n'))) {
		*end = '\0';
		server_command(&p->server, p->line);
		p->line_size -= (size_t)(end + 1 - p->line);
		memmove(p->line, end + 1, p->line_size + 1);
	}
	if (p->line_size == sizeof(p->line) - 1)
		p->line_size = 0;
}

static void turn_library(struct server *s)
{
	coap_io_process(s->context, COAP_IO_NO_WAIT);
	if (!s->mute)
		return;
	s->mute = false;
	coap_debug_set_packet_loss("0%");
}

static void run(struct program *p)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = coap_context_get_coap_fd(p->server.context), .events = POLLIN },
	};

	while (!p->ended) {
		if (poll(fds, 2, TURN_MSEC) < 0 && errno != EINTR)
			return;
		turn_library(&p->server);
		if (fds[0].revents)
			read_commands(p);
		requests_expire(&p->server);
		clients_expire(&p->server);
	}
}

static void end(int signal_number)
{
	program.ended = 1;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = end };
	int r;

	if (parse_options(&program, argc, argv) < 0) {
		usage();
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	coap_startup();
	coap_set_log_level((coap_log_t)3); /* errors; 4.3.1 and 4.3.4 name it differently */
	/* A server that restarts must not give its clients the locations of others. */
	program.server.next_location = (unsigned)(now_usec() % 1000000000);
	r = open_all(&program);
	if (r >= 0)
		run(&program);
	clients_free(&program.server);
	bootstraps_free(&program.server);
	profiles_free(&program.server);
	requests_free(&program.server);
	if (program.server.context)
		coap_free_context(program.server.context);
	psk_free(&program.server);
	free(program.server.refused);
	coap_cleanup();
	return r < 0;
}
