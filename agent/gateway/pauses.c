/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pauses.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "state/state.h"

/* The record: a line each, "endpoint SINCE UID NAME". */
#define STATE_NAME "gateway"
#define STATE_KIND "paused"

struct pauses {
	struct state *state;
	struct pause *items; /* by kind and name */
	size_t n, room;
};

static const char *const kinds[] = {
	[DBUS_ENDPOINT] = "endpoint",
	[DBUS_DEVICE] = "device",
	[DBUS_BUS] = "bus",
};

/* Where it is, or belongs. */
static size_t find_place(const struct pauses *p, enum dbus_kind kind, const char *name,
			 bool *ret_found)
{
	size_t low = 0, high = p->n, middle;
	int order;

	*ret_found = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = kind == p->items[middle].kind ? strcmp(name, p->items[middle].name) :
							(int)kind - (int)p->items[middle].kind;
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct pause *pauses_find(const struct pauses *p, enum dbus_kind kind, const char *name)
{
	bool found;
	size_t i;

	if (p->n == 0)
		return NULL;
	i = find_place(p, kind, name, &found);
	return found ? &p->items[i] : NULL;
}

bool pauses_is_empty(const struct pauses *p)
{
	return p->n == 0;
}

static int make_room(struct pauses *p)
{
	size_t room = p->room ? 2 * p->room : 16;
	struct pause *items;

	if (p->n < p->room)
		return 0;
	if (p->n >= PAUSES_MAX)
		return -ENOSPC;
	items = realloc(p->items, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	p->items = items;
	p->room = room;
	return 0;
}

static void take_out(struct pauses *p, size_t i)
{
	free(p->items[i].name);
	p->n--;
	memmove(&p->items[i], &p->items[i + 1], (p->n - i) * sizeof(*p->items));
}

/* 0: it is there already. */
static int put(struct pauses *p, enum dbus_kind kind, const char *name, const struct dbus_pause *by)
{
	char *copy;
	bool found;
	size_t i = find_place(p, kind, name, &found);
	int r;

	if (found)
		return 0;
	r = make_room(p);
	if (r < 0)
		return r;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	memmove(&p->items[i + 1], &p->items[i], (p->n - i) * sizeof(*p->items));
	p->items[i] = (struct pause){ .kind = kind, .name = copy, .by = *by };
	p->n++;
	return 1;
}

/* ---- the record ---- */

static int save(const struct pauses *p)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = 0;

	if (!p->state)
		return 0;
	if (p->n == 0)
		return state_remove(p->state, STATE_NAME, STATE_KIND);
	for (size_t i = 0; i < p->n && r >= 0; i++)
		r = buf_printf(&text, "%s %" PRIu64 " %u %s\n", kinds[p->items[i].kind],
			       p->items[i].by.since_usec, (unsigned)p->items[i].by.uid,
			       p->items[i].name);
	return r < 0 ? r : state_save(p->state, STATE_NAME, STATE_KIND, text.data, text.size);
}

static int parse_line(char *line, struct pause *ret)
{
	char kind[16];
	unsigned uid;
	int n = 0;

	if (sscanf(line, "%15s %" SCNu64 " %u %n", kind, &ret->by.since_usec, &uid, &n) != 3 ||
	    !line[n])
		return -EBADMSG;
	ret->by.uid = uid;
	ret->name = line + n;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kind, kinds[i])) {
			ret->kind = (enum dbus_kind)i;
			return 0;
		}
	return -EBADMSG;
}

static int load_lines(struct pauses *p, char *text)
{
	struct pause pause;
	char *save_at, *line;
	int r = 0;

	for (line = strtok_r(text, "\n", &save_at); line && r >= 0;
	     line = strtok_r(NULL, "\n", &save_at)) {
		r = parse_line(line, &pause);
		if (r >= 0)
			r = put(p, pause.kind, pause.name, &pause.by);
	}
	return r;
}

static int load(struct pauses *p)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = state_load(p->state, STATE_NAME, STATE_KIND, &text);

	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = buf_append_byte(&text, 0);
	if (r >= 0)
		r = load_lines(p, (char *)text.data);
	if (r < 0 && r != -ENOMEM)
		log_warning(NULL, "what was paused is not known any more: %s",
			    r == -EBADMSG ? "its record was damaged" : strerror(-r));
	return r == -ENOMEM ? r : 0;
}

/* ---- */

int pauses_new(struct state *state, struct pauses **ret)
{
	struct pauses *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->state = state;
	r = state ? load(p) : 0;
	if (r < 0) {
		pauses_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct pauses *pauses_free(struct pauses *p)
{
	if (!p)
		return NULL;
	while (p->n > 0)
		take_out(p, p->n - 1);
	free(p->items);
	free(p);
	return NULL;
}

int pauses_add(struct pauses *p, enum dbus_kind kind, const char *name, uid_t uid)
{
	const struct dbus_pause by = { clock_realtime_usec(), uid };
	bool found;
	int r = put(p, kind, name, &by), error;

	if (r <= 0)
		return r;
	error = save(p);
	if (error < 0)
		take_out(p, find_place(p, kind, name, &found));
	return error < 0 ? error : 1;
}

static int put_all(struct pauses *p, const struct pause_move *moves, size_t n, const struct dbus_pause *taken)
{
	int r = 0, error;

	for (size_t i = 0; i < n; i++) {
		if (taken[i].since_usec == 0)
			continue;
		error = put(p, moves[i].kind, moves[i].to, &taken[i]);
		r = error < 0 ? error : r;
	}
	return r;
}

int pauses_move(struct pauses *p, const struct pause_move *moves, size_t n)
{
	_cleanup_free_ struct dbus_pause *taken = calloc(n + 1, sizeof(*taken));
	int moved = 0, r, error;

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		bool found;
		size_t at = find_place(p, moves[i].kind, moves[i].from, &found);

		if (!found)
			continue;
		taken[i] = p->items[at].by;
		take_out(p, at);
		moved++;
	}
	if (moved == 0)
		return 0;
	r = put_all(p, moves, n, taken);
	error = save(p);
	return r < 0 ? r : error < 0 ? error : moved;
}

int pauses_remove(struct pauses *p, enum dbus_kind kind, const char *name)
{
	struct pause gone;
	bool found;
	size_t i = find_place(p, kind, name, &found);
	int r;

	if (!found)
		return 0;
	gone = p->items[i];
	p->items[i].name = NULL;
	take_out(p, i);
	r = save(p);
	/* There was room for it. */
	if (r < 0)
		put(p, gone.kind, gone.name, &gone.by);
	free(gone.name);
	return r < 0 ? r : 1;
}
