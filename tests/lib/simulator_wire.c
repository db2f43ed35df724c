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
		c->modbus = s->serial ? modbus_new_rtu("/dev/null", 115200, 'N', 8, 1) : modbus_new_tcp(NULL, 502);
		if (!c->modbus)
			return -ENOMEM;
		if (s->serial)
			modbus_set_slave(c->modbus, s->unit);
		modbus_set_socket(c->modbus, fd);
		/* libmodbus sleeps this long before some exceptions. */
		modbus_set_response_timeout(c->modbus, 0, 1000);
		c->fd = fd;
		c->size = 0;
		return 0;
	}
	return -EMFILE;
}

static void client_drop(struct simulator_client *c)
{
	if (!c->modbus)
		return;
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

void simulator_accept(struct simulator *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && client_add(s, fd) < 0)
		close(fd);
}

static void trace_request(const struct simulator *s, const struct simulator_client *c)
{
	int header = modbus_get_header_length(c->modbus);
	int end = c->size - (s->serial ? 2 : 0);

	printf("trace %u unit %d function %d data", s->index, c->request[header - 1], c->request[header]);
	for (int i = header + 1; i < end; i++)
		printf(" %02x", c->request[i]);
	printf("\n");
	fflush(stdout);
}

bool simulator_fault_is_for(const struct simulator *s, const struct simulator_client *c)
{
	const uint8_t *pdu = c->request + modbus_get_header_length(c->modbus);

	return (s->only == 0 || pdu[-1] == s->only) &&
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

void simulator_receive(struct simulator *s, struct simulator_client *c)
{
	int size = modbus_receive(c->modbus, c->request);

	/* libmodbus takes what follows a request to another unit for its answer; here none comes. */
	if (size == 0 && s->serial)
		(void)modbus_receive(c->modbus, c->request);
	if (size < 0 && s->serial)
		tcflush(c->fd, TCIFLUSH);
	else if (size < 0)
		client_drop(c);
	if (size <= 0) /* 0: for another unit */
		return;
	c->size = size;
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

static bool function_writes(int function)
{
	return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER ||
	       function == MODBUS_FC_WRITE_MULTIPLE_COILS || function == MODBUS_FC_WRITE_MULTIPLE_REGISTERS;
}

/* Answers with the right length and unit, but a checksum or transaction id that is wrong. */
static void answer_garbled(const struct simulator *s, const struct simulator_client *c)
{
	uint8_t serial[] = { (uint8_t)s->unit, 0x83, 2, 0xde, 0xad };
	uint8_t tcp[] = { (uint8_t)~c->request[0], c->request[1], 0, 0, 0, 3, c->request[6], 0x83, 2 };

	if (write(c->fd, s->serial ? serial : tcp, s->serial ? sizeof(serial) : sizeof(tcp)) < 0)
		return;
}

void simulator_reply(struct simulator *s, struct simulator_client *c, int size)
{
	int header = modbus_get_header_length(c->modbus);

	if (modbus_reply(c->modbus, c->request, size, s->map) >= 0 && function_writes(c->request[header]))
		simulator_map_written(s);
}

void simulator_answer(struct simulator *s, struct simulator_client *c)
{
	int size = c->size;

	c->size = 0;
	simulator_map_move(s);
	if (!simulator_fault_is_for(s, c)) {
		simulator_reply(s, c, size);
	} else if (s->raw_size) {
		if (write(c->fd, s->raw, (size_t)s->raw_size) < 0)
			return;
		s->raw_size = 0;
	} else if (s->garble) {
		answer_garbled(s, c);
	} else if (s->exception) {
		modbus_reply_exception(c->modbus, c->request, s->exception);
	} else if (s->fault) {
		simulator_answer_spoilt(s, c, size);
	} else {
		simulator_reply(s, c, size);
	}
}
