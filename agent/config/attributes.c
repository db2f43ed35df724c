/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "config/profile.h"
#include "model/definition.h"

/*
 * `notify:` of a profile: notification attributes that every server starts with,
 * by path; `*` stands for each instance of an object.
 */

#define ABSENT_UINT UINT32_MAX
#define PATTERNS_MAX 256u /* a server may attach to as many paths (observe/attributes.h) */

static int refuse_path(struct loader *l, const struct yaml_node *key)
{
	loader_error(l, key->mark, "\"%s\" is no path such as 3316, 3316/0, 3316/*/5700", key->text);
	return -EINVAL;
}

static int read_segment(const char *text, size_t size, unsigned depth, uint16_t *ret)
{
	if (depth == PATH_INSTANCE - 1 && size == 1 && *text == '*') {
		*ret = ID_NONE;
		return 0;
	}
	return path_parse_id(text, size, ret) < 0 || *ret == ID_NONE ? -EINVAL : 0;
}

static int read_path(struct loader *l, const struct yaml_node *key, struct path *ret)
{
	struct path path = { .depth = 0 };
	const char *at = key->text;

	for (;;) {
		size_t size = strcspn(at, "/");

		if (path.depth == PATH_RESOURCE_INSTANCE ||
		    read_segment(at, size, path.depth, &path.ids[path.depth]) < 0)
			return refuse_path(l, key);
		path.depth++;
		if (!at[size])
			break;
		at += size + 1;
	}
	*ret = path;
	return 0;
}

static bool overlaps(const struct path *pattern, const struct path *path)
{
	for (int i = 0; i < MIN(pattern->depth, path->depth); i++)
		if (pattern->ids[i] != path->ids[i] && !(i == PATH_INSTANCE - 1 && pattern->ids[i] == ID_NONE))
			return false;
	return true;
}

/* The agent adds resources beside a mapped one; instances it adds none. */
static int check_mapped(struct loader *l, const struct profile *p, const struct yaml_node *key,
			const struct path *path)
{
	struct path instance = path_cut(path, PATH_INSTANCE);

	for (size_t i = 0; i < p->n_map; i++)
		if (overlaps(&instance, &p->map[i].path))
			return 0;
	/* Every endpoint has it. */
	if (path->object == 3 && (path->depth < PATH_INSTANCE || path->instance == 0))
		return 0;
	loader_error(l, key->mark, "\"%s\": nothing is mapped there", key->text);
	return -EINVAL;
}

static bool is_number(enum value_type type)
{
	return type == VALUE_INTEGER || type == VALUE_UNSIGNED || type == VALUE_FLOAT || type == VALUE_TIME;
}

/* As servers are refused too (Core 7.3.2). */
static int check_values(struct loader *l, const struct yaml_node *key, const struct path *path,
			const struct attributes_section *s)
{
	const struct object_definition *object = definitions_newest(l->sources->definitions, path->object);
	const struct resource_definition *resource =
		object && path->depth >= PATH_RESOURCE ? object_resource(object, path->resource) : NULL;
	bool gt = !isnan(s->gt), lt = !isnan(s->lt), st = !isnan(s->st);
	const char *wrong = NULL;

	if (path->depth >= PATH_RESOURCE && !resource)
		wrong = "the object has no such resource";
	else if ((gt || lt || st) && !(resource && is_number(resource->type)))
		wrong = "gt, lt and st are for numbers";
	else if (s->edge != ABSENT_UINT && !(resource && resource->type == VALUE_BOOLEAN))
		wrong = "edge is for a Boolean";
	else if (st && !(s->st > 0))
		wrong = "st is more than 0";
	else if (gt && lt && !(s->lt + (st ? 2 * s->st : 0) < s->gt))
		wrong = "lt, with twice st, is less than gt";
	else if (s->epmin_s >= 0 && s->epmax_s >= 0 && s->epmin_s >= s->epmax_s)
		wrong = "epmin is less than epmax";
	else if (s->pmin_s >= 0 && s->pmax_s > 0 && s->pmin_s > s->pmax_s)
		wrong = "pmin is longer than pmax";
	if (!wrong)
		return 0;
	loader_error(l, key->mark, "\"%s\": %s", key->text, wrong);
	return -EINVAL;
}

static int add_whole(struct buf *out, const char *name, int64_t value)
{
	return value < 0 ? 0 : buf_printf(out, "%s%s=%" PRId64, out->size > 0 ? "&" : "", name, value);
}

static int add_number(struct buf *out, const char *name, double value)
{
	char text[FORMAT_DOUBLE_MAX];

	if (isnan(value))
		return 0;
	format_double(value, text);
	return buf_printf(out, "%s%s=%s", out->size > 0 ? "&" : "", name, text);
}

static int64_t whole(uint32_t value)
{
	return value == ABSENT_UINT ? -1 : (int64_t)value;
}

/* As in a Write-Attributes: "pmin=10&st=1". */
static int format(const struct attributes_section *s, struct buf *ret)
{
	int r = add_whole(ret, "pmin", s->pmin_s);

	r = r < 0 ? r : add_whole(ret, "pmax", s->pmax_s);
	r = r < 0 ? r : add_number(ret, "gt", s->gt);
	r = r < 0 ? r : add_number(ret, "lt", s->lt);
	r = r < 0 ? r : add_number(ret, "st", s->st);
	r = r < 0 ? r : add_whole(ret, "epmin", s->epmin_s);
	r = r < 0 ? r : add_whole(ret, "epmax", s->epmax_s);
	r = r < 0 ? r : add_whole(ret, "edge", whole(s->edge));
	r = r < 0 ? r : add_whole(ret, "con", whole(s->con));
	r = r < 0 ? r : add_whole(ret, "hqmax", whole(s->hqmax));
	return r < 0 ? r : buf_append_byte(ret, 0);
}

static int read_one(struct loader *l, const struct profile *p, const struct yaml_node *key,
		    const struct yaml_node *node, struct config_attributes *ret)
{
	struct attributes_section section = { .pmin_s = -1,
					      .pmax_s = -1,
					      .epmin_s = -1,
					      .epmax_s = -1,
					      .gt = NAN,
					      .lt = NAN,
					      .st = NAN,
					      .edge = ABSENT_UINT,
					      .con = ABSENT_UINT,
					      .hqmax = ABSENT_UINT };
	_cleanup_buf_ struct buf text = { 0 };
	int r = read_path(l, key, &ret->path);

	if (r >= 0)
		r = mapping_read(l, node, node->mark, &keys_attributes, NULL, &section);
	if (r >= 0)
		r = check_mapped(l, p, key, &ret->path);
	if (r >= 0)
		r = check_values(l, key, &ret->path, &section);
	if (r >= 0)
		r = format(&section, &text);
	if (r < 0)
		return r;
	ret->text = loader_text(l, (const char *)text.data);
	return ret->text ? 0 : -ENOMEM;
}

int attributes_read(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	int r = 0;

	if (!node || node_is_null(node))
		return 0;
	if (mapping_expect(l, node, "notify") < 0)
		return -EINVAL;
	if (node->n > PATTERNS_MAX) {
		loader_error(l, node->mark, "notify has at most %u paths", PATTERNS_MAX);
		return -EINVAL;
	}
	p->attributes = loader_array(l, struct config_attributes, node->n);
	if (!p->attributes)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_one(l, p, node->keys[i], node->items[i], &p->attributes[i]));
	p->n_attributes = r < 0 ? 0 : node->n;
	return r;
}
