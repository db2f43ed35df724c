/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "link/marshal.h"

/* -ENOMEM as it is, all else -EBADMSG. */
int link_malformed(int r);
/* NULL becomes "". */
int link_append_text(struct sd_bus_message *m, const char *text);

/*
 * Reads an array of structs into arena memory: item is called for each with
 * its zeroed place. More than `most` is -EBADMSG.
 */
typedef int (*link_item_reader)(struct sd_bus_message *m, struct arena *arena, void *item);
int link_read_array(struct sd_bus_message *m, char kind, const char *contents, size_t item_size,
		    size_t most, link_item_reader reader, struct arena *arena, void *ret_items,
		    size_t *ret_n);
