/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "plugins/lib/settings.h"
#include "spec.h"
#include "escape.h"

#define PREFIX "messages."
#define PLACEHOLDER "{id}"

static bool is_placeholder(struct slice text, size_t at)
{
	return text.size - at >= 4 && memcmp(text.data + at, PLACEHOLDER, 4) == 0;
}

/* A device without an address, one for samples, has any. */
static size_t put_id(const struct fieldway_driver *d, char *ret)
{
	size_t n = 0;

	if (!d->id.data)
		return (size_t)sprintf(ret, "(?:.*?)");
	/* A backslash before what is neither letter nor digit takes any meaning from it. */
	for (size_t i = 0; i < d->id.size; i++) {
		if (ispunct((unsigned char)d->id.data[i]))
			ret[n++] = '\\';
		ret[n++] = d->id.data[i];
	}
	return n;
}

/* Room for ret: the text's size, and for each of its bytes twice that of the address. */
static size_t put_ids(const struct fieldway_driver *d, struct slice text, char *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < text.size;) {
		if (is_placeholder(text, i)) {
			n += put_id(d, ret + n);
			i += 4;
		} else {
			ret[n++] = text.data[i++];
		}
	}
	return n;
}

int expression_compile(const struct fieldway_driver *d, struct slice text, const char *key, struct pattern **ret,
		       struct fieldway_error *error)
{
	char why[160] = "", *expression;
	int r;

	expression = malloc((text.size + 1) * (2 * d->id.size + 16));
	if (!expression)
		return -ENOMEM;
	r = pattern_new(expression, put_ids(d, text, expression), ret, why, sizeof(why));
	free(expression);
	return r == -EINVAL ? setting_refuse(error, key, "%s", why) : r;
}

struct message *messages_find(const struct fieldway_driver *d, struct slice name)
{
	for (size_t i = 0; i < d->n_messages; i++)
		if (d->messages[i]->name.size && slice_equals(name, d->messages[i]->name.data, d->messages[i]->name.size))
			return d->messages[i];
	return NULL;
}

static struct message *add(struct fieldway_driver *d, struct slice name)
{
	struct message **messages = realloc(d->messages, (d->n_messages + 1) * sizeof(struct message *));

	if (!messages)
		return NULL;
	d->messages = messages;
	messages[d->n_messages] = calloc(1, sizeof(struct message));
	if (!messages[d->n_messages])
		return NULL;
	messages[d->n_messages]->name = name;
	return messages[d->n_messages++];
}

int messages_add(struct fieldway_driver *d, struct slice name, struct slice expression, const char *key,
		 struct message **ret, struct fieldway_error *error)
{
	struct message *m = add(d, name);

	if (!m)
		return -ENOMEM;
	*ret = m;
	return expression_compile(d, expression, key, &m->pattern, error);
}

/* ---- `messages:` ---- */

static int compile_separator(const struct fieldway_settings *s, const char *prefix, struct message *m,
			     struct fieldway_error *error)
{
	struct slice columns = spec_text(s, prefix, "columns.separator"), records = spec_text(s, prefix, "records");
	struct slice text = records.data ? records : columns.data ? columns : (struct slice){ ",", 1 };
	char names[SPEC_KEY_MAX];

	if (snprintf(names, sizeof(names), "%scolumns.", prefix) >= (int)sizeof(names))
		return setting_refuse(error, NULL, "the name of a message is too long");
	m->records = records.data != NULL;
	m->columns = spec_has(s, names);
	if (m->records && m->columns)
		return setting_refuse(error, spec_find(s, prefix, "records")->key, "a message has columns or records");
	if (text_bytes(text.data, text.size, m->separator, SEPARATOR_MAX, &m->separator_size) < 0 ||
	    !m->separator_size)
		return setting_refuse(error, spec_find(s, prefix, records.data ? "records" : "columns.separator")->key,
				      "a separator is 1 to %u bytes", SEPARATOR_MAX);
	return 0;
}

static int compile_names(const struct fieldway_settings *s, const char *prefix, struct message *m,
			 struct fieldway_error *error)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < s->n; i++) {
		const struct fieldway_setting *item = &s->items[i];

		if (strncmp(item->key, prefix, n) != 0 || strcmp(item->key + n, "columns.names") != 0)
			continue;
		if (m->n_columns_named == MESSAGE_NAMES_MAX)
			return setting_refuse(error, item->key, "at most %u columns have a name", MESSAGE_NAMES_MAX);
		m->columns_named[m->n_columns_named++] = (struct slice){ item->value.data, item->value.size };
	}
	return 0;
}

static bool has_group(const struct pattern *p, const char *name)
{
	unsigned group;

	for (size_t i = 0; i < pattern_names(p); i++)
		if (strcmp(pattern_name(p, i, &group), name) == 0)
			return true;
	return false;
}

static int compile_match(struct fieldway_driver *d, const char *prefix, struct message *m,
			 struct fieldway_error *error)
{
	const struct fieldway_setting *match = spec_find(d->settings, prefix, "match");
	int r = 0;

	if (match) {
		m->expression = (struct slice){ match->value.data, match->value.size };
		r = expression_compile(d, m->expression, match->key, &m->pattern, error);
	}
	if (r >= 0 && m->records && (!m->pattern || !has_group(m->pattern, "key") || !has_group(m->pattern, "value")))
		return setting_refuse(error, spec_find(d->settings, prefix, "records")->key,
				      "each record is matched: match needs the groups key and value");
	return r;
}

static int compile_message(struct fieldway_driver *d, struct slice name, struct fieldway_error *error)
{
	struct message *m;
	char prefix[SPEC_KEY_MAX];
	int r;

	if (d->n_messages == MESSAGES_MAX)
		return setting_refuse(error, NULL, "more than %u messages", MESSAGES_MAX);
	if (name.size + 32 > sizeof(prefix))
		return setting_refuse(error, NULL, "the name of a message is too long");
	m = add(d, name);
	if (!m)
		return -ENOMEM;
	snprintf(prefix, sizeof(prefix), PREFIX "%.*s.", (int)name.size, name.data);
	m->size = (uint32_t)spec_uint(d->settings, prefix, "size", 0);
	r = compile_separator(d->settings, prefix, m, error);
	if (r >= 0)
		r = compile_names(d->settings, prefix, m, error);
	if (r >= 0)
		r = compile_match(d, prefix, m, error);
	return r < 0 ? r : spec_checksum(d->settings, prefix, NULL, &m->checksum, error);
}

int messages_compile(struct fieldway_driver *d, struct fieldway_error *error)
{
	const struct fieldway_settings *s = d->settings;

	for (size_t i = 0; i < s->n; i++) {
		struct slice name;
		int r;

		if (!spec_name(s->items[i].key, PREFIX, &name) || messages_find(d, name))
			continue;
		r = compile_message(d, name, error);
		if (r < 0)
			return r;
	}
	return 0;
}
