/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "transport/address.h"
#include "transport/loop.h"

/*
 * Addresses of server names. getaddrinfo() runs in one helper thread; sessions
 * of the same server share one lookup. An answer is used again for
 * NAMES_FRESH_USEC, unless names_forget() says that its addresses failed.
 */
#define NAMES_ADDRESSES_MAX 8
#define NAMES_FRESH_USEC (60 * USEC_PER_SEC)

struct names;
struct name; /* counted; one for each host */

/*
 * What the thread calls: at most max addresses into ret, their number or
 * -errno. names_resolve_system() unless a test brings its own.
 */
typedef int (*names_resolve)(const char *host, struct address *ret, int max);
int names_resolve_system(const char *host, struct address *ret, int max);

int names_new(struct loop *loop, names_resolve resolve, struct names **ret);
struct names *names_free(struct names *n); /* after all names */

/* A reference to the shared entry of a host. */
int name_get(struct names *n, const char *host, struct name **ret);
struct name *name_put(struct name *name);

struct name_waiter;
typedef void (*name_handler)(struct name_waiter *waiter, int error);
/* Lies inside the one who asks. Initialise with name_waiter_init(). */
struct name_waiter {
	struct list node;
	name_handler handler;
};
void name_waiter_init(struct name_waiter *w, name_handler handler);

/*
 * 1: addresses are known now, the handler is not called. 0: the handler will be
 * called, unless name_cancel() comes first. -errno: cannot ask.
 */
int name_lookup(struct name *name, struct name_waiter *waiter);
void name_cancel(struct name_waiter *waiter);
/* Valid after a lookup that succeeded. index is taken modulo the number. */
unsigned name_count(const struct name *name);
const struct address *name_address(const struct name *name, unsigned index);
/* The addresses did not work, or the network changed: the next lookup asks again. */
void name_forget(struct name *name);
