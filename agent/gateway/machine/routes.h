/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Default routes of this machine, of the main table, the best first. */
#define ROUTES_MAX 16u
struct route {
	unsigned interface; /* its number */
	uint32_t metric;
	uint8_t family;
	char router[46]; /* its address; "": it needs none */
};
struct routes {
	struct route items[ROUTES_MAX];
	unsigned n;
};
/* None where the kernel does not say. */
void routes_read(struct routes *ret);
