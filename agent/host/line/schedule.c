/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/schedule.h"

#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "link/host1.h"

void schedule_init(struct schedule *s, unsigned offline_after, struct schedule_entry *entries,
		   size_t n_entries, struct schedule_device *devices, size_t n_devices)
{
	*s = (struct schedule){ offline_after, entries, n_entries, devices, n_devices };
	for (size_t i = 0; i < n_entries; i++)
		entries[i].due_usec = USEC_INFINITY;
	for (size_t i = 0; i < n_devices; i++) {
		devices[i].state = SCHEDULE_UNKNOWN;
		devices[i].silent = 0;
		devices[i].probe_usec = USEC_INFINITY;
		devices[i].served_usec = 0;
	}
}

static bool is_periodic(const struct schedule_entry *e)
{
	return e->period_usec != LINK_PERIOD_ONCE && e->period_usec != LINK_PERIOD_ON_DEMAND;
}

static void entry_start(struct schedule_entry *e, uint64_t now, size_t place, size_t total)
{
	uint64_t window = SCHEDULE_START_USEC;

	e->phase = (uint32_t)((place + 1) * SCHEDULE_PHASES / total);
	/* The first reads of a short period are spread over it already. */
	e->first = !is_periodic(e) || e->period_usec > window;
	if (!e->first)
		window = e->period_usec;
	if (e->period_usec != LINK_PERIOD_ON_DEMAND)
		e->due_usec = now + window * place / total;
}

void schedule_start(struct schedule *s, uint64_t now, size_t place, size_t total)
{
	for (size_t i = 0; i < s->n_entries; i++)
		entry_start(&s->entries[i], now, place + i, total);
}

void schedule_start_device(struct schedule *s, uint32_t device, uint64_t now, size_t place,
			   size_t total)
{
	const struct schedule_device *d = &s->devices[device];

	for (size_t i = 0; i < d->n; i++)
		entry_start(&s->entries[d->first + i], now, place + i, total);
}

void schedule_take(struct schedule *s, const struct schedule *from, uint32_t device)
{
	const struct schedule_device *was = &from->devices[device];
	struct schedule_device *d = &s->devices[s->n_devices++];

	*d = *was;
	d->first = (uint32_t)s->n_entries;
	if (was->n > 0)
		memcpy(&s->entries[d->first], &from->entries[was->first],
		       was->n * sizeof(*s->entries));
	s->n_entries += was->n;
}

/* What of a device is due first, and when. */
static uint64_t device_due(const struct schedule *s, uint32_t device, struct schedule_turn *ret)
{
	const struct schedule_device *d = &s->devices[device];
	uint64_t best = USEC_INFINITY;

	if (d->state == SCHEDULE_OFFLINE) {
		*ret = (struct schedule_turn){ device, d->first, true };
		return d->probe_usec;
	}
	for (uint32_t i = d->first; i < d->first + d->n; i++) {
		if (s->entries[i].due_usec >= best)
			continue;
		best = s->entries[i].due_usec;
		*ret = (struct schedule_turn){ device, i, d->state == SCHEDULE_UNKNOWN };
	}
	return best;
}

/* Of some devices the turn that waits longest, and since when the oldest of them is due. */
struct choice {
	struct schedule_turn turn;
	uint64_t waits, oldest;
};

static void choice_take(struct choice *c, const struct schedule_turn *turn, uint64_t due,
			uint64_t served)
{
	uint64_t waits = MAX(due, served);

	c->oldest = MIN(c->oldest, due);
	if (waits >= c->waits)
		return;
	c->waits = waits;
	c->turn = *turn;
}

/* All that fell due before a device was silent goes ahead of it, and after a probe in vain any living one. */
static bool living_first(const struct schedule *s, const struct choice *living,
			 const struct choice *silent)
{
	if (living->waits == USEC_INFINITY || silent->waits == USEC_INFINITY)
		return silent->waits == USEC_INFINITY;
	return (s->probed && silent->turn.probe) || living->oldest < silent->oldest;
}

bool schedule_next(const struct schedule *s, uint64_t now, struct schedule_turn *ret,
		   uint64_t *ret_due_usec)
{
	struct choice living = { .waits = USEC_INFINITY, .oldest = USEC_INFINITY };
	struct choice silent = living, *chosen;
	uint64_t next = USEC_INFINITY;

	for (uint32_t i = 0; i < s->n_devices; i++) {
		const struct schedule_device *d = &s->devices[i];
		struct schedule_turn turn = { 0 };
		uint64_t due = device_due(s, i, &turn);

		next = MIN(next, due);
		if (due <= now)
			choice_take(d->silent > 0 || (s->probed && turn.probe) ? &silent : &living,
				    &turn, due, d->served_usec);
	}
	chosen = living_first(s, &living, &silent) ? &living : &silent;
	if (chosen->waits == USEC_INFINITY) {
		*ret_due_usec = next;
		return false;
	}
	*ret = chosen->turn;
	return true;
}

/*
 * What is late runs at once rather than at its old place, but behind all that
 * fell due before: being overloaded costs rate, never a turn.
 */
