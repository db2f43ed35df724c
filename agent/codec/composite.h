/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "codec/codec.h"
#include "codec/wire.h"

/*
 * Bodies of composite requests (Core 6.3.8, 6.3.9, 6.4.4; RFC 8790): the paths
 * that a FETCH names, and what an iPATCH does to each. Names stay text, in
 * segments as a resolver takes them: it may know more than ids, as the prefixes
 * of a gateway's devices. Whether they are ids at all, and paths of values, is
 * for the caller to see.
 */

/* A prefix and the four ids of a resource instance. */
#define COMPOSITE_SEGMENTS_MAX 5u
/* Bytes of one name. */
#define COMPOSITE_NAME_MAX 128u
/* One body names at most this many. */
#define COMPOSITE_ENTRIES_MAX 1024u

struct composite_entry {
	struct span segments[COMPOSITE_SEGMENTS_MAX];
	unsigned n_segments; /* 0: the root */
	/*
	 * FETCH: lies within another entry, or repeats one before it: what it
	 * names is read already, for the answer has each record once. iPATCH: a
	 * later entry names the same target, so this one leaves no trace.
	 */
	bool covered;
	struct wire value; /* iPATCH; WIRE_NULL: removes the resource instance. FETCH: WIRE_NONE */
};

/* In the order of the body. Owns its texts, so the body may go; zero-initialised is empty. */
struct composite {
	struct composite_entry *items;
	size_t n, allocated;
	struct arena texts;
};

/*
 * A FETCH body in 320, 322, 110 or 112: at least one record, each with n or bn
 * and nothing but n, bn, t, bt, u and bu. A record whose bn ends in a slash and
 * that has no n only sets the base of the next one; standing alone it names what
 * the base names. "/" is the root.
 *
 * An iPATCH body in 320, 322, 110, 112 or 11544: at least one value. Only 320
 * and 322 remove (v is null) and may name a target more than once.
 *
 * 0; -EPROTONOSUPPORT: no format for this (-> 4.15); -EINVAL: broken (-> 4.00)
 * with static text in ret_reason; -ENOMEM. ret is zeroed before, and empty after
 * an error.
 */
int composite_decode_fetch(enum content_format format, struct span payload, struct composite *ret,
			   const char **ret_reason);
int composite_decode_patch(enum content_format format, struct span payload, struct composite *ret,
			   const char **ret_reason);
void composite_done(struct composite *c);
#define _cleanup_composite_ _cleanup_(composite_done)

/*
 * What a Read-Composite or Observe-Composite is answered in, its base being the
 * root: 112, 110 or 11544 as Accept says (-1: absent, then the kin of the
 * request's own format). -ENOMEDIUM: something else is wanted (-> 4.06).
 */
int composite_answer(enum content_format request, int32_t accept, const struct codec **ret);

static inline bool composite_removes(const struct composite_entry *e)
{
	return e->value.kind == WIRE_NULL;
}
/*
 * The value of an iPATCH entry in the type of its resource (NULL: unknown, the
 * body's own type). -EINVAL with a reason, also for one that removes; -ENOMEM.
 */
int composite_value(const struct composite_entry *e, const struct resource_definition *definition,
		    struct value *ret, const char **ret_reason);
