/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwm2m/client.h"
#include "tests/unit/transport/rig.h"

/*
 * One account over the transport's rig: the test is the server. Its store:
 *   /0/0       an account
 *   /1/0       lifetime 3600 s, and executables that ask the client
 *   /3/0       device: 0 "ACME", 4 executable, 11 with one instance
 *   /16/0      a portfolio that servers may write, create and delete
 *   /3303/0    5700 backed by the field, not read yet; /3303/1/5700 read: 21.5
 *   /3306/0    5850 backed by the field, its writes wait for account_field()
 *   /3341/0    5527 text, 5530 executable at the field
 */
struct account {
	struct definitions *definitions;
	struct store *store;
	struct client *client;
	struct resolver resolver;
	struct client_config config;
	/*
	 * Letters of the states that were entered: S(topped) g(registering)
	 * R(egistered) U(pdating) W(aiting) D(isabled) d(eregistering).
	 */
	char states[32];
	int error;
	unsigned n_attributes; /* client_ops.attributes */
	unsigned failed;       /* client_ops.failed */
	/* The field. */
	unsigned n_field;
	char field[64]; /* the last write or execute: "/3306/0/5850=1" */
	backing_done done;
	void *done_userdata;
};
extern struct account account;

void account_set_up(void); /* and opens it as 1.2 with fallback */
void account_tear_down(void);
/* A client of another version in place of the first. */
void account_open(enum lwm2m_version version, bool fixed);
void account_set(const char *path, struct value v); /* v is consumed */
void account_set_text(const char *path, const char *text);
void account_set_quality(const char *path, enum store_quality quality);
/* The field's answer to the last write or execute. */
void account_field(int error, const char *reason);
#define account_expect_states(text)                            \
	do {                                                   \
		ck_assert_str_eq(account.states, (text));      \
		account.states[0] = 0;                         \
	} while (0)

/* ---- the server ---- */

/* Answers a Register: 2.01, Location rd/1. */
void server_registers(const struct message *request);
/* Receives a Register and answers it. */
void account_register(void);
/* Receives an Update (no parameters, or as query and list say; NULL: absent) and answers 2.04. */
void server_expect_update(const char *query, bool list);
/* "ep=..&lt=.." of a received request. */
const char *message_queries(const struct message *m);
/* Receives a Register with these queries. */
void server_expect_register(struct message *m, const char *queries);
/* Fills a request; the id counts up, the token is its low byte. */
void server_request(struct message *m, uint8_t type, uint8_t code, const char *path);
/* Sends it and receives the piggybacked answer. */
void server_ask(const struct message *m, struct message *answer);
/* A whole exchange: returns the code, the payload goes to server_body. */
uint8_t server_get(const char *path, int32_t accept);
uint8_t server_put(const char *path, int32_t format, const void *body, size_t size);
uint8_t server_post(const char *path, int32_t format, const void *body, size_t size);
uint8_t server_delete(const char *path);
/* PUT without payload: "pmin=1&pmax=2". */
uint8_t server_attributes(const char *path, const char *queries);
/* Observe; returns the code, 0 when only an empty ACK came. token is one byte. */
uint8_t server_observe(const char *path, uint8_t token, int32_t accept);
/* Receives a notification of a token: its message; CON ones are acknowledged. */
void server_expect_notification(uint8_t token, const char *text, struct message *ret);
extern char server_body[2048]; /* text of the last answer */
extern size_t server_body_size;
extern int32_t server_format, server_observe_number;
