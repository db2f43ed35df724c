/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "advert.h"
#include "beacon.h"
#include "bthome.h"
#include "driver.h"

/* From what was heard to samples. Pure. */

/* Room that texts are put into, one behind the other. */
struct text_room {
	char *text;
	size_t size;
};

/* An advertisement, taken apart as far as the device's points need it. */
struct broadcast {
	const struct advert *advert;
	bool has_bthome, has_eddystone, has_ibeacon;
	int bthome_error; /* as bthome_parse(); 0 without BTHome data */
	struct bthome_packet bthome;
	struct eddystone eddystone;
	struct ibeacon ibeacon;
};

/* advert has to outlive ret. */
void broadcast_parse(const struct fieldway_driver *d, const struct advert *advert, struct broadcast *ret);

/*
 * Quality and value of one point that is no characteristic. False: the
 * advertisement does not have it.
 */
bool broadcast_sample(const struct fieldway_driver *d, const struct broadcast *b, uint32_t point,
		      struct text_room *room, struct fieldway_sample *ret);

/* A point that lies in bytes: its offset, match and layout. 0; -EBADMSG: it is not in these; -ENOBUFS: no room. */
int bytes_sample(const struct point *p, const uint8_t *bytes, size_t size, struct text_room *room,
		 struct fieldway_sample *ret);
