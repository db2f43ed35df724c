/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>

#include "transport/internal.h"

/* Datagrams in the clear over a connected socket. */

static int udp_start(struct session *s)
{
	return 1;
}

static void udp_send(struct session *s, const void *data, size_t size)
{
	ssize_t n = send(s->io.fd, data, size, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		session_hint(s, -errno);
	else if (n > 0)
		session_count_sent(s, (size_t)n);
}

static void udp_readable(struct session *s)
{
	uint8_t *in = s->transport->in;

	/* The loop calls again as long as there is more: one datagram a turn is fair and costs no extra call. */
	ssize_t n = recv(s->io.fd, in, DATAGRAM_MAX, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			session_hint(s, -errno);
		return;
	}
	session_count_received(s, (size_t)n);
	session_received(s, in, (size_t)n);
}

static void udp_stop(struct session *s, bool goodbye)
{
}

static void udp_forget(struct session *s)
{
}

const struct channel_ops channel_udp = {
	.start = udp_start,
	.send = udp_send,
	.readable = udp_readable,
	.stop = udp_stop,
	.forget = udp_forget,
};
