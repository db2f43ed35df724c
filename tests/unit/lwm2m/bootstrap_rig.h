/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>

#include "base/clock.h"
#include "lwm2m/bootstrap/bootstrap.h"
#include "transport/message.h"

/* One endpoint over the transport's rig: the test is its bootstrap server. */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define ACCOUNT "/0/1/0 coap://127.0.0.1\n/0/1/1 1\n/0/1/2 3\n"
#define LIVE ACCOUNT "/1\n/3/0/0 ACME\n/16/0/0/0 host\n"

extern struct bootstrapped {
	struct definitions *definitions;
	struct store *live;
	struct bootstrap *bootstrap;
	struct bootstrap_config config;
	char *before;
	/* Letters of the states: I(dle) h(olding) p(acking) r(equesting) O(pen) T(aking) W(aiting). */
	char states[32];
	int error;
	unsigned n_taken, n_complete, n_expired;
	int take_error; /* for the next take */
	bool take_later; /* the test ends it */
	char *content; /* that was taken */
	bool free_when_complete;
} it;

#define expect_states(text)                          \
	do {                                         \
		ck_assert_str_eq(it.states, (text)); \
		it.states[0] = 0;                    \
	} while (0)

/* With LIVE. */
void bootstrap_set_up(void);
/* Whatever happened: nothing live has moved. */
void bootstrap_tear_down(void);
/* Another content, as in shape.h, and a bootstrap that has not begun. */
void set_up_live(const char *text);

/* ---- the server ---- */

#define REQUEST "ep=urn:dev:ops:1-em1&pct=112"

/* Receives POST /bs with these parameters. */
void expect_request(struct message *m, const char *queries);
void expect_pack_request(struct message *m);
void answer_pack(const struct message *asked, uint8_t code, int32_t format, const char *text);
/* Until the server may write. */
void open_it(void);

/* Of the last answer. */
extern char body[2048];
extern int32_t body_format;

void request(struct message *m, uint8_t code, const char *path, int32_t format, const char *text);
/* Each of these returns the code of the answer, which has to be in the ACK. */
uint8_t exchange(struct message *m);
uint8_t ask(uint8_t code, const char *path, int32_t format, const char *text);
uint8_t put(const char *path, const char *text);
uint8_t get(const char *path, int32_t accept);
uint8_t finish(void);

#define SECURITY_5                                                                                     \
	"{\"bn\":\"/0/5/\",\"n\":\"0\",\"vs\":\"coap://two\"},{\"n\":\"1\",\"vb\":false},{\"n\":\"2\",\"v\":3}," \
	"{\"n\":\"10\",\"v\":102}"
#define SERVER_5 "{\"bn\":\"/1/5/\",\"n\":\"0\",\"v\":102},{\"n\":\"1\",\"v\":60},{\"n\":\"6\",\"vb\":true},{\"n\":\"7\",\"vs\":\"U\"}"
#define TAKEN_5 "/0/5\n/0/5/0 coap://two\n/0/5/1 0\n/0/5/2 3\n/0/5/10 102\n"

/* An account that is consistent. */
void write_all(void);
