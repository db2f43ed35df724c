/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/plugin.h"

/* What plugins for tests do alike: all points are read by one request, and are a number. */

static inline const struct fieldway_value *plain_find(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0)
			return &s->items[i].value;
	return NULL;
}

struct plain_plan {
	struct fieldway_request request;
	uint32_t points[];
};

static inline int plain_plan_new(const struct fieldway_driver *driver, const uint32_t *points, size_t n,
				 struct fieldway_plan *ret)
{
	struct plain_plan *p = malloc(sizeof(*p) + n * sizeof(*points));

	if (!p)
		return -ENOMEM;
	if (n > 0)
		memcpy(p->points, points, n * sizeof(*points));
	p->request = (struct fieldway_request){ .points = p->points, .n_points = n, .text = "all" };
	*ret = (struct fieldway_plan){ .requests = &p->request, .n = n > 0, .memory = p };
	return 0;
}

static inline void plain_plan_free(struct fieldway_plan *plan)
{
	free(plan->memory);
}

static inline void plain_samples(const struct fieldway_request *request, uint64_t number,
				 struct fieldway_sample *ret)
{
	for (size_t i = 0; i < request->n_points; i++)
		ret[i] = (struct fieldway_sample){ .point = request->points[i],
						   .value = { .type = FIELDWAY_UINT, .unsignd = number } };
}

static inline void plain_driver_free(struct fieldway_driver *driver)
{
	free(driver);
}
