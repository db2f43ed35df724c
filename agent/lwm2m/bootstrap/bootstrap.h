/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwm2m/resolver.h"
#include "transport/transport.h"

/*
 * The life of one endpoint at its bootstrap server (Core 6.1, Transport 6.4.2;
 * lwm2m.md "Bootstrap"): asks for a Pack or to be bootstrapped, lets the server
 * work on a copy (staging.h), and has the owner take over what came of it.
 * Attempts that fail are repeated until it is stopped.
 */
struct bootstrap;

enum bootstrap_state {
	BOOTSTRAP_IDLE,	      /* nobody has asked for it, or it is through */
	BOOTSTRAP_HOLDING,    /* the hold-off /0/x/11 before the first attempt */
	BOOTSTRAP_PACKING,    /* a Bootstrap-Pack-Request is under way */
	BOOTSTRAP_REQUESTING, /* a Bootstrap-Request is under way */
	BOOTSTRAP_OPEN,	      /* it was accepted: the server does what it wants */
	BOOTSTRAP_TAKING,     /* the server is through, its owner takes over what it left */
	BOOTSTRAP_WAITING,    /* between two attempts */
};
const char *bootstrap_state_name(enum bootstrap_state state);

struct staging;
struct uri;
struct log_budget;

struct bootstrap_config {
	struct transport *transport;
	struct governor *governor;
	struct timers *timers;
	const struct definitions *definitions;
	const struct resolver *resolver;
	struct store *store;	 /* the endpoint's own: its /0 has the bootstrap account; it is only read */
	const char *endpoint;	 /* endpoint client name, outlives the bootstrap */
	const char *server_name; /* as the operator calls it, for logs; outlives the bootstrap */
	const struct uri *uri;	 /* copied */
	enum session_security security;
	const char *psk_identity; /* copied */
	session_psk_handler psk;  /* userdata is psk_userdata */
	void *psk_userdata;
	bool pack;		  /* ask for a Bootstrap-Pack first */
	bool audit;		  /* log who wrote what */
	/* Is the key of this /0 kept elsewhere, by reference? As staging.h. */
	bool (*key_elsewhere)(void *userdata, uint16_t security);
	void *key_userdata;
	struct log_budget *server_budget; /* as struct client_config's */
};

struct bootstrap_ops {
	/* error: negative errno of the last failure, 0. */
	void (*state)(void *userdata, enum bootstrap_state state, int error);
	/*
	 * The server is through, and what it left is consistent: it is to be in force,
	 * and kept for good, before the server hears of it. Ends by bootstrap_took(),
	 * from here or later; staging lives as long. Who stops or frees the bootstrap
	 * before that gives up what he has begun here, where nothing may be freed.
	 */
	void (*take)(void *userdata, struct staging *staging);
	/*
	 * It is over, the server has its answer; BOOTSTRAP_IDLE by now. What the
	 * owner does with its accounts it begins here. May free the bootstrap.
	 */
	void (*taken)(void *userdata);
	/* The account's time is over (/0/x/12): it is to be purged. May free the bootstrap. */
	void (*expired)(void *userdata);
};

int bootstrap_new(const struct bootstrap_config *config, const struct bootstrap_ops *ops, void *userdata,
		  struct bootstrap **ret);
/* What is under way ends without a word, and without having touched anything. */
struct bootstrap *bootstrap_free(struct bootstrap *b);

/*
 * Client-initiated bootstrap, which is repeated until it has gone well; harmless
 * while it is under way. at_once: without the hold-off, as a server asks for it
 * (/1/x/9).
 */
void bootstrap_start(struct bootstrap *b, bool at_once);
/* Whatever is under way is given up, also before an attempt that is to come. */
void bootstrap_stop(struct bootstrap *b);
enum bootstrap_state bootstrap_state(const struct bootstrap *b);
/* Does a server work on this endpoint: are others not to be listened to (Core 6.1.1)? */
bool bootstrap_is_open(const struct bootstrap *b);
/*
 * How the take ended. 0: the server hears of it, and ops.taken runs. Else nothing
 * has changed, and the server is told so (4.06): it may go on. b may be gone when
 * this returns.
 */
void bootstrap_took(struct bootstrap *b, int error);
/* Purges the account after so long: what was left of /0/x/12 before a restart. USEC_INFINITY: never. */
void bootstrap_expire_in(struct bootstrap *b, uint64_t usec);
/* Why the last attempt failed, for people; "" while all is well. */
#define BOOTSTRAP_TROUBLE_MAX 192u
const char *bootstrap_trouble(const struct bootstrap *b, char ret[BOOTSTRAP_TROUBLE_MAX]);
