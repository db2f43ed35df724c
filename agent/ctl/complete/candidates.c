/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complete/candidates.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/inventory.h"
#include "ctl/show/explain_more.h"
#include "ctl/value/value.h"
#include "dbus/agent1.h"

/* ---- words ---- */

void candidates_add(struct candidates *c, const char *word)
{
	const char **grown, *copy;

	if (!has_prefix(word, c->typed) || c->n == CANDIDATES_MAX || strpbrk(word, " \t\n\\'\""))
		return;
	if (c->n == c->allocated) {
		grown = reallocarray(c->items, 2 * c->allocated + 64, sizeof(*grown));
		if (!grown)
			return;
		c->items = grown;
		c->allocated = 2 * c->allocated + 64;
	}
	copy = arena_text(&c->arena, word, strlen(word));
	if (copy)
		c->items[c->n++] = copy;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

void candidates_print(struct candidates *c)
{
	if (c->n > 1)
		qsort(c->items, c->n, sizeof(*c->items), by_version);
	for (size_t i = 0; i < c->n; i++)
		if (i == 0 || !streq(c->items[i - 1], c->items[i]))
			puts(c->items[i]);
}

void candidates_done(struct candidates *c)
{
	free(c->items);
	arena_done(&c->arena);
}

/* ---- of the daemon ---- */

static void add_servers(const struct endpoint_record *e, struct candidates *to)
{
	for (size_t i = 0; i < e->n_accounts; i++)
		candidates_add(to, e->accounts[i].server);
}

static void find_objects(const struct completion *c, struct client *client, const char *kind)
{
	_cleanup_inventory_ struct inventory i = { 0 };

	if (inventory_fetch(client, &i) < 0)
		return;
	for (size_t k = 0; k < i.n_endpoints; k++)
		if (streq(kind, "endpoint"))
			candidates_add(c->to, i.endpoints[k].name);
		else if (streq(kind, "server"))
			add_servers(&i.endpoints[k], c->to);
	for (size_t k = 0; k < i.n_devices && streq(kind, "device"); k++)
		candidates_add(c->to, i.devices[k].name);
	for (size_t k = 0; k < i.n_buses && streq(kind, "bus"); k++)
		candidates_add(c->to, i.buses[k].name);
}

/* One level more than is typed: "/3305/" of "/33", "/3305/0/" of "/3305/". */
static void add_path(struct candidates *to, const struct path *path)
{
	char text[PATH_TEXT_MAX + 1];
	size_t typed = strlen(to->typed);
	char *slash;

	path_format(path, text);
	if (!has_prefix(text, to->typed))
		return;
	slash = strchr(text + MAX(typed, (size_t)1), '/');
	if (slash)
		slash[1] = '\0';
	candidates_add(to, text);
}

static void find_paths(const struct completion *c, struct client *client)
{
	_cleanup_value_lines_ struct value_lines lines = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *object = NULL;
	struct path root = { 0 };

	if (!c->first || find_endpoint(client, c->first, &object) < 0 ||
	    client_call(client, object, AGENT1_ENDPOINT, "Read", &reply, "s", "/") < 0 ||
	    value_lines_read(reply, &root, &lines) < 0)
		return;
	for (size_t i = 0; i < lines.n; i++)
		add_path(c->to, &lines.items[i].path);
}

static void find_points(const struct completion *c, struct client *client)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	_cleanup_free_ char *object = NULL;
	struct profile_value *values;
	size_t n;

	if (!c->first || find_device(client, c->first, &object) < 0 ||
	    client_call(client, object, AGENT1_DEVICE, "GetProfile", &reply, "") < 0 ||
	    profile_values_read(reply, &arena, &values, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (*values[i].point)
			candidates_add(c->to, values[i].point);
}

/* ---- of the files ---- */

static void find_profiles(const struct completion *c, const char *folder)
{
	_cleanup_free_ char *path = NULL;
	struct dirent *entry;
	char *dot;
	DIR *dir;

	if (asprintf(&path, "%s/profiles.d", folder) < 0) {
		path = NULL;
		return;
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		dot = strrchr(entry->d_name, '.');
		if (!dot || !streq(dot, ".yaml"))
			continue;
		*dot = '\0';
		candidates_add(c->to, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static bool is_of_daemon(const char *kind)
{
	static const char *const kinds[] = { "endpoint", "device", "bus", "server", "path", "point" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i], kind))
			return true;
	return false;
}

static void ask_daemon(const struct completion *c, const char *kind)
{
	_cleanup_client_ struct client client = { 0 };

	if (client_open(c->bus, &client) < 0)
		return;
	if (streq(kind, "path"))
		find_paths(c, &client);
	else if (streq(kind, "point"))
		find_points(c, &client);
	else
		find_objects(c, &client, kind);
}

bool completion_find(const struct completion *c, const char *kind)
{
	if (streq(kind, "profile")) {
		find_profiles(c, c->config);
		find_profiles(c, c->shared);
		return true;
	}
	if (!is_of_daemon(kind))
		return false;
	ask_daemon(c, kind);
	return true;
}
