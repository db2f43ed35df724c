/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "observe/attributes.h"
#include "store/store.h"

struct timers;

/* What one server observes on one endpoint, and when it is to be told (Core 6.4). */
struct observations;

/* Of one account. */
#define OBSERVATIONS_MAX 256u
#define OBSERVED_PATHS_MAX 1024u /* all its observations together */
#define TOKEN_MAX 8u

struct observed {
	struct path path;
	struct store *store; /* where the path lies; it outlives the observation */
};

struct observation {
	uint8_t token[TOKEN_MAX];
	uint8_t token_size;
	/*
	 * Of several paths, which may be absent: it does not end with them (Core
	 * 6.4.4). pmin is the largest of them, pmax the smallest; any of them is
	 * a reason to notify all of it.
	 */
	bool composite;
	bool in_flight;		/* a notification is on its way, kept by the caller */
	unsigned n_paths;
	int32_t format;		/* content format of the first answer: that of all */
	uint64_t confirmed_usec; /* last confirmable notification, kept by the caller */
	/*
	 * Of its own, from the Observe, or NULL: the attached ones do not count
	 * (1.2), but those of values of a composite one, which cannot have them.
	 */
	const struct attributes *attributes;
};
/* i < n_paths */
const struct observed *observation_path(struct observation *o, unsigned i);

struct observations_config {
	struct timers *timers;
	const struct attribute_set *attributes; /* of the account; outlives the observations */
	/* pmin and pmax of /1/x/2 and /1/x/3; present says which exist. */
	struct attributes (*defaults)(void *userdata);
	/*
	 * Send a notification now, then call observation_sent() or
	 * observation_failed(). This and gone() may remove any observation,
	 * but not free them all.
	 */
	void (*notify)(void *userdata, struct observation *observation);
	/* The path is gone: tell the server with 4.04; the observation goes after this call. */
	void (*gone)(void *userdata, struct observation *observation);
	void *userdata;
};

int observations_new(const struct observations_config *config, struct observations **ret);
struct observations *observations_free(struct observations *o);

/*
 * In what follows o may be NULL, where nothing is observed: an idle account
 * need not have one.
 */
bool observations_remove(struct observations *o, const uint8_t *token, unsigned token_size); /* true when there was one */
/* The observation of a token, until anything else is called here; NULL. */
struct observation *observations_find(struct observations *o, const uint8_t *token, unsigned token_size);
void observations_clear(struct observations *o);
unsigned observations_count(const struct observations *o);
/*
 * Paths that overlap one, in the order in which they came. sent_usec: the last
 * notification, or else the answer to the Observe (monotonic). effective: what
 * attributes are in force for it.
 */
void observations_each(const struct observations *o, const struct path *path,
		       void (*f)(void *userdata, const struct observation *observation,
				 const struct path *observed, uint64_t sent_usec,
				 const struct attributes *effective),
		       void *userdata);
/* Is any of it at, above or below the path? */
bool observations_touch(const struct observations *o, const struct path *path);
/* What the store's watch said; notifies what is due. */
void observations_changed(struct observations *o, enum store_change change, const struct path *paths,
			  size_t n);
/* Attributes changed: running observations follow. */
void observations_reconsider(struct observations *o);
/* The server is there: what is stored, or could not be sent, is looked at now, whatever delay it was given. */
void observations_hasten(struct observations *o);
/*
 * The registration has gone, the server will come back: what stores goes on and
 * stores, without a token, until observations_hasten(). An observation of the same
 * paths takes over what was stored; what is not observed again before the next
 * time is given up. All others are removed.
 */
void observations_detach(struct observations *o);

/* What is stored for one account; the oldest of an observation makes room for its newest. */
#define STORED_BYTES_MAX (64u << 10)
/* Is any of its content to be stored while the server is away (hqmax)? */
bool observation_stores(const struct observations *o, struct observation *observation);
/*
 * Stores a notification in the place of sending it: records are taken over, those
 * that have no hqmax are left out, and owed as they are when the server is back.
 * The oldest of more than hqmax goes. -ENOSPC, -ENOMEM: it is not stored.
 */
int observation_store(struct observations *o, struct observation *observation, struct records *records);
/* All that is stored, oldest first; *ret is the caller's, its values are not. -ENOMEM. */
int observation_stored(struct observation *observation, struct record **ret, size_t *ret_n);
/* It was told; parts that could not be stored are owed. */
void observation_forget_stored(struct observations *o, struct observation *observation);

/* A confirmable notification has been acknowledged: what came meanwhile goes out. Harmless for a token that is gone. */
void observations_landed(struct observations *o, const uint8_t *token, unsigned token_size);
/* It was not: the newest value goes out whatever the conditions say, after delay_usec. Harmless likewise. */
void observations_lost(struct observations *o, const uint8_t *token, unsigned token_size,
		       uint64_t delay_usec);

/*
 * An observation that was just answered with its first value; its n_paths paths
 * and attributes are copied. The same token replaces. -ENOSPC, -ENOMEM.
 */
int observations_add(struct observations *o, const struct observation *observation,
		     const struct observed *paths);
/*
 * Is it to be confirmable by con, attached or its own, or where nothing says so
 * by what is so initially? One part of the content that wants it is enough.
 */
bool observation_confirms(const struct observations *o, struct observation *observation, bool initial);
/* Seconds until its next notification at the latest, counted from one that is sent now; -1: that is not known. */
int64_t observation_max_age(const struct observations *o, struct observation *observation);
/* The value that is now in the store was sent: both timers start anew. */
void observation_sent(struct observations *o, struct observation *observation);
/*
 * While a notification is on its way: is a newer one due by now? Then, where it
 * was sent in the place of the other one: the value that is now in the store was
 * (RFC 7641 4.5.2), and it is on its way.
 */
bool observation_is_superseded(const struct observations *o, struct observation *observation);
void observation_superseded(struct observation *observation);
/* It could not be sent: what was owed stays owed, looked at again after delay_usec. */
void observation_failed(struct observations *o, struct observation *observation, uint64_t delay_usec);
