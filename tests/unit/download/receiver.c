/* SPDX-License-Identifier: Apache-2.0 */
#include "receiver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

sd_event *event;
struct timers *timers;
struct download *download;
struct buf received;
int n_begun, n_done, error;
uint64_t size_told;
char etag[DOWNLOAD_ETAG_MAX], trouble[200];
int busy, begin_error, take_error;

static int on_begin(void *userdata, uint64_t offset, uint64_t size, const char *tag)
{
	ck_assert_uint_le(offset, received.size);
	n_begun++;
	received.size = offset;
	size_told = size;
	strcpy(etag, tag);
	return begin_error;
}

static int on_take(void *userdata, const void *data, size_t size)
{
	if (busy > 0) {
		busy--;
		return -EBUSY;
	}
	return take_error < 0 ? take_error : buf_append(&received, data, size);
}

static void on_done(void *userdata, int e)
{
	n_done++;
	error = e;
	download = download_free(download);
}

static void on_trouble(void *userdata, const char *text)
{
	snprintf(trouble, sizeof(trouble), "%s", text);
}

const struct download_ops receiver_ops = { on_begin, on_take, on_trouble, on_done };

void receiver_setup(void)
{
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(timers_new(event, &timers), 0);
	received = (struct buf){ 0 };
	n_begun = n_done = busy = begin_error = take_error = 0;
	error = 1;
	etag[0] = trouble[0] = '\0';
}

void receiver_teardown(void)
{
	download = download_free(download);
	timers = timers_free(timers);
	event = sd_event_unref(event);
	buf_done(&received);
}

void receiver_run(void)
{
	for (int turns = 0; n_done == 0; turns++) {
		/* Longer than a thread of ours is ever late: the clock must not overtake its answer. */
		int r = sd_event_run(event, 500 * USEC_PER_MSEC);

		ck_assert_int_ge(r, 0);
		ck_assert_int_lt(turns, 2000);
		if (r == 0 && timers_next(timers) != USEC_INFINITY && timers_next(timers) > clock_monotonic_usec())
			clock_advance(timers_next(timers) - clock_monotonic_usec());
	}
	ck_assert_int_eq(n_done, 1);
}
