/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/learn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/device/statistics.h"
#include "host/device/take.h"
#include "host/line/lesson.h"

const struct fieldway_request *learn_request(const struct poll *p)
{
	return p->lesson ? lesson_request(p->lesson) : p->request;
}

static bool can_learn(const struct poll *p)
{
	return p->lesson || (p->request->n_points > 1 && !p->learned);
}

bool learn_is_answer(const struct poll *p, const struct fieldway_result *result)
{
	return can_learn(p) && lesson_is_refusal(result->error);
}

static void ask_next(struct device *d, uint32_t poll)
{
	struct schedule *s = &d->line->schedule;

	schedule_hasten(s, d->index, s->devices[d->index].first + poll, clock_monotonic_usec());
}

/* ---- what the log says ---- */

/* "input 0-17 (18 registers)" without the brackets. */
static int place_length(const char *text)
{
	const char *end = strstr(text, " (");

	return end ? (int)(end - text) : (int)strlen(text);
}

_printf_(4, 5) static size_t add(char *text, size_t size, size_t n, const char *format, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vsnprintf(text + n, size - n, format, arguments);
	va_end(arguments);
	return r < 0 ? n : MIN(n + (size_t)r, size - 1);
}

static size_t add_parts(char *text, size_t size, size_t n, const struct lesson *s, bool refused,
			const char *before)
{
	unsigned named = 0, more = 0;

	for (size_t i = 0; i < s->n_parts; i++) {
		const struct fieldway_plan *plan = &s->parts[i].plan;

		if ((s->parts[i].kind == LESSON_REFUSED) != refused || plan->n == 0)
			continue;
		if (named >= LEARN_NAMED_MAX) {
			more++;
			continue;
		}
		n = add(text, size, n, "%s%.*s", named == 0 ? before : ", ",
			place_length(plan->requests[0].text), plan->requests[0].text);
		named++;
	}
	return more > 0 ? add(text, size, n, " and %u more", more) : n;
}

static void tell(struct device *d, const struct lesson *s)
{
	char text[DEVICE_TEXT_MAX];
	size_t n = 0;

	n = add(text, sizeof(text), n, "bus %.80s: device %.80s: %.*s is not readable as one request, reads ",
		bus_name(d->bus), d->setup->link->name, place_length(s->whole->text), s->whole->text);
	n = add_parts(text, sizeof(text), n, s, false, "");
	n = add(text, sizeof(text), n, " instead");
	add_parts(text, sizeof(text), n, s, true, "; refused: ");
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	device_log(LOG_NOTICE, d, text);
}

/* ---- the end of a lesson ---- */

static size_t count_polls(const struct lesson *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_parts; i++)
		n += s->parts[i].plan.n;
	return n;
}

static bool has_readable(const struct lesson *s)
{
	for (size_t i = 0; i < s->n_parts; i++)
		if (s->parts[i].kind == LESSON_READ)
			return true;
	return false;
}

/* Nothing was found out: it stays as it is, until it has been good again. */
static void give_up(struct device *d, uint32_t poll)
{
	struct poll *p = &d->polls[poll];
	const struct fieldway_result why = p->lesson->why;

	p->lesson = lesson_free(p->lesson);
	p->learned = true;
	p->learned_usec = clock_monotonic_usec();
	take_failure(d, p->request->points, p->request->n_points, &why, d->line->begun_writes);
	values_flush(d->bus->services->values);
	device_note(d, p, &why);
}

