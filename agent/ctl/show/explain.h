/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "ctl/daemon/record.h"

/* One request by which a device is read. */
struct request_record {
	uint64_t period_usec; /* 0: once; UINT64_MAX: on demand */
	const char *text;
	uint32_t wire_bytes; /* both ways */
	uint64_t wire_usec;  /* on the line; 0: not known */
};

struct explanation {
	const char *line; /* that the device lies on */
	struct request_record *requests;
	size_t n;
	struct arena arena;
};

/* Reads the answer of Explain(), texts of which stay in the message; by period. -EBADMSG, -ENOMEM. */
int explanation_read(struct sd_bus_message *m, struct explanation *ret);
void explanation_done(struct explanation *e);
#define _cleanup_explanation_ _cleanup_(explanation_done)

/* Its requests as [{text, period_usec, wire_bytes, wire_usec}]. NULL without memory. */
struct json_t *explanation_document(const struct explanation *e);

/* The page of `fieldwayctl explain`; e NULL: the daemon could not say. 0 or -ENOMEM. */
int explain_print(FILE *to, const struct device_record *d, const struct explanation *e);
