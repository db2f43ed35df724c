/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many bytes of refused frames are looked at again for each byte that comes: garbage must not cost more. */
#define SEARCH_PER_BYTE 64u
#define ROOM 1024u /* beyond the largest frame, so that reading goes on while one is looked at */

struct framer {
	const struct frame_spec *spec;
	struct framer_counters counters;
	size_t used;	/* bytes in the buffer */
	size_t taken;	/* of them, those of the frame that was handed out */
	size_t scanned; /* no end delimiter begins before it */
	size_t capacity;
	size_t search;	/* bytes that may be looked at again */
	bool idle;	/* no more bytes come for what is there */
	bool skipping;	/* the rest of a frame that was too long */
	uint8_t bytes[];
};

int framer_new(const struct frame_spec *spec, struct framer **ret)
{
	size_t capacity = spec->max + ROOM;
	struct framer *f = calloc(1, sizeof(*f) + capacity);

	if (!f)
		return -ENOMEM;
	f->spec = spec;
	f->capacity = capacity;
	*ret = f;
	return 0;
}

void framer_follow(struct framer *f, const struct frame_spec *spec)
{
	f->spec = spec;
}

struct framer *framer_free(struct framer *f)
{
	free(f);
	return NULL;
}

void framer_reset(struct framer *f)
{
	f->used = f->taken = f->scanned = 0;
	f->idle = f->skipping = false;
}

static void drop(struct framer *f, size_t n)
{
	memmove(f->bytes, f->bytes + n, f->used - n);
	f->used -= n;
	f->scanned = f->scanned > n ? f->scanned - n : 0;
}

static void drop_noise(struct framer *f, size_t n)
{
	f->counters.noise += n;
	drop(f, n);
}

static void drop_taken(struct framer *f)
{
	if (!f->taken)
		return;
	drop(f, f->taken);
	f->taken = f->scanned = 0;
}

size_t framer_push(struct framer *f, const uint8_t *bytes, size_t size)
{
	size_t room;

	drop_taken(f);
	room = f->capacity - f->used;
	if (size > room)
		size = room;
	memcpy(f->bytes + f->used, bytes, size);
	f->used += size;
	f->search += SEARCH_PER_BYTE * size;
	if (f->search > SEARCH_PER_BYTE * f->capacity)
		f->search = SEARCH_PER_BYTE * f->capacity;
	if (size)
		f->idle = false;
	return size;
}

bool framer_is_waiting(const struct framer *f)
{
	return f->used > f->taken;
}

const struct framer_counters *framer_counters(const struct framer *f)
{
	return &f->counters;
}

/* Where it begins, at or after from; f->used when it is not there. */
static size_t find(const struct framer *f, const struct frame_delimiter *d, size_t from)
{
	const uint8_t *at = from < f->used ? memmem(f->bytes + from, f->used - from, d->bytes, d->size) : NULL;

	return at ? (size_t)(at - f->bytes) : f->used;
}

/* What could be the beginning of a delimiter stays. */
static size_t keep_for(const struct framer *f, const struct frame_delimiter *d)
{
	return f->used < d->size - 1 ? f->used : d->size - 1;
}

/* Brings the start to the front. False: there is none yet. */
static bool seek_start(struct framer *f)
{
	const struct frame_delimiter *d = &f->spec->start;
	size_t at;

	if (!d->size)
		return true;
	at = find(f, d, 0);
	if (at < f->used) {
		drop_noise(f, at);
		return true;
	}
	drop_noise(f, f->used - keep_for(f, d));
	return false;
}

static void refuse_oversize(struct framer *f)
{
	f->counters.oversize++;
	if (f->spec->length.size) {
		/* Another frame may lie in it. */
		drop(f, 1);
	} else if (f->spec->start.size) {
		/* So may another start; one before that would be as far from the end. */
		drop(f, f->used - f->spec->max);
	} else if (f->spec->end.size) {
		f->skipping = true;
		drop(f, f->used - keep_for(f, &f->spec->end));
		f->scanned = 0;
	} else {
		f->skipping = true;
		drop(f, f->used);
	}
}

/* The rest of what was too long goes away with its end, or until the line is idle. */
static bool skip_rest(struct framer *f)
{
	const struct frame_delimiter *d = &f->spec->end;
	size_t at;

	if (!d->size) {
		drop(f, f->used);
		return false;
	}
	at = find(f, d, 0);
	if (at == f->used) {
		drop(f, f->used - keep_for(f, d));
		return false;
	}
	drop(f, at + d->size);
	f->scanned = 0;
	f->skipping = false;
	return true;
}

