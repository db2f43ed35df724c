/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/write_internal.h"

/*
 * A Write-Composite is all or nothing (Core 6.3.9), and devices know no such
 * thing: where one refuses, what others have accepted is written back, last
 * things first. What does not go back is told to whoever stands behind it.
 */

void undo_remember(struct write *w)
{
	for (size_t i = w->at; i < w->at + w->run; i++) {
		value_done(&w->former[i]);
		/* What was not good is no value to go back to. */
		if (store_read(w->store, &w->records.items[i].path, false, &w->former[i], NULL) < 0)
			w->former[i] = (struct value){ .type = VALUE_NONE };
	}
}

void undo_begin(struct write *w)
{
	w->undoing = true;
	w->failed = w->at;
	/* Who accepted it, and shows something else, has it all the same: that goes back, too. */
	if (w->error != -EILSEQ)
		return;
	for (size_t end = w->at + w->run; w->at < end; w->at++)
		w->marks[w->at] |= MARK_SENT;
	w->accepted += w->run;
}

/* The run that ends before `at`, as it went out. */
static size_t run_begin(const struct write *w, const struct backing *backing)
{
	size_t first = w->at - 1;

	while (backing->ops->write_all && first > 0 && w->marks[first - 1] & MARK_SENT &&
	       write_run_length(w, first - 1) > 1)
		first--;
	return first;
}

static bool is_known(const struct write *w, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		if (w->former[i].type == VALUE_NONE || w->marks[i] & MARK_LOST)
			return false;
	return true;
}

/* Whether it reached the device nobody knows: then neither value is served as if it were there. */
static bool is_doubtful(int error)
{
	return error == -ETIMEDOUT || error == -EIO || error == -EILSEQ || error == -ECANCELED;
}

static void mark_run(struct write *w, int error)
{
	for (size_t i = w->at; i < w->at + w->run; i++) {
		w->marks[i] |= error == 0 ? MARK_UNDONE : MARK_TORN;
		/* Nor is one that does not show what was written. */
		if (error == 0 || is_doubtful(error) || (w->error == -EILSEQ && i >= w->failed))
			w->marks[i] &= (uint8_t)~MARK_SENT;
	}
}

static void undo_done(void *userdata, int error, const char *reason)
{
	struct write *w = userdata;

	(void)reason;
	w->waiting = false;
	mark_run(w, error);
	if (!w->calling)
		write_step(w);
}

static void send_back(struct write *w, const struct backing *backing)
{
	w->old = reallocarray(w->old, w->run, sizeof(*w->old));
	if (!w->old) {
		mark_run(w, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < w->run; i++)
		w->old[i] = (struct record){ .path = w->records.items[w->at + i].path,
					     .value = w->former[w->at + i] };
	w->waiting = w->calling = true;
	if (backing->ops->write_all)
		backing->ops->write_all(backing->userdata, w->old, w->run, undo_done, w);
	else
		backing->ops->write(backing->userdata, &w->old->path, &w->old->value, undo_done, w);
	w->calling = false;
}

bool undo_step(struct write *w)
{
	while (w->at > 0) {
		size_t end = w->at;
		const struct backing *backing = write_backing(w, &w->records.items[end - 1].path);

		if (!backing || !(w->marks[end - 1] & MARK_SENT)) {
			w->at--;
			continue;
		}
		w->at = run_begin(w, backing);
		w->run = end - w->at;
		if (is_known(w, w->at, w->run))
			send_back(w, backing);
		else
			mark_run(w, -ENODATA);
		if (w->waiting)
			return false;
	}
	return true;
}

void undo_settle(struct write *w)
{
	for (size_t i = 0; i < w->records.n; i++) {
		struct record *record = &w->records.items[i];

		if (w->marks[i] & MARK_UNDONE) {
			value_done(&record->value);
			record->value = w->former[i];
			w->former[i] = (struct value){ .type = VALUE_NONE };
		} else if (w->marks[i] & MARK_TORN && !(w->marks[i] & MARK_SENT)) {
			const struct path path = path_cut(&record->path, PATH_RESOURCE);

			store_set_quality(w->store, &path, STORE_STALE);
		}
	}
}

static bool has_mark(const struct write *w, enum mark mark)
{
	for (size_t i = 0; i < w->records.n; i++)
		if (w->marks[i] & mark)
			return true;
	return false;
}

static void list_marked(const struct write *w, enum mark mark, const char *what, struct buf *text)
{
	char path[PATH_TEXT_MAX];

	if (!has_mark(w, mark))
		return;
	buf_append_text(text, what);
	for (size_t i = 0; i < w->records.n; i++)
		if (w->marks[i] & mark)
			buf_printf(text, " %s", path_format(&w->records.items[i].path, path));
}

void undo_explain(struct write *w)
{
	_cleanup_buf_ struct buf text = { 0 };
	char path[PATH_TEXT_MAX];

	buf_printf(&text, "%s failed%s%s", path_format(&w->records.items[w->failed].path, path),
		   w->reason ? ": " : "", w->reason ?: "");
	list_marked(w, MARK_UNDONE, "; taken back:", &text);
	list_marked(w, MARK_TORN, "; not taken back:", &text);
	free(w->reason);
	w->reason = buf_take_text(&text);
	if (w->accepted > 0)
		w->error = has_mark(w, MARK_TORN) ? -ENOTRECOVERABLE : -EREMOTEIO;
}

void undo_tell(struct write *w)
{
	for (size_t i = 0; i < w->records.n; i++) {
		const struct path *path = &w->records.items[i].path;
		const struct backing *backing = write_backing(w, path);

		if (w->marks[i] & MARK_TORN && backing && backing->ops->torn)
			backing->ops->torn(backing->userdata, path);
	}
}
