/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "config/profile.h"

/* Points of a profile that name others: verify and scale10. */

/* Index of a point that can be read. */
static int find_readable(struct loader *l, const struct profile *p, struct yaml_mark mark,
			 const char *name)
{
	int64_t other = profile_point(p, name);

	if (other < 0)
		return profile_refuse_point(l, p, mark, name);
	if (!(p->points[other].point.access & CONFIG_ACCESS_READ)) {
		loader_error(l, mark, "point %s cannot be read", name);
		return -EINVAL;
	}
	return (int)other;
}

static int link_verify(struct loader *l, const struct profile *p, struct point_source *source)
{
	int r;

	if (!source->verify_point)
		return 0;
	r = find_readable(l, p, source->verify_mark, source->verify_point);
	if (r >= 0)
		source->point.verify.point = r;
	return r;
}

static int link_scale10(struct loader *l, const struct profile *p, struct point_source *source)
{
	const struct point_source *other;
	int r;

	if (!source->scale10_point)
		return 0;
	r = find_readable(l, p, source->scale10_mark, source->scale10_point);
	if (r < 0)
		return r;
	other = &p->points[r];
	if (other == source || other->scale10_point ||
	    (other->kind != POINT_NUMBER && other->kind != POINT_ANY)) {
		loader_error(
			l, source->scale10_mark,
			"scale10 is a point with a whole number that is not scaled so itself, %s is not",
			source->scale10_point);
		return -EINVAL;
	}
	source->point.scale10 = r;
	return 0;
}

int points_link(struct loader *l, struct profile *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_points; i++) {
		r = worse(r, link_verify(l, p, &p->points[i]));
		r = worse(r, link_scale10(l, p, &p->points[i]));
	}
	return r < 0 ? r : 0;
}
