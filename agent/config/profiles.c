/* SPDX-License-Identifier: Apache-2.0 */
#include "config/profile.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "config/files.h"
#include "config/local.h"
#include "config/map.h"
#include "config/origins.h"
#include "config/places.h"
#include "config/variables.h"

const struct profile *profile_find(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->n_profiles; i++)
		if (l->profiles[i]->name && streq(l->profiles[i]->name, name))
			return l->profiles[i];
	return NULL;
}

int parameter_find(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_parameters; i++)
		if (streq(p->parameters[i].name, name))
			return (int)i;
	return -ENOENT;
}

int parameter_value(struct loader *l, const struct parameter *parameter,
		    const struct yaml_node *node, double *ret)
{
	double value;
	int r = scalar_double(l, node, &value);

	if (r < 0)
		return r;
	if (parameter->integer && value != rint(value)) {
		loader_error(l, node->mark, "%s: %s is not a whole number", parameter->name,
			     node->text);
		return -EINVAL;
	}
	if (parameter->range.present &&
	    (value < parameter->range.minimum || value > parameter->range.maximum)) {
		loader_error(l, node->mark, "%s: %s is outside of its range", parameter->name,
			     node->text);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int read_parameter(struct loader *l, const struct yaml_node *name,
			  const struct yaml_node *node, struct parameter *ret)
{
	struct parameter_section section = { 0 };
	struct parameter parameter = { .name = ret->name };
	double number;
	int r;

	if (!name_is_valid(name->text) || parse_double(name->text, &number) >= 0) {
		loader_error(l, name->mark, "\"%s\" is no name of a parameter", name->text);
		return -EINVAL;
	}
	if (mapping_expect(l, node, "a parameter") == -EINVAL)
		return -EINVAL;
	r = mapping_read(l, node, node->mark, &keys_parameter, NULL, &section);
	if (r < 0)
		return r;
	parameter.integer = section.type == 1;
	if (section.range)
		r = scalar_range(l, section.range, &parameter.range);
	if (r >= 0)
		r = parameter_value(l, &parameter, section.initial, &parameter.initial);
	if (r >= 0)
		*ret = parameter;
	return r;
}

static int read_parameters(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	int r = mapping_expect(l, node, "parameters"), one;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	p->parameters = loader_scratch(l, (node->n + 1) * sizeof(*p->parameters));
	for (size_t i = 0; p->parameters && i < node->n; i++) {
		struct parameter *parameter = &p->parameters[p->n_parameters++];

		/* One that is wrong keeps its name, for those who refer to it. */
		*parameter = (struct parameter){ .name = loader_text(l, node->keys[i]->text),
						 .initial = 1 };
		if (!parameter->name)
			return -ENOMEM;
		one = read_parameter(l, node->keys[i], node->items[i], parameter);
		r = worse(r, one);
	}
	return p->parameters ? r : -ENOMEM;
}

static int check_name(struct loader *l, const struct document *document, const char *name)
{
	struct yaml_mark mark = mapping_mark(document->node, "profile");
	const struct profile *other = profile_find(l, name);

	if (!is_file_of(document->file, name)) {
		loader_error(l, mark,
			     "the profile's name and the file's are different: %s would be %s.yaml",
			     name, name);
		return -EINVAL;
	}
	if (other) {
		loader_error(l, mark, "there are two profiles %s, the other in %s:%u", name,
			     other->mark.file, other->mark.line);
		return -EINVAL;
	}
	return 0;
}

/* Of what comes with the package, not everything needs a plugin that is installed. */
static const struct known_plugin *find_plugin(struct loader *l, const struct document *document,
					      const struct yaml_node *node)
{
	const struct yaml_node *name = yaml_get(node, "plugin");

	if (!name || name->kind != YAML_KIND_SCALAR || !name_is_valid(name->text))
		return NULL;
	return plugin_get(l, name->mark, name->text, document->file->shared);
}

static bool has_placeholder(const struct yaml_node *node)
{
	if (node->kind == YAML_KIND_SCALAR)
		return strchr(node->text, '{') != NULL;
	for (size_t i = 0; i < node->n; i++)
		if (has_placeholder(node->items[i]))
			return true;
	return false;
}

static int add_parameters(struct loader *l, const struct profile *p, const double *values,
			  struct variables *v)
{
	int r = 0;

	for (size_t i = 0; i < p->n_parameters && r >= 0; i++) {
		char number[FORMAT_DOUBLE_MAX];
		const char *text;

		format_double(values ? values[i] : p->parameters[i].initial, number);
		text = loader_scratch_text(l, number, strlen(number));
		r = text ? variables_add(l, v, p->mark, p->parameters[i].name, text, false) :
			   -ENOMEM;
	}
	return r;
}

int profile_settings_read(struct loader *l, const struct profile *p, const double *parameters,
			  struct fieldway_settings *ret)
{
	struct variables v = { 0 };
	struct settings_request request = {
		.plugin = p->plugin,
		.parts = { { FIELDWAY_SCOPE_DEVICE, false, { p->defaults } },
			   { FIELDWAY_SCOPE_PROFILE, true, { p->node } } },
		.owner = p->defaults ? p->defaults->mark : p->mark,
		.variables = &v,
	};
	int r = p->parametric ? add_parameters(l, p, parameters, &v) : 0;

	return r < 0 ? r : settings_read(l, &request, ret);
}

static int read_settings(struct loader *l, struct profile *p, const struct yaml_node *node,
			 const struct yaml_node *defaults)
{
	p->node = node;
	p->defaults = defaults;
	p->parametric = defaults && p->n_parameters > 0 && has_placeholder(defaults);
	return profile_settings_read(l, p, NULL, &p->settings);
}

static int read_sections(struct loader *l, struct profile *p, const struct yaml_node *node,
			 const struct profile_section *section)
{
	const struct origin_part parts[] = { { "info", section->info },
					     { "parameters", section->parameters },
					     { "rates", section->rates },
					     { "stale", section->stale },
					     { "silence", yaml_get(node, "silence") },
					     { "identify", section->identify } };
	struct map_target target = { .profile = p };
	int r = origins_read(l, parts, ARRAY_SIZE(parts), &p->origins);

	r = worse(r, info_read(l, section->info, &p->info));
	r = worse(r, read_parameters(l, p, section->parameters));
	r = worse(r, rates_read(l, section->rates, &p->rates));
	r = worse(r, stale_read(l, section->stale, &p->stale));
	p->silence_usec = section->silence_usec;
	r = worse(r, read_settings(l, p, node, section->defaults));
	r = worse(r, points_read(l, p, section->points, section->defaults, section->lwm2m));
	r = worse(r, identify_read(l, p, section->identify));
	r = worse(r, map_read(l, &target, section->lwm2m, NULL, &p->map, &p->n_map));
	r = worse(r, recording_read(l, p, section->history));
	return worse(r, attributes_read(l, p, section->notify));
}

/* Of one that cannot be read further, for those who refer to it. */
static const char *name_of(const struct loader *l, const struct document *document)
{
	const struct yaml_node *name = yaml_get(document->node, "profile");

	return name && name->kind == YAML_KIND_SCALAR && name_is_valid(name->text) &&
			       !profile_find(l, name->text) ?
		       name->text :
		       NULL;
}

static void read_profile(struct loader *l, const struct document *document, struct profile *p)
{
	const struct yaml_node *node = profile_extend(l, document->node);
	struct plugin_scope scope = { .scope = FIELDWAY_SCOPE_PROFILE };
	struct profile_section section = { 0 };
	int r;

	p->mark = document->node->mark;
	p->broken = !node;
	p->shared = document->file->shared;
	if (!node) {
		p->name = name_of(l, document);
		return;
	}
	scope.plugin = find_plugin(l, document, node);
	p->plugin = scope.plugin;
	r = mapping_read(l, node, node->mark, &keys_profile, &scope, &section);
	p->revision = section.revision;
	if (r < 0 || check_name(l, document, section.profile) < 0)
		p->broken = true;
	if (section.profile && !profile_find(l, section.profile))
		p->name = section.profile;
	if (!p->plugin || !p->plugin->plugin || read_sections(l, p, node, &section) < 0 ||
	    local_profile_check(l, p, &section) < 0)
		p->broken = true;
	if (!p->broken && section.samples)
		samples_read(l, p, section.samples);
}

static bool names_profile(const struct yaml_node *rows, const char *name)
{
	for (size_t i = 0; rows && rows->kind == YAML_KIND_SEQUENCE && i < rows->n; i++) {
		const struct yaml_node *profile = yaml_get(rows->items[i], "profile");

		if (profile && profile->kind == YAML_KIND_SCALAR && streq(profile->text, name))
			return true;
	}
	return false;
}

static bool is_wanted(const struct loader *l, const struct profile *p)
{
	for (size_t i = 0; p->name && i < l->n_documents; i++)
		if (l->documents[i].file->place == CONFIG_PLACE_DEVICES &&
		    names_profile(yaml_get(l->documents[i].node, "devices"), p->name))
			return true;
	return false;
}

/*
 * What comes with the package fits the objects that come with it. Where the user has
 * others, a device type that nobody has is no reason to refuse the configuration.
 */
static void read_document(struct loader *l, const struct document *document, struct profile *p)
{
	size_t before = l->errors.n;

	read_profile(l, document, p);
	if (p->shared && l->errors.n > before && !is_wanted(l, p)) {
		loader_excuse(l, before, "no device is of this type, which is left out");
		p->broken = true;
	}
}

static int add_profile(struct loader *l, size_t *allocated, struct profile **ret)
{
	struct profile **grown =
		loader_grow(l, l->profiles, allocated, l->n_profiles, sizeof(*grown));
	struct profile *p = grown ? loader_scratch(l, sizeof(*p)) : NULL;

	if (grown)
		l->profiles = grown;
	if (!p)
		return -ENOMEM;
	*ret = grown[l->n_profiles++] = p;
	return 0;
}

void profiles_read(struct loader *l)
{
	size_t allocated = 0;
	struct profile *p;

	for (size_t i = 0; i < l->n_documents && !l->no_memory; i++) {
		if (l->documents[i].file->place != CONFIG_PLACE_PROFILES)
			continue;
		if (l->n_profiles == CONFIG_PROFILES_MAX) {
			loader_error(l, l->documents[i].node->mark, "more than %u profiles",
				     CONFIG_PROFILES_MAX);
			return;
		}
		if (add_profile(l, &allocated, &p) >= 0)
			read_document(l, &l->documents[i], p);
	}
}
