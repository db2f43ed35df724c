/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "builtin/ports.h"
#include "store/store.h"

/* The objects that the agent backs itself, for one endpoint. */
struct builtin;

/* What they are filled with; texts are copied, NULL leaves a resource out. */
struct builtin_values {
	/* /0/0 and /1/0: the account. */
	const char *uri;
	bool secure;		  /* PSK, else NoSec */
	const char *identity;	  /* of the PSK; keys never enter a store */
	uint16_t short_id;
	uint32_t lifetime_s;
	int64_t pmin_s, pmax_s;	  /* -1: absent */
	/* /3/0 */
	const char *manufacturer, *model, *serial, *firmware, *device_type, *software;
	bool clock;		  /* /3/0/13 is the clock of this machine */
};

/*
 * Adds /0/0 and /1/0 (when uri is given) and /3/0 to the store. endpoint is
 * handed to the ports. The builtin must outlive the store's requests.
 */
int builtin_new(struct store *store, const struct definitions *definitions,
		const struct builtin_values *values, const struct builtin_ports *ports, void *endpoint,
		struct builtin **ret);
struct builtin *builtin_free(struct builtin *b);
