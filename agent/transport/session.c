/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "transport/internal.h"

struct session *session_ref(struct session *s)
{
	s->refs++;
	return s;
}

struct session *session_unref(struct session *s)
{
	if (!s || --s->refs > 0)
		return NULL;
	name_put(s->name);
	free(s->psk_identity);
	free(s);
	return NULL;
}

void session_kick(struct session *s)
{
	if (s->freed || !list_is_empty(&s->ready_node))
		return;
	list_append(&s->transport->ready, &s->ready_node);
	timer_arm_in(&s->transport->ready_timer, 0);
}

/* ---- sending ---- */

void session_proved_alive(struct session *s)
{
	s->alive_usec = clock_monotonic_usec();
	s->hint = 0;
}

uint16_t session_take_id(struct session *s)
{
	return s->next_id++;
}

void session_send(struct session *s, const struct buf *datagram)
{
	if (s->io.fd < 0)
		return;
	s->counters.sent_messages++;
	s->spoke_usec = clock_monotonic_usec();
	s->channel->send(s, datagram->data, datagram->size);
}

void session_send_empty(struct session *s, uint8_t type, uint16_t id)
{
	struct buf *out = &s->transport->out;
	struct message m;

	message_init(&m, type, CODE_EMPTY);
	m.id = id;
	out->size = 0;
	if (message_encode(&m, out) >= 0)
		session_send(s, out);
}

/* ---- the user's side ---- */

static int choose_channel(const struct session_config *config, const struct channel_ops **ret)
{
	bool secured = config->security == SESSION_SECURITY_PSK;

	switch (config->uri->scheme) {
	case URI_COAP:
	case URI_COAPS:
		*ret = secured ? &channel_dtls : &channel_udp;
		return 0;
	case URI_COAP_TCP:
	case URI_COAPS_TCP:
		return -EPROTONOSUPPORT;
	}
	return -EINVAL;
}

static void init_lists(struct session *s)
{
	list_init(&s->all_node);
	list_init(&s->ready_node);
	list_init(&s->calls);
	list_init(&s->ending);
	list_init(&s->exchanges);
	list_init(&s->answers);
	list_init(&s->assemblies);
	list_init(&s->snapshots);
}

static int copy_config(struct session *s, const struct session_config *config)
{
	s->transport = config->transport;
	s->governor = config->governor;
	s->label = config->label;
	s->port = config->uri->port;
	s->psk = config->psk;
	if (config->psk_identity) {
		s->psk_identity = strdup(config->psk_identity);
		if (!s->psk_identity)
			return -ENOMEM;
	}
	return name_get(s->transport->names, config->uri->host, &s->name);
}

int session_new(const struct session_config *config, const struct session_ops *ops, void *userdata,
		struct session **ret)
{
	const struct channel_ops *channel;
	struct session *s;
	int r;

	r = choose_channel(config, &channel);
	if (r < 0)
		return r;
	if (config->security == SESSION_SECURITY_PSK && (!config->psk || !config->psk_identity))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->io.fd = -1;
	s->channel = channel;
	s->ops = ops;
	s->userdata = userdata;
	init_lists(s);
	name_waiter_init(&s->waiter, session_on_resolved);
	ticket_init(&s->ticket, TICKET_REGISTRATION, session_on_admitted);
	r = copy_config(s, config);
	if (r < 0) {
		session_unref(s);
		return r;
	}
	list_append(&s->transport->sessions, &s->all_node);
	*ret = s;
	return 0;
}

struct session *session_free(struct session *s)
{
	if (!s)
		return NULL;
	session_input(s, SESSION_INPUT_DISCONNECT);
	s->freed = true;
	call_end_all(s, -ECANCELED);
	list_remove(&s->ready_node);
	list_remove(&s->all_node);
	session_forget_observations(s);
	return session_unref(s);
}

void session_disconnect(struct session *s)
{
	session_ref(s);
	session_input(s, SESSION_INPUT_DISCONNECT);
	call_end_all(s, -ECANCELED);
	session_unref(s);
}

uint64_t session_alive_usec(const struct session *s)
{
	return s->alive_usec;
}

uint64_t session_spoke_usec(const struct session *s)
{
	return s->spoke_usec;
}

int session_local_address(const struct session *s, char *ret, size_t size)
{
	struct address address;
	socklen_t n = sizeof(address);

	if (s->io.fd < 0 || getsockname(s->io.fd, &address.any, &n) < 0)
		return -ENOTCONN;
	address_format(&address, ret, size);
	return 0;
}

static void count(struct session *s, size_t n, uint64_t *bytes, uint64_t *ip_bytes)
{
	*bytes += n;
	*ip_bytes += n + s->headers;
	s->counters.datagrams++;
	s->counters.largest = MAX(s->counters.largest, (uint32_t)n);
}

void session_count_sent(struct session *s, size_t n)
{
	count(s, n, &s->counters.sent_bytes, &s->counters.sent_ip_bytes);
}

void session_count_received(struct session *s, size_t n)
{
	count(s, n, &s->counters.received_bytes, &s->counters.received_ip_bytes);
}

void session_forget_largest(struct session *s)
{
	s->counters.largest = 0;
}

const struct session_counters *session_counters(const struct session *s)
{
	return &s->counters;
}
