/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/reader.h"
#include "config/sections.h"

/* What may stand at several levels: the one nearest to the device wins. */

struct stale_part {
	bool has_after, has_read;
	unsigned times;
	uint64_t after_usec;
	enum config_stale_read read;
};

/* node NULL: nothing. -EINVAL with reports. */
int stale_read(struct loader *l, const struct yaml_node *node, struct stale_part *ret);
void stale_apply(struct config_stale *to, const struct stale_part *part);

struct rate {
	const char *name;
	struct yaml_mark mark;
	uint64_t period_usec;
};

struct rates {
	struct rate *items;
	size_t n;
};

#define RATE_USEC_MIN UINT64_C(10000)
#define RATE_USEC_MAX (UINT64_C(30) * 86400 * 1000000)
/* `rates:` of any level; memory of the run, names of the configuration. node NULL: nothing. */
int rates_read(struct loader *l, const struct yaml_node *node, struct rates *ret);
const struct rate *rates_find(const struct rates *rates, const char *name);
/* "once" and "on-demand" as periods. -ENOENT: another word. */
int rate_word(const char *text, uint64_t *ret);

/* info: */
int info_read(struct loader *l, const struct yaml_node *node, struct info_section *ret);
