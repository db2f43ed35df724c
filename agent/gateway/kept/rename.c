/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kept/rename.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/difference.h"
#include "gateway/kept/persist_internal.h"

/* A record on its way from one YAML name of an endpoint to another. */
struct record_kept {
	char kind[PERSIST_KIND_MAX];
	struct buf data; /* empty: what lies under the new name is another one's, and goes */
	bool unread;
};

struct rename {
	struct endpoint *endpoint;
	const struct config_endpoint *config; /* the new one */
	const char *former, *name;
	struct record_kept *records;
	size_t n_records;
};

/* ---- which ---- */

static int compare_formers(const void *a, const void *b)
{
	const struct rename *left = a, *right = b;

	return strcmp(left->former, right->former);
}

static int compare_names(const void *a, const void *b)
{
	const struct rename *left = *(const struct rename *const *)a, *right = *(const struct rename *const *)b;

	return strcmp(left->name, right->name);
}

/* The one that leaves a name, or NULL. */
static struct rename *find_former(const struct renames *n, const char *name)
{
	const struct rename key = { .former = name };

	return n->n > 0 ? bsearch(&key, n->items, n->n, sizeof(*n->items), compare_formers) : NULL;
}

/* The one that takes it, or NULL. */
static struct rename *find_new(const struct renames *n, const char *name)
{
	const struct rename key = { .name = name }, *at = &key;
	struct rename **found = n->n > 0 ? bsearch(&at, n->by_name, n->n, sizeof(*n->by_name), compare_names) : NULL;

	return found ? *found : NULL;
}

static bool is_renamed(const struct config_difference *d, uint32_t after)
{
	uint32_t before = d->endpoints[after].before;

	return before != CONFIG_NONE &&
	       !streq(d->before->endpoints[before].name, d->after->endpoints[after].name);
}

int renames_init(struct renames *n, const struct registry *r, const struct config_difference *d)
{
	size_t count = 0;

	*n = (struct renames){ 0 };
	for (uint32_t i = 0; i < d->after->n_endpoints; i++)
		count += is_renamed(d, i);
	if (count == 0)
		return 0;
	n->items = calloc(count, sizeof(*n->items));
	n->by_name = calloc(count, sizeof(*n->by_name));
	if (!n->items || !n->by_name)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->after->n_endpoints; i++)
		if (is_renamed(d, i))
			n->items[n->n++] = (struct rename){
				.endpoint = r->endpoints[d->endpoints[i].before],
				.config = &d->after->endpoints[i],
				.former = d->before->endpoints[d->endpoints[i].before].name,
				.name = d->after->endpoints[i].name,
			};
	qsort(n->items, n->n, sizeof(*n->items), compare_formers);
	for (size_t i = 0; i < n->n; i++)
		n->by_name[i] = &n->items[i];
	qsort(n->by_name, n->n, sizeof(*n->by_name), compare_names);
	return 0;
}

static void rename_done(struct rename *x)
{
	for (size_t i = 0; i < x->n_records; i++)
		buf_done(&x->records[i].data);
	free(x->records);
}

void renames_done(struct renames *n)
{
	for (size_t i = 0; i < n->n; i++)
		rename_done(&n->items[i]);
	free(n->items);
	free(n->by_name);
}

bool renames_give_up(const struct renames *n, const char *name)
{
	return find_former(n, name) != NULL;
}

/* ---- what is kept of them ---- */

static struct record_kept *ensure_record(struct rename *x, const char *kind)
{
	struct record_kept *records;

	for (size_t i = 0; i < x->n_records; i++)
		if (streq(x->records[i].kind, kind))
			return &x->records[i];
	records = reallocarray(x->records, x->n_records + 1, sizeof(*records));
	if (!records)
		return NULL;
	x->records = records;
	records += x->n_records++;
	*records = (struct record_kept){ .data = { 0 } };
	snprintf(records->kind, sizeof(records->kind), "%s", kind);
	return records;
}

static void lift_record(struct rename *x, const char *kind)
{
	struct record_kept *record = ensure_record(x, kind);
	int r = !record ? -ENOMEM : record->data.size > 0 ? 0 : persist_read(x->endpoint, kind, &record->data);

	if (r < 0 && r != -ENOENT)
		persist_log_failure(x->endpoint, kind, r);
	/* What cannot be read today may be tomorrow, under the name that it has. */
	if (record)
		record->unread = r < 0 && r != -ENOENT && r != -EBADMSG;
}

