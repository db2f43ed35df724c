/* SPDX-License-Identifier: Apache-2.0 */
#include "config/names.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"

int variables_add_host(struct loader *l, struct variables *v, struct yaml_mark mark)
{
	const char *machine_id = l->sources->machine_id;
	int r = variables_add(l, v, mark, "gateway", l->config->gateway.name, false);

	return r < 0 || !machine_id ? r : variables_add(l, v, mark, "machine_id", machine_id, false);
}

/* Quotes, backslashes and blanks would have to be escaped in Register's query and in link-format. */
static bool is_endpoint_name(const char *text)
{
	if (!*text || strlen(text) > ENDPOINT_NAME_MAX)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || strchr("\"\\<>{}\x7f", *text))
			return false;
	return true;
}

int endpoint_name(struct loader *l, struct yaml_mark mark, const char *text, const struct variables *v,
		  char **ret)
{
	const char *expanded;
	int r = text_expand(l, mark, text, v, &expanded);

	if (r < 0)
		return r;
	if (!is_endpoint_name(expanded)) {
		loader_error(l, mark, "\"%s\" is no endpoint client name: at most %u bytes without blanks and quotes",
			     expanded, ENDPOINT_NAME_MAX);
		return -EINVAL;
	}
	*ret = loader_text(l, expanded);
	return *ret ? 0 : -ENOMEM;
}

int name_expand(struct loader *l, struct yaml_mark mark, const char *text, const struct variables *v,
		char **ret)
{
	const char *expanded;
	int r = text_expand(l, mark, text, v, &expanded);

	if (r < 0)
		return r;
	if (!name_is_valid(expanded)) {
		loader_error(l, mark,
			     "\"%s\" is no name: letters, digits, \"_\", \"-\" and \".\", at most %u of them",
			     expanded, CONFIG_NAME_MAX);
		return -EINVAL;
	}
	*ret = loader_text(l, expanded);
	return *ret ? 0 : -ENOMEM;
}
