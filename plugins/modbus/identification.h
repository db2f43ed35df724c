/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "types.h"

/*
 * Application Protocol V1.1b3, section 6.21: function 43, MEI type 14. A device
 * streams the objects of a category, over as many answers as they take. Pure.
 */

enum category {
	CATEGORY_BASIC = 1,
	CATEGORY_REGULAR = 2,
	CATEGORY_EXTENDED = 3,
};

/* A stream ends after so many answers: each brings something, or the device goes round in circles. */
#define MAX_IDENTIFICATION_ANSWERS 32u
#define IDENTIFICATION_REQUEST_BYTES 4u

/* Objects wanted, and those that have come. */
struct collection {
	bool wanted[OBJECTS], seen[OBJECTS];
	uint8_t *bytes; /* of the wanted ones, as answer_decode() takes them */
	size_t size, room;
	uint8_t next; /* to be asked for */
};

/* The objects of a request's points; bytes has room for so many. */
void collection_init(struct collection *c, const struct point *points,
		     const struct fieldway_request *request, uint8_t *bytes, size_t room);
/* The lowest category that has them all. */
enum category collection_category(const struct collection *c);
/* The PDU that asks for what comes next. */
void collection_ask(const struct collection *c, enum category category, uint8_t *ret_pdu);
/* An answer's PDU. 1: nothing more is to be asked for; 0: go on; -EBADMSG: it is no such answer. */
int collection_take(struct collection *c, const uint8_t *answer, size_t size);
