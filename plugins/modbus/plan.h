/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bus.h"
#include "models.h"
#include "types.h"

/* What one read request asks for. */
struct span {
	enum area area;
	uint8_t model; /* as a point's */
	uint32_t address, count;
};

struct plan_limits {
	uint32_t max_gap;	/* addresses that nobody wants, read rather than asked around */
	uint32_t max_registers; /* of one request */
	uint32_t max_coils;
	const struct bus *bus;	     /* whose frames are counted, and timed; NULL: TCP's */
	const struct wishes *wishes; /* of the models, for texts; NULL: none */
};

/* So many objects of a device's identification fit into the host's text. */
#define MAX_REQUEST_OBJECTS 15u

/* The most that one request may cover in an area. */
uint32_t plan_area_limit(const struct plan_limits *limits, enum area area);

/*
 * The requests that read the wanted points (those of them that are readable),
 * by area, model and address, neighbours merged; the same input gives the same
 * plan. 0, -ENOMEM, or -EINVAL for a wanted index that is none.
 */
int plan_build(const struct point *points, size_t n_points, const struct plan_limits *limits,
	       const uint32_t *wanted, size_t n_wanted, struct fieldway_plan *ret);
void plan_done(struct fieldway_plan *plan);

/* By area, model, address and index. */
int point_compare(const struct point *points, uint32_t i, uint32_t j);

/* The span that a request's token carries. */
struct span request_span(const struct fieldway_request *request);
/* Bytes of data in the answer to a span (behind the byte count of the PDU); 0 for identification. */
size_t span_bytes(const struct span *span);
