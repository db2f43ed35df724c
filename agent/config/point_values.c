/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/profile.h"

static int read_access(struct loader *l, const struct yaml_node *node, unsigned *ret)
{
	static const char *const words[] = { "r", "w", "rw", NULL };
	static const unsigned accesses[] = { CONFIG_ACCESS_READ, CONFIG_ACCESS_WRITE,
					     CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE };
	int choice, r;

	*ret = CONFIG_ACCESS_READ;
	if (!node)
		return 0;
	r = scalar_choice(l, node, words, &choice);
	if (r >= 0)
		*ret = accesses[choice];
	return r;
}

static int refuse_rate(struct loader *l, const struct profile *p, const struct yaml_node *node)
{
	const char *candidates[32] = { "once", "on-demand" };
	size_t n = 2;

	for (size_t i = 0; i < p->rates.n && n < ARRAY_SIZE(candidates); i++)
		candidates[n++] = p->rates.items[i].name;
	if (node->kind == YAML_KIND_SCALAR)
		loader_unknown(l, node->mark, "rate class", node->text, candidates, n);
	else
		loader_error(l, node->mark, "a rate is the name of a class, once, or on-demand");
	return -EINVAL;
}

/* A class of the profile, which the bus and the device may set otherwise. */
static int read_rate(struct loader *l, const struct profile *p, const struct yaml_node *node,
		     struct point_source *ret)
{
	const struct rate *rate =
		node && node->kind == YAML_KIND_SCALAR ? rates_find(&p->rates, node->text) : NULL;

	if (rate) {
		ret->rate = (int)(rate - p->rates.items);
		ret->point.rate = rate->name;
		return 0;
	}
	if (node &&
	    (node->kind != YAML_KIND_SCALAR || rate_word(node->text, &ret->point.period_usec) < 0))
		return refuse_rate(l, p, node);
	if (node)
		return 0;
	ret->point.period_usec = CONFIG_RATE_ON_DEMAND;
	/* What a device sends by itself needs none; where this one is asked, its plugin will say, once it is there. */
	if (!(ret->point.access & CONFIG_ACCESS_READ) || p->plugin->plugin->unchecked ||
	    p->plugin->plugin->capabilities & FIELDWAY_CAN_LISTEN)
		return 0;
	loader_error(l, ret->point.mark, "%s has no rate, here or in defaults", ret->point.name);
	return -EINVAL;
}

static int read_unit(struct loader *l, const struct yaml_node *node, const struct variables *v,
		     const struct unit **ret)
{
	const struct yaml_node *expanded;

	if (!node)
		return 0;
	/* Taken from the device: the plugin turns it into one, which is the point's. */
	if (node->kind == YAML_KIND_MAPPING) {
		if (!yaml_get(node, "to")) {
			loader_error(l, node->mark, "a unit that the device says is turned into one: say to:, or {point: , unit: } in lwm2m");
			return -EINVAL;
		}
		node = yaml_get(node, "to");
	}
	if (node_expand(l, node, v, &expanded) < 0)
		return -EINVAL;
	return scalar_unit(l, expanded, ret);
}

static int refuse_parameter(struct loader *l, const struct profile *p, const struct yaml_node *node)
{
	const char *candidates[64];
	size_t n = 0;

	for (; n < p->n_parameters && n < ARRAY_SIZE(candidates); n++)
		candidates[n] = p->parameters[n].name;
	loader_unknown(l, node->mark, "parameter", node->text, candidates, n);
	return -EINVAL;
}

static int check_default(struct loader *l, const struct parameter *parameter,
			 const struct yaml_node *node)
{
	if (parameter->initial != 0)
		return 0;
	loader_error(l, node->mark, "as a factor, %s cannot have the default 0", parameter->name);
	return -EINVAL;
}

static int read_factor(struct loader *l, const struct profile *p, const struct yaml_node *node,
		       struct point_source *ret)
{
	double value;

	ret->point.factor = 1;
	if (!node)
		return 0;
	if (node->kind == YAML_KIND_SCALAR && !node_is_null(node)) {
		ret->factor = parameter_find(p, node->text);
		if (ret->factor >= 0) {
			ret->point.parameter = p->parameters[ret->factor].name;
			return check_default(l, &p->parameters[ret->factor], node);
		}
		ret->factor = -1;
		if (parse_double(node->text, &value) < 0 && !strpbrk(node->text, "0123456789"))
			return refuse_parameter(l, p, node);
	}
	return scalar_double(l, node, &ret->point.factor);
}

