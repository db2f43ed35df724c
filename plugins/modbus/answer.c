/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "point.h"

/* What a device with the cells of a profile's sample would answer. */
struct cells {
	const struct fieldway_cell *items;
	size_t n;
};

/* -1: there is no such cell. */
static int32_t find_cell(const struct cells *cells, enum area area, uint32_t address)
{
	for (size_t i = 0; i < cells->n; i++)
		if (cells->items[i].address == address &&
		    strcmp(cells->items[i].area, area_names[area]) == 0)
			return cells->items[i].value;
	return -1;
}

/* Is the register one of a point, and not in a hole between them? address counts as the span's. */
static bool is_wanted(const struct fieldway_driver *d, const struct fieldway_request *request,
		      uint32_t address)
{
	for (size_t i = 0; i < request->n_points; i++) {
		const struct point *p = &d->points[request->points[i]];

		if (address >= p->address && address < (uint32_t)p->address + p->count)
			return true;
	}
	return false;
}

static void put_cell(const struct span *span, uint32_t i, int32_t cell, uint8_t *bytes)
{
	if (area_has_bits(span->area)) {
		bytes[i / 8] |= (uint8_t)((cell != 0) << i % 8);
		return;
	}
	bytes[2 * i] = (uint8_t)(cell >> 8);
	bytes[2 * i + 1] = (uint8_t)cell;
}

/* Registers as a walk wants them; false: the sample does not have them all. */
static bool take_registers(const struct cells *cells, uint32_t address, uint16_t count,
			   uint8_t *ret)
{
	const struct span span = { .area = AREA_HOLDING, .address = address, .count = count };

	for (uint32_t i = 0; i < count; i++) {
		int32_t cell = find_cell(cells, AREA_HOLDING, address + i);

		if (cell < 0)
			return false;
		put_cell(&span, i, cell, ret);
	}
	return true;
}

/* 1 and the model; 0: the chain of the sample ends without it; -ENODATA: the sample has no chain. */
static int find_model(const struct fieldway_driver *d, const struct cells *cells, uint8_t wish,
		      struct model *ret)
{
	uint8_t registers[MAX_FIND_BYTES > 2 * MODEL_HEADER ? MAX_FIND_BYTES : 2 * MODEL_HEADER];
	const struct model *model;
	struct walk walk = { 0 };
	uint16_t address, count;
	bool cut = false;

	while (!cut && walk_wants(&d->base, &walk, &address, &count)) {
		bool there = take_registers(cells, address, count, registers);

		cut = !there && walk.state == WALK_FOLLOWS;
		walk_feed(&d->base, &walk, there ? registers : NULL);
	}
	model = walk_find(&walk, &d->wishes.items[wish - 1]);
	if (!model)
		return cut || walk.state == WALK_LOST ? -ENODATA : 0;
	*ret = *model;
	return 1;
}

/* Where the span begins in the device, and how much of it there is. */
static int place_span(const struct fieldway_driver *d, const struct cells *cells, struct span *span,
		      uint32_t *ret_address)
{
	struct model model;
	int r;

	*ret_address = span->address;
	if (!span->model)
		return 0;
	r = find_model(d, cells, span->model, &model);
	if (r < 0)
		return r;
	if (r == 0) {
		span->count = 0;
		return 0;
	}
	span->count = model_clip(&model, span->address, span->count);
	*ret_address = model.address + span->address;
	return 0;
}

ssize_t driver_answer(const struct fieldway_driver *d, const struct fieldway_request *request,
		      const struct fieldway_cell *items, size_t n_cells, void *ret_bytes,
		      size_t size)
{
	const struct cells cells = { items, n_cells };
	struct span span = request_span(request);
	uint8_t *bytes = ret_bytes;
	uint32_t address;
	int r;

	if (span.area == AREA_IDENTIFICATION) /* cells are numbers */
		return -ENODATA;
	r = place_span(d, &cells, &span, &address);
	if (r < 0)
		return r;
	if (size < span_bytes(&span))
		return -ENOBUFS;
	memset(bytes, 0, span_bytes(&span));
	for (uint32_t i = 0; i < span.count; i++) {
		int32_t cell = find_cell(&cells, span.area, address + i);

		if (cell < 0 && is_wanted(d, request, span.address + i))
			return -ENODATA;
		if (cell >= 0)
			put_cell(&span, i, cell, bytes);
	}
	return (ssize_t)span_bytes(&span);
}
