/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "config/map.h"
#include "config/sections.h"

/* `alarms: {NAME: {point: P, above: 80, code: 17}}`: when a number is an alarm. */

static int read_limit(struct loader *l, const struct yaml_node *node, struct config_condition *ret)
{
	int r = scalar_double(l, node, &ret->limit);

	if (r < 0 || isfinite(ret->limit))
		return r;
	loader_error(l, node->mark, "a limit is a finite number");
	return -EINVAL;
}

static int read_comparison(struct loader *l, const struct yaml_node *node, const struct alarm_section *section,
			   struct config_condition *ret)
{
	const struct yaml_node *const limits[] = {
		[CONFIG_ABOVE] = section->above, [CONFIG_BELOW] = section->below, [CONFIG_EQUALS] = section->equals
	};
	const struct yaml_node *limit = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		if (!limits[i])
			continue;
		limit = limits[i];
		ret->comparison = (enum config_comparison)i;
		n++;
	}
	if (n != 1) {
		loader_error(l, node->mark, "an alarm has one of above, below and equals");
		return -EINVAL;
	}
	if (ret->comparison == CONFIG_EQUALS && section->hysteresis != 0) {
		loader_error(l, mapping_mark(node, "hysteresis"), "equals has no hysteresis");
		return -EINVAL;
	}
	return read_limit(l, limit, ret);
}

int alarm_read(struct loader *l, const struct yaml_node *node, struct alarm_section *ret_section,
	       const struct config_condition **ret)
{
	struct config_condition *condition = loader_new(l, sizeof(*condition));
	int r = condition ? mapping_read(l, node, node->mark, &keys_alarm, NULL, ret_section) : -ENOMEM;

	if (r >= 0)
		r = read_comparison(l, node, ret_section, condition);
	if (r < 0)
		return r;
	condition->hysteresis = ret_section->hysteresis;
	condition->delay_usec = ret_section->delay_usec;
	*ret = condition;
	return 0;
}
