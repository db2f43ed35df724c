/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "update/software.h"

/* What is kept of it: lines "name=value". */
struct software_kept {
	struct software_status status;
	char id[INSTALL_NAME_MAX]; /* of the work under way, or the last one; "" */
	char uri[DELIVERY_URI_MAX], etag[DELIVERY_ETAG_MAX]; /* of what is fetched; "" */
	char package_name[INSTALL_TEXT_MAX], package_version[INSTALL_TEXT_MAX];
	char installed_name[INSTALL_TEXT_MAX], installed_version[INSTALL_TEXT_MAX];
};

/* -ENOMEM */
int software_record_encode(const struct software_kept *kept, struct buf *ret);
/* -EBADMSG */
int software_record_decode(struct span record, struct software_kept *ret);
