/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static struct tally *find(struct tallies *t, const char *name)
{
	if (t->last < t->n && streq(t->items[t->last].name, name))
		return &t->items[t->last];
	for (t->last = 0; t->last < t->n; t->last++)
		if (streq(t->items[t->last].name, name))
			return &t->items[t->last];
	return NULL;
}

/* The one of that name, a new one if need be; NULL without memory. */
static struct tally *take(struct tallies *t, const char *name)
{
	struct tally *found = find(t, name), *grown;
	size_t allocated = t->allocated ? 2 * t->allocated : 8;

	if (found)
		return found;
	if (t->n == t->allocated) {
		grown = reallocarray(t->items, allocated, sizeof(*grown));
		if (!grown)
			return NULL;
		t->items = grown;
		t->allocated = allocated;
	}
	t->last = t->n++;
	t->items[t->last] = (struct tally){ .name = name, .about = "" };
	return &t->items[t->last];
}

static int by_name(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int by_state(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int good = streq(y->name, "registered") - streq(x->name, "registered");

	return good != 0 ? good : strcmp(x->name, y->name);
}

static int sort(struct tallies *t, int (*order)(const void *a, const void *b))
{
	if (t->n > 0)
		qsort(t->items, t->n, sizeof(*t->items), order);
	t->last = 0;
	return 0;
}

static int add_accounts(struct tallies *t, const struct endpoint_record *e)
{
	for (size_t i = 0; i < e->n_accounts; i++) {
		struct tally *server = take(t, e->accounts[i].server);

		if (!server)
			return -ENOMEM;
		server->about = e->accounts[i].uri;
		server->good += streq(e->accounts[i].state, "registered");
		server->total++;
	}
	return 0;
}

int tally_servers(struct tallies *t, const struct inventory *i)
{
	int r = 0;

	for (size_t k = 0; k < i->n_endpoints && r >= 0; k++)
		r = add_accounts(t, &i->endpoints[k]);
	return r < 0 ? r : sort(t, by_name);
}

int tally_buses(struct tallies *t, const struct inventory *i)
{
	for (size_t k = 0; k < i->n_devices; k++) {
		const struct device_record *d = &i->devices[k];
		struct tally *bus = take(t, d->bus);

		if (!bus)
			return -ENOMEM;
		bus->good += d->enabled && streq(d->state, "online");
		bus->total += d->enabled;
		bus->disabled += !d->enabled;
	}
	return sort(t, by_name);
}

int tally_states(struct tallies *t, const struct inventory *i)
{
	for (size_t k = 0; k < i->n_endpoints; k++) {
		struct tally *state = take(t, i->endpoints[k].state);

		if (!state)
			return -ENOMEM;
		state->total++;
	}
	return sort(t, by_state);
}

static int by_trouble(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int trouble = (y->good < y->total) - (x->good < x->total);

	return trouble != 0 ? trouble : by_name(a, b);
}

void tallies_trouble_first(struct tallies *t)
{
	sort(t, by_trouble);
}

void tallies_done(struct tallies *t)
{
	free(t->items);
	*t = (struct tallies){ 0 };
}
