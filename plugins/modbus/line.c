/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "line_state.h"
#include "lookup.h"
#include "plugins/lib/moment.h"
#include "socket.h"

/* A serial line that was quiet for so long is idle: adapters deliver in lumps up to 16 ms apart. */
#define IDLE_USEC UINT64_C(20000)
/* libmodbus takes no timeout of 0. */
#define SHORTEST_TIMEOUT_USEC UINT64_C(1000)

static bool line_is_connected(const struct fieldway_line *line)
{
	return modbus_get_socket(line->modbus) >= 0;
}

static void line_disconnect(struct fieldway_line *line)
{
	if (line_is_connected(line))
		modbus_close(line->modbus);
	modbus_set_socket(line->modbus, -1);
}

static int connect_addresses(struct fieldway_line *line, const struct addrinfo *addresses,
			     uint64_t deadline_usec)
{
	int fd = socket_connect(addresses, deadline_usec);

	if (fd < 0)
		return fd;
	modbus_set_socket(line->modbus, fd);
	return 0;
}

static int connect_serial(struct fieldway_line *line)
{
	if (modbus_connect(line->modbus) < 0)
		return errno ? -errno : -EIO;
	return descriptor_check(modbus_get_socket(line->modbus));
}

/* What went wrong while connecting says more than the errors of a request would. */
static int connect_failed(struct fieldway_line *line, int r, struct fieldway_result *result)
{
	line_disconnect(line);
	error_translate(-r, result);
	if (r == -EMFILE)
		snprintf(result->detail, sizeof(result->detail),
			 "descriptor above 1023, which libmodbus cannot use");
	else if (line->bus.serial)
		snprintf(result->detail, sizeof(result->detail), "cannot open %.120s: %.48s", line->bus.device,
			 strerror(-r));
	else
		snprintf(result->detail, sizeof(result->detail), "cannot connect to %.39s port %u: %.24s",
			 line->host, line->port, strerror(-r));
	return result->error;
}

static int lookup_failed(struct fieldway_line *line, int r, const char *why, struct fieldway_result *result)
{
	error_translate(-r, result);
	snprintf(result->detail, sizeof(result->detail), "cannot look up %.40s: %.38s", line->host,
		 r == -ETIMEDOUT ? "no answer in time" : why ? why : strerror(-r));
	return result->error;
}

static int connect_tcp(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	struct addrinfo *addresses;
	const char *why = NULL;
	int r;

	r = lookup_wait(line->lookup, deadline_usec, &addresses, &why);
	if (r < 0)
		return lookup_failed(line, r, why, result);
	r = connect_addresses(line, addresses, deadline_usec);
	freeaddrinfo(addresses);
	return r < 0 ? connect_failed(line, r, result) : 0;
}

static int line_connect(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	uint64_t own_deadline = moment_now_usec() + line->bus.timeout_usec;
	int r;

	if (deadline_usec > own_deadline)
		deadline_usec = own_deadline;
	if (!line->bus.serial)
		return connect_tcp(line, deadline_usec, result);
	r = connect_serial(line);
	return r < 0 ? connect_failed(line, r, result) : 0;
}

static modbus_t *context_new(const struct bus *bus)
{
	if (bus->serial)
		return modbus_new_rtu(bus->device, (int)bus->baud, bus->parity, bus->data_bits, bus->stop_bits);
	return modbus_new_tcp(NULL, DEFAULT_TCP_PORT); /* the connection is ours: see socket.h */
}

static struct fieldway_line *line_new(const struct fieldway_driver *first)
{
	struct fieldway_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->bus = first->bus;
	line->port = first->port;
	line->host = first->host ? strdup(first->host) : NULL;
	line->lookup = first->lookup ? lookup_ref(first->lookup) : NULL;
	line->modbus = context_new(&line->bus);
	if (!line->modbus || (first->host && !line->host)) {
		line_close(line);
		return NULL;
	}
	/* Else libmodbus reconnects by itself, sleeping, for ever, past every deadline. */
	modbus_set_error_recovery(line->modbus, MODBUS_ERROR_RECOVERY_NONE);
	/* No limit between bytes: the response timeout is then that of the whole answer. */
	modbus_set_byte_timeout(line->modbus, 0, 0);
	return line;
}

int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
	      struct fieldway_line **ret, struct fieldway_result *result)
{
	struct fieldway_line *line = line_new(first);
	int r;

	if (!line) {
		error_translate(ENOMEM, result);
		return -ENOMEM;
	}
	r = line_connect(line, UINT64_MAX, result);
	if (r < 0) {
		line_close(line);
		return r;
	}
	*ret = line;
	return 0;
}

void line_close(struct fieldway_line *line)
{
	if (!line)
		return;
	if (line->modbus) {
		line_disconnect(line);
		modbus_free(line->modbus);
	}
	lookup_unref(line->lookup);
	free(line->host);
	free(line);
}

