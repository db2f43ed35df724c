/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/registry/internal.h"

struct taken;
struct taking;
struct staging;

/* The /0 of YAML's bootstrap account: out of the way of what bootstrap servers number from 0 on. */
#define BOOTSTRAPPING_SECURITY 65534u

/*
 * An endpoint and its bootstrap server, `bootstrap:` in YAML (design: State). What
 * a bootstrap left takes the place of servers[] for this endpoint, over restarts,
 * for as long as there is a `bootstrap:` for it.
 */
struct bootstrapping {
	struct endpoint *endpoint;
	struct server *server;	     /* the bootstrap server, of YAML or of a bootstrap */
	struct server *next;	     /* that takes its place when the bootstrap under way is over */
	struct bootstrap *bootstrap; /* NULL: its account has been purged */
	struct taking *taking;	     /* what a bootstrap left is on its way to the disk */
	struct taken *rest;	     /* what a power cut has kept a bootstrap from making */
	struct account *left;	     /* accounts that are over when the server has its answer */
	char *name, *identity;
	uint16_t security;	     /* of /0 */
	uint64_t purge_s;	     /* Unix time; 0: never */
	uint32_t hold_off_s, timeout_s; /* in_force: as a bootstrap left /0/x/11 and 12 */
	bool purged;		     /* there is no account left */
	bool in_force;		     /* the endpoint's accounts are what a bootstrap left */
	bool for_want;		     /* it was asked because no server takes the endpoint */
	bool begun, tried;	     /* asked for in this run; and an attempt has ended */
	struct log_budget no_key;
};

/*
 * Before the endpoint has accounts: *taken is what was kept, empty when in_force
 * stays false. -ENOMEM, ...
 */
int bootstrapping_new(struct endpoint *e, struct taken *taken, struct bootstrapping **ret);
struct bootstrapping *bootstrapping_free(struct bootstrapping *b);
/* Its store has the account by now. */
int bootstrapping_open(struct bootstrapping *b);
/* What a power cut interrupted goes on later: *taken is taken over, where there is something left. -ENOMEM. */
int bootstrapping_keep_rest(struct bootstrapping *b, struct taken *taken);
/* When all that the endpoint's store has been made of is in it, and changes of it are kept. */
void bootstrapping_make_rest(struct bootstrapping *b);
/* What /0 says of the account; false: there is none. */
bool bootstrapping_values(const struct bootstrapping *b, struct builtin_bootstrap *ret);

/* Does the configuration in force want it for an endpoint of this YAML name? */
bool bootstrapping_is_wanted(const struct registry *r, const char *label);
/* The endpoint is to run: true: not before a bootstrap. */
bool bootstrapping_begin(struct bootstrapping *b);
void bootstrapping_stop(struct bootstrapping *b);
/* A server asks for it (/1/x/9). */
void bootstrapping_ask(struct bootstrapping *b);
/* An account has registered, or used up its attempts. */
void bootstrapping_turn(struct bootstrapping *b);
/*
 * What bootstrap and management servers wrote to the endpoint's accounts is
 * forgotten: they are as YAML has them, and registrations at others end. -ENODATA:
 * nobody wrote anything; -ENOMEM, ..., and nothing has changed.
 */
int bootstrapping_reset(struct endpoint *e);
/*
 * The configuration and definitions in force are others; new accounts are in the
 * list already. *taken is what was kept under another client name that it has again.
 */
void bootstrapping_reload(struct endpoint *e, struct taken *taken);
/* Puts that in force; its accounts take the place of those that there are, which are added to *gone. -ENOMEM, ... */
int bootstrapping_take_again(struct endpoint *e, const struct taken *taken, struct account **gone);
/* Its server may be another one; what was under way begins anew. */
int bootstrapping_reopen(struct endpoint *e);

/* bootstrapping_take.c */
/* bootstrap_ops.take: on the disk first, then in force. */
void bootstrapping_take(void *userdata, struct staging *staging);
/* Nothing comes of what is on its way to the disk: its server is told so, and may finish again. */
void bootstrapping_give_up(struct bootstrapping *b);
/* The same, and nobody is told: the bootstrap goes. */
void bootstrapping_forget_take(struct bootstrapping *b);
/* The bootstrap server's own account in what a bootstrap left. */
struct bootstrapping_account {
	bool purged;	       /* there is none */
	uint16_t security;     /* of /0 */
	struct server *server; /* the caller's; NULL: it is the one that there is */
	uint32_t hold_off_s, timeout_s;
};
int bootstrapping_find_account(const struct bootstrapping *b, const struct taken *t,
			       struct bootstrapping_account *ret);
