/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwm2m/client_internal.h"

/*
 * What Read-Composite and Observe-Composite have in common (Core 6.3.8, 6.4.4):
 * the paths of a FETCH, and the content of several paths. What is absent, or not
 * readable, is left out.
 */

/*
 * The targets that a FETCH names, without those that others contain; malloc'd. An
 * unknown prefix is as absent as a path that is not there. -EPROTONOSUPPORT,
 * -EINVAL with text in ret_reason, -EPERM a path of no shape, -EACCES an object
 * that is closed to servers, -ENOMEM.
 */
int composite_targets(const struct request *q, struct observed **ret, unsigned *ret_n, const char **ret_reason);

/* The format of the answer: of Accept, else of the family of the request's. -ENOMEDIUM: it carries no composite. */
int composite_format(const struct message *m, int32_t *ret);

struct composite_content {
	struct client *client;
	struct records records;
	bool denied, allowed; /* any path was not readable for this server, and any was */
};
/* Has the server the right to read anything of it? What it has not is not asked for either. */
bool composite_may_read(struct client *c, const struct observed *at);
/* Adds what is good and readable at and below a path. -EIO too many values, -ENOMEM. */
int composite_content_add(struct composite_content *c, const struct observed *at);
/* Appends it all. -EACCES: the server may read nothing of what is there; -EIO too large, -ENOMEM. */
int composite_content_encode(struct composite_content *c, int32_t format, bool times, struct buf *ret);
void composite_content_done(struct composite_content *c);
#define _cleanup_composite_content_ _cleanup_(composite_content_done)
