/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/macro.h"

/* Columns as wide as their widest cell, two blanks apart. Zero-initialised but for columns. */
struct table {
	size_t columns, n, allocated; /* n: rows */
	const char **cells;	      /* not owned */
	size_t state; /* column of the names of states, which have colours on a terminal; 0: none */
};

/* A row of `columns` texts, which must outlive the table; "" becomes "-". 0 or -ENOMEM. */
int table_add(struct table *t, const char *const *cells);
void table_done(struct table *t);
#define _cleanup_table_ _cleanup_(table_done)

/* How a table stands on the screen; zero-initialised is all of it at the left edge. */
struct table_frame {
	const char *label; /* stands left of the first row; the others are indented as far */
	size_t indent;	   /* columns of the label */
	size_t most;	   /* rows; 0: all */
	const char *more;  /* behind "and N more: " when there are more rows than that */
	size_t width;	   /* columns of the screen: longer rows are cut; 0: none is */
};

/* By text_print(). An empty table prints nothing. */
void table_print(FILE *to, const struct table *t, const struct table_frame *frame);
/* Lines of that. */
size_t table_lines(const struct table *t, const struct table_frame *frame);
