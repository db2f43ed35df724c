/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MBAP_BYTES 7

uint64_t simulator_now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* "[::1]:0", "127.0.0.1:502": the last colon parts them. */
static int resolve_place(const char *place, struct addrinfo **ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	char host[64];
	const char *colon = strrchr(place, ':');
	size_t size = colon ? (size_t)(colon - place) : 0;

	if (size >= 2 && place[0] == '[' && place[size - 1] == ']') {
		place++;
		size -= 2;
	}
	if (!colon || size == 0 || size >= sizeof(host))
		return -EINVAL;
	memcpy(host, place, size);
	host[size] = '\0';
	return getaddrinfo(host, colon + 1, &hints, ret) == 0 ? 0 : -EINVAL;
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
		return 0;
	return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port :
					       ((struct sockaddr_in *)&a)->sin_port);
}

static void set_port(struct addrinfo *a, uint16_t port)
{
	if (a->ai_family == AF_INET6)
		((struct sockaddr_in6 *)a->ai_addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a->ai_addr)->sin_port = htons(port);
}

static int open_tcp(struct simulator *s)
{
	struct addrinfo *a;
	int fd, r, on = 1;

	r = resolve_place(s->place, &a);
	if (r < 0)
		return r;
	if (s->port) /* the one that port 0 became when it was opened first */
		set_port(a, s->port);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, SIMULATOR_CLIENTS) < 0)
		r = -errno;
	freeaddrinfo(a);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	s->listener = fd;
	s->port = bound_port(fd);
	return 0;
}

static int client_add(struct simulator *s, int fd)
{
	for (size_t i = 0; i < SIMULATOR_CLIENTS; i++) {
		struct simulator_client *c = &s->clients[i];

		if (c->modbus)
			continue;
		*c = (struct simulator_client){ .fd = fd, .number = s->connections };
		if (s->certificates && simulator_tls_new(s, fd, &c->tls) < 0)
			return -EPROTO;
		c->modbus = modbus_new_tcp(NULL, 502);
		if (!c->modbus)
			return -ENOMEM;
		/* libmodbus sleeps this long before some exceptions. */
		modbus_set_response_timeout(c->modbus, 0, 1000);
		return 0;
	}
	return -EMFILE;
}

static void client_drop(struct simulator_client *c)
{
	if (!c->modbus)
		return;
	simulator_tls_free(c->tls);
	close(c->fd);
	modbus_free(c->modbus);
	*c = (struct simulator_client){ 0 };
}

static int open_serial(struct simulator *s)
{
	struct termios raw = { .c_cflag = CS8 | CREAD | CLOCAL };
	char path[128];
	int master, slave, r;

	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	if (openpty(&master, &slave, path, &raw, NULL) < 0)
		return -errno;
	unlink(s->place);
	r = symlink(path, s->place) < 0 ? -errno : client_add(s, master);
	if (r < 0) {
		close(master);
		close(slave);
		return r;
	}
	s->pty_slave = slave;
	return 0;
}

int simulator_open(struct simulator *s)
{
	s->listener = s->pty_slave = -1;
	return s->serial ? open_serial(s) : open_tcp(s);
}

void simulator_close(struct simulator *s)
{
	for (size_t i = 0; i < SIMULATOR_CLIENTS; i++)
		client_drop(&s->clients[i]);
	if (s->listener >= 0)
		close(s->listener);
	if (s->pty_slave >= 0)
		close(s->pty_slave);
	if (s->serial)
		unlink(s->place);
	s->listener = s->pty_slave = -1;
}

int simulator_cut(struct simulator *s)
{
	if (s->serial) {
		simulator_close(s);
		return simulator_open(s);
	}
	for (size_t i = 0; i < SIMULATOR_CLIENTS; i++)
		client_drop(&s->clients[i]);
	return 0;
}

void simulator_single(struct simulator *s)
{
	struct simulator_client *c = s->clients;

	s->single = true;
	for (; c < s->clients + SIMULATOR_CLIENTS; c++)
		if (c->modbus && c->number != s->connections)
			client_drop(c);
}