static int check_scaling(struct loader *l, const struct point_section *section,
			 const struct point_source *source)
{
	const struct config_point *point = &source->point;

	if (section->deadband < 0) {
		loader_error(l, point->mark, "%s: a deadband is not negative", point->name);
		return -EINVAL;
	}
	if (point->factor != 0 && section->scale != 0)
		return 0;
	loader_error(l, point->mark, "%s: a scale or factor of 0 leaves nothing of the value",
		     point->name);
	return -EINVAL;
}

static int read_invalid_one(struct loader *l, const struct yaml_node *node,
			    struct fieldway_value *ret)
{
	int64_t integer;

	if (node->kind == YAML_KIND_SCALAR && node->quoted) {
		*ret = (struct fieldway_value){ .type = FIELDWAY_STRING,
						.data = loader_text(l, node->text),
						.size = strlen(node->text) };
		return ret->data ? 0 : -ENOMEM;
	}
	if (node->kind == YAML_KIND_SCALAR &&
	    (strcasecmp(node->text, "nan") == 0 || streq(node->text, ".nan"))) {
		*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = NAN };
		return 0;
	}
	if (node->kind == YAML_KIND_SCALAR && parse_i64(node->text, &integer) >= 0) {
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = integer };
		return 0;
	}
	if (node->kind == YAML_KIND_SCALAR && parse_u64(node->text, &ret->unsignd) >= 0) {
		ret->type = FIELDWAY_UINT;
		return 0;
	}
	ret->type = FIELDWAY_FLOAT;
	return scalar_double(l, node, &ret->real);
}

static int read_invalid(struct loader *l, const struct yaml_node *node, struct config_point *point)
{
	size_t n = node && node->kind == YAML_KIND_SEQUENCE ? node->n : 1;
	int r = 0;

	if (!node)
		return 0;
	if (n > CONFIG_INVALID_MAX) {
		loader_error(l, node->mark, "more than %u invalid values", CONFIG_INVALID_MAX);
		return -EINVAL;
	}
	point->invalid = loader_array(l, struct fieldway_value, n);
	if (!point->invalid)
		return -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = read_invalid_one(l, node->kind == YAML_KIND_SEQUENCE ? node->items[i] : node,
				     &point->invalid[i]);
	point->n_invalid = r < 0 ? 0 : n;
	return r;
}

static int check_label(struct loader *l, const struct yaml_node *node,
		       const struct config_point *point, const struct config_label *label)
{
	for (size_t i = 0; i < point->n_labels; i++) {
		const struct config_label *other = &point->labels[i];

		if (other->number != label->number && !streq(other->text, label->text))
			continue;
		loader_error(l, node->mark, "%" PRId64 ": \"%s\" stands twice in the enum",
			     label->number, label->text);
		return -EINVAL;
	}
	return 0;
}

static int read_label(struct loader *l, const struct yaml_node *name, const struct yaml_node *node,
		      struct config_point *point)
{
	struct config_label *label = &point->labels[point->n_labels];
	const char *text;
	int r = scalar_i64(l, name, &label->number);

	r = r < 0 ? r : scalar_text(l, node, &text);
	if (r < 0)
		return r;
	label->text = loader_text(l, text);
	r = label->text ? check_label(l, name, point, label) : -ENOMEM;
	point->n_labels += r >= 0;
	return r;
}

static int read_labels(struct loader *l, const struct yaml_node *node, struct config_point *point)
{
	int r = mapping_expect(l, node, "enum"), one;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (node->n > CONFIG_LABELS_MAX) {
		loader_error(l, node->mark, "more than %u labels", CONFIG_LABELS_MAX);
		return -EINVAL;
	}
	point->labels = loader_array(l, struct config_label, node->n);
	for (size_t i = 0; point->labels && i < node->n; i++) {
		one = read_label(l, node->keys[i], node->items[i], point);
		r = one < 0 ? one : r;
	}
	return point->labels ? r : -ENOMEM;
}

static int read_verify(struct loader *l, const struct yaml_node *node, const struct variables *v,
		       struct point_source *ret)
{
	struct verify_section section = { 0 };
	struct config_verify *verify = &ret->point.verify;
	const char *name;
	int r;

