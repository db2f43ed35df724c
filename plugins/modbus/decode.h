/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "plan.h"
#include "types.h"

/*
 * Values out of an answer's data bytes: registers of two bytes each, high byte
 * first; coils packed, the first in the lowest bit of the first byte (Application
 * Protocol V1.1b3, 6.1 and 6.3). Of a model there may be fewer than asked for:
 * it ends there. Of a device's identification objects, each as its number, its
 * length and its bytes (6.21), in any order.
 */

/*
 * Fills one sample for each point of the request (time and error are 0). INVALID
 * as layout_decode() has it, behind the end of a model, and an object that is not
 * there. Texts are copied to text. -EBADMSG when size is not that of the request,
 * -ENOBUFS when text is too small.
 */
int answer_decode(const struct point *points, const struct fieldway_request *request,
		  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size);
