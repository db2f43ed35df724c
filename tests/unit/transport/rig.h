/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/timer.h"
#include "transport/internal.h"

struct sd_event;

/*
 * One session under test, and what its user sees; the loop is turned by hand.
 * Every wait fails the test after RIG_PATIENCE_USEC of real time.
 */
#define RIG_PATIENCE_USEC (10 * USEC_PER_SEC)
#define RIG_REQUESTS_MAX 64

struct rig {
	struct sd_event *event;
	struct timers *timers;
	struct transport *transport;
	struct governor *governor;
	struct session *session;
	/* The peer: a plain socket. */
	int fd;
	struct address session_address;
	uint16_t port;
	/* Events. */
	unsigned n_new, n_resumed, n_failed;
	int error, alert;
	/* Requests: answered at once with respond_code unless hold is set. */
	bool hold, ignore;
	uint8_t respond_code;
	struct span respond_payload;
	int32_t respond_observe;
	unsigned n_requests;
	struct exchange *held[RIG_REQUESTS_MAX];
	struct buf request_body;
	char request_path[64];
	/* session_ops.body; NULL: none. Whoever had the body of the last request. */
	uint8_t (*body)(const struct message *first, struct body_sink **ret);
	struct body_sink *streamed;
	/* Resets. */
	unsigned n_resets;
	uint8_t reset_token[8];
	/* Notifications that go again; newer (NULL: none) supersedes them. */
	unsigned n_repeats;
	const struct message *newer;
	/* Ends of calls and acknowledgements. */
	unsigned n_ended;
	int ended_error;
	uint8_t ended_code;
	struct buf ended_body;
	char ended_path[64];
	unsigned n_acked;
	int acked_error;
};

extern struct rig rig;

/* family AF_INET or AF_INET6; the peer listens on its loopback address. */
void rig_set_up(int family);
void rig_set_up_v4(void);
void rig_tear_down(void);
/* Sessions with security: identity "me", key "secret". */
void rig_open_session(const char *host, enum session_security security);

extern const struct session_ops rig_ops;
void rig_ended(void *userdata, int error, const struct message *response);
void rig_acked(void *userdata, int error);

void rig_turn(void); /* once around the loop, waiting a little */
uint64_t rig_start(void);
void rig_check_patience(uint64_t start_usec);
#define rig_until(condition)                              \
	do {                                              \
		uint64_t start_ = rig_start();            \
		while (!(condition)) {                    \
			rig_turn();                       \
			rig_check_patience(start_);       \
		}                                         \
	} while (0)
/* Moves the clock and fires what is due. */
void rig_advance(uint64_t usec);

/* The peer's side. Messages live until the next receive. */
void peer_receive(struct message *ret);
/* Nothing comes: what the session had to say is already there. */
void peer_expect_silence(void);
void peer_send(const struct message *m);
void peer_send_bytes(const void *data, size_t size);
void peer_empty(uint8_t type, uint16_t id);
/* "/a/b"; id as given, one byte of token. */
void peer_request(struct message *m, uint8_t type, uint8_t code, uint16_t id, const char *path);
void peer_answer(const struct message *request, uint8_t code);
const void *peer_datagram(size_t *ret_size); /* the last one received */

/* A request of the session, POST /rd. */
struct call *rig_post(const char *payload, size_t size, enum call_priority priority);
void rig_connect(void); /* by a request that the peer answers */
void rig_notification(struct message *m, uint8_t token, int32_t observe, const void *payload, size_t size);
bool message_is_path(const struct message *m, const char *path);
