/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "observe/internal.h"

/* Notifications that are kept while the server is away (hqmax, Core table 7.3.2-1; /1/x/6). */

struct snapshot {
	struct list list;
	size_t bytes;
	struct records records;
};

struct backlog {
	struct list snapshots; /* oldest first */
	unsigned n;
	bool partial; /* something was left out: without hqmax, or too large */
};

static void snapshot_drop(struct observations *o, struct backlog *b, struct snapshot *s)
{
	o->stored_bytes -= s->bytes;
	b->n--;
	list_remove(&s->list);
	records_done(&s->records);
	free(s);
}

void backlog_free(struct observations *o, struct entry *e)
{
	struct snapshot *s;

	if (!e->backlog)
		return;
	list_for_each(s, &e->backlog->snapshots, list)
		snapshot_drop(o, e->backlog, s);
	free(e->backlog);
	e->backlog = NULL;
}

static struct snapshot *oldest(struct backlog *b)
{
	return list_entry(b->snapshots.next, struct snapshot, list);
}

/* ---- what is to be stored ---- */

static uint32_t hqmax_of(const struct attributes *a)
{
	return a->present & ATTRIBUTE_HQMAX ? a->hqmax : 0;
}

static uint32_t hqmax_at(const struct observations *o, const struct entry *e, const struct path *path)
{
	struct attributes a;

	if (e->own)
		return hqmax_of(e->own);
	a = attribute_set_effective(o->config.attributes, path);
	return hqmax_of(&a);
}

bool observation_stores(const struct observations *o, struct observation *observation)
{
	const struct entry *e = container_of(observation, struct entry, public);

	for each_part(p, e)
		if (hqmax_at(o, e, &p->at.path) > 0 ||
		    (!e->own && attribute_set_stores_below(o->config.attributes, &p->at.path)))
			return true;
	return false;
}

/* Takes out the parts that are not to be stored; the largest hqmax of those that are. */
static uint32_t choose(const struct observations *o, const struct entry *e, struct records *records)
{
	uint32_t hqmax = 0;
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct record *r = &records->items[i];
		uint32_t own = hqmax_at(o, e, &r->path);

		hqmax = MAX(hqmax, own);
		if (own > 0)
			records->items[kept++] = *r;
		else
			value_done(&r->value);
	}
	records->n = kept;
	return hqmax;
}

static size_t size_of(const struct records *records)
{
	size_t bytes = sizeof(struct snapshot) + records->n * sizeof(*records->items);

	for (size_t i = 0; i < records->n; i++)
		bytes += records->items[i].value.size;
	return bytes;
}

static struct backlog *backlog_of(struct entry *e)
{
	if (e->backlog)
		return e->backlog;
	e->backlog = calloc(1, sizeof(*e->backlog));
	if (e->backlog)
		list_init(&e->backlog->snapshots);
	return e->backlog;
}

int observation_store(struct observations *o, struct observation *observation, struct records *records)
{
	struct entry *e = container_of(observation, struct entry, public);
	const size_t n = records->n;
	uint32_t hqmax = choose(o, e, records);
	size_t bytes = size_of(records);
	struct backlog *b;
	struct snapshot *s;

	b = backlog_of(e);
	if (!b)
		return -ENOMEM;
	b->partial |= records->n < n;
	if (records->n == 0)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	while (b->n > 0 && (b->n >= hqmax || o->stored_bytes + bytes > STORED_BYTES_MAX))
		snapshot_drop(o, b, oldest(b));
	if (o->stored_bytes + bytes > STORED_BYTES_MAX) {
		b->partial = true;
		free(s);
		return -ENOSPC;
	}
	s->bytes = bytes;
	s->records = *records;
	*records = (struct records){ 0 };
	list_append(&b->snapshots, &s->list);
	b->n++;
	o->stored_bytes += bytes;
	return 0;
}

/* ---- and told ---- */

int observation_stored(struct observation *observation, struct record **ret, size_t *ret_n)
{
	const struct entry *e = container_of(observation, struct entry, public);
	const struct snapshot *s;
	size_t n = 0, at = 0;

	if (e->backlog)
		list_for_each(s, &e->backlog->snapshots, list)
			n += s->records.n;
	*ret_n = 0;
	*ret = NULL;
	if (n == 0)
		return 0;
	*ret = calloc(n, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	list_for_each(s, &e->backlog->snapshots, list)
		for (size_t i = 0; i < s->records.n; i++)
			(*ret)[at++] = s->records.items[i];
	*ret_n = n;
	return 0;
}

void observation_forget_stored(struct observations *o, struct observation *observation)
{
	struct entry *e = container_of(observation, struct entry, public);
	bool partial = e->backlog && e->backlog->partial;

	backlog_free(o, e);
	if (partial)
		entry_owe(e);
}

/* ---- registrations come and go ---- */

void observations_detach(struct observations *o)
{
	struct entry *e;

	if (!o)
		return;
	list_for_each(e, &o->entries, list) {
		if (e->dead)
			continue;
		/* What nobody has observed again since the last time is not wanted. */
		if (e->detached ? !o->away : !observation_stores(o, &e->public)) {
			entry_remove(o, e);
			continue;
		}
		if (e->detached)
			continue;
		o->n--;
		o->n_paths -= e->public.n_paths;
		e->detached = true;
		e->public.in_flight = false;
		e->public.token_size = 0;
	}
	o->away = true;
	observations_reconsider(o);
}

static bool is_of_same_paths(const struct entry *a, const struct entry *b)
{
	if (a->public.composite != b->public.composite || a->public.n_paths != b->public.n_paths)
		return false;
	for (unsigned i = 0; i < a->public.n_paths; i++)
		if (a->parts[i].at.store != b->parts[i].at.store ||
		    !path_equal(&a->parts[i].at.path, &b->parts[i].at.path))
			return false;
	return true;
}

void backlog_adopt(struct observations *o, struct entry *e)
{
	struct entry *former;

	list_for_each(former, &o->entries, list) {
		if (former->dead || !former->detached || !is_of_same_paths(former, e))
			continue;
		/* All that was left out is in the answer to this one. */
		if (!e->backlog && former->backlog && former->backlog->n > 0)
			e->backlog = TAKE_PTR(former->backlog);
		entry_remove(o, former);
	}
}
