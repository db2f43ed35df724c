/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugins/lib/settings.h"
#include "escape.h"

static const char *const order_names[] = { "big", "little", NULL };

const struct fieldway_setting *spec_find(const struct fieldway_settings *s, const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].key, prefix, n) == 0 && strcmp(s->items[i].key + n, name) == 0)
			return &s->items[i];
	return NULL;
}

struct slice spec_text(const struct fieldway_settings *s, const char *prefix, const char *name)
{
	const struct fieldway_setting *item = spec_find(s, prefix, name);

	if (!item || item->value.type != FIELDWAY_STRING)
		return (struct slice){ 0 };
	return (struct slice){ item->value.data, item->value.size };
}

static int64_t spec_int(const struct fieldway_settings *s, const char *prefix, const char *name, int64_t fallback)
{
	const struct fieldway_setting *item = spec_find(s, prefix, name);

	if (!item)
		return fallback;
	return item->value.type == FIELDWAY_UINT ? (int64_t)item->value.unsignd : item->value.integer;
}

uint64_t spec_uint(const struct fieldway_settings *s, const char *prefix, const char *name, uint64_t fallback)
{
	return (uint64_t)spec_int(s, prefix, name, (int64_t)fallback);
}

bool spec_has(const struct fieldway_settings *s, const char *prefix)
{
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].key, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

bool spec_name(const char *key, const char *prefix, struct slice *ret)
{
	size_t n = strlen(prefix);

	if (strncmp(key, prefix, n) != 0)
		return false;
	*ret = (struct slice){ key + n, strcspn(key + n, ".") };
	return true;
}

/* What lies one level below: "requests.read." and "frame." are "requests.read.frame.". */
static int below(const char *prefix, const char *section, char *ret)
{
	int n = snprintf(ret, SPEC_KEY_MAX, "%s%s", prefix, section);

	return n < 0 || n >= (int)SPEC_KEY_MAX ? -EINVAL : 0;
}

/* The key as the configuration has it, for messages; the section where it is not set. */
static const char *key_of(const struct fieldway_settings *s, const char *prefix, const char *name)
{
	const struct fieldway_setting *item = spec_find(s, prefix, name);

	if (item)
		return item->key;
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].key, prefix, strlen(prefix)) == 0)
			return s->items[i].key;
	return NULL;
}

static int choice(struct slice text, const char *const *names, int fallback)
{
	if (!text.data)
		return fallback;
	for (int i = 0; names[i]; i++)
		if (slice_equals(text, names[i], strlen(names[i])))
			return i;
	return -EINVAL;
}

/* ---- frames ---- */

static int compile_delimiter(const struct fieldway_settings *s, const char *prefix, const char *name,
			     struct frame_delimiter *ret, struct fieldway_error *error)
{
	struct slice text = spec_text(s, prefix, name);
	int r = text.data ? text_bytes(text.data, text.size, ret->bytes, FRAME_DELIMITER_MAX, &ret->size) : 0;

	if (r < 0 || (text.data && !ret->size))
		return setting_refuse(error, key_of(s, prefix, name),
				      "a delimiter is 1 to %u bytes of text, \\r \\n \\t \\0 \\e \\\\ or \\xHH",
				      FRAME_DELIMITER_MAX);
	return 0;
}

static int compile_length(const struct fieldway_settings *s, const char *prefix, struct frame_spec *f,
			  struct fieldway_error *error)
{
	int order = choice(spec_text(s, prefix, "length.order"), order_names, 0);

	if (!spec_find(s, prefix, "length.at"))
		return 0;
	f->length.at = (uint32_t)spec_uint(s, prefix, "length.at", 0);
	f->length.size = (uint32_t)spec_uint(s, prefix, "length.size", 1);
	f->length.adds = (int32_t)spec_int(s, prefix, "length.adds", 0);
	f->length.little = order == 1;
	if (f->length.size != 1 && f->length.size != 2 && f->length.size != 4)
		return setting_refuse(error, key_of(s, prefix, "length.size"), "a length has 1, 2 or 4 bytes");
	if (order < 0)
		return setting_refuse(error, key_of(s, prefix, "length.order"), "order is big or little");
	if (f->length.at + f->length.size > f->max)
		return setting_refuse(error, key_of(s, prefix, "length.at"), "it lies behind the longest frame");
	return 0;
}

static int check_frame(const struct fieldway_settings *s, const char *prefix, const struct frame_spec *f,
		       struct fieldway_error *error)
{
	int ends = (f->end.size > 0) + (f->length.size > 0) + (f->fixed > 0);

