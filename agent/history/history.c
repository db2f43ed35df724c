/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "history/internal.h"

/* ---- to the disk, now and then ---- */

/* -EBUSY: not all of it could go to the writer. */
static int save_all(struct history *h)
{
	struct segment *s;
	int r = 0;

	list_for_each(s, &h->segments, list)
		if (s->waiting > 0 && segment_save(h, s) == -EBUSY)
			r = -EBUSY;
	if (h->taken_changed && h->writer && kept_save_taken(h) == -EBUSY)
		r = -EBUSY;
	return r;
}

/* A segment that spans long would be kept for too long. */
static void seal_old(struct history *h)
{
	const struct segment *s = h->open;

	if (s && clock_monotonic_usec() - s->born_usec > h->limits.keep_usec / 16)
		history_seal(h);
}

static void flush_due(struct timer *timer, void *userdata)
{
	struct history *h = userdata;

	history_bound(h);
	seal_old(h);
	history_expire(h);
	save_all(h);
	if (!list_is_empty(&h->segments) || h->taken_changed)
		timer_arm_in(timer, HISTORY_FLUSH_USEC);
}

void history_flush(struct history *h)
{
	if (!h->writer)
		return;
	/* As much at a time as the writer takes; what fails twice stays here. */
	for (int again = 2; again > 0;) {
		history_bound(h);
		if (save_all(h) >= 0)
			again--;
		history_writer_wait(h->writer);
	}
	history_bound(h);
}

/* ---- its life ---- */

/* Of the kernel, without the hyphens. Zeros where it has none: then every boot is the same. */
static void read_boot_id(uint8_t ret[BOOT_ID_SIZE])
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[64] = "", digits[BOOT_ID_SIZE * 2 + 1] = "";
	uint8_t *bytes = NULL;
	size_t size = 0, n = 0;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return;
	for (const char *p = text; *p && n < sizeof(digits) - 1; p++)
		if (*p != '-' && *p != '\n')
			digits[n++] = *p;
	if (hex_decode(digits, &bytes, &size) >= 0 && size == BOOT_ID_SIZE)
		memcpy(ret, bytes, BOOT_ID_SIZE);
	free(bytes);
}

static int open_folder(struct history *h, const char *folder)
{
	int r;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	h->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->folder < 0)
		return -errno;
	r = kept_find(h);
	return r < 0 ? r : history_writer_new(h->folder, &h->writer);
}

int history_new(const char *folder, struct timers *timers, const struct history_limits *limits,
		const struct history_ops *ops, void *userdata, struct history **ret)
{
	struct history *h = calloc(1, sizeof(*h));
	int r = 0;

	if (!h)
		return -ENOMEM;
	h->ops = ops;
	h->userdata = userdata;
	h->timers = timers;
	h->limits = *limits;
	h->folder = -1;
	h->next_id = 1;
	list_init(&h->segments);
	timer_init(&h->flush, timers, flush_due, h);
	timer_init(&h->load, timers, kept_load, h);
	read_boot_id(h->boot_id);
	if (folder)
		r = open_folder(h, folder);
	if (r < 0) {
		history_free(h);
		return r;
	}
	h->read = list_is_empty(&h->segments);
	if (!h->read)
		timer_arm_in(&h->load, 0);
	*ret = h;
	return 0;
}

struct history *history_free(struct history *h)
{
	struct segment *s;

	if (!h)
		return NULL;
	timer_disarm(&h->flush);
	timer_disarm(&h->load);
	history_flush(h);
	h->writer = history_writer_free(h->writer);
	list_for_each(s, &h->segments, list)
		segment_remove(h, s);
	queues_free(h);
	if (h->folder >= 0)
		close(h->folder);
	free(h);
	return NULL;
}

void history_set_limits(struct history *h, const struct history_limits *limits)
{
	h->limits = *limits;
	history_bound(h);
}

bool history_is_read(const struct history *h)
{
	return h->read;
}

void history_count(const struct history *h, struct history_counts *ret)
{
	const struct segment *s;
	uint64_t oldest_msec = 0;

	*ret = (struct history_counts){ .lost = h->lost };
	list_for_each(s, &h->segments, list) {
		if (!s->read || s->waiting == 0)
			continue;
		ret->waiting += s->waiting;
		ret->bytes += s->size;
		if (s->oldest_msec > 0 && (oldest_msec == 0 || s->oldest_msec < oldest_msec))
			oldest_msec = s->oldest_msec;
	}
	ret->oldest_usec = oldest_msec * USEC_PER_MSEC;
}
