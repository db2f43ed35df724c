/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "point.h"

/* What looks wrong about a device's points without being so. */
struct notes {
	const struct fieldway_driver *driver;
	struct fieldway_error *ret;
	size_t n, max;
};

static void note(struct notes *n, uint32_t point, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void note(struct notes *n, uint32_t point, const char *key, const char *format, ...)
{
	struct fieldway_error *e = &n->ret[n->n];
	va_list arguments;

	if (n->n == n->max)
		return;
	n->n++;
	*e = (struct fieldway_error){ .point = (int)point, .key = key };
	va_start(arguments, format);
	vsnprintf(e->text, sizeof(e->text), format, arguments);
	va_end(arguments);
}

static const char *name_of(const struct notes *n, uint32_t point)
{
	return n->driver->device->points[point].name;
}

static bool layout_is_same(const struct layout *a, const struct layout *b)
{
	return a->type == b->type && a->order == b->order && a->mask == b->mask &&
	       a->is_bit == b->is_bit && a->length == b->length;
}

static bool is_text(const struct layout *l)
{
	return l->type == LAYOUT_STRING || l->type == LAYOUT_BYTES;
}

/* Bits and parts of a register are read beside the whole of it, numbers beside a text. */
static bool is_meant(const struct layout *a, const struct layout *b)
{
	return layout_is_partial(a) || layout_is_partial(b) || is_text(a) || is_text(b);
}

/* p begins first, or they begin together. */
static void compare_reads(struct notes *n, uint32_t i, uint32_t j)
{
	const struct point *p = &n->driver->points[i], *q = &n->driver->points[j];

	if (!p->readable || !q->readable)
		return;
	if (p->address == q->address && p->count == q->count &&
	    layout_is_same(&p->layout, &q->layout))
		note(n, j, "address", "reads the same as point %.64s", name_of(n, i));
	else if (q->address > p->address && q->address + q->count > p->address + p->count)
		note(n, j, "address",
		     "overlaps point %.64s by half: one of the addresses or types is wrong",
		     name_of(n, i));
	else if (!is_meant(&p->layout, &q->layout))
		note(n, j, "address", "reads what point %.64s reads too, as another type",
		     name_of(n, i));
}

static bool bits_meet(const struct layout *a, const struct layout *b)
{
	return !layout_is_partial(a) || !layout_is_partial(b) || (a->mask & b->mask) != 0;
}

/* Two points that change each other's registers. */
static void compare_writes(struct notes *n, uint32_t i, uint32_t j)
{
	const struct point *p = &n->driver->points[i], *q = &n->driver->points[j];

	if (area_has_bits(p->area) != area_has_bits(q->area) || p->model != q->model)
		return;
	if (p->write.address + p->count <= q->write.address ||
	    q->write.address + q->count <= p->write.address)
		return;
	if (p->write.address == q->write.address && p->count == q->count &&
	    !bits_meet(&p->layout, &q->layout))
		return;
	note(n, j, "write.address", "writes what point %.64s writes too", name_of(n, i));
}

static int compare_places(const void *a, const void *b, void *userdata)
{
	return point_compare(userdata, *(const uint32_t *)a, *(const uint32_t *)b);
}

static uint64_t write_place(const struct point *p)
{
	return (uint64_t)area_has_bits(p->area) << 32 | (uint64_t)p->model << 16 | p->write.address;
}

static int compare_write_places(const void *a, const void *b, void *userdata)
{
	const struct point *points = userdata;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	uint64_t first = write_place(&points[i]), second = write_place(&points[j]);

	if (first != second)
		return first < second ? -1 : 1;
	return i < j ? -1 : i > j;
}

static void note_reads(struct notes *n, uint32_t *sorted)
{
	const struct point *points = n->driver->points;
	size_t n_points = n->driver->n_points;

	for (size_t i = 0; i < n_points; i++)
		sorted[i] = (uint32_t)i;
	qsort_r(sorted, n_points, sizeof(*sorted), compare_places, (void *)(uintptr_t)points);
	for (size_t i = 0; i < n_points; i++) {
		const struct point *p = &points[sorted[i]];

		for (size_t j = i + 1; j < n_points && n->n < n->max; j++) {
			const struct point *q = &points[sorted[j]];

			if (p->area != q->area || p->model != q->model ||
			    q->address >= p->address + p->count)
				break;
			compare_reads(n, sorted[i], sorted[j]);
		}
	}
}

static void note_writes(struct notes *n, uint32_t *sorted)
{
	const struct point *points = n->driver->points;
	size_t n_writable = 0;

	for (size_t i = 0; i < n->driver->n_points; i++)
		if (points[i].writable)
			sorted[n_writable++] = (uint32_t)i;
	qsort_r(sorted, n_writable, sizeof(*sorted), compare_write_places,
		(void *)(uintptr_t)points);
	for (size_t i = 0; i < n_writable; i++) {
		const struct point *p = &points[sorted[i]];

		for (size_t j = i + 1; j < n_writable && n->n < n->max; j++) {
			if (write_place(&points[sorted[j]]) >= write_place(p) + p->count)
				break;
			compare_writes(n, sorted[i], sorted[j]);
		}
	}
}

size_t driver_notes(const struct fieldway_driver *driver, struct fieldway_error *ret, size_t max)
{
	struct notes n = { driver, ret, 0, max };
	uint32_t *sorted = calloc(driver->n_points + 1, sizeof(*sorted));

	if (!sorted)
		return 0;
	note_reads(&n, sorted);
	note_writes(&n, sorted);
	for (size_t i = 0; i < driver->n_points; i++)
		if (point_is_merged(&driver->points[i]))
			note(&n, (uint32_t)i, "write.function",
			     "is written by reading its registers, changing its bits and writing all of them back: "
			     "what others write in between is lost");
	free(sorted);
	return n.n;
}
