/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/show/explain.h"
#include "fieldbus/cycle.h"

/* What of `fieldwayctl explain` stands behind the requests. */

/* One value of the merged profile, of GetProfile(). */
struct profile_value {
	const char *point, *key, *value, *origin;
};
/* Texts stay in the message. 0, -EBADMSG, -ENOMEM. */
int profile_values_read(struct sd_bus_message *m, struct arena *arena, struct profile_value **ret,
			size_t *ret_n);
/* A row for each point; with origins a row for each value. 0 or -ENOMEM. */
int profile_values_print(FILE *to, const struct profile_value *values, size_t n, bool origins);

/* [{point, key, value, origin}]; point null: the device's. */
struct json_t *profile_values_document(const struct profile_value *values, size_t n);

/* All devices of the line that one lies on, and their requests. */
struct line_load {
	const char *line;
	size_t n_devices;
	struct cycle_request *requests;
	size_t n, allocated;
};
int line_load_add(struct line_load *l, const struct explanation *e); /* 0 or -ENOMEM */
void line_load_done(struct line_load *l);
/*
 * Whether it fits, and what each of the device's rates gets. Sorts the line's
 * requests. Nothing where nobody can say.
 */
void line_load_print(FILE *to, struct line_load *l, const struct explanation *device,
		     const struct profile_value *values, size_t n_values);

/* One request of GetStatistics(); times in microseconds. */
struct measured_request {
	const char *text;
	uint64_t period_usec, effective_usec, requests, errors, timeouts, exceptions, last_usec,
		mean_usec, max_usec;
};
int measured_read(struct sd_bus_message *m, struct arena *arena, struct measured_request **ret,
		  size_t *ret_n);
/* [{text, period_usec, ...}] as the fields above. */
struct json_t *measured_document(const struct measured_request *requests, size_t n);
/* What was measured. 0 or -ENOMEM. */
int measured_print(FILE *to, const struct measured_request *requests, size_t n);
