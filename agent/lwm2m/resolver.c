/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/resolver.h"

#include <errno.h>

static bool is_number(const struct span *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
	return s->n > 0;
}

int resolver_path(const struct span *segments, unsigned n, struct path *ret)
{
	struct path path = { .depth = 0 };
	int r;

	/* "coap://host/" has one empty segment in some clients: the root all the same (RFC 7252 6.4). */
	if (n == 1 && segments[0].n == 0)
		n = 0;
	if (n > 0 && !is_number(&segments[0]))
		return -ENOENT;
	if (n > 4)
		return -EPERM;
	for (unsigned i = 0; i < n; i++) {
		uint16_t id;

		r = path_parse_id((const char *)segments[i].p, segments[i].n, &id);
		if (r < 0 || id == ID_NONE)
			return -EPERM;
		path = path_child(&path, id);
	}
	*ret = path;
	return 0;
}
