/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "5", "0x10" or "0-200", of 0 to most. 0, or -EINVAL. */
int numbers_parse(const char *text, uint32_t most, uint32_t *ret_first, uint32_t *ret_last);

/* A line of progress on standard error that is overwritten; nothing where that is no terminal. */
struct progress {
	bool shown;
};
void progress_print(struct progress *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Before anything else is printed, and at the end. */
void progress_clear(struct progress *p);
