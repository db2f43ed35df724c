/* SPDX-License-Identifier: Apache-2.0 */
#include "config/names.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"

static int add_absent(struct loader *l, struct variables *v, struct yaml_mark mark,
		      const char *name, const char *text)
{
	if (!text || variables_find(v, name, strlen(name)))
		return 0;
	return variables_add(l, v, mark, name, text, false);
}

int variables_add_host(struct loader *l, struct variables *v, struct yaml_mark mark)
{
	int r = add_absent(l, v, mark, "gateway", l->config->gateway.name);

	return r < 0 ? r : add_absent(l, v, mark, "machine_id", l->sources->machine_id);
}

int variables_add_names(struct loader *l, struct variables *v, struct yaml_mark mark,
			const char *name)
{
	int r = add_absent(l, v, mark, "name", name);

	return r < 0 ? r : variables_add_host(l, v, mark);
}

int name_check(struct loader *l, struct yaml_mark mark, const char *name)
{
	if (!streq(name, "host"))
		return 0;
	loader_error(l, mark, "the name \"host\" is the gateway's own endpoint");
	return -EINVAL;
}

/*
 * Quotes, backslashes and blanks would have to be escaped in Register's query and
 * in link-format.
 */
static bool is_endpoint_name(const char *text)
{
	if (!*text || strlen(text) > ENDPOINT_NAME_MAX)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || strchr("\"\\<>{}\x7f", *text))
			return false;
	return true;
}

int endpoint_name(struct loader *l, struct yaml_mark mark, const char *text,
		  const struct variables *v, char **ret)
{
	const char *expanded;
	int r = text_expand(l, mark, text, v, &expanded);

	if (r < 0)
		return r;
	if (!is_endpoint_name(expanded)) {
		loader_error(
			l, mark,
			"\"%s\" is no endpoint client name: at most %u bytes without blanks and quotes",
			expanded, ENDPOINT_NAME_MAX);
		return -EINVAL;
	}
	*ret = loader_text(l, expanded);
	return *ret ? 0 : -ENOMEM;
}

int name_expand(struct loader *l, struct yaml_mark mark, const char *text,
		const struct variables *v, char **ret)
{
	const char *expanded;
	int r = text_expand(l, mark, text, v, &expanded);

	if (r < 0)
		return r;
	if (!name_is_valid(expanded)) {
		loader_error(
			l, mark,
			"\"%s\" is no name: letters, digits, \"_\", \"-\" and \".\", at most %u of them",
			expanded, CONFIG_NAME_MAX);
		return -EINVAL;
	}
	*ret = loader_text(l, expanded);
	return *ret ? 0 : -ENOMEM;
}
