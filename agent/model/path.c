/* SPDX-License-Identifier: Apache-2.0 */
#include "model/path.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

int path_parse_id(const char *text, size_t size, uint16_t *ret)
{
	uint32_t id = 0;

	if (size == 0 || size > 5 || (size > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		id = id * 10 + (text[i] - '0');
	}
	if (id > UINT16_MAX)
		return -EINVAL;
	*ret = id;
	return 0;
}

int path_parse(const char *text, size_t size, struct path *ret)
{
	struct path path = { .depth = PATH_ROOT };

	if (size > 0 && *text == '/') {
		text++;
		size--;
	}
	while (size > 0) {
		const char *slash = memchr(text, '/', size);
		size_t n = slash ? (size_t)(slash - text) : size;
		uint16_t id;

		if (path.depth == PATH_RESOURCE_INSTANCE || path_parse_id(text, n, &id) < 0 || id == ID_NONE)
			return -EINVAL;
		path.ids[path.depth++] = id;
		text += n;
		size -= n;
		/* A slash promises another id. */
		if (slash && --size == 0)
			return -EINVAL;
		text += slash ? 1 : 0;
	}
	*ret = path;
	return 0;
}

char *path_format(const struct path *path, char ret[PATH_TEXT_MAX])
{
	char *at = strcpy(ret, "/");

	for (unsigned i = 0; i < path->depth; i++) {
		*at = '/';
		at = format_u64(path->ids[i], at + 1);
	}
	return ret;
}

int path_compare(const struct path *a, const struct path *b)
{
	for (int i = 0; i < MIN(a->depth, b->depth); i++)
		if (a->ids[i] != b->ids[i])
			return a->ids[i] < b->ids[i] ? -1 : 1;
	return (int)a->depth - (int)b->depth;
}
