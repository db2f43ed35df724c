/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/lib/lookup.h"
#include "secure.h"
#include "socket.h"
#include "wire.h"

/* What went wrong while connecting says more than the errors of a request would. */
static int connect_failed(struct fieldway_line *line, int r, const char *why, struct fieldway_result *result)
{
	error_translate(-r, result);
	snprintf(result->detail, sizeof(result->detail), "cannot connect to %.39s port %u: %.24s", line->host,
		 line->port, why ? why : strerror(-r));
	return result->error;
}

static int lookup_failed(struct fieldway_line *line, int r, const char *why, struct fieldway_result *result)
{
	error_translate(-r, result);
	snprintf(result->detail, sizeof(result->detail), "cannot look up %.40s: %.38s", line->host,
		 r == -ETIMEDOUT ? "no answer in time" : why ? why : strerror(-r));
	return result->error;
}

static int connection_open(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	struct addrinfo *addresses;
	const char *why = NULL;
	int r;

	r = lookup_wait(line->lookup, deadline_usec, &addresses, &why);
	if (r < 0)
		return lookup_failed(line, r, why, result);
	r = socket_connect(addresses, line->bus.keepalive_usec, deadline_usec);
	freeaddrinfo(addresses);
	if (r < 0)
		return connect_failed(line, r, NULL, result);
	line->fd = r;
	return 0;
}

static void connection_close(struct fieldway_line *line)
{
	if (line->fd >= 0)
		close(line->fd);
}

static int connection_send(struct fieldway_line *line, const uint8_t *bytes, size_t size,
			   uint64_t deadline_usec)
{
	return wire_write(line->fd, true, bytes, size, deadline_usec);
}

static ssize_t connection_receive(struct fieldway_line *line, uint8_t *bytes, size_t size)
{
	ssize_t n = recv(line->fd, bytes, size, MSG_DONTWAIT);

	if (n > 0)
		return n;
	/* ETIMEDOUT: probes were not answered, and the connection is no more. */
	if (n == 0 || errno == ETIMEDOUT)
		return -ECONNRESET;
	return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

const struct transport transport_tcp = {
	.open = connection_open,
	.close = connection_close,
	.send = connection_send,
	.receive = connection_receive,
};

/* ---- with TLS ---- */

/* The name that the certificate has to have: where none is given, the device's host. */
static const char *server_name(const struct fieldway_line *line, char *room, size_t size)
{
	const struct fieldway_value *name = line->bus.tls.server_name;

	if (!name || name->size == 0)
		return line->host;
	snprintf(room, size, "%.*s", (int)name->size, name->data);
	return room;
}

static int tls_open(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	char name[256], why[160];
	int r = connection_open(line, deadline_usec, result);

	if (r < 0)
		return r;
	r = secure_open(&line->bus.tls, line->fd, server_name(line, name, sizeof(name)), deadline_usec,
			&line->secure, why, sizeof(why));
	if (r >= 0)
		return 0;
	error_translate(-r, result);
	/* The reason is what counts; the bus and the device are told by whoever shows it. */
	snprintf(result->detail, sizeof(result->detail), "TLS: %.160s", why);
	return result->error;
}

static void tls_close(struct fieldway_line *line)
{
	line->secure = secure_close(line->secure);
	connection_close(line);
}

static int tls_send(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	return secure_send(line->secure, bytes, size, deadline_usec);
}

static ssize_t tls_receive(struct fieldway_line *line, uint8_t *bytes, size_t size)
{
	return secure_receive(line->secure, bytes, size);
}

static bool tls_pending(const struct fieldway_line *line)
{
	return secure_pending(line->secure);
}

const struct transport transport_tls = {
	.open = tls_open,
	.close = tls_close,
	.send = tls_send,
	.receive = tls_receive,
	.pending = tls_pending,
};
