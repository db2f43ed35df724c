/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

struct rig rig;
static uint8_t datagram[2048];
static size_t datagram_size;

/* Real time: the clock of base moves in these tests. */
uint64_t rig_start(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void rig_check_patience(uint64_t start_usec)
{
	ck_assert_msg(rig_start() - start_usec < RIG_PATIENCE_USEC, "waited in vain");
}

void rig_turn(void)
{
	ck_assert_int_ge(sd_event_run(rig.event, 2 * USEC_PER_MSEC), 0);
}

void rig_advance(uint64_t usec)
{
	clock_advance(usec);
	timers_run(rig.timers);
}

/* ---- what the session's user sees ---- */

static void on_event(void *userdata, enum session_event event, int error, int alert)
{
	switch (event) {
	case SESSION_NEW_CONTEXT:
		rig.n_new++;
		break;
	case SESSION_RESUMED:
		rig.n_resumed++;
		break;
	case SESSION_FAILED:
		rig.n_failed++;
		rig.error = error;
		rig.alert = alert;
		break;
	}
}

static void path_text(const struct message *m, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < m->n_path; i++)
		n += (size_t)snprintf(ret + n, size - n, "/%.*s", (int)m->path[i].n, (const char *)m->path[i].p);
}

bool message_is_path(const struct message *m, const char *path)
{
	char text[256];

	path_text(m, text, sizeof(text));
	return strcmp(text, path) == 0;
}

static uint8_t on_body(void *userdata, const struct message *first, struct body_sink **ret)
{
	return rig.body ? rig.body(first, ret) : 0;
}

static void on_request(void *userdata, struct exchange *e, const struct message *request)
{
	struct message m;

	ck_assert_uint_lt(rig.n_requests, RIG_REQUESTS_MAX);
	path_text(request, rig.request_path, sizeof(rig.request_path));
	rig.request_body.size = 0;
	ck_assert_int_eq(buf_append(&rig.request_body, request->payload.p, request->payload.n), 0);
	rig.streamed = request->streamed;
	rig.held[rig.n_requests++] = rig.hold ? e : NULL;
	if (rig.hold)
		return;
	if (rig.ignore) {
		exchange_ignore(e);
		return;
	}
	message_init(&m, MESSAGE_ACK, rig.respond_code);
	m.payload = rig.respond_payload;
	m.observe = rig.respond_observe;
	exchange_respond(e, &m, rig_acked, NULL);
}

static void on_reset(void *userdata, const uint8_t *token, uint8_t token_size)
{
	rig.n_resets++;
	memcpy(rig.reset_token, token, token_size);
}

static void on_repeat(void *userdata, struct call *call)
{
	rig.n_repeats++;
	if (rig.newer)
		ck_assert_int_eq(call_supersede(call, rig.newer), 0);
}

const struct session_ops rig_ops = {
	.event = on_event,
	.request = on_request,
	.body = on_body,
	.reset = on_reset,
	.repeat = on_repeat,
};

void rig_ended(void *userdata, int error, const struct message *response)
{
	rig.n_ended++;
	rig.ended_error = error;
	rig.ended_code = 0;
	rig.ended_body.size = 0;
	if (!response)
		return;
	rig.ended_code = response->code;
	path_text(response, rig.ended_path, sizeof(rig.ended_path));
	ck_assert_int_eq(buf_append(&rig.ended_body, response->payload.p, response->payload.n), 0);
}

void rig_acked(void *userdata, int error)
{
	rig.n_acked++;
	rig.acked_error = error;
}

static int get_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	*ret_key = (uint8_t *)strdup("secret");
	*ret_size = 6;
	return *ret_key ? 0 : -ENOMEM;
}

/* ---- life ---- */