static void entry_advance(struct schedule_entry *e, uint64_t start, uint64_t retry)
{
	uint64_t step = e->period_usec;

	if (!is_periodic(e)) {
		e->due_usec = e->period_usec == LINK_PERIOD_ONCE ? retry : USEC_INFINITY;
		return;
	}
	/* The second read comes early, for each by another share of the period: no bursts. */
	if (e->first)
		step = (uint64_t)((double)step * e->phase / SCHEDULE_PHASES);
	e->first = false;
	e->due_usec = usec_add(e->due_usec, step);
	if (e->due_usec < start)
		e->due_usec = start;
}

static void device_poll_all(struct schedule *s, const struct schedule_device *d, uint64_t now)
{
	for (uint32_t i = d->first; i < d->first + d->n; i++) {
		if (s->entries[i].period_usec == LINK_PERIOD_ON_DEMAND)
			continue;
		s->entries[i].due_usec = now;
		s->entries[i].first = true;
	}
}

static bool device_answered(struct schedule *s, struct schedule_device *d, uint64_t now)
{
	enum schedule_state before = d->state;

	d->state = SCHEDULE_ONLINE;
	d->silent = 0;
	backoff_reset(&d->backoff);
	if (before == SCHEDULE_OFFLINE)
		device_poll_all(s, d, now);
	return before != SCHEDULE_ONLINE;
}

/*
 * Its other requests are likely to be in vain, too: all that waits already goes
 * ahead of them.
 */
static void device_step_back(const struct schedule *s, const struct schedule_device *d,
			     uint64_t now)
{
	for (uint32_t i = d->first; i < d->first + d->n; i++)
		s->entries[i].due_usec = MAX(s->entries[i].due_usec, now);
}

/* Without an entry there is nothing to find out with that it is back. */
static bool device_silent(const struct schedule *s, struct schedule_device *d, uint64_t now,
			  uint64_t random)
{
	enum schedule_state before = d->state;

	d->silent++;
	device_step_back(s, d, now);
	if (s->offline_after == 0 || d->silent < s->offline_after || d->n == 0)
		return false;
	d->state = SCHEDULE_OFFLINE;
	d->probe_usec = usec_add(now, backoff_next(&d->backoff, random));
	return before != SCHEDULE_OFFLINE;
}

bool schedule_heard(struct schedule *s, uint32_t device, uint64_t now, enum schedule_answer answer,
		    uint64_t random)
{
	struct schedule_device *d = &s->devices[device];

	switch (answer) {
	case SCHEDULE_ANSWERED:
		return device_answered(s, d, now);
	case SCHEDULE_SILENT:
		return device_silent(s, d, now, random);
	}
	return false;
}

bool schedule_done(struct schedule *s, const struct schedule_turn *turn, uint64_t start,
		   uint64_t now, enum schedule_answer answer, bool failed, uint64_t random)
{
	struct schedule_entry *e = &s->entries[turn->entry];
	bool changed = schedule_heard(s, turn->device, now, answer, random);
	uint64_t retry = USEC_INFINITY;

	s->devices[turn->device].served_usec = start;
	s->probed = turn->probe && answer == SCHEDULE_SILENT;
	/* Silence is tried again until the device counts as offline. */
	if (failed)
		retry = answer == SCHEDULE_SILENT && s->offline_after > 0 ?
				now :
				usec_add(now, SCHEDULE_ONCE_RETRY_USEC);
	/*
	 * The answer to a probe made all entries due, this one too: then it has had
	 * its turn. One without an answer has not.
	 */
	if (!turn->probe || s->devices[turn->device].state == SCHEDULE_ONLINE ||
	    s->offline_after == 0)
		entry_advance(e, start, retry);
	return changed;
}

void schedule_insert(struct schedule *s, uint32_t device, uint32_t entry, uint32_t n)
{
	struct schedule_entry *e = &s->entries[entry];

	memmove(e + n + 1, e + 1, (s->n_entries - entry - 1) * sizeof(*e));
	s->n_entries += n;
	s->devices[device].n += n;
	for (uint32_t i = 1; i <= n; i++) {
		e[i] = *e;
		schedule_set(s, entry + i, USEC_INFINITY);
	}
	for (size_t i = 0; i < s->n_devices; i++)
		if (s->devices[i].first > entry)
			s->devices[i].first += n;
}

void schedule_set(struct schedule *s, uint32_t entry, uint64_t due)
{
	s->entries[entry].due_usec = due;
	s->entries[entry].first = false;
}

void schedule_reject(struct schedule *s, uint32_t device, uint64_t now)
{
	struct schedule_device *d = &s->devices[device];

	d->state = SCHEDULE_OFFLINE;
	d->probe_usec = usec_add(now, d->backoff.last_usec);
}

void schedule_hasten(struct schedule *s, uint32_t device, uint32_t entry, uint64_t due_usec)
{
	struct schedule_entry *e = &s->entries[entry];

	if (s->devices[device].state != SCHEDULE_OFFLINE)
		e->due_usec = MIN(e->due_usec, due_usec);
}

void schedule_restored(struct schedule *s, uint64_t now)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->devices[i].state != SCHEDULE_OFFLINE)
			continue;
		backoff_reset(&s->devices[i].backoff);
		s->devices[i].probe_usec = now;
	}
}
