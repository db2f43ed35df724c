/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/line/numbers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define NUMBER_TEXT_MAX 16u

static int number_parse(const char *text, size_t size, uint32_t most, uint32_t *ret)
{
	char copy[NUMBER_TEXT_MAX];
	uint64_t number;

	if (size == 0 || size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (parse_u64(copy, &number) < 0 || number > most)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

int numbers_parse(const char *text, uint32_t most, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *dash = strchr(text, '-');
	uint32_t first, last;

	if (number_parse(text, dash ? (size_t)(dash - text) : strlen(text), most, &first) < 0)
		return -EINVAL;
	last = first;
	if (dash && number_parse(dash + 1, strlen(dash + 1), most, &last) < 0)
		return -EINVAL;
	if (last < first)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

void progress_print(struct progress *p, const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	fputs("\r\033[K", stderr);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fflush(stderr);
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
