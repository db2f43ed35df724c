/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "api/plugin.h"
#include "checksum.h"
#include "frame.h"
#include "pattern.h"

/* What a frame says: its fields by name. Pure. */

#define MESSAGES_MAX 32u /* of one profile */
#define MESSAGE_FIELDS_MAX 1024u /* of one frame */
#define MESSAGE_NAMES_MAX 64u /* columns with a name */
#define SEPARATOR_MAX 8u

/* How one kind of frame is recognised, and taken apart. */
struct message {
	struct slice name;
	struct slice expression; /* what `match:` says; the device's address put in: see pattern */
	struct pattern *pattern; /* must match; its named groups are fields */
	bool columns;		 /* fields lie between separators */
	bool records;		 /* each part between separators is matched by itself: groups key, value, unit */
	uint8_t separator[SEPARATOR_MAX];
	size_t separator_size;
	struct slice columns_named[MESSAGE_NAMES_MAX];
	size_t n_columns_named;
	uint32_t size; /* of the content; 0: any */
	struct checksum checksum;
};

/* A field; names point into the message or, of records, into the frame. */
struct field {
	struct slice name, value;
	struct slice unit; /* of records */
};

/* What was found in one frame; owns a copy of it. */
struct parse {
	const struct message *message; /* NULL: nothing */
	char *text;		       /* the frame's content, in UTF-8 where it is text */
	size_t size;
	struct field *fields;
	size_t n, room;
	uint64_t boottime_usec;	       /* when its last byte came; the caller's */
	uint64_t spent_usec;	       /* by expressions on the frame; the caller makes it 0 for each */
};

void parse_done(struct parse *p);

/*
 * 1 and the fields when the frame is such a message, 0 when it is another one,
 * -EBADMSG when it has a wrong checksum of its own, -E2BIG when the expression
 * gave up, -ENOMEM. ret has been zeroed, or used before.
 */
int message_parse(const struct message *m, const struct frame *frame, bool latin1, struct parse *ret);

/* The field's value, data NULL when the frame has none; name "" is all of it, "KEY.unit" a record's unit. */
struct slice parse_find(const struct parse *p, struct slice name);
/* The column, from 1 on. */
struct slice parse_column(const struct parse *p, uint32_t column);

/* Could a frame have such a field? Those of records have any name. */
bool message_has(const struct message *m, struct slice name);

void message_done(struct message *m);
