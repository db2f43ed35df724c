/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "types.h"

/* NULL-terminated, in the order of the enumerations: also the choices of the key table. */
extern const char *const area_names[];
extern const char *const address_base_names[];
extern const char *const object_names[];

/* How a device's manual counts addresses. */
enum address_base {
	ADDRESS_BASE_0,	      /* as on the wire */
	ADDRESS_BASE_1,	      /* from 1 */
	ADDRESS_BASE_MODICON, /* 40001 or 400001 is the first holding register */
};

/* What the device says about all of its points. */
struct point_rules {
	enum address_base address_base;
	uint16_t offset; /* `base: {address: }`: added to addresses */
	bool has_models; /* `base: {find: }` */
	uint16_t max_write_registers;
};

/*
 * Compiles a point's settings but for its model, which is the device's to number:
 * p->model is 0 or 1. 0, or -EINVAL with error (error->point stays -1: the caller
 * knows it).
 */
int point_compile(const struct fieldway_point *from, const struct point_rules *rules,
		  struct point *ret, struct fieldway_error *error);

/* Writing it means reading what lies around it, changing its bits, and writing all of it back. */
bool point_is_merged(const struct point *p);