/* Not only that of its accounts and objects of now: others may be there again one day. */
static int lift(void *userdata, const char *name, const char *kind)
{
	struct renames *n = userdata;
	struct rename *from, *to;

	if (!persist_is_kind(kind))
		return 0;
	from = find_former(n, name);
	to = find_new(n, name);
	if (from)
		lift_record(from, kind);
	if (to && !ensure_record(to, kind))
		persist_log_failure(to->endpoint, kind, -ENOMEM);
	return 0;
}

static void lay(const struct rename *x, struct state *state)
{
	for (size_t i = 0; i < x->n_records; i++) {
		const struct record_kept *record = &x->records[i];
		int r = record->data.size > 0 ?
				state_save(state, x->name, record->kind, record->data.data, record->data.size) :
				state_remove(state, x->name, record->kind);

		if (r < 0)
			persist_log_failure(x->endpoint, record->kind, r);
	}
}

static void drop(const struct rename *x, struct state *state)
{
	for (size_t i = 0; i < x->n_records; i++)
		if (!x->records[i].unread)
			state_remove(state, x->former, x->records[i].kind);
}

/* All are read before any is written, and written before any goes, so that names may be exchanged. */
void renames_apply(struct renames *n)
{
	struct state *state = n->n > 0 ? n->items[0].endpoint->registry->config.state : NULL;
	int r = state ? state_each(state, lift, n) : 0;

	if (r < 0)
		log_error(NULL, "what servers wrote to endpoints that have other names now is not kept whole: %s",
			  strerror(-r));
	for (size_t i = 0; i < n->n; i++)
		n->items[i].endpoint->config = n->items[i].config;
	if (!state)
		return;
	/* The files have the new names already: a power cut must not leave some under the old ones. */
	state_begin(state);
	for (size_t i = 0; i < n->n; i++)
		lay(&n->items[i], state);
	for (size_t i = 0; i < n->n; i++)
		if (!find_new(n, n->items[i].former))
			drop(&n->items[i], state);
	state_end(state);
}

/* ---- pauses ---- */

static bool is_paused(const struct registry *r, enum dbus_kind kind, const char *name)
{
	return pauses_find(r->config.pauses, kind, name) != NULL;
}

/* The one that goes on, or shows the same device under that one's new name. */
static uint32_t endpoint_after(const struct config_difference *d, uint32_t before)
{
	uint32_t device = d->before->endpoints[before].device, i = 0;

	if (d->endpoints_after[before] != CONFIG_NONE || device == UINT32_MAX ||
	    d->devices_renamed[device] == CONFIG_NONE)
		return d->endpoints_after[before];
	while (i < d->after->n_endpoints && d->after->endpoints[i].device != d->devices_renamed[device])
		i++;
	return i < d->after->n_endpoints && d->endpoints[i].before == CONFIG_NONE ? i : CONFIG_NONE;
}

static void note_move(const struct registry *r, enum dbus_kind kind, const char *from, const char *to,
		      struct pause_move *moves, size_t *n)
{
	if (is_paused(r, kind, from) && !streq(from, to))
		moves[(*n)++] = (struct pause_move){ kind, from, to };
}

static size_t find_moves(const struct registry *r, const struct config_difference *d, struct pause_move *moves)
{
	const struct config *before = d->before, *after = d->after;
	size_t n = 0;

	for (uint32_t i = 0; i < before->n_endpoints; i++) {
		uint32_t to = is_paused(r, DBUS_ENDPOINT, before->endpoints[i].name) ? endpoint_after(d, i) :
										       CONFIG_NONE;

		if (to != CONFIG_NONE)
			note_move(r, DBUS_ENDPOINT, before->endpoints[i].name, after->endpoints[to].name, moves, &n);
	}
	for (uint32_t i = 0; i < before->n_devices; i++)
		if (d->devices_renamed[i] != CONFIG_NONE)
			note_move(r, DBUS_DEVICE, before->devices[i].name,
				  after->devices[d->devices_renamed[i]].name, moves, &n);
	return n;
}

void renames_pause(struct registry *r, const struct config_difference *d)
{
	_cleanup_free_ struct pause_move *moves = NULL;
	int error = -ENOMEM;

	if (pauses_is_empty(r->config.pauses))
		return;
	moves = calloc(d->before->n_endpoints + d->before->n_devices + 1, sizeof(*moves));
	if (moves)
		error = pauses_move(r->config.pauses, moves, find_moves(r, d, moves));
	if (error < 0)
		log_error(NULL, "what is paused under other names cannot be kept: %s", strerror(-error));
}
