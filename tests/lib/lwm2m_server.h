/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <coap3/coap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An LwM2M server for the demo and the tests, on libcoap's sessions: independent
 * of agent/transport. tests/lib/lwm2m_server.md tells how to talk to the program.
 */

#define TOKEN_SIZE 8
/* What a server keeps of one client; more is refused. */
#define REQUESTS_MAX 256
#define OBSERVATIONS_MAX 1024

struct psk {
	struct psk *next;
	char *identity;
	coap_bin_const_t key;
	uint8_t bytes[64];
};

/* A registration; or who has asked for a bootstrap, of which only endpoint and session are kept. */
struct client {
	struct client *next;
	char *endpoint;
	unsigned location; /* /rd/N */
	coap_session_t *session; /* NULL: its connection has ended */
	bool secure;
	uint32_t lifetime_s; /* 0: for ever */
	uint64_t seen_usec;
	char *version, *binding;
	char *links;	/* as they were sent, NULL: none were */
	char *profiled; /* what profiles stand for, NULL: there are none */
};

struct profile {
	struct profile *next;
	char *id, *links;
};

enum request_kind {
	REQUEST_PLAIN,
	REQUEST_OBSERVE,
	REQUEST_CANCEL,
	REQUEST_FINISH, /* of a bootstrap */
};

struct request {
	struct request *next;
	char *id, *endpoint, *path;
	enum request_kind kind;
	uint8_t token[TOKEN_SIZE];
	uint64_t due_usec;
};

struct observation {
	struct observation *next;
	char *endpoint, *path;
	uint8_t token[TOKEN_SIZE];
	bool reset; /* the next notification is answered by RST */
};

/* What a client's message is answered with instead. */
struct fault {
	bool silent;      /* nothing, not even an acknowledgement */
	bool only_1_2;    /* holds for lwm2m=1.2 */
	unsigned code;    /* as CoAP has it: 0x84 is 4.04; 0: the true answer */
};

struct server {
	coap_context_t *context;
	struct psk *keys;
	struct client *clients, *bootstraps;
	struct request *requests;
	struct observation *observations;
	unsigned n_requests, n_observations, next_location;
	struct fault fault_register, fault_update, fault_deregister, fault_notify,
		fault_send, fault_bootstrap, fault_pack;
	char *refused; /* a Send with this in it is answered by 4.00; NULL: none is */
	struct profile *profiles;
	uint8_t *pack; /* NULL: there is none */
	size_t pack_size;
	long pack_format;
	bool mute; /* until libcoap has come back: nothing is sent */
};

/* main */
uint64_t now_usec(void);
void clock_step(unsigned long seconds);
void clock_hold(void); /* for good, but for steps */
/* Nothing is sent before libcoap's loop has come back: a message stays without its ACK. */
void server_mute(struct server *s);

/* psk: 0 or -errno; identity:hex, split at the last colon */
int psk_add(struct server *s, const char *text);
int psk_read(struct server *s, const char *file);
int psk_install(struct server *s);
const struct psk *psk_find(const struct server *s, const char *identity, size_t size);
void psk_free(struct server *s);

/* registration */
int registration_init(struct server *s);
struct client *client_find(struct server *s, const char *endpoint);
struct client *client_of_session(struct server *s, const coap_session_t *session);
void client_remove(struct server *s, struct client *c);
void clients_expire(struct server *s);
void clients_free(struct server *s);
void client_print(const char *event, const struct client *c);
void client_free(struct client *c);
void client_set_session(struct client *c, coap_session_t *session);
/* Answers by the code, and says so: refused WHAT EP code=. */
void client_refuse(const char *what, const char *endpoint, unsigned code, coap_pdu_t *response);
bool session_is_secure(const coap_session_t *session);
void print_identity(const coap_session_t *session);
/* With keys every endpoint is expected to use one, its own if the keys name it. */
bool security_fits(const struct server *s, const coap_session_t *session, const char *endpoint);
/* True when the true answer is not wanted. */
bool fault_apply(struct server *s, const struct fault *f, const char *version, coap_pdu_t *response);

/* profile */
int profile_add(struct server *s, const char *id, const char *links);
int profile_forget(struct server *s, const char *id); /* -ENOENT */
/* The lists of `a` or `"a,b"`, joined, NULL for none; links: what came beside them, or NULL. -ENOENT: unknown. */
int profiles_resolve(struct server *s, const char *ids, const char *links, char **ret);
void profiles_free(struct server *s);

/* bootstrap */
int bootstrap_init(struct server *s);
/* Who has asked and is not finished: he is asked on that connection. */
struct client *bootstrap_find(struct server *s, const char *endpoint);
void bootstrap_end(struct server *s, const char *endpoint);
/* What GET /bspack is answered with; hex NULL: 4.04 */
int bootstrap_pack(struct server *s, const char *format, const char *hex);
void bootstraps_free(struct server *s);

/* send */
int send_init(struct server *s);

/* requests: 0 or -errno, which the caller reports */
void requests_init(struct server *s);
int request_send(struct server *s, const char *id, const char *endpoint, const char *method,
		 char *target, char **words, int n);
int request_observe(struct server *s, const char *id, const char *endpoint, char *target,
		    char **words, int n);
int request_cancel(struct server *s, const char *id, const char *endpoint, const char *path);
int observation_reset(struct server *s, const char *endpoint, const char *token);
/* Ends what waits for an endpoint: failed ID REASON. */
void requests_fail(struct server *s, const char *endpoint, const char *reason);
void observations_drop(struct server *s, const char *endpoint);
void requests_expire(struct server *s);
void requests_free(struct server *s);

/* text */
void print_text(const void *text, size_t size); /* blanks, controls and % as %XX */
void print_hex(const void *data, size_t size);
void print_code(unsigned code);			/* 2.05 */
int parse_code(const char *text, unsigned *ret);
int parse_hex(const char *text, uint8_t *ret, size_t room, size_t *ret_size);
int parse_number(const char *text, unsigned long most, unsigned long *ret);
/* An option's value as text ("" when absent) or number (-1 when absent). */
long option_number(const coap_pdu_t *pdu, coap_option_num_t number);

/* commands: carries out one line */
void server_command(struct server *s, char *line);
