/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/settings_internal.h"

static int read_unsigned(struct loader *l, const struct fieldway_key *key,
			 const struct yaml_node *node, uint64_t *ret)
{
	return key->flags & FIELDWAY_KEY_DURATION ? scalar_usec(l, node, ret) :
						    scalar_u64(l, node, ret);
}

static int check_limits(struct loader *l, const struct fieldway_key *key,
			const struct yaml_node *node, double value)
{
	/* Limits of a duration are microseconds as well. */
	if (key->flags & FIELDWAY_KEY_DURATION)
		return usec_check(l, node->mark, node->text, (uint64_t)value, key->minimum,
				  key->maximum);
	return number_check(l, node->mark, node->text, value, key->minimum, key->maximum);
}

/* What a secret's reference may be; what it leads to is looked up when it is needed. */
static int check_secret(struct loader *l, struct yaml_mark mark, const char *text)
{
	static const char *const prefixes[] = { "file:", "table:" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!has_prefix(text, prefixes[i]))
			continue;
		if (text[strlen(prefixes[i])])
			return 0;
		loader_error(l, mark, "\"%s\" names no file", prefixes[i]);
		return -EINVAL;
	}
	if (has_prefix(text, "credential:"))
		loader_error(l, mark, "a key by \"credential:\": " NOT_IN_THIS_VERSION);
	else /* Should it be the key itself, it is not printed. */
		loader_error(l, mark, "a key is file:FILE or table:FILE, never the key itself");
	return -EINVAL;
}

/* What is pasted in its place is as likely a private key as not: it is not printed. */
static int check_file(struct loader *l, struct yaml_mark mark, const char *text)
{
	if (!strchr(text, '\n'))
		return 0;
	loader_error(l, mark, "a file is given by its name, never by what is in it");
	return -EINVAL;
}

static int read_string(struct loader *l, const struct fieldway_key *key,
		       const struct yaml_node *node, bool expanded, struct fieldway_value *ret)
{
	const char *text = node->text;
	int choice, r;

	if (key->choices)
		r = scalar_choice(l, node, key->choices, &choice);
	else
		r = expanded ? 0 : scalar_text(l, node, &text);
	if (r >= 0 && key->flags & FIELDWAY_KEY_SECRET && !(key->flags & FIELDWAY_KEY_CONTENT))
		r = check_secret(l, node->mark, text);
	if (r >= 0 && key->flags & FIELDWAY_KEY_CONTENT)
		r = check_file(l, node->mark, text);
	if (r < 0)
		return r;
	ret->data = loader_text(l, text);
	ret->size = strlen(text);
	return ret->data ? 0 : -ENOMEM;
}

int setting_value(struct loader *l, const struct fieldway_key *key, const struct yaml_node *node,
		  bool expanded, struct fieldway_value *ret)
{
	struct fieldway_value value = { .type = key->type };
	int r = -EINVAL;

	switch (key->type) {
	case FIELDWAY_BOOL:
		r = scalar_bool(l, node, &value.boolean);
		break;
	case FIELDWAY_INT:
		r = scalar_i64(l, node, &value.integer);
		r = r < 0 ? r : check_limits(l, key, node, (double)value.integer);
		break;
	case FIELDWAY_UINT:
		r = read_unsigned(l, key, node, &value.unsignd);
		r = r < 0 ? r : check_limits(l, key, node, (double)value.unsignd);
		break;
	case FIELDWAY_FLOAT:
		r = scalar_double(l, node, &value.real);
		r = r < 0 ? r : check_limits(l, key, node, value.real);
		break;
	case FIELDWAY_STRING:
		r = read_string(l, key, node, expanded, &value);
		break;
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		loader_error(l, node->mark, "%s: " NOT_IN_THIS_VERSION, key->name);
		break;
	}
	if (r >= 0)
		*ret = value;
	return r;
}
