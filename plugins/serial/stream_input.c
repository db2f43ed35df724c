/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "decode.h"
#include "plugins/lib/moment.h"
#include "stream_state.h"

/* So many frames in a row that are none are said aloud; so are so many bytes without a frame. */
#define BAD_FRAMES 8u
#define NOISE_BYTES 4096u
/* What expressions may take of the processor in a second: others want to use the loop as well. */
#define SECOND_USEC UINT64_C(1000000)
#define SPENT_USEC_MAX UINT64_C(200000)

static uint32_t index_of(const struct fieldway_session *s, const struct listener *l)
{
	return (uint32_t)(l - s->listeners);
}

static void tell_trouble(struct fieldway_session *s, struct listener *l, const char *what)
{
	char reason[96];

	snprintf(reason, sizeof(reason), "%u in a row: %s", l->bad, what);
	s->host->state(s->host, index_of(s, l), FIELDWAY_DEVICE_OFFLINE, reason);
}

static void note_bad(struct fieldway_session *s, struct listener *l, const char *what)
{
	s->host->count(s->host, index_of(s, l), 1, 1, 0);
	/* At 8, 16, 32 and so on: garbage may come by thousands a second. */
	if (++l->bad >= BAD_FRAMES && (l->bad & (l->bad - 1)) == 0)
		tell_trouble(s, l, what);
}

static void tell_samples(struct fieldway_session *s, struct listener *l)
{
	size_t n = stream_samples(l->driver, &s->parse, s->samples, s->max_samples, s->text, s->text_size);

	l->bad = 0;
	s->host->count(s->host, index_of(s, l), 1, 0, 0);
	if (n)
		s->host->samples(s->host, index_of(s, l), s->samples, n);
}

/* Frames that are dear come too fast: the rest of this second has to do without. */
static bool is_exhausted(struct listener *l, uint64_t now)
{
	if (now >= l->second_usec) {
		l->second_usec = now + SECOND_USEC;
		l->spent_usec = 0;
	}
	return l->spent_usec >= SPENT_USEC_MAX;
}

static void take_frame(struct fieldway_session *s, struct listener *l, const struct frame *frame)
{
	uint64_t now = moment_boottime_usec();
	int r;

	if (frame->content_size == 0 || output_frame(s, l->driver, frame, now))
		return;
	if (is_exhausted(l, now)) {
		note_bad(s, l, "frames while expressions took too long");
		return;
	}
	r = stream_parse(l->driver, frame, &s->parse);
	l->spent_usec += s->parse.spent_usec;
	s->parse.boottime_usec = now;
	if (r > 0) {
		tell_samples(s, l);
		return;
	}
	/* What no message describes is no error: devices say more than one wants to know. */
	if (r == 0)
		return;
	if (r == -EBADMSG) {
		framer_reject(l->framer);
		note_bad(s, l, "frames with a wrong checksum");
	} else {
		note_bad(s, l, r == -E2BIG ? "frames on which an expression gave up" : "frames for which memory was short");
	}
}

/* What never became a frame: another rate than the device's looks like that. */
static void count_noise(struct fieldway_session *s, struct listener *l)
{
	const struct framer_counters *c = framer_counters(l->framer);

	while (l->oversize + 1 <= c->oversize) {
		l->oversize++;
		note_bad(s, l, "frames longer than max");
	}
	if (c->noise - l->noise < NOISE_BYTES)
		return;
	l->noise = c->noise;
	note_bad(s, l, "times thousands of bytes without a frame (baud rate, format?)");
}

static void take_frames(struct fieldway_session *s, struct listener *l)
{
	struct frame frame;

	while (framer_next(l->framer, &frame))
		take_frame(s, l, &frame);
	count_noise(s, l);
}

/* When the silence is one that ends a frame of the listener. */
static uint64_t idle_end(const struct listener *l)
{
	uint64_t idle = l->driver->frame.idle_usec;

	return idle && framer_is_waiting(l->framer) ? l->heard_usec + idle : UINT64_MAX;
}

static void arm_idle(struct fieldway_session *s)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t end = idle_end(&s->listeners[i]);

		if (end < first)
			first = end;
	}
	s->host->timer_set(s->idle, first);
}

void input_bytes(struct fieldway_session *s, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < s->n; i++) {
		struct listener *l = &s->listeners[i];

		for (size_t at = 0; at < size;) {
			at += framer_push(l->framer, bytes + at, size - at);
			take_frames(s, l);
		}
		l->heard_usec = moment_now_usec();
	}
	arm_idle(s);
}

void input_idle(struct fieldway_session *s)
{
	uint64_t now = moment_now_usec();

	for (size_t i = 0; i < s->n; i++) {
		if (now < idle_end(&s->listeners[i]))
			continue;
		framer_idle(s->listeners[i].framer);
		take_frames(s, &s->listeners[i]);
	}
	arm_idle(s);
}

void input_reset(struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		framer_reset(s->listeners[i].framer);
		s->listeners[i].bad = 0;
	}
	s->host->timer_set(s->idle, UINT64_MAX);
}
