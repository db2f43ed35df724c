/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "config/config.h"

/*
 * Parts of a configuration as bytes: two that say the same have the same ones,
 * wherever they stand in which files. 0, or -ENOMEM.
 */
int imprint_server(struct buf *b, const struct config_server *s);
/* With its plugin, without its devices. */
int imprint_bus(struct buf *b, const struct config_bus *bus);
/* Address, note apart; not its type, nor its bus. */
int imprint_address(struct buf *b, const struct config_device *d);
/* A type with all its points; not its map, which its endpoints have. */
int imprint_type(struct buf *b, const struct config_type *t);
/* A point with the points that it names. */
int imprint_point(struct buf *b, const struct config_type *t, uint32_t point);
/* What its values are; not how often they come, nor what may be written. */
int imprint_point_value(struct buf *b, const struct config_type *t, uint32_t point);
/* Do two of a kind say the same? */
bool imprint_same(const struct buf *a, const struct buf *b);