/* fd is readable: where nothing can be read then, the port is gone. */
static int discard_input(int fd)
{
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return -ENODEV;
	while (n > 0)
		n = read(fd, bytes, sizeof(bytes));
	return 0;
}

/*
 * Throws away what arrives until then; once something has arrived, only until
 * the line is idle. Never longer than the deadline.
 */
static int drain_serial(int fd, uint64_t until_usec, uint64_t deadline_usec)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t end = until_usec < deadline_usec ? until_usec : deadline_usec;
		int r = poll(&p, 1, moment_poll_msec(end));

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0) {
			if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) || discard_input(fd) < 0)
				return -ENODEV;
			until_usec = moment_now_usec() + IDLE_USEC;
		}
		if (moment_now_usec() >= end && r == 0)
			return end < until_usec ? -ETIMEDOUT : 0;
		if (moment_now_usec() >= deadline_usec)
			return -ETIMEDOUT;
	}
}

static int prepare_serial(struct fieldway_line *line, uint8_t unit, uint64_t deadline_usec)
{
	uint64_t until = line->idle_usec;
	int r;

	if (!line_is_connected(line))
		return -ENODEV;
	if (until < line->late_usec[unit])
		until = line->late_usec[unit];
	r = drain_serial(modbus_get_socket(line->modbus), until, deadline_usec);
	if (r < 0)
		return r;
	line->idle_usec = 0;
	line->late_usec[unit] = 0;
	return 0;
}

/* A device may close an idle connection at any time: nothing was sent, so that is no error. */
static int prepare_tcp(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	if (line_is_connected(line) && !socket_is_clean(modbus_get_socket(line->modbus)))
		line_disconnect(line);
	return line_is_connected(line) ? 0 : line_connect(line, deadline_usec, result);
}

static int set_timeout(struct fieldway_line *line, uint32_t wire_bytes, uint64_t deadline_usec,
		       struct fieldway_result *result)
{
	uint64_t now = moment_now_usec();
	uint64_t timeout = line->bus.timeout_usec + bus_wire_usec(&line->bus, wire_bytes);

	if (now + SHORTEST_TIMEOUT_USEC > deadline_usec) {
		error_translate(ETIMEDOUT, result);
		snprintf(result->detail, sizeof(result->detail), "deadline passed before it could be sent");
		return result->error;
	}
	if (timeout > deadline_usec - now)
		timeout = deadline_usec - now;
	if (timeout < SHORTEST_TIMEOUT_USEC)
		timeout = SHORTEST_TIMEOUT_USEC;
	modbus_set_response_timeout(line->modbus, (uint32_t)(timeout / 1000000), (uint32_t)(timeout % 1000000));
	return 0;
}

int line_prepare(struct fieldway_line *line, uint8_t unit, uint32_t wire_bytes, uint64_t deadline_usec,
		 struct fieldway_result *result, bool *ret_broken)
{
	int r;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	if (line->resume_usec > moment_now_usec())
		moment_wait_until(line->resume_usec < deadline_usec ? line->resume_usec : deadline_usec);
	if (line->bus.serial) {
		r = prepare_serial(line, unit, deadline_usec);
		if (r == -ETIMEDOUT)
			return set_timeout(line, wire_bytes, 0, result);
		if (r < 0)
			error_translate(-r, result);
	} else {
		r = prepare_tcp(line, deadline_usec, result);
	}
	if (r < 0) {
		*ret_broken = true;
		return result->error;
	}
	modbus_set_slave(line->modbus, unit);
	return set_timeout(line, wire_bytes, deadline_usec, result);
}

/* The answer that did not come in time may come as late again; then it is thrown away. */
static void settle_serial(struct fieldway_line *line, uint8_t unit, enum fault fault, bool *ret_broken)
{
	uint64_t now = moment_now_usec();

	switch (fault) {
	case FAULT_NONE:
	case FAULT_EXCEPTION:
		return;
	case FAULT_SILENCE:
	case FAULT_FOREIGN:
		line->late_usec[unit] = now + line->bus.timeout_usec;
		line->idle_usec = now + IDLE_USEC;
		return;
	case FAULT_GARBLED:
		line->idle_usec = now + IDLE_USEC;
		return;
	case FAULT_LINE:
		*ret_broken = true;
		return;
	}
}

void line_settle(struct fieldway_line *line, uint8_t unit, int error, struct fieldway_result *result,
		 bool *ret_broken)
{
	enum fault fault = error ? error_translate(error, result) : FAULT_NONE;

	*ret_broken = false;
	line->resume_usec = moment_now_usec() + line->bus.pause_usec;
	if (line->bus.serial) {
		settle_serial(line, unit, fault, ret_broken);
		if (*ret_broken)
			result->error = -ENODEV;
	} else if (fault != FAULT_NONE && fault != FAULT_EXCEPTION) {
		/* A late answer dies with its connection; the next request makes a new one. */
		line_disconnect(line);
	}
}
