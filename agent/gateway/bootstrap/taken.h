/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/registry/internal.h"

struct staging;

/*
 * What a bootstrap left of an endpoint: all values of its accounts, keys too,
 * and what was written elsewhere. Kept as one record of the state folder, whole
 * or not at all.
 */
struct taken_key {
	uint16_t security; /* of /0 */
	enum account_source source;
	char *reference; /* of its key; NULL: it has none, or it is among the values */
};

struct taken {
	struct records records;
	struct taken_key *keys; /* of accounts that nobody has replaced */
	size_t n_keys;
	struct path *instances; /* of objects as taken_is_once() has them, all that are to be there */
	size_t n_instances;
	uint16_t *same; /* short ids of the servers whose accounts were the endpoint's before it */
	size_t n_same;
	bool rest; /* those instances have not been made yet */
	uint64_t purge_s; /* the bootstrap account is over, Unix time; 0: never */
};

/* -EINVAL, as taken_terms(); -ENOMEM, -E2BIG. */
int taken_of_staging(const struct bootstrapping *b, struct staging *staging, struct taken *ret);
/*
 * For good, before anything of it is in force: with the rest, so that a start behind
 * a power cut makes that, too. done as state_commit() has it. *former is the record
 * that there was, or nothing, for taken_put_back(); the caller frees it by
 * taken_former_done().
 */
int taken_commit(const struct endpoint *e, const struct taken *t, struct buf *former, state_done done, void *userdata,
		 struct state_commit **ret);
/* Without the rest, which is kept elsewhere from now on. */
int taken_save(const struct endpoint *e, const struct taken *t);
/* What was committed is not to be. */
void taken_put_back(const struct endpoint *e, const struct buf *former);
void taken_former_done(struct buf *former);
/* -ENOENT: there is none, or it is another client name's; else what state_load() and codecs say. */
int taken_load(const struct endpoint *e, struct taken *ret);
/* Is there one on the disk of a state folder, which another process may have open, of an endpoint of these names? */
bool taken_lies(const char *state_folder, const char *label, const char *client_name);
void taken_done(struct taken *t);

/* A value, or NULL. */
const struct value *taken_value(const struct taken *t, uint16_t object, uint16_t instance, uint16_t resource);
/* What an account is made of, by its instances. -EINVAL: texts with NUL in them; -ENOMEM. */
int taken_terms(const struct taken *t, const struct config *config, uint16_t security, uint16_t server,
		struct account_terms *ret);
/*
 * The accounts that it tells of: those that the endpoint has already are marked as
 * staying, the others are made. With the rest still to come they are new, and
 * nothing that was kept of former ones is theirs.
 */
int taken_accounts(struct endpoint *e, const struct taken *t, struct account **list);
/* Notes which of them the endpoint has already. As taken_terms(). */
int taken_note_same(const struct endpoint *e, struct taken *t);
int taken_add_same(struct taken *t, uint16_t short_id);
/* Its values are put into the endpoint's store, which has its accounts by now; but those of /2 and of what servers make. */
void taken_apply(struct endpoint *e, const struct taken *t);
/*
 * Those: written as by a server, once, when the bootstrap is over, and kept from
 * then on as what servers wrote is, which replaces the rest in the record, all in
 * one; and instances that it does not have are deleted.
 */
void taken_apply_once(struct endpoint *e, struct taken *t);
/* Is it such an object, or /2? */
bool taken_is_once(const struct endpoint *e, uint16_t object);
/* The /0 of its bootstrap account, or ID_NONE. */
uint16_t taken_bootstrap(const struct taken *t);
/* Takes that account out. */
void taken_purge(struct taken *t);
