/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/daemon/attempt.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/record.h"
#include "ctl/profile/profile.h"
#include "ctl/profile/tree.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"
#include "link/marshal.h"

/* ---- the question ---- */

static int append_settings(sd_bus_message *m, const struct fieldway_settings *settings)
{
	int r = 0;

	for (size_t i = 0; i < settings->n && r >= 0; i++)
		r = setting_append(m, settings->items[i].key, &settings->items[i].value);
	return r;
}

/* The address as it was said, and what the profile says of the device as a whole. */
static int append_device(sd_bus_message *m, const struct invocation *i,
			 const struct config_type *type)
{
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (size_t k = 0; k < i->n_address && r >= 0; k++)
		r = sd_bus_message_append(m, "{sv}", i->address[k].name, "s", i->address[k].value);
	if (r >= 0)
		r = append_settings(m, &type->settings);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_invalid(sd_bus_message *m, const struct config_point *point)
{
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", "invalid");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "av");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "v");
	for (size_t i = 0; i < point->n_invalid && r >= 0; i++)
		r = link_append_value(m, &point->invalid[i]);
	for (int i = 0; i < 3 && r >= 0; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

static int append_common(sd_bus_message *m, const struct config_type *type,
			 const struct config_point *point)
{
	int r = sd_bus_message_append(m, "{sv}{sv}{sv}", "scale", "d", point->scale, "offset", "d",
				      point->offset, "factor", "d", point->factor);

	if (r >= 0 && point->scale10 >= 0)
		r = sd_bus_message_append(m, "{sv}", "scale10", "s",
					  type->points[point->scale10].name);
	return r >= 0 && point->n_invalid > 0 ? append_invalid(m, point) : r;
}

static int append_point(sd_bus_message *m, const struct config_type *type,
			const struct config_point *point)
{
	int r = sd_bus_message_open_container(m, 'r', "sa{sv}");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", point->name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r >= 0)
		r = append_settings(m, &point->settings);
	if (r >= 0)
		r = append_common(m, type, point);
	for (int i = 0; i < 2 && r >= 0; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

static int append_points(sd_bus_message *m, const struct config_type *type)
{
	int r = sd_bus_message_open_container(m, 'a', "(sa{sv})");

	for (size_t i = 0; i < type->n_points && r >= 0; i++)
		if (type->points[i].access & CONFIG_ACCESS_READ)
			r = append_point(m, type, &type->points[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask(struct client *c, const char *path, const struct invocation *i,
	       const struct config_type *type, sd_bus_message **ret)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = client_call_new(c, path, AGENT1_BUS, "Attempt", &m);

	if (r < 0)
		return r;
	r = append_device(m, i, type);
	if (r >= 0)
		r = append_points(m, type);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", (uint64_t)0);
	if (r < 0)
		return client_misunderstood(r);
	return client_call_send(c, m, FIELDBUS_ATTEMPT_USEC_MAX + CLIENT_DEADLINE_USEC, ret);
}

/* ---- and what comes of it ---- */

static int print(const struct profile_load *l, sd_bus_message *reply, bool json)
{
	struct tree t = { .type = l->config->devices[0].type, .definitions = l->definitions };
	_cleanup_arena_ struct arena arena = { 0 };
	struct reading *readings;
	bool good = false;
	int r = readings_read(reply, &arena, &readings, &t.n);

	if (r >= 0) {
		t.readings = readings;
		r = json ? tree_print_document(&t, &good) : tree_print(stdout, &t, &good);
	}
	if (r < 0)
		return client_misunderstood(r);
	return good ? 0 : -EIO;
}

static int plugin_of(struct client *c, const char *path, struct arena *arena, const char **ret)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	struct bus_record b;
	int r = client_properties(c, path, AGENT1_BUS, &reply);

	if (r < 0)
		return r;
	r = bus_record_read(reply, arena, &b);
	if (r >= 0) {
		*ret = arena_text(arena, b.plugin, strlen(b.plugin));
		r = *ret ? 0 : -ENOMEM;
	}
	return r < 0 ? client_misunderstood(r) : 0;
}

static int try(struct client *c, const struct invocation *i)
{
	struct profile_device device = { .address = i->address, .n_address = i->n_address };
	_cleanup_profile_load_ struct profile_load l = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = find_bus(c, i->arguments[2], &path);

	if (r >= 0)
		r = plugin_of(c, path, &arena, &device.plugin);
	if (r >= 0)
		r = profile_load(i, i->arguments[1], &device, &l);
	if (r < 0)
		return r;
	c->about = i->arguments[2];
	c->privileged = true;
	r = ask(c, path, i, l.config->devices[0].type, &reply);
	return r < 0 ? r : print(&l, reply, i->json);
}

int profile_try(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	int r;

	if (!find_name("bus", i->arguments[2]))
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : try(&c, i));
}
