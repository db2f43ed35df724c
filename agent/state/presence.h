/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Which files a folder may have. At start thousands of endpoints ask for records
 * of which most have none, and each question would be a call of the kernel. A
 * bitmap of hashes: 4 % of the wrong names look right with 10,000 right ones,
 * and are asked for in vain.
 */
#define PRESENCE_BITS (1u << 18)

struct presence {
	uint64_t bits[PRESENCE_BITS / 64];
};

void presence_add(struct presence *p, const char *name);
/* False: surely not. */
bool presence_may_have(const struct presence *p, const char *name);
/* Adds what is in the folder now. errno. */
int presence_read(struct presence *p, int folder);
/* The names of what is in it now, until f returns less than 0, which is returned. errno. */
int presence_each(int folder, int (*f)(void *userdata, const char *name), void *userdata);
