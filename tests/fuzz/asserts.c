/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What unit tests lend to fuzzers asserts by Check, which wants a runner; here a failure is a crash. */

void _mark_point(const char *file, int line)
{
}

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: %s: ", file, line, expr);
	va_start(args, msg);
	if (msg)
		vfprintf(stderr, msg, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