static bool any_client(const struct simulator *s)
{
	for (size_t i = 0; i < SIMULATOR_CLIENTS; i++)
		if (s->clients[i].modbus)
			return true;
	return false;
}

void simulator_accept(struct simulator *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		s->connections++;
	if (fd >= 0 && ((s->single && any_client(s)) || client_add(s, fd) < 0))
		close(fd);
}

static void trace_request(const struct simulator *s, const struct simulator_client *c)
{
	int header = modbus_get_header_length(c->modbus);

	printf("trace %u unit %d function %d data", s->index, c->request[header - 1], c->request[header]);
	for (int i = header + 1; i < c->size; i++)
		printf(" %02x", c->request[i]);
	printf("\n");
	fflush(stdout);
}

bool simulator_fault_is_for(const struct simulator *s, const struct simulator_client *c)
{
	const uint8_t *pdu = c->request + modbus_get_header_length(c->modbus);

	return (s->only == 0 || (s->only > 0 ? pdu[-1] == s->only : pdu[-1] != -s->only)) &&
	       (s->only_address < 0 || (pdu[1] << 8 | pdu[2]) == s->only_address);
}

/* What comes of a request before it is answered; true when nothing is left to be done. */
static bool request_is_lost(struct simulator *s, struct simulator_client *c)
{
	if (!simulator_fault_is_for(s, c))
		return false;
	if (s->hangup) {
		s->hangup = false;
		c->size = 0;
		simulator_cut(s);
		return true;
	}
	if (s->silent)
		c->size = 0;
	return s->silent;
}

static void measure_pause(struct simulator *s)
{
	uint64_t pause = simulator_now_usec() - s->answered_usec;

	if (s->answered_usec && (s->pause_usec == 0 || pause < s->pause_usec))
		s->pause_usec = pause;
}

static void request_taken(struct simulator *s, struct simulator_client *c)
{
	measure_pause(s);
	s->requests++;
	if (s->trace)
		trace_request(s, c);
	c->due_usec = simulator_now_usec();
	if (request_is_lost(s, c))
		return;
	if (simulator_fault_is_for(s, c))
		c->due_usec += s->delay_usec;
	if (c->due_usec <= simulator_now_usec())
		simulator_answer(s, c);
}

/* Requests in what has come, as long as none waits for its answer. */
static void take_requests(struct simulator *s, struct simulator_client *c)
{
	while (c->modbus && c->size == 0 && c->n_rest == 0 && c->n_input > 0) {
		int n = simulator_frame_take(s->framing, c->input, c->n_input, c->request, &c->size);

		if (n == 0)
			return;
		if (n < 0 && s->framing == SIMULATOR_MBAP) {
			client_drop(c);
			return;
		}
		if (n < 0) {
			c->n_input = 0;
			return;
		}
		c->n_input -= (size_t)n;
		memmove(c->input, c->input + n, c->n_input);
		/* On a line of its own it is one unit of several, or all of them. */
		if (s->serial && s->unit != 0 && c->request[6] != s->unit && c->request[6] != 0)
			c->size = 0;
		else
			request_taken(s, c);
	}
}

static ssize_t client_read(struct simulator_client *c, uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (c->tls)
		return simulator_tls_read(c->tls, bytes, size);
	n = read(c->fd, bytes, size);
	return n < 0 ? -errno : n;
}

static void echo_back(const struct simulator *s, struct simulator_client *c, const uint8_t *bytes, size_t n)
{
	uint8_t back[sizeof(c->input)];

	memcpy(back, bytes, n);
	back[n - 1] ^= s->echo == ECHO_WRONG ? 0x10 : 0;
	if (s->echo != ECHO_NONE)
		(void)simulator_write(c, back, n);
}

void simulator_receive(struct simulator *s, struct simulator_client *c)
{
	uint8_t *end = c->input + c->n_input;
	ssize_t n = client_read(c, end, sizeof(c->input) - c->n_input);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		if (!s->serial)
			client_drop(c);
		return;
	}
	c->n_input += (size_t)n;
	echo_back(s, c, end, (size_t)n);
	take_requests(s, c);
}

