/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/path.h"

/*
 * Notification attributes (Core 7.3.2): what one server attached to paths of
 * one endpoint, and what that means at a path.
 */
enum attribute {
	ATTRIBUTE_PMIN = 1 << 0,
	ATTRIBUTE_PMAX = 1 << 1,
	ATTRIBUTE_GT = 1 << 2,
	ATTRIBUTE_LT = 1 << 3,
	ATTRIBUTE_ST = 1 << 4,
	ATTRIBUTE_EPMIN = 1 << 5, /* 1.1 */
	ATTRIBUTE_EPMAX = 1 << 6,
	ATTRIBUTE_EDGE = 1 << 7, /* 1.2, as are the next */
	ATTRIBUTE_CON = 1 << 8,
	ATTRIBUTE_HQMAX = 1 << 9,
};
/* Those that judge a number, and a Boolean: at resource and resource instance level only. */
#define ATTRIBUTES_OF_NUMBERS (ATTRIBUTE_GT | ATTRIBUTE_LT | ATTRIBUTE_ST)
#define ATTRIBUTES_OF_VALUES (ATTRIBUTES_OF_NUMBERS | ATTRIBUTE_EDGE)

struct attributes {
	unsigned present; /* enum attribute, or'ed */
	uint32_t pmin_s, pmax_s;
	double gt, lt, st;
	uint32_t epmin_s, epmax_s; /* how often a value is sampled */
	uint32_t edge, con;	   /* 0 or 1 */
	uint32_t hqmax;		   /* notifications that are kept while the server is away */
};

/* A server may attach attributes to at most this many paths of an endpoint. */
#define ATTRIBUTE_PATHS_MAX 256u

/*
 * Applies Write-Attributes queries ("pmin=10"; "pmin" without a value unsets)
 * at a path of this depth to *attributes. -EINVAL, and nothing changes:
 * unknown name, bad number, a wrong level, lt >= gt, lt + 2 st >= gt, st <= 0, epmin >= epmax.
 */
int attributes_apply(struct attributes *attributes, const struct span *queries, unsigned n,
		     unsigned depth);
/* What is present in `upper` and not in `lower` is inherited. */
void attributes_inherit(struct attributes *lower, const struct attributes *upper);
/*
 * What is in force where both are (a composite observation): of two the later
 * pmin and epmin, the sooner pmax and epmax but for 0, the con and hqmax that asks
 * for more; nothing of what judges values.
 */
void attributes_unite(struct attributes *all, const struct attributes *one);
/* Calls f for each present attribute with its name and value as text. f returns 0 to go on. */
int attributes_each(const struct attributes *attributes,
		    int (*f)(void *userdata, const char *name, const char *value), void *userdata);

struct attribute_set;
int attribute_set_new(struct attribute_set **ret);
struct attribute_set *attribute_set_free(struct attribute_set *s);
/* Attached at exactly this path; NULL when nothing is. */
const struct attributes *attribute_set_find(const struct attribute_set *s, const struct path *path);
/* Replaces; nothing present removes. -ENOMEM, -ENOSPC. */
int attribute_set_put(struct attribute_set *s, const struct path *path, const struct attributes *attributes);
/* Attached at the path and inherited from above (instance over object, resource over instance). */
struct attributes attribute_set_effective(const struct attribute_set *s, const struct path *path);
/* Is con=1 attached to anything below the path? */
bool attribute_set_confirms_below(const struct attribute_set *s, const struct path *path);
/* Likewise an hqmax above 0? */
bool attribute_set_stores_below(const struct attribute_set *s, const struct path *path);
/* The path is gone, with all below it. True when something was attached. */
bool attribute_set_remove(struct attribute_set *s, const struct path *path);
/* Lines "/3/0 pmin=10&st=0.5" and back; unreadable lines are passed over. */
int attribute_set_format(const struct attribute_set *s, struct buf *ret);
int attribute_set_parse(struct attribute_set *s, struct span text);
