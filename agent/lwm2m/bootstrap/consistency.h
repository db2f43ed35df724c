/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct store;

/*
 * Whether accounts hang together so that a client can live by them: what
 * Bootstrap-Finish and a Bootstrap-Pack ask (Core 6.1.2, 6.1.7.5; lwm2m.md
 * "Bootstrap"). A pure function of what the store has in /0 /1 /2 and what they
 * link to.
 */
struct consistency_keys {
	/* Is the key of this /0 instance kept elsewhere, by reference? NULL: none is. */
	bool (*elsewhere)(void *userdata, uint16_t security);
	void *userdata;
};

#define CONSISTENCY_REASON_MAX 128u
/* 0, or -EINVAL with what is wrong first, for people: "/0/1: no URI (resource 0)". Never a key. */
int consistency_check(struct store *s, const struct consistency_keys *keys, char ret_reason[CONSISTENCY_REASON_MAX]);
