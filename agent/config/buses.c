/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/local.h"
#include "config/origins.h"
#include "config/places.h"
#include "config/settings.h"

#define RETRY_FIRST_USEC (5 * USEC_PER_SEC)
#define RETRY_LAST_USEC (5 * USEC_PER_MINUTE)
#define RETRY_USEC_MIN (100 * USEC_PER_MSEC)
#define RETRY_USEC_MAX USEC_PER_DAY

int bus_find(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->config->n_buses; i++)
		if (l->config->buses[i].name && streq(l->config->buses[i].name, name))
			return (int)i;
	return -ENOENT;
}

/* "5s..5m", or one duration for both. */
static int read_retry(struct loader *l, const struct yaml_node *node, struct config_bus *bus)
{
	const char *dots = node->kind == YAML_KIND_SCALAR ? strstr(node->text, "..") : NULL;
	_cleanup_free_ char *first = dots ? strndup(node->text, (size_t)(dots - node->text)) : NULL;
	uint64_t low, high;

	if (node->kind != YAML_KIND_SCALAR || parse_usec(first ?: node->text, &low) < 0 ||
	    parse_usec(dots ? dots + 2 : node->text, &high) < 0) {
		loader_error(l, node->mark,
			     "retry is two durations, the first and the longest: 5s..5m");
		return -EINVAL;
	}
	if (low < RETRY_USEC_MIN || high > RETRY_USEC_MAX || low > high) {
		loader_error(l, node->mark, "%s: retry goes up, between 100ms and 1d", node->text);
		return -EINVAL;
	}
	bus->offline_first_usec = low;
	bus->offline_last_usec = high;
	return 0;
}

static void read_offline(struct loader *l, const struct yaml_node *node, struct yaml_mark mark,
			 struct config_bus *bus)
{
	struct offline_section section = { 0 };

	bus->offline_first_usec = RETRY_FIRST_USEC;
	bus->offline_last_usec = RETRY_LAST_USEC;
	mapping_read(l, node, mark, &keys_offline, NULL, &section);
	bus->offline_after = section.after;
	if (section.retry)
		read_retry(l, section.retry, bus);
}

/* Which keys a bus may have is known only with its plugin. */
static const struct known_plugin *find_plugin(struct loader *l, const struct yaml_node *node)
{
	const struct yaml_node *name = yaml_get(node, "plugin");

	if (!name || name->kind != YAML_KIND_SCALAR || !name_is_valid(name->text))
		return NULL;
	return plugin_get(l, name->mark, name->text, false);
}

static void read_bus(struct loader *l, const struct yaml_node *node, struct config_bus *bus,
		     struct bus_source *source)
{
	struct bus_section section = { 0 };
	struct plugin_scope scope = { find_plugin(l, node), FIELDWAY_SCOPE_BUS };
	struct settings_request request = {
		.plugin = scope.plugin,
		.parts = { { FIELDWAY_SCOPE_BUS, false, { node } } },
		.owner = node->mark,
	};
	int other;

	source->plugin = scope.plugin;
	if (scope.plugin && scope.plugin->plugin == &config_plugin_local)
		loader_error(l, mapping_mark(node, "plugin"),
			     "local devices need no bus: plugin " LOCAL_NAME " stands in their profile alone");
	mapping_read(l, node, node->mark, &keys_bus, &scope, &section);
	other = section.bus ? bus_find(l, section.bus) : -ENOENT;
	if (other >= 0)
		loader_error(l, mapping_mark(node, "bus"),
			     "there are two buses %s, the other in %s:%u", section.bus,
			     l->config->buses[other].mark.file, l->config->buses[other].mark.line);
	if (section.bus && !name_is_valid(section.bus))
		loader_error(l, mapping_mark(node, "bus"), "a bus's name has no placeholders");
	bus->mark = node->mark;
	bus->name = section.bus;
	bus->plugin = source->plugin ? source->plugin->plugin : NULL;
	bus->timeout_usec = section.timeout_usec;
	bus->retries = section.retries;
	read_offline(l, section.offline, node->mark, bus);
	rates_read(l, section.rates, &source->rates);
	stale_read(l, section.stale, &source->stale);
	origins_read(l, (struct origin_part[]){ { "rates", section.rates }, { "stale", section.stale } }, 2,
		     &bus->origins);
	settings_read(l, &request, &bus->settings);
}

static size_t count_documents(const struct loader *l, enum config_place place)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_documents; i++)
		n += l->documents[i].file->place == place;
	return n;
}

void buses_read(struct loader *l)
{
	struct config *c = l->config;
	size_t n = count_documents(l, CONFIG_PLACE_BUSES);

	/* And that of local devices, which no file has. */
	c->buses = loader_array(l, struct config_bus, MIN(n, (size_t)CONFIG_BUSES_MAX) + 1);
	l->buses = loader_scratch(l, (MIN(n, (size_t)CONFIG_BUSES_MAX) + 1) * sizeof(*l->buses));
	for (size_t i = 0; i < l->n_documents && c->buses && l->buses; i++) {
		const struct document *document = &l->documents[i];

		if (document->file->place != CONFIG_PLACE_BUSES)
			continue;
		if (c->n_buses == CONFIG_BUSES_MAX) {
			loader_error(l, document->node->mark, "more than %u buses",
				     CONFIG_BUSES_MAX);
			return;
		}
		read_bus(l, document->node, &c->buses[c->n_buses], &l->buses[c->n_buses]);
		c->n_buses++;
	}
}
