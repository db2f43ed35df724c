/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulator.h"

/* One line of standard input; longer ones are cut. */
#define LINE_SIZE 1024

struct program {
	struct simulator all[SIMULATOR_INSTANCES];
	size_t n;
	char line[LINE_SIZE];
	size_t line_size;
	volatile bool ended;
};

static const struct kind {
	const char *option;
	bool serial;
	enum simulator_framing framing;
} kinds[] = {
	{ "tcp", false, SIMULATOR_MBAP },      { "rtu", true, SIMULATOR_RTU },
	{ "ascii", true, SIMULATOR_ASCII },    { "rtu-tcp", false, SIMULATOR_RTU },
	{ "ascii-tcp", false, SIMULATOR_ASCII }, { "tls", false, SIMULATOR_MBAP },
};

static void usage(void)
{
	fprintf(stderr, "modbus_simulator [--meter|--relay|--plain] [--unit N] [--trace] [--certificates FOLDER]\n"
			"\t--tcp HOST:PORT | --rtu-tcp ... | --ascii-tcp ... | --tls ... | --rtu PATH | --ascii PATH ...\n"
			"Options hold for the instances behind them. Port 0 is any. PATH becomes a link to a pty.\n"
			"Commands on standard input, `INDEX COMMAND` or `* COMMAND`; ends with it.\n");
}

static int add_instance(struct program *p, const struct simulator *template, const char *option, char *place)
{
	const struct kind *kind = kinds;
	struct simulator *s;

	if (p->n == SIMULATOR_INSTANCES)
		return -E2BIG;
	while (strcmp(kind->option, option) != 0)
		kind++;
	s = &p->all[p->n];
	*s = *template;
	s->kind = option;
	s->serial = kind->serial;
	s->framing = kind->framing;
	if (strcmp(option, "tls") != 0)
		s->certificates = NULL;
	else if (!s->certificates)
		return -EINVAL;
	s->place = place;
	s->index = (unsigned)p->n++;
	s->listener = s->pty_slave = -1;
	s->only_address = -1;
	return 0;
}

