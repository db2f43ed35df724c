/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which account of an endpoint may register when (Core 6.2.1.1). Those that have
 * a priority come one after the other, the smallest first, equals by their place
 * in the array: each when the one before it has come to an end, well or not, and
 * its own delay is over. Behind one that has failed and blocks, nobody begins.
 * Those without a priority wait for nobody.
 */
enum order_state {
	ORDER_WAITING,	  /* has not begun */
	ORDER_TRYING,	  /* has begun, and come to no end yet */
	ORDER_REGISTERED, /* has registered, whatever became of that */
	ORDER_FAILED,	  /* its attempts are used up, or the server rejects it; it may go on all the same */
};

struct order_account {
	enum order_state state;
	uint64_t ended_usec; /* when it became ORDER_REGISTERED or ORDER_FAILED */
	bool has_priority;
	uint32_t priority;   /* /1/x/13 */
	uint64_t delay_usec; /* /1/x/14; 0 once it has registered */
	bool blocks;	     /* /1/x/15 */
	bool bootstraps;     /* /1/x/16 */
};

/*
 * When the i-th one, which waits, may begin. begun_usec: since when the endpoint
 * registers at all, from which the first one and those without a priority count
 * their delay. USEC_INFINITY: others have to come to an end before.
 */
uint64_t order_turn_usec(const struct order_account *all, size_t n, size_t i, uint64_t begun_usec);

/*
 * Is it bootstrap's turn (Core 6.1.3): nobody has registered, nobody can before
 * one that has failed does, and one of these wants it? Not without accounts.
 */
bool order_wants_bootstrap(const struct order_account *all, size_t n);
