/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/governor.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macro.h"

/* Windows and budgets count in parts of a place. */
#define UNIT 65536u

struct governor {
	uint32_t window;    /* in units */
	uint32_t in_flight; /* places */
	uint32_t budget;    /* for NON, in units */
	uint64_t budget_usec;
	/* Losses of tickets from before the last halving do not halve again. */
	uint32_t epoch;
	struct list waiting[TICKET_PRIORITIES];
	struct list bursts;
	unsigned n_waiting;
	struct timer timer;
	bool pumping;
};

void ticket_init(struct ticket *ticket, enum ticket_priority priority, ticket_handler granted)
{
	*ticket = (struct ticket){ .granted = granted, .priority = priority, .state = TICKET_IDLE };
	list_init(&ticket->node);
}

static unsigned places(const struct governor *g)
{
	return g->window / UNIT;
}

static void fill_budget(struct governor *g)
{
	uint64_t now_usec = clock_monotonic_usec();
	uint64_t elapsed_usec = MIN(now_usec - g->budget_usec, GOVERNOR_ROUND_USEC);

	g->budget_usec = now_usec;
	g->budget = (uint32_t)MIN(g->budget + g->window * elapsed_usec / GOVERNOR_ROUND_USEC,
				  (uint64_t)g->window);
}

static bool take_budget(struct governor *g)
{
	if (g->budget < UNIT)
		fill_budget(g);
	if (g->budget < UNIT)
		return false;
	g->budget -= UNIT;
	return true;
}

static void hold(struct governor *g, struct ticket *ticket)
{
	ticket->state = TICKET_HELD;
	ticket->epoch = g->epoch;
	g->in_flight++;
}

static bool try_grant(struct governor *g, struct ticket *ticket)
{
	if (ticket->burst) {
		ticket->state = TICKET_IDLE;
		return take_budget(g);
	}
	if (g->in_flight >= places(g))
		return false;
	hold(g, ticket);
	return true;
}

static struct list *queue_of(struct governor *g, const struct ticket *ticket)
{
	return ticket->burst ? &g->bursts : &g->waiting[ticket->priority];
}

static struct ticket *first_of(struct list *queue)
{
	return list_is_empty(queue) ? NULL : list_entry(queue->next, struct ticket, node);
}

static struct ticket *first_waiting(struct governor *g)
{
	struct ticket *ticket = NULL;

	for (unsigned i = 0; i < TICKET_PRIORITIES && !ticket; i++)
		ticket = first_of(&g->waiting[i]);
	return ticket;
}

static void unqueue(struct governor *g, struct ticket *ticket)
{
	list_remove(&ticket->node);
	g->n_waiting--;
}

/* False: there is no room for it now. */
static bool grant(struct governor *g, struct ticket *ticket)
{
	if (!try_grant(g, ticket)) {
		ticket->state = TICKET_WAITING;
		return false;
	}
	unqueue(g, ticket);
	ticket->granted(ticket);
	return true;
}

static void arm(struct governor *g)
{
	uint64_t wait_usec = GOVERNOR_ROUND_USEC / places(g) + 1;

	/* A few at a time: one wake for each message would cost more than the message. */
	if (!list_is_empty(&g->bursts) && !timer_is_armed(&g->timer))
		timer_arm_in(&g->timer, MAX(wait_usec, USEC_PER_MSEC));
}

static void pump(struct governor *g)
{
	struct ticket *ticket;

	if (g->pumping || g->n_waiting == 0)
		return;
	g->pumping = true;
	while ((ticket = first_waiting(g)) && grant(g, ticket))
		;
	while ((ticket = first_of(&g->bursts)) && grant(g, ticket))
		;
	g->pumping = false;
	arm(g);
}

static void on_timer(struct timer *timer, void *userdata)
{
	pump(userdata);
}

int governor_create(struct timers *timers, struct governor **ret)
{
	struct governor *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->window = GOVERNOR_WINDOW_FIRST * UNIT;
	g->budget = g->window;
	g->budget_usec = clock_monotonic_usec();
	for (unsigned i = 0; i < TICKET_PRIORITIES; i++)
		list_init(&g->waiting[i]);
	list_init(&g->bursts);
	timer_init(&g->timer, timers, on_timer, g);
	*ret = g;
	return 0;
}

struct governor *governor_destroy(struct governor *g)
{
	if (!g)
		return NULL;
	timer_disarm(&g->timer);
	free(g);
	return NULL;
}

/* Nobody overtakes who waits with the same or a higher priority. */
static bool must_queue(const struct governor *g, const struct ticket *ticket)
{
	if (ticket->burst)
		return !list_is_empty(&g->bursts);
	for (unsigned i = 0; g->n_waiting > 0 && i <= ticket->priority; i++)
		if (!list_is_empty(&g->waiting[i]))
			return true;
	return false;
}

bool governor_acquire(struct governor *g, struct ticket *ticket, bool burst)
{
	if (ticket->state != TICKET_IDLE)
		return ticket->state == TICKET_HELD;
	ticket->burst = burst;
	if (!must_queue(g, ticket) && try_grant(g, ticket))
		return true;
	ticket->state = TICKET_WAITING;
	list_append(queue_of(g, ticket), &ticket->node);
	g->n_waiting++;
	arm(g);
	return false;
}

void governor_force(struct governor *g, struct ticket *ticket)
{
	if (ticket->state == TICKET_IDLE)
		hold(g, ticket);
}

static bool let_go(struct governor *g, struct ticket *ticket)
{
	bool held = ticket->state == TICKET_HELD;

	if (held)
		g->in_flight--;
	else if (ticket->state == TICKET_WAITING)
		unqueue(g, ticket);
	ticket->state = TICKET_IDLE;
	return held;
}

void governor_success(struct governor *g, struct ticket *ticket)
{
	if (let_go(g, ticket))
		g->window = MIN(g->window + UNIT / places(g), GOVERNOR_WINDOW_MAX * UNIT);
	pump(g);
}

void governor_loss(struct governor *g, struct ticket *ticket)
{
	if (let_go(g, ticket) && ticket->epoch == g->epoch) {
		g->window = MAX(g->window / 2, GOVERNOR_WINDOW_MIN * UNIT);
		g->epoch++;
	}
	pump(g);
}

void governor_cancel(struct governor *g, struct ticket *ticket)
{
	if (ticket->state == TICKET_IDLE)
		return;
	let_go(g, ticket);
	pump(g);
}

void governor_transfer(struct ticket *from, struct ticket *to)
{
	if (from->state != TICKET_HELD || to->state != TICKET_IDLE)
		return;
	to->state = TICKET_HELD;
	to->epoch = from->epoch;
	to->burst = false;
	from->state = TICKET_IDLE;
}

unsigned governor_window(const struct governor *g)
{
	return places(g);
}

unsigned governor_in_flight(const struct governor *g)
{
	return g->in_flight;
}