	if (ends > 1)
		return setting_refuse(error, key_of(s, prefix, ""), "a frame ends by end, length or fixed: one of them");
	if (ends == 0 && f->idle_usec == 0)
		return setting_refuse(error, key_of(s, prefix, ""), "nothing ends a frame: end, length, fixed or idle");
	if (f->fixed > f->max || f->fixed < f->start.size * (f->fixed > 0))
		return setting_refuse(error, key_of(s, prefix, "fixed"), "that does not fit the start or max");
	if (f->tail && !f->end.size)
		return setting_refuse(error, key_of(s, prefix, "tail"), "there is no end that it could be behind");
	return 0;
}

int spec_frame(const struct fieldway_settings *s, const char *prefix, const struct frame_spec *fallback,
	       struct frame_spec *ret, struct fieldway_error *error)
{
	char keys[SPEC_KEY_MAX];
	struct frame_spec f = { 0 };
	int r;

	if (below(prefix, "frame.", keys) < 0)
		return setting_refuse(error, NULL, "a name is too long");
	if (!spec_has(s, keys)) {
		if (!fallback)
			return setting_refuse(error, NULL, "the profile has no frame: how does one end?");
		*ret = *fallback;
		return 0;
	}
	f.max = (uint32_t)spec_uint(s, keys, "max", FRAME_DEFAULT_MAX);
	f.fixed = (uint32_t)spec_uint(s, keys, "fixed", 0);
	f.tail = (uint32_t)spec_uint(s, keys, "tail", 0);
	f.idle_usec = spec_uint(s, keys, "idle", 0);
	if (f.max < 1 || f.max > FRAME_MAX || f.tail > FRAME_DELIMITER_MAX)
		return setting_refuse(error, key_of(s, keys, "max"), "a frame has at most %u bytes, a tail %u",
				      FRAME_MAX, FRAME_DELIMITER_MAX);
	r = compile_delimiter(s, keys, "start", &f.start, error);
	if (r >= 0)
		r = compile_delimiter(s, keys, "end", &f.end, error);
	if (r >= 0)
		r = compile_length(s, keys, &f, error);
	if (r >= 0)
		r = check_frame(s, keys, &f, error);
	if (r >= 0)
		*ret = f;
	return r;
}

/* ---- checksums ---- */

/* Without places it is the last of the frame, over all before it. */
static void default_places(const struct fieldway_settings *s, const char *prefix, struct checksum *c)
{
	c->first = (int32_t)spec_int(s, prefix, "first", 0);
	c->at = (int32_t)spec_int(s, prefix, "at", -(int32_t)checksum_size(c));
	c->last = (int32_t)spec_int(s, prefix, "last", c->at - 1);
}

static int compile_checksum(const struct fieldway_settings *s, const char *prefix, int kind, struct checksum *ret,
			    struct fieldway_error *error)
{
	int format = choice(spec_text(s, prefix, "format"), checksum_formats, CHECKSUM_BINARY);
	int order = choice(spec_text(s, prefix, "order"), order_names, kind == CHECKSUM_CRC16_MODBUS);

	if (format < 0)
		return setting_refuse(error, key_of(s, prefix, "format"), "a checksum is binary or hex");
	if (order < 0)
		return setting_refuse(error, key_of(s, prefix, "order"), "order is big or little");
	*ret = (struct checksum){
		.kind = (enum checksum_kind)kind,
		.format = (enum checksum_format)format,
		.little = order == 1,
	};
	default_places(s, prefix, ret);
	return 0;
}

int spec_checksum(const struct fieldway_settings *s, const char *prefix, const struct checksum *fallback,
		  struct checksum *ret, struct fieldway_error *error)
{
	char keys[SPEC_KEY_MAX];
	int kind;

	if (below(prefix, "checksum.", keys) < 0)
		return setting_refuse(error, NULL, "a name is too long");
	if (!spec_has(s, keys)) {
		*ret = fallback ? *fallback : (struct checksum){ .kind = CHECKSUM_NONE };
		return 0;
	}
	kind = choice(spec_text(s, keys, "kind"), checksum_names, -ENOENT);
	if (kind == -ENOENT)
		return setting_refuse(error, key_of(s, keys, ""), "a checksum has a kind");
	if (kind < 0)
		return setting_refuse(error, key_of(s, keys, "kind"), "there is no such checksum");
	return compile_checksum(s, keys, kind, ret, error);
}
