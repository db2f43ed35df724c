/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kept/rename.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/difference.h"
#include "gateway/kept/made.h"
#include "gateway/kept/persist_internal.h"

/* Records on their way from one YAML name of an endpoint to another. */
struct kept {
	struct record_kept {
		char kind[PERSIST_KIND_MAX];
		struct buf data; /* empty: there is none */
	} *records;
	size_t n;
};

struct rename {
	struct endpoint *endpoint;
	const struct config_endpoint *config; /* the new one */
	const char *former;
	struct kept kept;
};

/* ---- what is kept of it ---- */

static void lift_record(struct endpoint *e, const char *kind, struct kept *ret)
{
	struct record_kept *record = &ret->records[ret->n];
	int r = persist_read(e, kind, &record->data);

	snprintf(record->kind, sizeof(record->kind), "%s", kind);
	ret->n++;
	if (r < 0 && r != -ENOENT)
		persist_log_failure(e, kind, r);
}

static void lift(struct endpoint *e, struct kept *ret)
{
	static const char *const of_account[] = { PERSIST_SERVER, PERSIST_ATTRIBUTES };
	static const char *const of_endpoint[] = { PERSIST_ACCESS, "bootstrap" };
	const struct config_objects *made = &made_config(e)->create;
	size_t n = accounts_count(e->accounts) * ARRAY_SIZE(of_account) + ARRAY_SIZE(of_endpoint) + made->n;
	char kind[PERSIST_KIND_MAX];

	*ret = (struct kept){ .records = calloc(n, sizeof(*ret->records)) };
	if (!ret->records) {
		persist_log_failure(e, "accounts", -ENOMEM);
		return;
	}
	for (struct account *a = e->accounts; a; a = a->next)
		for (size_t i = 0; i < ARRAY_SIZE(of_account); i++) {
			persist_kind(a, of_account[i], kind);
			lift_record(e, kind, ret);
		}
	for (size_t i = 0; i < ARRAY_SIZE(of_endpoint); i++)
		lift_record(e, of_endpoint[i], ret);
	for (size_t i = 0; i < made->n; i++) {
		made_kind(made->ids[i], kind);
		lift_record(e, kind, ret);
	}
}

/* Whatever was kept under that name before was another one's. */
static void lay(struct endpoint *e, const struct kept *kept)
{
	struct state *state = e->registry->config.state;

	for (size_t i = 0; i < kept->n; i++) {
		const struct record_kept *record = &kept->records[i];
		int r = record->data.size > 0 ? state_save(state, endpoint_label(e), record->kind, record->data.data,
							   record->data.size) :
						state_remove(state, endpoint_label(e), record->kind);

		if (r < 0)
			persist_log_failure(e, record->kind, r);
	}
}

static void drop(const struct endpoint *e, const struct kept *kept, const char *name)
{
	for (size_t i = 0; i < kept->n; i++)
		state_remove(e->registry->config.state, name, kept->records[i].kind);
}

static void kept_done(struct kept *kept)
{
	for (size_t i = 0; i < kept->n; i++)
		buf_done(&kept->records[i].data);
	free(kept->records);
}

/* ---- accounts ---- */

static bool is_renamed(const struct config_difference *d, uint32_t after)
{
	uint32_t before = d->endpoints[after].before;

	return before != CONFIG_NONE &&
	       !streq(d->before->endpoints[before].name, d->after->endpoints[after].name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
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
	n->given_up = calloc(count, sizeof(*n->given_up));
	if (!n->items || !n->given_up)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->after->n_endpoints; i++) {
		struct endpoint *e = is_renamed(d, i) ? r->endpoints[d->endpoints[i].before] : NULL;

		if (!e)
			continue;
		n->items[n->n] = (struct rename){ .endpoint = e,
						  .config = &d->after->endpoints[i],
						  .former = e->config->name };
		n->given_up[n->n++] = e->config->name;
	}
	qsort(n->given_up, n->n, sizeof(*n->given_up), compare_names);
	return 0;
}

void renames_done(struct renames *n)
{
	for (size_t i = 0; i < n->n; i++)
		kept_done(&n->items[i].kept);
	free(n->items);
	free(n->given_up);
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	return n > 0 && bsearch(&name, names, n, sizeof(*names), compare_names);
}

bool renames_give_up(const struct renames *n, const char *name)
{
	return has_name(n->given_up, n->n, name);
}

/* All are read before any is written, and written before any goes, so that names may be exchanged. */
void renames_apply(struct renames *n)
{
	const char **taken = n->given_up; /* from here on their new names */
	struct state *state;

	for (size_t i = 0; i < n->n; i++) {
		struct rename *x = &n->items[i];

		lift(x->endpoint, &x->kept);
		x->endpoint->config = x->config;
		taken[i] = x->config->name;
	}
	if (n->n > 0)
		qsort(taken, n->n, sizeof(*taken), compare_names);
	if (n->n == 0)
		return;
	state = n->items[0].endpoint->registry->config.state;
	/* The files have the new names already: a power cut must not leave some under the old ones. */
	state_begin(state);
	for (size_t i = 0; i < n->n; i++)
		lay(n->items[i].endpoint, &n->items[i].kept);
	for (size_t i = 0; i < n->n; i++)
		if (!has_name(taken, n->n, n->items[i].former))
			drop(n->items[i].endpoint, &n->items[i].kept, n->items[i].former);
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
