/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of download/ only. */

#include "base/backoff.h"
#include "base/timer.h"
#include "download/download.h"

/* One attempt, by whoever knows the scheme. */
struct attempt_kind {
	const char *const *schemes; /* NULL behind the last */
	int (*start)(struct download *d);
	void (*stop)(struct download *d);
};

struct download {
	struct download_config config; /* trust is ours */
	char *uri, *trust;
	const struct attempt_kind *kind;
	void *attempt;	       /* of that kind, while there is one */
	uint64_t offset;       /* bytes that were taken */
	char etag[DOWNLOAD_ETAG_MAX];
	struct timer timer;    /* the next attempt */
	struct backoff backoff;
	unsigned n_attempts;   /* in a row that brought nothing */
	bool progress;	       /* of this one */
	uint64_t begun_usec;
};

/* coap.c */
extern const struct attempt_kind attempt_coap;
/* http.c */
extern const struct attempt_kind attempt_http;

/* What has come belongs to another file: the next attempt fetches all of it. */
void attempt_anew(struct download *d);

/* What an attempt tells. The first two as download_ops; they keep offset and etag. */
int attempt_begin(struct download *d, uint64_t offset, uint64_t size, const char *etag);
int attempt_take(struct download *d, const void *data, size_t size);
/* As download_ops. */
__attribute__((format(printf, 2, 3))) void attempt_trouble(struct download *d, const char *format, ...);
/* It is over, and stopped: again where that may help (-EAGAIN), else the end of all. d may be gone behind it. */
void attempt_end(struct download *d, int error);
