/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/inventory.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

/* What endpoints and devices are looked up by. */
struct sort {
	const char *what, *method, *error, *list;
	size_t (*names)(const struct inventory *i,
			const char **names); /* at most NAMES_EACH for an object */
};

#define NAMES_EACH 2u

static size_t endpoint_names(const struct inventory *i, const char **names)
{
	size_t n = 0;

	for (size_t k = 0; k < i->n_endpoints; k++) {
		names[n++] = i->endpoints[k].name;
		names[n++] = i->endpoints[k].client_name;
	}
	return n;
}

static size_t device_names(const struct inventory *i, const char **names)
{
	for (size_t k = 0; k < i->n_devices; k++)
		names[k] = i->devices[k].name;
	return i->n_devices;
}

static size_t bus_names(const struct inventory *i, const char **names)
{
	for (size_t k = 0; k < i->n_buses; k++)
		names[k] = i->buses[k].name;
	return i->n_buses;
}

static const struct sort endpoints = { "endpoint", "GetEndpoint", AGENT1_ERROR_NO_SUCH_ENDPOINT,
				       "endpoints", endpoint_names };
static const struct sort devices = { "device", "GetDevice", AGENT1_ERROR_NO_SUCH_DEVICE, "devices",
				     device_names };

static const struct sort buses = { "bus", "GetBus", AGENT1_ERROR_NO_SUCH_BUS, "buses", bus_names };

static void complain(const struct sort *sort, const char *name, const struct inventory *i)
{
	_cleanup_free_ const char **names =
		calloc(NAMES_EACH * (i->n_endpoints + i->n_devices) + 1, sizeof(*names));
	const char *near = names ? str_nearest(name, names, sort->names(i, names)) : NULL;

	fprintf(stderr, "fieldwayctl: no %s '", sort->what);
	text_print(stderr, name);
	fputc('\'', stderr);
	if (near) {
		fputs(", did you mean '", stderr);
		text_print(stderr, near);
		fputs("'?", stderr);
	}
	fprintf(stderr, " (fieldwayctl list %s)\n", sort->list);
}

static int suggest(struct client *c, const struct sort *sort, const char *name)
{
	_cleanup_inventory_ struct inventory i = { 0 };
	int r = inventory_fetch(c, &i);

	if (r < 0)
		return r;
	complain(sort, name, &i);
	return -ENOENT;
}

static int take_path(sd_bus_message *reply, char **ret)
{
	const char *path;
	char *copy;
	int r = sd_bus_message_read_basic(reply, 'o', &path);

	if (r <= 0)
		return client_misunderstood(record_error(r));
	copy = strdup(path);
	if (!copy)
		return client_misunderstood(-ENOMEM);
	*ret = copy;
	return 0;
}

static int find(struct client *c, const struct sort *sort, const char *name, char **ret_path)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = client_try(c, AGENT1_PATH, AGENT1_MANAGER, sort->method, &error, &reply, "s", name);

	if (r >= 0)
		return take_path(reply, ret_path);
	if (sd_bus_error_has_name(&error, sort->error))
		return suggest(c, sort, name);
	return client_complain(c, &error);
}

int find_endpoint(struct client *c, const char *name, char **ret_path)
{
	return find(c, &endpoints, name, ret_path);
}

int find_device(struct client *c, const char *name, char **ret_path)
{
	return find(c, &devices, name, ret_path);
}

int find_bus(struct client *c, const char *name, char **ret_path)
{
	return find(c, &buses, name, ret_path);
}

bool find_name(const char *what, const char *name)
{
	/* D-Bus carries nothing else. */
	if (*name && utf8_is_valid(name, strlen(name)))
		return true;
	fprintf(stderr, "fieldwayctl: no name of a %s\n", what);
	return false;
}
