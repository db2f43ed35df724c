/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Pages are printed to `page`; printed() ends it and says what has come. */
static FILE *page;
static char *page_text;
static size_t page_size;

static inline void page_open(void)
{
	page = open_memstream(&page_text, &page_size);
	ck_assert_ptr_nonnull(page);
}

static inline void page_close(void)
{
	if (page)
		fclose(page);
	page = NULL;
	free(page_text);
	page_text = NULL;
}

static inline const char *printed(void)
{
	ck_assert_int_eq(fclose(page), 0);
	page = NULL;
	return page_text;
}
