/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "lwm2m/view.h"
#include "transport/message.h"

/* What Register and Update say (Core 6.2, 7.2.3; Transport 6.4.3). Pure. */

/* A Uri-Query option is at most this long (RFC 7252 table 4). */
#define QUERY_MAX 255u
/* Endpoint client names are at most this long: "ep=" stands before them. */
#define ENDPOINT_NAME_MAX (QUERY_MAX - 3)

/* The texts of a request's Uri-Query options; must outlive the message. */
struct registration_query {
	char endpoint[QUERY_MAX + 1];
	char lifetime[24];
	char version[32];
	char binding[8];
	char profile[QUERY_MAX + 1];
};

/*
 * Appends the object list: `</>;ct="..."` and the objects of the view, with
 * `ver` where it differs from the one that a registration of this LwM2M
 * version implies; never /0, /21, /23.
 */
int registration_list(const struct view *view, struct buf *out);
/* Fills a Register: POST /rd?ep&lt&lwm2m&b&Q; 1.0 has the Q within b. -ENAMETOOLONG. */
int registration_register(struct message *m, struct registration_query *query, const char *endpoint,
			  uint32_t lifetime_s, enum lwm2m_version version, bool queue_mode);
/* Fills an Update: POST to the location; lt only when lifetime_s is not UINT32_MAX. */
int registration_update(struct message *m, struct registration_query *query,
			const struct span *location, unsigned n, uint32_t lifetime_s);
/* Profile ID (Core 6.2.1): `pid=6:93bc7b74`, in quotes when there are several. -ENAMETOOLONG. */
#define PROFILE_TEXT_MAX (QUERY_MAX - sizeof("pid=\"\"") + 1)
int registration_add_profile(struct message *m, struct registration_query *query, const char *profile);

/*
 * When an Update must be sent after the last one (lwm2m.md "Timing"): lt - 93 s,
 * lt / 2 when lt < 186 s, never (USEC_INFINITY) when lt is 0.
 */
uint64_t registration_refresh_usec(uint32_t lifetime_s);
