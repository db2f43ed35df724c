/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/cbor.h"
#include "codec/intake.h"

/*
 * LwM2M CBOR (Core 7.5.4, Gateway TS 9) without its meaning: maps from an id, or
 * an array of ids, to a value or to a map of what lies below. The first key may
 * begin with the prefix of a gateway's device.
 */

/* Where a value stands: the keys above it, one after the other. */
struct lwm2m_cbor_name {
	bool has_prefix;
	struct span prefix; /* of the payload, not empty */
	struct path
		path; /* PATH_RESOURCE or deeper; 65535 as it came, but for the instance never */
};

struct lwm2m_cbor_reader {
	struct intake *in;
	/* 0, or a failure that ends the reading. */
	int (*take)(struct lwm2m_cbor_reader *r, const struct lwm2m_cbor_name *name,
		    const struct wire *value);
};

/* A whole payload. -EINVAL, -EBADMSG with a reason in the intake, or what take() failed with. */
int lwm2m_cbor_read(struct lwm2m_cbor_reader *r, struct span payload);
