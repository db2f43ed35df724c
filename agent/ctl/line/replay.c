/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/timer.h"
#include "ctl/ctl.h"
#include "ctl/line/script.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

#define PAUSE_USEC USEC_PER_SEC /* between two turns of what speaks by itself */
#define CHUNK 4096u

struct replay {
	struct script script;
	sd_event *event;
	struct timers *timers;
	struct timer timer; /* of the next word */
	size_t word;
	uint64_t begin_usec;
	const char *link;  /* to the pty; NULL: TCP */
	int listening, fd; /* -1: nobody is there */
	int slave;	   /* held, so that the other end may come and go */
	sd_event_source *source;
	struct buf input;
	bool json;
};

static int complain(const char *what, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, what);
	fprintf(stderr, ": %s\n", strerror(-error));
	return error;
}

/* ---- the recording ---- */

static int read_all(int fd, struct buf *b)
{
	ssize_t n;
	int r;

	do {
		r = buf_reserve(b, CHUNK);
		if (r < 0)
			return r;
		n = read(fd, b->data + b->size, CHUNK);
		if (n < 0)
			return -errno;
		b->size += (size_t)n;
		if (b->size > SCRIPT_BYTES_MAX)
			return -EFBIG;
	} while (n > 0);
	return 0;
}

static int read_script(const struct invocation *i, struct script *ret)
{
	const char *file = i->arguments[0], *wrong = "";
	_cleanup_buf_ struct buf text = { 0 };
	unsigned line = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return complain(file, -errno);
	r = read_all(fd, &text);
	close(fd);
	if (r < 0)
		return complain(file, r);
	r = script_read((const char *)text.data, text.size, option_find(i, "line"), ret, &line,
			&wrong);
	if (r >= 0)
		return 0;
	if (r == -ENOMEM)
		return complain(file, r);
	text_print(stderr, file);
	if (line > 0)
		fprintf(stderr, ":%u", line);
	fprintf(stderr, ": %s\n", wrong);
	return r;
}

/* ---- the other end ---- */

static void hang_up(struct replay *p)
{
	p->source = sd_event_source_disable_unref(p->source);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->input.size = 0;
	timer_disarm(&p->timer);
}

/* A peer that does not read is hung up on; a line loses what does not fit, as lines do. */
static void put(struct replay *p, const struct buf *bytes)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < bytes->size) {
		n = write(p->fd, bytes->data + done, bytes->size - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < bytes->size && !p->link)
		hang_up(p);
}

static void print_unknown(const struct replay *p, size_t size)
{
	fputs("not in the recording:", stderr);
	for (size_t i = 0; i < size; i++)
		fprintf(stderr, " %02x", p->input.data[i]);
	fputc('\n', stderr);
}

static void answer(struct replay *p)
{
	_cleanup_buf_ struct buf bytes = { 0 };
	size_t size = 0;
	int outcome = SCRIPT_ANSWER;

	while (p->input.size > 0 && outcome > SCRIPT_MORE) {
		outcome = script_take(&p->script, span_of(p->input.data, p->input.size), &bytes,
				      &size);
		if (outcome <= SCRIPT_MORE)
			break;
		if (outcome == SCRIPT_UNKNOWN)
			print_unknown(p, size);
		memmove(p->input.data, p->input.data + size, p->input.size - size);
		p->input.size -= size;
	}
	put(p, &bytes);
}

static int on_bytes(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct replay *p = userdata;
	uint8_t bytes[CHUNK];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A stream's peer has nothing to say. */
	if (n > 0 && p->script.n_exchanges == 0)
		return 0;
	/* A line that is full of what nobody understands begins anew; its other end stays. */
	if (p->link && n > 0 && p->input.size + (size_t)n > SCRIPT_REQUEST_MAX)
		p->input.size = 0;
	if (n <= 0 || p->input.size + (size_t)n > SCRIPT_REQUEST_MAX ||
	    buf_append(&p->input, bytes, (size_t)n) < 0)
		hang_up(p);
	else
		answer(p);
	return 0;
}

/* ---- what speaks by itself ---- */

static void speak(struct timer *timer, void *userdata)
{
	struct replay *p = userdata;
	const struct script *s = &p->script;

	put(p, &s->words[p->word].bytes);
	if (p->fd < 0)
		return;
	if (++p->word == s->n_words) {
		p->word = 0;
		p->begin_usec = clock_monotonic_usec() + PAUSE_USEC;
	}
	timer_arm(timer, p->begin_usec + s->words[p->word].usec);
}

static int begin(struct replay *p, int fd)
{
	int r;

	hang_up(p);
	p->fd = fd;
	r = sd_event_add_io(p->event, &p->source, fd, EPOLLIN, on_bytes, p);
	if (r < 0 || p->script.n_words == 0)
		return r;
	p->word = 0;
	p->begin_usec = clock_monotonic_usec();
	return timer_arm(&p->timer, p->begin_usec);
}

/* ---- places ---- */

static int on_peer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	/* One at a time, as a line: whoever comes is the one. */
	return peer < 0 ? 0 : begin(userdata, peer);
}

