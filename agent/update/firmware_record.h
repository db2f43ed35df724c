/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "update/firmware.h"

/* What is kept of it: lines "name=value". */
struct firmware_kept {
	struct firmware_view view;
	char id[INSTALL_NAME_MAX];    /* of the installation under way, or the last one; "" */
	char etag[DELIVERY_ETAG_MAX]; /* of what is fetched; "" */
	int64_t deferred_until_s;     /* since 1970; 0: it is not deferred */
};

/* -ENOMEM */
int firmware_record_encode(const struct firmware_kept *kept, struct buf *ret);
/* -EBADMSG */
int firmware_record_decode(struct span record, struct firmware_kept *ret);
