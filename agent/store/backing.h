/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/path.h"
#include "model/record.h"
#include "model/value.h"

struct store;

/*
 * What a store knows of a resource's trustworthiness. Errors for reads:
 * never and stale are -ENODATA and -ESTALE, an offline device -EHOSTDOWN.
 */
enum store_quality {
	STORE_GOOD = 0,
	STORE_NEVER,   /* backed, but not read yet */
	STORE_STALE,   /* too old, or its source failed */
	STORE_OFFLINE, /* its device is offline */
};

/*
 * End of a write or execute, exactly once: 0, or
 *   -EINVAL -ERANGE    content refused (4.00)
 *   -EPERM             not writable or executable (4.05)
 *   -EHOSTDOWN -EBUSY  known offline or busy, nothing was sent (5.03)
 *   -ETIMEDOUT         tried and silent, or outcome unknown (5.04)
 *   -EHOSTUNREACH      tried, but nothing could be sent (5.04)
 *   -EILSEQ            accepted, but another value shows (5.00)
 *   -EIO               other device error (5.00)
 * reason (may be NULL) is text for the response's payload, valid during the call.
 */
typedef void (*backing_done)(void *userdata, int error, const char *reason);

/*
 * Who stands behind a *resource*: builtin objects, mapping, local programs. A
 * resource without a backing is memory of the store. One backing may serve many
 * resources; different resources of one instance may have different ones.
 */
struct backing_ops {
	/*
	 * The current value of a resource (or resource instance), for values
	 * that are computed when asked. NULL: the value that store_update()
	 * left in the store is served. -errno as above.
	 */
	int (*read)(void *userdata, const struct path *path, struct value *ret);
	/* Whether servers may write it at all, where its definition lets them. NULL: yes. */
	bool (*is_writable)(void *userdata, const struct path *path);
	/*
	 * Whether write() would accept the value: range, type, inexact,
	 * unknown label. Called for every value of a request before the first
	 * is written. *ret_reason is malloc'd text or NULL. NULL: yes.
	 */
	int (*check)(void *userdata, const struct path *path, const struct value *value, char **ret_reason);
	/*
	 * Carries a value out; done runs exactly once, at once or later (never
	 * after the store is gone: the owner of the backing ends them first).
	 * After done(0) the store holds the value. NULL: the store just keeps it,
	 * and tells through changed().
	 */
	void (*write)(void *userdata, const struct path *path, const struct value *value,
		      backing_done done, void *done_userdata);
	/*
	 * Instead of write(), for a multiple resource whose instances go out
	 * together: those of one request that stand next to each other in it.
	 * records live until done.
	 */
	void (*write_all)(void *userdata, const struct record *records, size_t n, backing_done done,
			  void *done_userdata);
	/*
	 * Whether a request that writes it may need no other transaction with a
	 * device, for what one refuses others may have to take back. NULL: no.
	 */
	bool (*is_strict)(void *userdata, const struct path *path);
	/* It had accepted a value of such a request, which failed, and does not have its old value again. NULL: so be it. */
	void (*torn)(void *userdata, const struct path *path);
	/*
	 * Before a server reads the resource: brings what the store holds up to
	 * date, or sets its quality. done runs exactly once, at once or later, as
	 * of write(). period_usec: what is sampled that often anyway is left alone;
	 * UINT64_MAX: of what is sampled only when it is asked for, it is read now.
	 * NULL: it is kept up to date anyway.
	 */
	void (*refresh)(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			void *done_userdata);
	/*
	 * A large opaque value, which comes in pieces and is kept by whoever stands
	 * behind it, not by the store. begin: size of the whole, 0 when nobody has
	 * said; errors as of backing_done, and -EMSGSIZE there is no room for it
	 * (4.13). take: 0, -EBUSY not now, other errors end it, then lost() follows.
	 * end: that was all; done as of write(). lost: no more comes, without end.
	 * All or none of them; small values, and those in other formats, come to write().
	 */
	int (*stream_begin)(void *userdata, const struct path *path, uint64_t size);
	int (*stream_take)(void *userdata, const struct path *path, const void *data, size_t size);
	void (*stream_end)(void *userdata, const struct path *path, backing_done done, void *done_userdata);
	void (*stream_lost)(void *userdata, const struct path *path);
	/* argument: text of Execute, NUL-terminated, already checked for syntax. */
	void (*execute)(void *userdata, const struct path *path, const char *argument,
			backing_done done, void *done_userdata);
	/* The store accepted a value of a resource that has no write() or write_all(); runs after the answer was sent. */
	void (*changed)(void *userdata, const struct path *path, const struct value *value);
	/*
	 * Device, bus and reason of a resource that is not good, as payload of
	 * 5.03: writes at most size bytes. May be NULL.
	 */
	void (*explain)(void *userdata, const struct path *path, char *ret, size_t size);
};

struct backing {
	const struct backing_ops *ops;
	void *userdata;
};