static bool take(struct framer *f, size_t size, size_t head, size_t foot, struct frame *ret)
{
	*ret = (struct frame){
		.raw = f->bytes,
		.size = size,
		.content = f->bytes + head,
		.content_size = size - head - foot,
	};
	f->taken = size;
	return true;
}

/* A start inside of a frame means that the end of the one before was lost. */
static size_t last_start(const struct framer *f, size_t end)
{
	const struct frame_delimiter *d = &f->spec->start;
	size_t at = 0;

	if (!d->size)
		return 0;
	for (size_t i = find(f, d, d->size); i + d->size <= end; i = find(f, d, i + 1))
		at = i;
	return at;
}

static bool next_delimited(struct framer *f, struct frame *ret)
{
	const struct frame_spec *s = f->spec;
	size_t from = f->scanned > s->start.size ? f->scanned : s->start.size;
	size_t end = find(f, &s->end, from), start;

	if (end == f->used) {
		f->scanned = f->used - keep_for(f, &s->end);
		return false;
	}
	if (end + s->end.size + s->tail > f->used) {
		f->scanned = end;
		return false;
	}
	start = last_start(f, end);
	drop_noise(f, start);
	return take(f, end - start + s->end.size + s->tail, s->start.size, s->end.size + s->tail, ret);
}

static uint32_t length_field(const struct framer *f)
{
	const uint8_t *p = f->bytes + f->spec->length.at;
	uint32_t n = f->spec->length.size, number = 0;

	for (uint32_t i = 0; i < n; i++)
		number = number << 8 | p[f->spec->length.little ? n - 1 - i : i];
	return number;
}

/* 1: this long; 0: not to be told yet; negative: no frame can be that long. */
static int wanted_size(const struct framer *f, size_t *ret)
{
	const struct frame_spec *s = f->spec;
	int64_t size;

	if (s->fixed) {
		*ret = s->fixed;
		return 1;
	}
	if (f->used < s->length.at + s->length.size)
		return 0;
	size = (int64_t)length_field(f) + s->length.adds;
	if (size < (int64_t)s->length.at + s->length.size || size > s->max)
		return -EMSGSIZE;
	*ret = (size_t)size;
	return 1;
}

/* One look: 1 a frame, 0 nothing yet, negative: something was thrown away, look again. */
static int next_counted(struct framer *f, struct frame *ret)
{
	size_t size = 0;
	int r = wanted_size(f, &size);

	if (r < 0) {
		refuse_oversize(f);
		return r;
	}
	if (r == 0 || f->used < size)
		return 0;
	take(f, size, 0, 0, ret);
	return 1;
}

static bool next_idle(struct framer *f, struct frame *ret)
{
	if (!f->idle || !f->used)
		return false;
	f->idle = false;
	return take(f, f->used, f->spec->start.size, 0, ret);
}

static int next_once(struct framer *f, struct frame *ret)
{
	const struct frame_spec *s = f->spec;
	bool found;

	if (f->skipping && !skip_rest(f))
		return 0;
	if (!seek_start(f))
		return 0;
	if (s->length.size || s->fixed)
		return next_counted(f, ret);
	found = s->end.size ? next_delimited(f, ret) : next_idle(f, ret);
	if ((found ? f->taken : f->used) <= s->max)
		return found;
	if (found) {
		f->counters.oversize++;
		drop_taken(f);
	} else {
		refuse_oversize(f);
	}
	return -EMSGSIZE;
}

bool framer_next(struct framer *f, struct frame *ret)
{
	int r;

	drop_taken(f);
	do
		r = f->used ? next_once(f, ret) : 0;
	while (r < 0);
	return r > 0;
}

static bool ends_by_idle_only(const struct frame_spec *s)
{
	return !s->end.size && !s->fixed && !s->length.size;
}

void framer_idle(struct framer *f)
{
	drop_taken(f);
	f->skipping = false;
	if (!f->used)
		return;
	if (ends_by_idle_only(f->spec)) {
		f->idle = true;
		return;
	}
	f->counters.halves++;
	framer_reset(f);
}

void framer_reject(struct framer *f)
{
	if (!f->taken || ends_by_idle_only(f->spec) || (f->spec->end.size && !f->spec->start.size))
		return;
	/* What looked like a frame may have been noise with the beginning of a real one in it. */
	if (f->search < f->taken)
		return;
	f->search -= f->taken;
	f->taken = 1;
}
