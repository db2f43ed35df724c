/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/dm/execute_argument.h"

#include <errno.h>
#include <string.h>

/* CHAR of Core 6.3.5: printable ASCII but space, quotes and backslash. */
static int is_character(char c)
{
	return c > 0x20 && c < 0x7f && c != '\'' && c != '"' && c != '\\';
}

/* One argument from p on; returns what is behind it, or NULL. */
static const char *skip_argument(const char *p, const char *end, unsigned *seen)
{
	if (p == end || *p < '0' || *p > '9' || *seen & 1u << (*p - '0'))
		return NULL;
	*seen |= 1u << (*p++ - '0');
	if (p == end || *p == ',')
		return p;
	if (end - p < 3 || p[0] != '=' || p[1] != '\'')
		return NULL;
	p += 2;
	while (p < end && is_character(*p))
		p++;
	return p < end && *p == '\'' ? p + 1 : NULL;
}

int execute_argument_check(const char *text, size_t size)
{
	const char *p = text;
	unsigned seen = 0;

	if (size > EXECUTE_ARGUMENT_MAX)
		return -EINVAL;
	if (size == 0)
		return 0; /* text may be NULL */
	for (const char *end = text + size;;) {
		p = skip_argument(p, end, &seen);
		if (!p)
			return -EINVAL;
		if (p == end)
			return 0;
		if (*p++ != ',')
			return -EINVAL;
	}
}