/* Room for n more polls; what is there keeps its place. */
static int make_room(struct device *d, size_t n, size_t n_plans)
{
	struct schedule *s = &d->line->schedule;
	struct schedule_entry *entries;
	struct fieldway_plan *plans;
	struct poll *polls;

	polls = reallocarray(d->polls, d->n_polls + n + 1, sizeof(*polls));
	if (!polls)
		return -ENOMEM;
	d->polls = polls;
	plans = reallocarray(d->learned, d->n_learned + n_plans, sizeof(*plans));
	if (!plans)
		return -ENOMEM;
	d->learned = plans;
	entries = reallocarray(s->entries, s->n_entries + n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	s->entries = entries;
	return 0;
}

static uint64_t next_due(const struct poll *p, uint64_t now)
{
	if (p->refused)
		return usec_add(now, MAX(LEARN_AGAIN_USEC, p->period_usec));
	/* Read during the lesson. */
	return p->period_usec == LINK_PERIOD_ONCE || p->period_usec == LINK_PERIOD_ON_DEMAND ?
		       USEC_INFINITY :
		       usec_add(now, p->period_usec);
}

static void put_poll(struct device *d, uint32_t place, const struct poll *old, enum lesson_kind kind,
		     const struct fieldway_request *request)
{
	struct schedule *s = &d->line->schedule;
	struct poll *p = &d->polls[place];
	uint64_t now = clock_monotonic_usec();

	*p = (struct poll){ .request = request,
			    .period_usec = old->period_usec,
			    .learned = true,
			    .learned_usec = now,
			    .refused = kind == LESSON_REFUSED };
	schedule_set(s, s->devices[d->index].first + place, next_due(p, now));
	/* The log has it. */
	if (p->refused)
		p->health.told = old->lesson->why.error;
	if (kind == LESSON_UNKNOWN || old->health.owed > 0)
		device_read_soon(d, place, old->health.owed);
}

/* Those that can be read first: the device's first request is its probe. */
static void put_parts(struct device *d, uint32_t place, const struct poll *old, struct lesson *s,
		      bool refused)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		struct lesson_part *part = &s->parts[i];

		if ((part->kind == LESSON_REFUSED) != refused)
			continue;
		for (size_t j = 0; j < part->plan.n; j++)
			put_poll(d, place++, old, part->kind, &part->plan.requests[j]);
		if (refused)
			take_failure(d, part->plan.requests[0].points, 1, &s->why,
				     d->line->begun_writes);
		d->learned[d->n_learned++] = part->plan;
		part->plan = (struct fieldway_plan){ 0 };
	}
}

static uint32_t count_refused(const struct lesson *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s->n_parts; i++)
		n += s->parts[i].kind == LESSON_REFUSED;
	return n;
}

/* The poll's place is taken by those of its parts, behind one another. */
static int replace(struct device *d, uint32_t poll)
{
	struct poll old = d->polls[poll];
	struct lesson *s = old.lesson;
	size_t n = count_polls(s);
	uint32_t n_refused = count_refused(s);
	int r = make_room(d, n - 1, s->n_parts);

	if (r < 0)
		return r;
	memmove(&d->polls[poll + n], &d->polls[poll + 1],
		(d->n_polls - poll - 1) * sizeof(*d->polls));
	d->n_polls += n - 1;
	schedule_insert(&d->line->schedule, d->index, d->line->schedule.devices[d->index].first + poll,
			(uint32_t)n - 1);
	tell(d, s);
	put_parts(d, poll, &old, s, false);
	put_parts(d, poll + (uint32_t)n - n_refused, &old, s, true);
	values_flush(d->bus->services->values);
	lesson_free(s);
	statistics_done(&old);
	return 0;
}

/* ---- turns ---- */

static void begin(struct device *d, uint32_t poll, const struct fieldway_result *result)
{
	struct poll *p = &d->polls[poll];
	int r = lesson_new(d->bus->setup->plugin, d->setup->driver, p->request, result, &p->lesson);

	/* Without memory it is tried again in its turn. */
	if (r >= 0)
		ask_next(d, poll);
}

/* What was refused may be readable one day; a poll that was good may have another lesson, not too soon. */
static void follow(struct device *d, uint32_t poll, const struct fieldway_result *result)
{
	struct schedule *s = &d->line->schedule;
	uint32_t entry = s->devices[d->index].first + poll;
	uint64_t now = clock_monotonic_usec();
	struct poll *p = &d->polls[poll];

	if (result->error >= 0) {
		p->refused = false;
		if (now >= usec_add(p->learned_usec, LEARN_AGAIN_USEC))
			p->learned = false;
	} else if (p->refused) {
		schedule_set(s, entry, next_due(p, now));
	}
}

static void go_on(struct device *d, uint32_t poll, bool refused)
{
	struct lesson *s = d->polls[poll].lesson;
	int r = lesson_answer(s, refused);

	if (r > 0)
		ask_next(d, poll);
	else if (r < 0 || !has_readable(s) || replace(d, poll) < 0)
		give_up(d, poll);
}

void learn_done(struct device *d, uint32_t poll, const struct fieldway_result *result)
{
	const struct poll *p = &d->polls[poll];

	if (p->lesson && (result->error >= 0 || lesson_is_refusal(result->error)))
		go_on(d, poll, result->error < 0);
	else if (!p->lesson && learn_is_answer(p, result))
		begin(d, poll, result);
	else if (!p->lesson)
		follow(d, poll, result);
}

void learn_free(struct device *d)
{
	for (size_t i = 0; i < d->n_polls; i++) {
		lesson_free(d->polls[i].lesson);
		statistics_done(&d->polls[i]);
	}
	for (size_t i = 0; i < d->n_learned; i++)
		d->bus->setup->plugin->plan_free(&d->learned[i]);
	free(d->learned);
}
