/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "host/device/exchange.h"

/* ---- writing, under the mutex ---- */

static uint64_t real_now(void)
{
	return clock_monotonic_usec() - clock_offset_usec();
}

/* How much of it went; 0 when nothing fits now. */
static size_t put(struct recorder *r, const char *text, size_t n)
{
	ssize_t k = write(r->fd, text, n);

	if (k < 0 && errno != EAGAIN && errno != EINTR)
		r->over = true;
	if (k < 0)
		return 0;
	r->written += (uint64_t)k;
	return (size_t)k;
}

/* A line goes whole or not at all, whatever the descriptor takes at a time. */
static bool put_rest(struct recorder *r)
{
	size_t k = r->n_rest > 0 ? put(r, r->rest, r->n_rest) : 0;

	memmove(r->rest, r->rest + k, r->n_rest - k);
	r->n_rest -= k;
	return r->n_rest == 0;
}

static bool put_line(struct recorder *r, const char *text, size_t n)
{
	size_t k;

	if (!put_rest(r))
		return false;
	k = put(r, text, n);
	if (k == 0)
		return false;
	r->n_rest = n - k;
	memcpy(r->rest, text + k, r->n_rest);
	return true;
}

static bool put_gap(struct recorder *r)
{
	char text[64];
	int n;

	if (r->gap == 0)
		return true;
	n = snprintf(text, sizeof(text), "# %" PRIu64 " pieces were dropped\n", r->gap);
	if (!put_line(r, text, (size_t)n))
		return false;
	r->gap = 0;
	return true;
}

static void put_piece(struct recorder *r, const char *name, enum fieldway_direction direction,
		      const void *bytes, size_t n)
{
	char text[RECORDING_LINE_MAX];
	size_t size = recording_format(real_now() - r->start_usec, name, direction, bytes, n, text);

	if (r->written + size > RECORDER_BYTES_MAX)
		r->over = true;
	if (!r->over && put_gap(r) && put_line(r, text, size)) {
		r->pieces++;
		return;
	}
	r->gap++;
	r->dropped++;
}

void recorder_bytes(struct recorder *r, const char *name, enum fieldway_direction direction,
		    const void *bytes, size_t size)
{
	const char *p = bytes;

	pthread_mutex_lock(&r->mutex);
	for (size_t i = 0; i < size && r->fd >= 0 && !r->over; i += RECORDING_BYTES_MAX)
		put_piece(r, name, direction, p + i, MIN(size - i, (size_t)RECORDING_BYTES_MAX));
	pthread_mutex_unlock(&r->mutex);
}

/* ---- life ---- */

static void look(struct timer *timer, void *userdata)
{
	struct recorder *r = userdata;
	struct pollfd p;
	bool over;

	pthread_mutex_lock(&r->mutex);
	p = (struct pollfd){ .fd = r->fd };
	if (r->fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP | POLLNVAL)))
		r->over = true;
	over = r->over;
	pthread_mutex_unlock(&r->mutex);
	if (over || clock_monotonic_usec() >= r->end_usec ||
	    timer_arm(timer,
		      MIN(r->end_usec, usec_add(clock_monotonic_usec(), RECORDER_LOOK_USEC))) < 0)
		recorder_stop(r);
}

void recorder_init(struct recorder *r, struct timers *timers)
{
	*r = (struct recorder){ .fd = -1 };
	pthread_mutex_init(&r->mutex, NULL);
	timer_init(&r->timer, timers, look, r);
}

void recorder_done(struct recorder *r)
{
	recorder_stop(r);
	pthread_mutex_destroy(&r->mutex);
}

int recorder_start(struct recorder *r, int fd, uint64_t usec, sd_bus_message *call)
{
	_cleanup_close_ int taken = fd;
	int flags = fcntl(fd, F_GETFL), error;

	if (r->call)
		return -EBUSY;
	if (usec == 0 || usec > RECORDER_USEC_MAX || flags < 0)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	error = timer_arm_in(&r->timer, MIN(usec, RECORDER_LOOK_USEC));
	if (error < 0)
		return error;
	r->call = sd_bus_message_ref(call);
	r->end_usec = usec_add(clock_monotonic_usec(), usec);
	pthread_mutex_lock(&r->mutex);
	r->fd = taken;
	taken = -1;
	r->over = false;
	r->start_usec = real_now();
	r->written = r->pieces = r->dropped = r->gap = 0;
	r->n_rest = 0;
	pthread_mutex_unlock(&r->mutex);
	return 0;
}

void recorder_stop(struct recorder *r)
{
	if (!r->call)
		return;
	timer_disarm(&r->timer);
	pthread_mutex_lock(&r->mutex);
	if (!r->over)
		(void)put_gap(r);
	close(r->fd);
	r->fd = -1;
	pthread_mutex_unlock(&r->mutex);
	/* An answer that cannot be sent is a link that is gone. */
	(void)sd_bus_reply_method_return(r->call, "tt", r->pieces, r->dropped);
	r->call = sd_bus_message_unref(r->call);
}

/* ---- of a line ---- */

static void tapped(const struct fieldway_tap *tap, enum fieldway_direction direction,
		   const void *bytes, size_t size)
{
	const struct line_tap *t =
		(const struct line_tap *)((const char *)tap - offsetof(struct line_tap, tap));

	exchange_note(t->exchange, direction, bytes, size);
	if (t->recording)
		recorder_bytes(t->recorder, t->name, direction, bytes, size);
}

void line_tap_init(struct line_tap *t, struct recorder *r, const char *name, struct exchange *exchange)
{
	*t = (struct line_tap){ .tap.bytes = tapped, .recorder = r, .name = name, .exchange = exchange };
}

const struct fieldway_tap *line_tap_now(struct line_tap *t)
{
	t->recording = t->recorder && t->recorder->call;
	*t->exchange = (struct exchange){ .n_sent = 0 };
	return &t->tap;
}
