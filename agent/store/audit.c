/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "store/store.h"

/* One request's audit text names at most this many resources. */
#define AUDIT_RECORDS_MAX 8u
/* Longer values are cut in the log. */
#define AUDIT_VALUE_MAX 64

static const char *value_text(const struct value *value, char **memory)
{
	if (value->type == VALUE_OPAQUE)
		return "(opaque)";
	if (value->type == VALUE_NONE || value_format_text(value, memory) < 0)
		return "(none)";
	if (strlen(*memory) > AUDIT_VALUE_MAX)
		(*memory)[utf8_valid_prefix(*memory, AUDIT_VALUE_MAX)] = '\0';
	return *memory;
}

static void audit_record(struct buf *out, struct store *store, const struct record *record)
{
	_cleanup_value_ struct value old = { 0 };
	_cleanup_free_ char *before = NULL, *after = NULL;
	char path[PATH_TEXT_MAX];

	if (store_read(store, &record->path, true, &old, NULL) < 0)
		old.type = VALUE_NONE;
	buf_printf(out, "%s%s %s -> %s", out->size > 0 ? ", " : "write ", path_format(&record->path, path),
		   value_text(&old, &before), value_text(&record->value, &after));
}

char *audit_write(struct store *store, const struct record *records, size_t n)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < n && i < AUDIT_RECORDS_MAX; i++)
		audit_record(&out, store, &records[i]);
	if (n == 0)
		buf_append_text(&out, "write no value");
	if (n > AUDIT_RECORDS_MAX)
		buf_printf(&out, " and %zu more", n - AUDIT_RECORDS_MAX);
	return buf_take_text(&out);
}

/* The field knows better than errno: "Connection timed out" of a connection that was closed. */
const char *audit_end(int error, const char *reason)
{
	if (error >= 0)
		return "done";
	return reason ? "failed" : strerror(-error);
}
