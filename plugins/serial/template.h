/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "checksum.h"
#include "frame.h"
#include "pattern.h"

/*
 * What is sent: text with escapes (escape.h) and placeholders: {value},
 * {value:FORMAT} with a format like printf's ("d" "06.2f" "x"), {checksum},
 * {message.field} of an answer before, and {NAME} of the device's address. Pure.
 */
#define TEMPLATE_PARTS_MAX 32u
#define TEMPLATE_BYTES_MAX 1024u
#define TEMPLATE_WIDTH_MAX 64u

struct template;

/* text must outlive it. checksum: what {checksum} is; NULL: there is none. 0, -ENOMEM, -EINVAL with why. */
int template_new(struct slice text, const struct checksum *checksum, struct template **ret, char *why,
		 size_t size);
struct template *template_free(struct template *t);

/* What there is to fill in. */
struct template_fill {
	const struct fieldway_value *value; /* of {value}; NULL: none */
	bool comma;			    /* a decimal comma in {value} */
	const struct frame_delimiter *end;  /* what no text in {value} may have in it; NULL: anything that is printed */
	/* The text for any other name; data NULL: there is none. */
	struct slice (*find)(const void *userdata, struct slice name);
	const void *userdata;
};

/*
 * 0 and the bytes; -EINVAL: the value does not fit its format or would be more
 * than a value on the line, with why; -ENOBUFS too long; -ENODATA a name is not there.
 */
int template_fill(const struct template *t, const struct template_fill *fill, uint8_t *ret, size_t max,
		  size_t *ret_size, char *why, size_t size);

bool template_has_value(const struct template *t);
/* The name of a placeholder that is neither value nor checksum; data NULL: there is no such one. */
struct slice template_name(const struct template *t, size_t index);