static void open_peer(int family)
{
	struct address address = { .v4 = { .sin_family = AF_INET } };
	socklen_t n = sizeof(address);

	if (family == AF_INET6)
		ck_assert_int_eq(address_parse("::1", &address), 0);
	else
		ck_assert_int_eq(address_parse("127.0.0.1", &address), 0);
	rig.fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(rig.fd, 0);
	ck_assert_int_eq(bind(rig.fd, &address.any, address_size(&address)), 0);
	ck_assert_int_eq(getsockname(rig.fd, &address.any, &n), 0);
	rig.port = ntohs(family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

void rig_open_session(const char *host, enum session_security security)
{
	char copy[64];
	struct uri uri = { .scheme = security ? URI_COAPS : URI_COAP, .host = copy, .port = rig.port };
	struct session_config config = {
		.transport = rig.transport,
		.governor = rig.governor,
		.uri = &uri,
		.security = security,
		.psk_identity = "me",
		.psk = get_psk,
		.label = "test",
	};

	snprintf(copy, sizeof(copy), "%s", host);
	session_free(rig.session);
	ck_assert_int_eq(session_new(&config, &rig_ops, NULL, &rig.session), 0);
}

void rig_set_up(int family)
{
	rig = (struct rig){ .respond_code = CODE(2, 4), .respond_observe = -1 };
	ck_assert_int_eq(sd_event_new(&rig.event), 0);
	ck_assert_int_eq(timers_new(rig.event, &rig.timers), 0);
	ck_assert_int_eq(transport_new(rig.event, rig.timers, &rig.transport), 0);
	ck_assert_int_eq(governor_new(rig.transport, "server", &rig.governor), 0);
	open_peer(family);
	rig_open_session(family == AF_INET6 ? "::1" : "127.0.0.1", SESSION_SECURITY_NONE);
}

void rig_set_up_v4(void)
{
	rig_set_up(AF_INET);
}

void rig_tear_down(void)
{
	session_free(rig.session);
	governor_free(rig.governor);
	transport_free(rig.transport);
	timers_free(rig.timers);
	sd_event_unref(rig.event);
	close(rig.fd);
	buf_done(&rig.request_body);
	buf_done(&rig.ended_body);
}

/* ---- the peer ---- */

static bool try_receive(void)
{
	socklen_t n = sizeof(rig.session_address);
	ssize_t size = recvfrom(rig.fd, datagram, sizeof(datagram), 0, &rig.session_address.any, &n);

	datagram_size = size < 0 ? 0 : (size_t)size;
	return size >= 0;
}

void peer_receive(struct message *ret)
{
	rig_until(try_receive());
	ck_assert_int_eq(message_decode(datagram, datagram_size, ret), 0);
}

const void *peer_datagram(size_t *ret_size)
{
	*ret_size = datagram_size;
	return datagram;
}

void peer_expect_silence(void)
{
	/* Loopback delivers at once; two turns let timers that are due fire. */
	rig_turn();
	rig_turn();
	ck_assert_msg(!try_receive(), "unexpected datagram of %zu bytes, code %u", datagram_size, datagram[1]);
}

void peer_send_bytes(const void *data, size_t size)
{
	ck_assert_int_eq(sendto(rig.fd, data, size, 0, &rig.session_address.any,
				address_size(&rig.session_address)), (ssize_t)size);
}

void peer_send(const struct message *m)
{
	_cleanup_buf_ struct buf out = { 0 };

	ck_assert_int_eq(message_encode(m, &out), 0);
	peer_send_bytes(out.data, out.size);
}

void peer_empty(uint8_t type, uint16_t id)
{
	struct message m;

	message_init(&m, type, CODE_EMPTY);
	m.id = id;
	peer_send(&m);
}

void peer_request(struct message *m, uint8_t type, uint8_t code, uint16_t id, const char *path)
{
	message_init(m, type, code);
	m->id = id;
	m->token_size = 1;
	m->token[0] = 0x77;
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		m->path[m->n_path++] = span_of(path, n);
		path += n;
	}
}

void peer_answer(const struct message *request, uint8_t code)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	peer_send(&m);
}

/* ---- requests of the session ---- */

struct call *rig_post(const char *payload, size_t size, enum call_priority priority)
{
	struct message m;
	struct call *c;

	message_init(&m, MESSAGE_CON, CODE_POST);
	ck_assert_int_eq(message_add_path(&m, "rd"), 0);
	m.payload = span_of(payload, size);
	ck_assert_int_eq(session_request(rig.session, &m, priority, rig_ended, NULL, &c), 0);
	return c;
}

void rig_connect(void)
{
	struct message m;
	unsigned before = rig.n_ended;

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	peer_answer(&m, CODE(2, 1));
	rig_until(rig.n_ended == before + 1);
	ck_assert_int_eq(rig.ended_error, 0);
}

void rig_notification(struct message *m, uint8_t token, int32_t observe, const void *payload, size_t size)
{
	message_init(m, MESSAGE_NON, CODE(2, 5));
	m->token_size = 1;
	m->token[0] = token;
	m->observe = observe;
	m->payload = span_of(payload, size);
}
