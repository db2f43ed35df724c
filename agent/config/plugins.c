/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/settings.h"

/* A table without keys for a plugin that could not be asked. */
static const struct config_plugin *plugin_unchecked(struct loader *l, const char *name)
{
	struct config_plugin *plugin = loader_new(l, sizeof(*plugin));

	if (!plugin)
		return NULL;
	plugin->name = loader_text(l, name);
	plugin->version = loader_text(l, "");
	plugin->unchecked = true;
	return plugin->name && plugin->version ? plugin : NULL;
}

static const char *plugin_reason(int error)
{
	switch (error) {
	case -ENOENT:
		return "not installed";
	case -ENOPKG:
		return "the program that loads plugins is not there";
	default:
		return strerror(-error);
	}
}

/*
 * It costs its buses, not the configuration. Device types are shipped for all plugins, and one
 * that is not installed is nothing to be told of before a bus wants it: buses are read first.
 */
static void plugin_do_without(struct loader *l, struct yaml_mark mark, struct known_plugin *known, int error,
			      bool optional)
{
	if (!optional || error != -ENOENT)
		loader_warning(l, mark, "plugin %s: %s; its buses will not work, and its keys are not checked",
			       known->name, plugin_reason(error));
	known->plugin = plugin_unchecked(l, known->name);
}

static void plugin_ask(struct loader *l, struct yaml_mark mark, struct known_plugin *known, bool optional)
{
	const struct config_plugin *plugin = &config_plugin_local;
	int r = streq(known->name, config_plugin_local.name) ?
			0 :
			l->sources->plugin(l->sources->userdata, known->name, &plugin);

	if (r >= 0) {
		known->plugin = plugin;
	} else if (r == -ENOMEM) {
		l->no_memory = true;
	} else if (l->sources->plugins_optional) {
		plugin_do_without(l, mark, known, r, optional);
		r = 0;
	} else if (r != -ENOENT) {
		loader_error(l, mark, "plugin %s cannot be asked for its keys: %s", known->name,
			     plugin_reason(r));
	}
	known->asked = r;
}

/* Those that come with the agent have packages of their own. */
static void plugin_tell_missing(struct loader *l, struct yaml_mark mark, const char *name)
{
	static const char *const shipped[] = { "modbus", "serial", "ble" };
	const char *near = str_nearest(name, shipped, ARRAY_SIZE(shipped));

	if (!near)
		loader_error(l, mark, "there is no plugin \"%s\"", name);
	else if (streq(near, name))
		loader_error(l, mark, "there is no plugin \"%s\": it comes with the package fieldway-plugin-%s", name, name);
	else
		loader_error(l, mark, "there is no plugin \"%s\", did you mean \"%s\"?", name, near);
}

static const struct known_plugin *plugin_answer(struct loader *l, struct yaml_mark mark,
						const struct known_plugin *known, bool optional)
{
	if (known->asked == -ENOENT && !optional)
		plugin_tell_missing(l, mark, known->name);
	return known;
}

const struct known_plugin *plugin_get(struct loader *l, struct yaml_mark mark, const char *name,
				      bool optional)
{
	struct known_plugin *grown;

	for (size_t i = 0; i < l->n_plugins; i++)
		if (streq(l->plugins[i].name, name))
			return plugin_answer(l, mark, &l->plugins[i], optional);
	if (l->n_plugins == CONFIG_PLUGINS_MAX) {
		loader_error(l, mark, "more than %u plugins", CONFIG_PLUGINS_MAX);
		return NULL;
	}
	grown = &l->plugins[l->n_plugins];
	grown->name = loader_text(l, name);
	if (!grown->name)
		return NULL;
	l->n_plugins++;
	plugin_ask(l, mark, grown, optional);
	return plugin_answer(l, mark, grown, optional);
}