static int parse_options(struct program *p, int argc, char **argv)
{
	static const struct option options[] = {
		{ "meter", no_argument, NULL, 'm' },	     { "relay", no_argument, NULL, 'r' },
		{ "plain", no_argument, NULL, 'p' },	     { "unit", required_argument, NULL, 'u' },
		{ "trace", no_argument, NULL, 't' },	     { "tcp", required_argument, NULL, 'i' },
		{ "rtu", required_argument, NULL, 'i' },     { "ascii", required_argument, NULL, 'i' },
		{ "rtu-tcp", required_argument, NULL, 'i' }, { "ascii-tcp", required_argument, NULL, 'i' },
		{ "tls", required_argument, NULL, 'i' },     { "certificates", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct simulator template = { .model = SIMULATOR_PLAIN, .unit = 1, .identification = 3, .certificate = "server" };
	int c, r = 0, at;

	while (r >= 0 && (c = getopt_long(argc, argv, "", options, &at)) >= 0) {
		if (c == 'm' || c == 'r' || c == 'p')
			template.model = c == 'm' ? SIMULATOR_METER : c == 'r' ? SIMULATOR_RELAY : SIMULATOR_PLAIN;
		else if (c == 'u')
			template.unit = atoi(optarg);
		else if (c == 't')
			template.trace = true;
		else if (c == 'c')
			template.certificates = optarg;
		else if (c == 'i')
			r = add_instance(p, &template, options[at].name, optarg);
		else
			r = -EINVAL;
	}
	return r < 0 ? r : p->n && optind == argc ? 0 : -EINVAL;
}

static int open_all(struct program *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct simulator *s = &p->all[i];
		int r = simulator_map_init(s);

		if (r >= 0)
			r = simulator_open(s);
		if (r < 0) {
			fprintf(stderr, "modbus_simulator: %s: %s%s\n", s->place, strerror(-r),
				r == -ENODEV ? ": is /dev/pts mounted?" : "");
			return r;
		}
		if (s->serial)
			printf("%zu %s %s\n", i, s->kind, s->place);
		else
			printf("%zu %s %.*s:%u\n", i, s->kind, (int)(strrchr(s->place, ':') - s->place), s->place, s->port);
	}
	printf("ready\n");
	fflush(stdout);
	return 0;
}

static void read_commands(struct program *p)
{
	ssize_t size = read(STDIN_FILENO, p->line + p->line_size, sizeof(p->line) - 1 - p->line_size);
	char *end;

	if (size <= 0) {
		p->ended = size == 0 || errno != EINTR;
		return;
	}
	p->line_size += (size_t)size;
	p->line[p->line_size] = '\0';
	while ((end = strchr(p->line, '\n'))) {
		*end = '\0';
		simulator_command(p->all, p->n, p->line, stdout);
		p->line_size -= (size_t)(end + 1 - p->line);
		memmove(p->line, end + 1, p->line_size + 1);
	}
	if (p->line_size == sizeof(p->line) - 1)
		p->line_size = 0;
}

/* When something is to be sent to the client; UINT64_MAX: not. */
static uint64_t client_due(const struct simulator_client *c)
{
	if (c->n_rest)
		return c->rest_due_usec;
	return c->size ? c->due_usec : UINT64_MAX;
}

/* Milliseconds until the next delayed answer, -1: none. */
static int next_due(const struct program *p)
{
	uint64_t now = simulator_now_usec(), next = UINT64_MAX;

	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < SIMULATOR_CLIENTS; j++)
			if (client_due(&p->all[i].clients[j]) < next)
				next = client_due(&p->all[i].clients[j]);
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void answer_due(struct program *p)
{
	uint64_t now = simulator_now_usec();

	for (size_t i = 0; i < p->n; i++) {
		for (size_t j = 0; j < SIMULATOR_CLIENTS; j++) {
			struct simulator_client *c = &p->all[i].clients[j];

			if (client_due(c) > now)
				continue;
			if (c->n_rest)
				simulator_send_rest(&p->all[i], c);
			else
				simulator_answer(&p->all[i], c);
		}
	}
}

static bool client_readable(const struct simulator_client *c)
{
	struct pollfd f = { .fd = c->fd, .events = POLLIN };

	return c->modbus && !c->size && poll(&f, 1, 0) > 0;
}

/* Few descriptors, and no state beside them: asked again rather than remembered. */
static void serve(struct program *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct simulator *s = &p->all[i];
		struct pollfd f = { .fd = s->listener, .events = POLLIN };

		for (size_t j = 0; j < SIMULATOR_CLIENTS; j++)
			if (client_readable(&s->clients[j]))
				simulator_receive(s, &s->clients[j]);
		if (s->listener >= 0 && poll(&f, 1, 0) > 0)
			simulator_accept(s);
	}
}

static void run(struct program *p)
{
	static struct pollfd fds[1 + SIMULATOR_INSTANCES * (1 + SIMULATOR_CLIENTS)];

	while (!p->ended) {
		nfds_t n = 0;

		fds[n++] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
		for (size_t i = 0; i < p->n; i++) {
			fds[n++] = (struct pollfd){ .fd = p->all[i].listener, .events = POLLIN };
			for (size_t j = 0; j < SIMULATOR_CLIENTS; j++)
				if (p->all[i].clients[j].modbus && !p->all[i].clients[j].size)
					fds[n++] = (struct pollfd){ .fd = p->all[i].clients[j].fd, .events = POLLIN };
		}
		if (poll(fds, n, next_due(p)) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			read_commands(p);
		serve(p);
		answer_due(p);
	}
}

static struct program program;

static void end(int signal_number)
{
	program.ended = true;
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
	signal(SIGPIPE, SIG_IGN);
	r = open_all(&program);
	if (r >= 0)
		run(&program);
	for (size_t i = 0; i < program.n; i++) {
		simulator_close(&program.all[i]);
		modbus_mapping_free(program.all[i].map);
	}
	return r < 0;
}