static int bind_to(struct replay *p, const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int on = 1, r = 0;

	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -EINVAL;
	p->listening = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->listening < 0 ||
	    setsockopt(p->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(p->listening, found->ai_addr, found->ai_addrlen) < 0 ||
	    listen(p->listening, 4) < 0)
		r = -errno;
	freeaddrinfo(found);
	return r;
}

/* For whoever waits for it; at once. */
static void tell_place(const struct replay *p, const char *host, const char *port)
{
	if (p->json)
		document_print_line(json_pack("{s:n, s:s, s:s}", "pty", "host", host, "port", port));
	else
		printf("listening on %s port %s\n", host, port);
	fflush(stdout);
}

static void tell_link(const struct replay *p, const char *link)
{
	if (p->json)
		document_print_line(json_pack("{s:o, s:n, s:n}", "pty", document_any_text(link),
					      "host", "port"));
	else
		printf("%s is there\n", link);
	fflush(stdout);
}

static void print_place(const struct replay *p)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getsockname(p->listening, (struct sockaddr *)&address, &size) == 0 &&
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		tell_place(p, host, port);
}

/* "127.0.0.1:1502", "[::1]:0" */
static int open_tcp(struct replay *p, const char *place)
{
	const char *colon = strrchr(place, ':');
	_cleanup_free_ char *host = NULL;
	bool brackets = *place == '[' && colon > place + 1 && colon[-1] == ']';
	int r;

	if (!colon)
		return complain(place, -EINVAL);
	host = strndup(place + brackets, (size_t)(colon - place) - 2 * brackets);
	r = host ? bind_to(p, host, colon + 1) : -ENOMEM;
	if (r >= 0)
		r = sd_event_add_io(p->event, NULL, p->listening, EPOLLIN, on_peer, p);
	if (r < 0)
		return complain(place, r);
	print_place(p);
	return 0;
}

/* Raw, and held open: programs that use it come and go. */
static int open_slave(struct replay *p, int master, const char *link)
{
	struct termios t;
	char name[64];

	if (grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return -errno;
	p->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->slave < 0 || tcgetattr(p->slave, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	if (tcsetattr(p->slave, TCSANOW, &t) < 0 || symlink(name, link) < 0)
		return -errno;
	p->link = link;
	tell_link(p, link);
	return 0;
}

static int open_pty(struct replay *p, const char *link)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), r;

	if (master < 0)
		return complain(link, -errno);
	r = open_slave(p, master, link);
	if (r < 0) {
		close(master);
		return complain(link, r);
	}
	return begin(p, master);
}

/* ---- the command ---- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)info;
	(void)userdata;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int add_signals(struct replay *p)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(p->event, NULL, SIGTERM, on_signal, NULL);
	return r < 0 ? r : sd_event_add_signal(p->event, NULL, SIGINT, on_signal, NULL);
}

static int play(struct replay *p, const struct invocation *i)
{
	const char *link = option_find(i, "pty"), *place = option_find(i, "tcp");
	int r = sd_event_new(&p->event);

	if (r >= 0)
		r = timers_new(p->event, &p->timers);
	if (r >= 0)
		r = add_signals(p);
	if (r < 0)
		return complain("replay", r);
	timer_init(&p->timer, p->timers, speak, p);
	r = link ? open_pty(p, link) : open_tcp(p, place);
	return r < 0 ? r : sd_event_loop(p->event);
}

static void replay_done(struct replay *p)
{
	if (p->timers)
		hang_up(p);
	if (p->link)
		unlink(p->link);
	if (p->listening >= 0)
		close(p->listening);
	if (p->slave >= 0)
		close(p->slave);
	buf_done(&p->input);
	script_done(&p->script);
	timers_free(p->timers);
	sd_event_unref(p->event);
}

static int run(const struct invocation *i)
{
	struct replay p = { .listening = -1, .fd = -1, .slave = -1, .json = i->json };
	int r;

	if (!option_find(i, "pty") == !option_find(i, "tcp")) {
		fputs("fieldwayctl: replay FILE --pty LINK, or replay FILE --tcp HOST:PORT\n",
		      stderr);
		return EXIT_USAGE;
	}
	r = read_script(i, &p.script);
	if (r >= 0)
		r = play(&p, i);
	replay_done(&p);
	return exit_status(r);
}

static const struct command_option options[] = {
	{ "pty", "LINK", "be a serial port; LINK must not exist, and points to it meanwhile" },
	{ "tcp", "HOST:PORT", "or listen there; port 0 takes a free one" },
	{ "line", "NAME", "which port or connection of the recording, if it has several" },
	{ 0 },
};

const struct command command_replay = {
	.name = "replay",
	.arguments = "FILE",
	.help = "plays the devices of a recording, for fieldwayd to be pointed at",
	.details =
		"FILE is of 'fieldwayctl record'. Each request that was recorded gets the answers that\n"
		"it got then, in turn, over and over; of Modbus TCP with the transaction of whoever\n"
		"asks. What is not in the recording is not answered, and told on standard error.\n"
		"Where nothing was sent, what came is sent again at its times, over and over. Ends\n"
		"with SIGINT or SIGTERM.\n",
	.least = 1,
	.most = 1,
	.options = options,
	.completes = "file",
	.run = run,
};
