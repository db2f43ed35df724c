/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>

#include "tests/bench/bench.h"

/*
 * handshake PRIORITY COUNT: what GnuTLS alone takes for the client's side of a
 * handshake, without sockets; both sides lie in this process.
 *   handshake_us  CPU of the client's side
 *   session_kb    heap of the client's side afterwards
 */

#define COUNT_MAX 10000u
#define QUEUE_MAX 16u
#define DATAGRAM_MAX 2048u
#define IDENTITY "urn:dev:ops:32473-gateway-endpoint"
#define KEY "fieldway-bench-1"

/* Datagrams on their way to one side. */
struct queue {
	uint8_t data[QUEUE_MAX][DATAGRAM_MAX];
	size_t size[QUEUE_MAX];
	unsigned first, n;
};

struct side {
	gnutls_session_t tls;
	struct queue *in, *out;
};

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t n)
{
	struct queue *q = ((struct side *)ptr)->out;
	unsigned at = (q->first + q->n) % QUEUE_MAX;

	need(q->n < QUEUE_MAX && n <= DATAGRAM_MAX, "queue");
	memcpy(q->data[at], data, n);
	q->size[at] = n;
	q->n++;
	return (ssize_t)n;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct side *side = ptr;
	struct queue *q = side->in;
	size_t n;

	if (q->n == 0) {
		gnutls_transport_set_errno(side->tls, EAGAIN);
		return -1;
	}
	n = q->size[q->first] < size ? q->size[q->first] : size;
	memcpy(data, q->data[q->first], n);
	q->first = (q->first + 1) % QUEUE_MAX;
	q->n--;
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	return ((struct side *)ptr)->in->n > 0;
}

static int on_server_psk(gnutls_session_t tls, const char *identity, gnutls_datum_t *ret)
{
	ret->data = gnutls_malloc(sizeof(KEY) - 1);
	need(ret->data != NULL, "key");
	memcpy(ret->data, KEY, sizeof(KEY) - 1);
	ret->size = sizeof(KEY) - 1;
	return 0;
}

static int on_client_psk(gnutls_session_t tls, char **identity, gnutls_datum_t *ret)
{
	*identity = gnutls_malloc(sizeof(IDENTITY));
	need(*identity != NULL, "identity");
	memcpy(*identity, IDENTITY, sizeof(IDENTITY));
	return on_server_psk(tls, NULL, ret);
}

static void open_side(struct side *side, unsigned flags, gnutls_priority_t priority, void *credentials)
{
	need(gnutls_init(&side->tls, flags | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) >= 0, "gnutls_init");
	gnutls_priority_set(side->tls, priority);
	gnutls_credentials_set(side->tls, GNUTLS_CRD_PSK, credentials);
	gnutls_transport_set_ptr(side->tls, side);
	gnutls_transport_set_push_function(side->tls, push);
	gnutls_transport_set_pull_function(side->tls, pull);
	gnutls_transport_set_pull_timeout_function(side->tls, pull_timeout);
}

/* True when it is done. */
static bool shake(struct side *side)
{
	int r = gnutls_handshake(side->tls);

	if (r < 0 && gnutls_error_is_fatal(r)) {
		fprintf(stderr, "handshake: %s\n", gnutls_strerror(r));
		exit(1);
	}
	return r == GNUTLS_E_SUCCESS;
}

struct both {
	gnutls_priority_t priority;
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
};

struct sums {
	uint64_t nsec;
	size_t heap;
};

static void connect_sides(struct both *both, struct side *client, struct side *server, struct sums *sums)
{
	bool client_done = false, server_done = false, opened = false;

	open_side(server, GNUTLS_SERVER, both->priority, both->server);
	while (!client_done || !server_done) {
		size_t heap = mallinfo2().uordblks;
		uint64_t begin = cpu_nsec();

		if (!opened)
			open_side(client, GNUTLS_CLIENT, both->priority, both->client);
		opened = true;
		if (!client_done)
			client_done = shake(client);
		sums->nsec += cpu_nsec() - begin;
		sums->heap += mallinfo2().uordblks - heap;
		if (!server_done)
			server_done = shake(server);
	}
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? argument(argv, 2, 1, COUNT_MAX) : 0;
	struct queue *queues = calloc(2, sizeof(*queues));
	struct side *sides = calloc(2 * count + 1, sizeof(*sides));
	struct both both;
	struct sums sums = { 0 };

	need(count > 0 && queues && sides && gnutls_priority_init(&both.priority, argv[1], NULL) >= 0 &&
		     gnutls_psk_allocate_client_credentials(&both.client) >= 0 &&
		     gnutls_psk_allocate_server_credentials(&both.server) >= 0,
	     "handshake PRIORITY COUNT");
	gnutls_psk_set_client_credentials_function(both.client, on_client_psk);
	gnutls_psk_set_server_credentials_function(both.server, on_server_psk);
	for (unsigned i = 0; i < count; i++) {
		struct side *client = &sides[2 * i], *server = client + 1;

		client->in = server->out = &queues[0];
		client->out = server->in = &queues[1];
		connect_sides(&both, client, server, &sums);
	}
	report("handshake_us", (double)sums.nsec / count / 1000);
	report("session_kb", (double)sums.heap / count / 1000);
	for (unsigned i = 0; i < 2 * count; i++)
		gnutls_deinit(sides[i].tls);
	gnutls_psk_free_client_credentials(both.client);
	gnutls_psk_free_server_credentials(both.server);
	gnutls_priority_deinit(both.priority);
	free(sides);
	free(queues);
	return 0;
}
