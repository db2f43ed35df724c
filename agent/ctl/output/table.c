/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output/colour.h"
#include "ctl/output/text.h"

#define COLUMNS_MAX 8u
#define GAP 2u

int table_add(struct table *t, const char *const *cells)
{
	const char **grown;

	if (t->n == t->allocated) {
		size_t allocated = t->allocated ? 2 * t->allocated : 16;

		grown = reallocarray(t->cells, allocated, t->columns * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->cells = grown;
		t->allocated = allocated;
	}
	for (size_t i = 0; i < t->columns; i++)
		t->cells[t->n * t->columns + i] = *cells[i] ? cells[i] : "-";
	t->n++;
	return 0;
}

void table_done(struct table *t)
{
	free(t->cells);
	*t = (struct table){ .columns = t->columns, .state = t->state };
}

/* The row that says how many are left out takes a line of its own. */
static size_t rows_shown(const struct table *t, const struct table_frame *frame)
{
	if (frame->most == 0 || t->n <= frame->most)
		return t->n;
	return frame->most - 1;
}

size_t table_lines(const struct table *t, const struct table_frame *frame)
{
	size_t rows = rows_shown(t, frame);

	return rows < t->n ? rows + 1 : rows;
}

static void print_row(FILE *to, const struct table *t, const char *const *cells,
		      const size_t *widths, size_t room)
{
	for (size_t i = 0; i < t->columns; i++) {
		size_t width = text_width(cells[i]), pad = widths[i] - width + GAP;
		enum colour colour = t->state > 0 && i == t->state ? colour_of_state(cells[i]) :
								     COLOUR_NONE;

		colour_begin(to, colour);
		text_print_cut(to, cells[i], room);
		colour_end(to, colour);
		if (i + 1 == t->columns || width + pad >= room)
			break;
		fprintf(to, "%*s", (int)pad, "");
		room -= width + pad;
	}
	fputc('\n', to);
}

static void print_label(FILE *to, const char *label, size_t indent)
{
	fputs(label, to);
	for (size_t i = strlen(label); i < indent; i++)
		fputc(' ', to);
}

void table_print(FILE *to, const struct table *t, const struct table_frame *frame)
{
	size_t widths[COLUMNS_MAX] = { 0 }, rows = rows_shown(t, frame);
	size_t room = frame->width == 0		   ? SIZE_MAX :
		      frame->width > frame->indent ? frame->width - frame->indent :
						     1;

	for (size_t i = 0; i < rows * t->columns; i++)
		widths[i % t->columns] = MAX(widths[i % t->columns], text_width(t->cells[i]));
	for (size_t i = 0; i < rows; i++) {
		print_label(to, i == 0 && frame->label ? frame->label : "", frame->indent);
		print_row(to, t, &t->cells[i * t->columns], widths, room);
	}
	if (rows < t->n) {
		print_label(to, rows == 0 && frame->label ? frame->label : "", frame->indent);
		fprintf(to, "and %zu more: %s\n", t->n - rows, frame->more);
	}
}