static bool function_writes(int function)
{
	return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER ||
	       function == MODBUS_FC_WRITE_MULTIPLE_COILS || function == MODBUS_FC_WRITE_MULTIPLE_REGISTERS ||
	       function == MODBUS_FC_MASK_WRITE_REGISTER || function == MODBUS_FC_WRITE_AND_READ_REGISTERS;
}

int simulator_write(struct simulator_client *c, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (c->tls)
		return (int)simulator_tls_write(c->tls, bytes, size);
	n = write(c->fd, bytes, size);
	return n < 0 ? -errno : 0;
}

/* The same as over TCP: the header, what the request's function has no place for in libmodbus. */
static int reply_identification(const struct simulator *s, const struct simulator_client *c, uint8_t *ret)
{
	int n = simulator_identify(s, c->request + MBAP_BYTES, ret + MBAP_BYTES);

	memcpy(ret, c->request, MBAP_BYTES);
	if (n < 0) {
		ret[MBAP_BYTES] = c->request[MBAP_BYTES] | 0x80;
		ret[MBAP_BYTES + 1] = (uint8_t)-n;
		n = 2;
	}
	ret[4] = 0;
	ret[5] = (uint8_t)(n + 1);
	return MBAP_BYTES + n;
}

/* libmodbus writes its answer into a socket of ours instead of the line. */
int simulator_reply(struct simulator *s, struct simulator_client *c, int size, uint8_t *ret)
{
	bool refused = (s->exception || s->garble) && simulator_fault_is_for(s, c);
	int ends[2], r;

	if (!refused && c->request[MBAP_BYTES] == FUNCTION_IDENTIFY)
		return reply_identification(s, c, ret);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -errno;
	modbus_set_socket(c->modbus, ends[0]);
	if (refused)
		r = modbus_reply_exception(c->modbus, c->request, s->exception ? s->exception : 2);
	else
		r = modbus_reply(c->modbus, c->request, size, s->map);
	if (r >= 0 && !refused && function_writes(c->request[modbus_get_header_length(c->modbus)]))
		simulator_map_written(s);
	modbus_set_socket(c->modbus, -1);
	r = (int)read(ends[1], ret, MODBUS_MAX_ADU_LENGTH);
	close(ends[0]);
	close(ends[1]);
	return r > 0 ? r : -EIO;
}

/* A wrong checksum, or transaction id. */
static const struct simulator_fault *fault_of(const struct simulator *s)
{
	if (s->garble)
		return simulator_fault_find(s->framing == SIMULATOR_MBAP ? "transaction" : "crc");
	return s->exception ? NULL : s->fault;
}

/* Nobody answers what is said to everybody. */
static bool is_broadcast(const struct simulator *s, const struct simulator_client *c)
{
	return s->framing != SIMULATOR_MBAP && c->request[MBAP_BYTES - 1] == 0;
}

static void send_answer(struct simulator *s, struct simulator_client *c, int size)
{
	const struct simulator_fault *fault = simulator_fault_is_for(s, c) ? fault_of(s) : NULL;
	uint8_t answer[MODBUS_MAX_ADU_LENGTH], frame[SIMULATOR_FRAME_MAX];
	int n = simulator_reply(s, c, size, answer);

	if (n < 0 || is_broadcast(s, c))
		return;
	if (fault)
		simulator_answer_spoilt(s, c, fault, answer, n);
	else
		(void)simulator_write(c, frame, simulator_frame_make(s->framing, answer, n, frame));
}

void simulator_answer(struct simulator *s, struct simulator_client *c)
{
	int size = c->size;

	c->size = 0;
	s->answered_usec = simulator_now_usec();
	simulator_map_move(s);
	if (s->raw_size && simulator_fault_is_for(s, c)) {
		(void)simulator_write(c, s->raw, (size_t)s->raw_size);
		s->raw_size = 0;
	} else {
		send_answer(s, c, size);
	}
	take_requests(s, c);
}

void simulator_send_rest(struct simulator *s, struct simulator_client *c)
{
	size_t n = c->n_rest;

	c->n_rest = 0;
	(void)simulator_write(c, c->rest, n);
	take_requests(s, c);
}
