/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "point.h"

/* Frames without the data of the answer: MBAP header 7, unit and CRC 3, PDU of a request 5, of an answer 2. */
#define TCP_OVERHEAD (7 + 5 + 7 + 2)
#define RTU_OVERHEAD (3 + 5 + 3 + 2)

uint32_t plan_area_limit(const struct plan_limits *limits, enum area area)
{
	return area_has_bits(area) ? limits->max_registers * BITS_PER_REGISTER : limits->max_registers;
}

static uint64_t span_pack(const struct span *span)
{
	return (uint64_t)span->area << 48 | (uint64_t)span->address << 24 | span->count;
}

struct span request_span(const struct fieldway_request *request)
{
	return (struct span){
		.area = (enum area)(request->token >> 48 & 3),
		.address = request->token >> 24 & 0xffffff,
		.count = request->token & 0xffffff,
	};
}

size_t span_bytes(const struct span *span)
{
	return area_has_bits(span->area) ? (span->count + 7) / 8 : 2 * span->count;
}

static int compare_points(const void *a, const void *b, void *userdata)
{
	const struct point *points = userdata;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct point *p = &points[i], *q = &points[j];

	if (p->area != q->area)
		return p->area < q->area ? -1 : 1;
	if (p->address != q->address)
		return p->address < q->address ? -1 : 1;
	return i < j ? -1 : i > j;
}

/* Takes the point into the span if the limits let it. */
static bool span_extend(struct span *span, const struct point *p, const struct plan_limits *limits)
{
	uint32_t end = span->address + span->count, point_end = (uint32_t)p->address + p->count;

	if (p->area != span->area || p->address > end + limits->max_gap)
		return false;
	if (point_end > end)
		end = point_end;
	if (end - span->address > plan_area_limit(limits, span->area))
		return false;
	span->count = end - span->address;
	return true;
}

static void request_finish(struct fieldway_request *request, const struct span *span,
			   const struct plan_limits *limits)
{
	const char *unit = area_has_bits(span->area) ? "bit" : "register";

	if (span->count == 1)
		snprintf(request->text, sizeof(request->text), "%s %u (1 %s)", area_names[span->area],
			 span->address, unit);
	else
		snprintf(request->text, sizeof(request->text), "%s %u-%u (%u %ss)", area_names[span->area],
			 span->address, span->address + span->count - 1, span->count, unit);
	request->wire_bytes =
		(uint32_t)(span_bytes(span) + (limits->serial ? RTU_OVERHEAD : TCP_OVERHEAD));
	request->token = span_pack(span);
}

/* sorted: indices by area and address. Returns the number of requests. */
static size_t plan_merge(const struct point *points, const uint32_t *sorted, size_t n,
			 const struct plan_limits *limits, struct fieldway_request *requests)
{
	size_t n_requests = 0;
	struct span span = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct point *p = &points[sorted[i]];

		if (n_requests && span_extend(&span, p, limits)) {
			requests[n_requests - 1].n_points++;
			continue;
		}
		if (n_requests)
			request_finish(&requests[n_requests - 1], &span, limits);
		span = (struct span){ .area = p->area, .address = p->address, .count = p->count };
		requests[n_requests++] = (struct fieldway_request){ .points = &sorted[i], .n_points = 1 };
	}
	if (n_requests)
		request_finish(&requests[n_requests - 1], &span, limits);
	return n_requests;
}

int plan_build(const struct point *points, size_t n_points, const struct plan_limits *limits,
	       const uint32_t *wanted, size_t n_wanted, struct fieldway_plan *ret)
{
	struct fieldway_request *requests;
	uint32_t *sorted;
	size_t n = 0;

	for (size_t i = 0; i < n_wanted; i++)
		if (wanted[i] >= n_points)
			return -EINVAL;
	requests = calloc(n_wanted + 1, sizeof(*requests) + sizeof(*sorted));
	if (!requests)
		return -ENOMEM;
	sorted = (uint32_t *)(requests + n_wanted + 1);
	for (size_t i = 0; i < n_wanted; i++)
		if (points[wanted[i]].readable)
			sorted[n++] = wanted[i];
	qsort_r(sorted, n, sizeof(*sorted), compare_points, (void *)(uintptr_t)points);
	*ret = (struct fieldway_plan){
		.requests = requests,
		.n = plan_merge(points, sorted, n, limits, requests),
		.memory = requests,
	};
	return 0;
}

void plan_done(struct fieldway_plan *plan)
{
	free(plan->memory);
	*plan = (struct fieldway_plan){ 0 };
}
