/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct sd_event;
struct timers;

/*
 * How a package gets here: servers push it, or it is pulled from its URI. One
 * lies or comes at a time, at FOLDER/NAME. What states that has is for whom it
 * is for, firmware or software.
 */
struct delivery;

#define DELIVERY_URI_MAX 256u  /* with its NUL: Package URI */
#define DELIVERY_ETAG_MAX 128u /* with its NUL */
/* A Package is answered when its handler has had a look at it, but after this at the latest. */
#define DELIVERY_ANSWER_USEC (3 * UINT64_C(1000000))

/* Who fetches packages by their URI; one at a time for each delivery. NULL: they are only pushed. */
struct delivery_source {
	const uint8_t *protocols; /* values of /5/0/8 */
	size_t n_protocols;
	/* 0, -EINVAL no URI, -EPROTONOSUPPORT none that can be fetched. */
	int (*check)(void *userdata, const char *uri);
	/* offset bytes of it are there already, of a file with that etag; delivery_fetch_done() follows, from the loop. Errors as there. */
	int (*start)(void *userdata, struct delivery *d, const char *uri, uint64_t offset, const char *etag);
	void (*stop)(void *userdata); /* also where there is nothing to stop */
};

/* From the loop, or a call of this header. */
struct delivery_ops {
	/* A Package begins to come: 0, or a refusal, -EPERM not now, -EBUSY later. */
	int (*pushed)(void *userdata);
	void (*whole)(void *userdata); /* the package is on the disk */
	/*
	 * What comes will not be whole: -ENOSPC no room on the disk, or it is in
	 * trouble; -ENOMEM; -EINVAL, -EPROTONOSUPPORT the URI; -ECONNRESET. Drops it.
	 */
	void (*failed)(void *userdata, int error);
	void (*keep)(void *userdata); /* the etag is another one */
	/* Why nothing comes, or it will not be whole, in words that live during the call; "": something comes. */
	void (*trouble)(void *userdata, const char *text);
};

struct delivery_config {
	const struct delivery_source *source;
	void *source_userdata;
	struct sd_event *event;
	struct timers *timers;
	const char *folder, *name; /* of the file */
	const char *label;	   /* in messages, what it is for */
	uint64_t max_size;	   /* of a package */
	const char *uri;	   /* that is pulled; of whom it is for, who keeps it */
	char *etag;		   /* likewise; has DELIVERY_ETAG_MAX bytes */
	const struct delivery_ops *ops;
	void *userdata;
};

/* End of a Package; error as backing_done of store/backing.h. */
typedef void (*delivery_done)(void *userdata, int error, const char *reason);

/* Strings but uri and etag are copied. errno of the file system. */
int delivery_new(const struct delivery_config *config, struct delivery **ret);
/* delivery_free() will not wait for the disk, for which the loop has no time. */
void delivery_detach(struct delivery *d);
/* Waits for the disk; what has come stays. */
struct delivery *delivery_free(struct delivery *d);
DEFINE_FREEP(struct delivery *, delivery_free)
void delivery_set_max_size(struct delivery *d, uint64_t max_size);

/* Whole or not, it goes away, and so does who brings it. */
void delivery_drop(struct delivery *d);
/* Whoever wrote a Package is told; nothing where nobody waits. */
void delivery_answer(struct delivery *d, int error, const char *reason);
/* Bytes that have come. */
uint64_t delivery_received(const struct delivery *d);
/* Of how many, 0: nobody has said. */
uint64_t delivery_expected(const struct delivery *d);
/* The whole one, read-only: a descriptor that is the caller's, or -ENOENT. */
int delivery_open(const struct delivery *d);
bool delivery_is_whole(const struct delivery *d);

/* A Package comes: as pushed() has it; -EMSGSIZE no room, errno, and failed() was called. 0: one of the ends follows. */
int delivery_push_begin(struct delivery *d, uint64_t size);
/* -EBUSY: later; -EPERM: it was dropped; -EMSGSIZE: no room, errno: the disk; then delivery_push_lost() follows. */
int delivery_push_take(struct delivery *d, const void *data, size_t size);
void delivery_push_end(struct delivery *d, delivery_done done, void *userdata);
void delivery_push_lost(struct delivery *d);

/* 0; -EINVAL: no URI; -EPROTONOSUPPORT. */
int delivery_check_uri(const struct delivery *d, const char *uri);
/* The URI is fetched; resume: on from where a part of it ends. */
void delivery_pull(struct delivery *d, bool resume);
/* What the source brings: bytes follow, from offset on, of so many, 0 for not known. errno: it stops, and says done. */
int delivery_fetch_begin(struct delivery *d, uint64_t offset, uint64_t size, const char *etag);
/* -EBUSY: later. */
int delivery_fetch_take(struct delivery *d, const void *data, size_t size);
/* Why nothing comes at the moment. */
void delivery_fetch_trouble(struct delivery *d, const char *text);
/* 0: all of it; -EINVAL nothing there, -ENOMEM, -EFBIG, -ENOSPC, -EDQUOT, and all others: connection lost. */
void delivery_fetch_done(struct delivery *d, int error);
