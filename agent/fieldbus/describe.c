/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

static struct plugin *plugin_free(struct plugin *p)
{
	if (!p)
		return NULL;
	arena_done(&p->arena);
	free(p->plugin.name);
	free(p->plugin.version);
	free(p);
	return NULL;
}

DEFINE_FREEP(struct plugin *, plugin_free)

void plugins_free(struct fieldbus *f)
{
	struct plugin *p;

	list_for_each(p, &f->plugins, list)
		plugin_free(p);
	list_init(&f->plugins);
}

static const struct config_plugin *plugin_find(struct fieldbus *f, const char *name)
{
	struct plugin *p;

	list_for_each(p, &f->plugins, list)
		if (streq(p->plugin.name, name))
			return &p->plugin;
	return NULL;
}

static int describe(const struct fieldbus_config *launcher, const char *name, sd_bus_message **ret)
{
	uint64_t deadline = clock_monotonic_usec() + FIELDBUS_DESCRIBE_USEC;
	sd_bus_message *m = NULL;
	char text[FIELDBUS_REASON_MAX] = "";
	struct session session;
	int r;

	r = session_open(launcher, &session);
	if (r < 0)
		return r;
	r = session_call_new(&session, "Describe", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = session_call(&session, TAKE_PTR(m), deadline, ret, text, sizeof(text));
	sd_bus_message_unref(m);
	session_done(&session);
	/* An errno cannot say what is wrong with a plugin that is there. */
	if (r < 0 && r != -ENOENT && *text)
		log_warning(NULL, "plugin %s: %s", name, text);
	return r;
}

static int plugin_read(sd_bus_message *m, const char *name, struct plugin *p)
{
	struct link_description d;
	int r;

	r = link_read_description(m, &p->arena, &d);
	if (r < 0)
		return r;
	if (!streq(d.name, name))
		return -EBADMSG;
	p->plugin = (struct config_plugin){ .capabilities = d.capabilities, .keys = d.keys, .n_keys = d.n_keys };
	r = str_replace(&p->plugin.name, d.name);
	return r < 0 ? r : str_replace(&p->plugin.version, d.version);
}

static int plugin_new(sd_bus_message *m, const char *name, struct plugin **ret)
{
	_cleanup_(plugin_freep) struct plugin *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	r = plugin_read(m, name, p);
	if (r >= 0)
		*ret = TAKE_PTR(p);
	return r;
}

int fieldbus_describe(struct fieldbus *f, const char *name, const struct config_plugin **ret)
{
	const struct fieldbus_config launcher = fieldbus_launcher(f);
	const struct config_plugin *known = plugin_find(f, name);
	sd_bus_message *m;
	struct plugin *p;
	int r;

	if (known) {
		*ret = known;
		return 0;
	}
	r = describe(&launcher, name, &m);
	if (r < 0)
		return r;
	r = plugin_new(m, name, &p);
	sd_bus_message_unref(m);
	if (r < 0)
		return r;
	list_append(&f->plugins, &p->list);
	*ret = &p->plugin;
	return 0;
}
