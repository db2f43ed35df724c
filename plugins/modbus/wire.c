/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/lib/moment.h"

void wire_init(struct fieldway_line *line)
{
	line->fd = -1;
	line->transport = line->bus.serial ? &transport_port :
			  line->bus.secure ? &transport_tls : &transport_tcp;
}

bool wire_is_open(const struct fieldway_line *line)
{
	return line->fd >= 0;
}

bool wire_rests(const struct fieldway_line *line)
{
	return line->fd < 0 && moment_now_usec() < line->reconnect_usec;
}

int wire_open(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	uint64_t now, own;
	int r;

	if (line->reconnect_usec > moment_now_usec())
		moment_wait_until(line->reconnect_usec < deadline_usec ? line->reconnect_usec : deadline_usec);
	if (wire_rests(line)) {
		error_translate(ETIMEDOUT, result);
		return result->error;
	}
	now = moment_now_usec();
	own = now + line->bus.timeout_usec;
	r = line->transport->open(line, own < deadline_usec ? own : deadline_usec, result);
	if (r < 0) {
		wire_close(line);
		return r;
	}
	line->n_bytes = 0;
	line->unheard = 0;
	line->used_usec = moment_now_usec();
	if (line->bus.connect_pause_usec)
		line->resume_usec = line->used_usec + line->bus.connect_pause_usec;
	return 0;
}

void wire_close(struct fieldway_line *line)
{
	if (line->fd >= 0)
		line->reconnect_usec = moment_now_usec() + line->bus.reconnect_pause_usec;
	line->transport->close(line);
	line->fd = -1;
	line->n_bytes = 0;
}

int wire_wait(int fd, short events, uint64_t until_usec)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do
		r = poll(&p, 1, moment_poll_msec(until_usec));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int wire_write(int fd, bool is_socket, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	while (size > 0) {
		ssize_t n = is_socket ? send(fd, bytes, size, MSG_NOSIGNAL) : write(fd, bytes, size);
		int r = n < 0 && errno != EINTR && errno != EAGAIN ? -errno : 0;

		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		} else if (r == 0) {
			r = wire_wait(fd, POLLOUT, deadline_usec);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void tell(const struct fieldway_line *line, enum fieldway_direction direction, const uint8_t *bytes,
		 size_t size)
{
	if (line->tap)
		line->tap->bytes(line->tap, direction, bytes, size);
}

int wire_send(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	tell(line, FIELDWAY_SENT, bytes, size);
	return line->transport->send(line, bytes, size, deadline_usec);
}

/* TLS has records that hold no bytes for us, and a peer may send them without end. */
ssize_t wire_receive(struct fieldway_line *line, uint8_t *bytes, size_t size, uint64_t until_usec)
{
	ssize_t n;

	do {
		if (!line->transport->pending || !line->transport->pending(line)) {
			int r = wire_wait(line->fd, POLLIN, until_usec);

			if (r < 0)
				return r;
		}
		n = line->transport->receive(line, bytes, size);
	} while (n == -EAGAIN && moment_now_usec() < until_usec);
	if (n == -EAGAIN)
		return -ETIMEDOUT;
	if (n > 0)
		tell(line, FIELDWAY_RECEIVED, bytes, (size_t)n);
	return n;
}