	*verify = (struct config_verify){ .point = -1 };
	if (!node)
		return 0;
	if (node->kind == YAML_KIND_SCALAR) {
		verify->within_usec = USEC_PER_SEC;
		return scalar_bool(l, node, &verify->enabled);
	}
	r = mapping_expect(l, node, "verify");
	r = r < 0 ? r : mapping_read(l, node, node->mark, &keys_verify, NULL, &section);
	if (r >= 0 && section.tolerance < 0) {
		loader_error(l, mapping_mark(node, "tolerance"), "a tolerance is not negative");
		r = -EINVAL;
	}
	verify->enabled = true;
	verify->within_usec = section.within_usec;
	verify->tolerance = section.tolerance;
	if (r < 0 || !section.point)
		return r;
	ret->verify_mark = section.point->mark;
	r = scalar_text(l, section.point, &name);
	return r < 0 ? r : text_expand(l, section.point->mark, name, v, &ret->verify_point);
}

static int read_counter(struct loader *l, const struct yaml_node *node, struct config_point *point)
{
	struct counter_section section = { 0 };
	int r = mapping_expect(l, node, "counter");

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = mapping_read(l, node, node->mark, &keys_counter, NULL, &section);
	if (r < 0)
		return r;
	if (section.wrap <= 0 && section.max_step <= 0) {
		loader_error(l, node->mark, "a counter needs wrap or max_step, larger than 0");
		return -EINVAL;
	}
	if (point->access != CONFIG_ACCESS_READ) {
		loader_error(l, node->mark, "%s is written: it cannot be a counter", point->name);
		return -EINVAL;
	}
	point->counter = (struct config_counter){ .enabled = true,
						  .wrap = section.wrap,
						  .max_step = section.max_step };
	return 0;
}

static int read_scale10(struct loader *l, const struct yaml_node *node, const struct variables *v,
			struct point_source *ret)
{
	const char *name;
	int r;

	if (!node)
		return 0;
	ret->scale10_mark = node->mark;
	r = scalar_text(l, node, &name);
	return r < 0 ? r : text_expand(l, node->mark, name, v, &ret->scale10_point);
}

/* Both are for what comes by itself. */
static int check_listens(struct loader *l, const struct profile *p, struct yaml_mark mark,
			 const char *name)
{
	const struct config_plugin *plugin = p->plugin->plugin;

	if (plugin->unchecked || plugin->capabilities & FIELDWAY_CAN_LISTEN)
		return 0;
	loader_error(l, mark, "%s: plugin %s polls, nothing comes by itself", name, p->plugin->name);
	return -EINVAL;
}

static int read_thinning(struct loader *l, const struct profile *p, const struct yaml_node *node,
			 struct config_point *point)
{
	struct thinning_section section = { 0 };
	int r;

	if (!node)
		return 0;
	r = check_listens(l, p, node->mark, "sample");
	r = r < 0 ? r : mapping_read(l, node, node->mark, &keys_thinning, NULL, &section);
	point->sample_usec = section.every_usec;
	point->sample_keep = (enum config_keep)section.keep;
	return r;
}

static int read_silence(struct loader *l, const struct profile *p,
			const struct point_section *section, struct config_point *point)
{
	point->silence_usec = section->silence_usec ?: p->silence_usec;
	return section->silence_usec > 0 ? check_listens(l, p, point->mark, "silence") : 0;
}

int point_fill(struct loader *l, const struct profile *p, const struct point_section *section,
	       const struct variables *v, struct point_source *ret)
{
	struct config_point *point = &ret->point;
	int r;

	point->scale = section->scale;
	point->scale10 = -1;
	point->offset = section->offset;
	point->deadband = section->deadband;
	point->inexact_reject = section->inexact == 1;
	r = read_access(l, section->access, &point->access);
	r = worse(r, read_rate(l, p, section->rate, ret));
	r = worse(r, stale_read(l, section->stale, &ret->stale));
	r = worse(r, read_unit(l, section->unit, v, &point->unit));
	r = worse(r, read_factor(l, p, section->factor, ret));
	r = worse(r, check_scaling(l, section, ret));
	r = worse(r, read_scale10(l, section->scale10, v, ret));
	r = worse(r, read_thinning(l, p, section->sample, point));
	r = worse(r, read_silence(l, p, section, point));
	r = worse(r, read_invalid(l, section->invalid, point));
	r = worse(r, read_labels(l, section->labels, point));
	r = worse(r, read_counter(l, section->counter, point));
	if (section->range)
		r = worse(r, scalar_range(l, section->range, &point->range));
	return worse(r, read_verify(l, section->verify, v, ret));
}
