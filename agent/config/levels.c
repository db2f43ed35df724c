/* SPDX-License-Identifier: Apache-2.0 */
#include "config/levels.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define STALE_TIMES_MAX 1000u

/* "3x" */
static int parse_times(const char *text, unsigned *ret)
{
	size_t size = strlen(text);
	_cleanup_free_ char *number = size > 1 ? strndup(text, size - 1) : NULL;
	uint16_t times;

	if (!number || text[size - 1] != 'x' || parse_u16(number, &times) < 0)
		return -EINVAL;
	if (times < 1 || times > STALE_TIMES_MAX)
		return -ERANGE;
	*ret = times;
	return 0;
}

static int read_after(struct loader *l, const struct yaml_node *node, struct stale_part *ret)
{
	struct yaml_errors ignored = { 0 };
	unsigned long long usec = 0;
	int r = node->kind == YAML_KIND_SCALAR ? parse_times(node->text, &ret->times) : -EINVAL;

	if (r == -EINVAL) {
		r = yaml_to_usec(node, &usec, &ignored);
		yaml_errors_done(&ignored);
	}
	if (r >= 0 && ret->times == 0 && usec == 0)
		r = -ERANGE;
	if (r < 0) {
		loader_error(l, node->mark,
			     r == -ERANGE ?
				     "after is 1x to %ux, or longer than 0s" :
				     "after is a number of intervals such as 3x (at most %ux), "
				     "or a duration such as 30s",
			     STALE_TIMES_MAX);
		return -EINVAL;
	}
	ret->after_usec = usec;
	ret->has_after = true;
	return 0;
}

int stale_read(struct loader *l, const struct yaml_node *node, struct stale_part *ret)
{
	static const char *const reads[] = { "error", "last", NULL };
	struct stale_part part = { 0 };
	struct stale_section section = { 0 };
	int r = 0, choice = 0;

	if (node)
		r = mapping_read(l, node, node->mark, &keys_stale, NULL, &section);
	if (section.after) {
		r = worse(r, read_after(l, section.after, &part));
	}
	if (section.read) {
		r = worse(r, scalar_choice(l, section.read, reads, &choice));
		part.has_read = true;
		part.read = choice == 0 ? CONFIG_STALE_ERROR : CONFIG_STALE_LAST;
	}
	if (r >= 0)
		*ret = part;
	return r;
}

void stale_apply(struct config_stale *to, const struct stale_part *part)
{
	if (part->has_after) {
		to->times = part->times;
		to->after_usec = part->after_usec;
	}
	if (part->has_read)
		to->read = part->read;
}

int rate_word(const char *text, uint64_t *ret)
{
	if (streq(text, "once"))
		*ret = CONFIG_RATE_ONCE;
	else if (streq(text, "on-demand"))
		*ret = CONFIG_RATE_ON_DEMAND;
	else
		return -ENOENT;
	return 0;
}

static int read_period(struct loader *l, const struct yaml_node *node, uint64_t *ret)
{
	int r;

	if (node->kind == YAML_KIND_SCALAR && rate_word(node->text, ret) >= 0)
		return 0;
	r = scalar_usec(l, node, ret);
	if (r >= 0 && (*ret < RATE_USEC_MIN || *ret > RATE_USEC_MAX)) {
		loader_error(l, node->mark, "%s is not between 10ms and 30d", node->text);
		r = -EINVAL;
	}
	return r;
}

int rates_read(struct loader *l, const struct yaml_node *node, struct rates *ret)
{
	struct rates rates = { 0 };
	int r = mapping_expect(l, node, "rates");
	uint64_t ignored;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	rates.items = loader_scratch(l, (node->n ?: 1) * sizeof(*rates.items));
	if (!rates.items)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++) {
		struct rate *rate = &rates.items[rates.n];
		const struct yaml_node *name = node->keys[i];

		if (!name_is_valid(name->text) || rate_word(name->text, &ignored) >= 0) {
			loader_error(l, name->mark, "\"%s\" is no name of a rate class",
				     name->text);
			r = -EINVAL;
			continue;
		}
		*rate = (struct rate){ .name = loader_text(l, name->text), .mark = name->mark };
		if (!rate->name)
			return -ENOMEM;
		if (read_period(l, node->items[i], &rate->period_usec) < 0)
			r = -EINVAL;
		else
			rates.n++;
	}
	*ret = rates;
	return r;
}

const struct rate *rates_find(const struct rates *rates, const char *name)
{
	for (size_t i = 0; i < rates->n; i++)
		if (streq(rates->items[i].name, name))
			return &rates->items[i];
	return NULL;
}

int info_read(struct loader *l, const struct yaml_node *node, struct info_section *ret)
{
	*ret = (struct info_section){ 0 };
	return node ? mapping_read(l, node, node->mark, &keys_info, NULL, ret) : 0;
}
