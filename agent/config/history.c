/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "config/places.h"
#include "config/profile.h"

/* `history:` of fieldway.yaml, how much is kept, and of profiles, what is recorded. */

#define MEMORY_LEAST (64u << 10) /* history/history.h */
#define MEMORY_MOST (UINT64_C(1) << 30)
#define DISK_LEAST (1u << 20)

void history_read(struct loader *l, const struct yaml_node *node, struct yaml_mark at)
{
	struct config_history *h = &l->config->history;
	struct history_section section = { 0 };

	if (mapping_read(l, node, at, &keys_history, NULL, &section) < 0)
		return;
	h->keep_usec = section.keep_usec;
	h->thin = section.full == 0;
	if (!size_parse(section.memory, MEMORY_LEAST, &h->memory) || h->memory > MEMORY_MOST)
		loader_error(l, mapping_mark(node, "memory"), "\"%s\": expected a size from 64KiB to 1GiB, such as 8MiB",
			     section.memory);
	if (!streq(section.disk, "none") && !size_parse(section.disk, DISK_LEAST, &h->disk))
		loader_error(l, mapping_mark(node, "disk"),
			     "\"%s\": expected a size from 1MiB to 1024GiB, such as 256MiB, or none", section.disk);
}

static int read_point(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	const char *name;
	int64_t point;
	int r = scalar_text(l, node, &name);

	if (r < 0)
		return r;
	point = profile_point(p, name);
	if (point < 0)
		return profile_refuse_point(l, p, node->mark, name);
	if (!(p->points[point].point.access & CONFIG_ACCESS_READ)) {
		loader_error(l, node->mark, "point %s is only written: it has no values", name);
		return -EINVAL;
	}
	for (size_t i = 0; i < p->n_recorded; i++)
		if (p->recorded[i] == point) {
			loader_error(l, node->mark, "%s stands twice", name);
			return -EINVAL;
		}
	p->recorded[p->n_recorded++] = (uint32_t)point;
	return 0;
}

int recording_read(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	struct recording_section section = { 0 };
	int r;

	if (!node || node_is_null(node))
		return 0;
	r = mapping_read(l, node, node->mark, &keys_recording, NULL, &section);
	if (r >= 0)
		r = sequence_expect(l, section.points, "points");
	if (r < 0)
		return r;
	p->record_usec = section.every_usec;
	p->recorded = loader_array(l, uint32_t, section.points->n);
	if (!p->recorded)
		return -ENOMEM;
	for (size_t i = 0; i < section.points->n; i++)
		r = worse(r, read_point(l, p, section.points->items[i]));
	return r;
}
