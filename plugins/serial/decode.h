/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "conversation.h"
#include "driver.h"

/* From frames to samples. Pure. */

/*
 * Which message a frame is that comes by itself: the first of the profile's
 * that it matches. 1; 0: none; -EBADMSG: its checksum is wrong; -E2BIG: an
 * expression gave up on it; -ENOMEM.
 */
int stream_parse(const struct fieldway_driver *d, const struct frame *frame, struct parse *ret);

/* The samples of one message's points, at most max; returns how many. Texts go to text. */
size_t stream_samples(const struct fieldway_driver *d, const struct parse *parse, struct fieldway_sample *ret,
		      size_t max, char *text, size_t text_size);

/* The samples of a request's points out of its answers; what they do not have is INVALID. */
void conversation_samples(const struct conversation *c, const struct fieldway_request *request,
			  struct fieldway_sample *ret, char *text, size_t text_size);
