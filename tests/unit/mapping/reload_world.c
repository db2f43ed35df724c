/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/yaml.h"
#include "tests/unit/mapping/reload_world.h"
#include "tests/unit/model/shipped.h"

static struct config_plugin plugin = { .name = (char *)"modbus", .version = (char *)"1" };

#define FAST .period_usec = SECONDS(2), .stale = { .times = 3 }, .scale10 = -1, .verify = { .point = -1 }
const struct config_point world_points[P_MAX] = {
	[P_VOLTS] = { .name = (char *)"volts", .access = R, .scale = 1, FAST },
	[P_POWER] = { .name = (char *)"power", .access = R, .scale = 1, FAST },
	[P_RUN] = { .name = (char *)"run", .access = RW, FAST },
	[P_FAULT] = { .name = (char *)"fault", .access = R, FAST },
	[P_SERIAL] = { .name = (char *)"serial", .access = R, FAST },
	[P_COUNT] = { .name = (char *)"count", .access = R, FAST, .counter = { .enabled = true, .wrap = 65536 } },
	[P_ASKED] = { .name = (char *)"asked", .access = R, .period_usec = CONFIG_RATE_ON_DEMAND, .scale10 = -1,
		      .verify = { .point = -1 } },
};

struct world *now, *then;
static struct definitions *former_definitions;

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->bus = (struct config_bus){ .name = (char *)"hall1", .plugin = &plugin };
	w->config = (struct config){ .buses = &w->bus,
				     .n_buses = 1,
				     .types = w->type_list,
				     .devices = w->devices,
				     .endpoints = w->endpoints,
				     .writes_allow = true };
	return w;
}

uint32_t world_add_type(struct world *w)
{
	uint32_t i = w->config.n_types++;

	w->type_list[i] = &w->types[i];
	memcpy(w->points[i], world_points, sizeof(world_points));
	w->types[i] = (struct config_type){
		.profile = (char *)"meter", .plugin = &plugin, .points = w->points[i], .n_points = P_MAX
	};
	return i;
}

uint32_t world_add_device(struct world *w, char *name, uint32_t type)
{
	uint32_t i = w->config.n_devices++;

	w->devices[i] = (struct config_device){ .name = name, .type = &w->types[type], .enabled = true };
	return i;
}

uint32_t world_add_endpoint(struct world *w, char *name, uint32_t device)
{
	uint32_t i = w->config.n_endpoints++;

	w->endpoints[i] = (struct config_endpoint){
		.name = name, .endpoint = name, .device = device, .map = w->maps[i]
	};
	return i;
}

void world_add_row(struct world *w, uint32_t endpoint, struct config_map map)
{
	w->maps[endpoint][w->endpoints[endpoint].n_map++] = map;
}

void world_add_point(struct world *w, uint32_t endpoint, const char *path, uint32_t point)
{
	world_add_row(w, endpoint, (struct config_map){ .path = path_of(path), .device = SELF, .point = point });
}

void world_add_constant(struct world *w, uint32_t endpoint, const char *path, int64_t number)
{
	world_add_row(w, endpoint, (struct config_map){ .path = path_of(path),
						  .kind = CONFIG_MAP_CONSTANT,
						  .constant = value_integer(number) });
}

/* Two meters; the first one's endpoint shows something of each kind. */
void world_fill(struct world *w)
{
	uint32_t type = world_add_type(w);

	world_add_device(w, (char *)"em1", type);
	world_add_device(w, (char *)"em2", type);
	world_add_endpoint(w, (char *)"em1", 0);
	world_add_point(w, 0, "/3303/0/5700", P_VOLTS);
	world_add_point(w, 0, "/3305/1/5800", P_POWER);
	world_add_point(w, 0, "/3306/0/5850", P_RUN);
	world_add_row(w, 0, (struct config_map){ .path = path_of("/3/0/11"),
					   .kind = CONFIG_MAP_ALARM,
					   .device = SELF,
					   .point = P_FAULT,
					   .alarm = 17 });
	world_add_point(w, 0, "/3/0/2", P_SERIAL);
	world_add_row(w, 0, (struct config_map){ .path = path_of("/3/0/12"),
					   .kind = CONFIG_MAP_EXECUTE,
					   .device = SELF,
					   .point = P_RUN,
					   .constant = value_boolean(true) });
	world_add_constant(w, 0, "/3/0/6/0", 1);
	world_add_constant(w, 0, "/3/0/6/1", 5);
	world_add_point(w, 0, "/3/0/7/0", P_VOLTS);
	world_add_point(w, 0, "/3/0/7/1", P_POWER);
	world_add_endpoint(w, (char *)"em2", 1);
	world_add_point(w, 1, "/3303/0/5700", P_VOLTS);
}

static void on_change(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	char text[PATH_TEXT_MAX];
	size_t used = strlen(rig.changes);

	for (size_t i = 0; i < n; i++)
		used += snprintf(rig.changes + used, sizeof(rig.changes) - used, "%s ",
				 path_format(&paths[i], text));
	ck_assert_uint_lt(used, sizeof(rig.changes));
}

struct store *world_new_store(void)
{
	const struct record none = { .path = path_of("/3/0/11/0"), .value = value_integer(0) };
	struct store *s;

	ck_assert_int_eq(store_new(rig.definitions, &s), 0);
	ck_assert_int_eq(store_add_instance(s, definitions_newest(rig.definitions, 3), 0), 0);
	ck_assert_int_eq(store_update(s, &none, 1), 0);
	return s;
}

void world_on_seen(void *userdata, uint32_t endpoint, bool complete)
{
	rig.n_seen[endpoint] += !complete;
	rig.n_complete[endpoint] += complete;
}

void world_start(void (*fill)(struct world *w))
{
	static const struct mapping_ops ops = { .seen = world_on_seen };
	struct mapping_config config;

	rig_set_up();
	now = world_new();
	fill(now);
	config = (struct mapping_config){ .config = &now->config,
					  .definitions = rig.definitions,
					  .timers = rig.timers,
					  .state = rig.state };
	ck_assert_int_eq(mapping_new(&config, &ops, &rig, &rig.mapping), 0);
	for (uint32_t i = 0; i < now->config.n_endpoints; i++) {
		rig.stores[i] = world_new_store();
		ck_assert_int_eq(mapping_attach(rig.mapping, i, rig.stores[i]), 0);
	}
	store_set_watch(rig.stores[0], on_change, NULL);
	then = world_new();
	former_definitions = NULL;
}

void world_set_up(void)
{
	world_start(world_fill);
}

void world_tear_down(void)
{
	rig_tear_down();
	free(now);
	free(then);
}

/* Stores follow their endpoints. */
struct store *gone[RIG_MAX];
static void reload_stores(const struct config_difference *d)
{
	struct store *stores[RIG_MAX];

	memcpy(stores, rig.stores, sizeof(stores));
	memset(rig.stores, 0, sizeof(rig.stores));
	memset(gone, 0, sizeof(gone));
	for (uint32_t i = 0; i < d->before->n_endpoints; i++)
		if (d->endpoints_after[i] == CONFIG_NONE)
			gone[i] = stores[i];
		else
			rig.stores[d->endpoints_after[i]] = stores[i];
}

/* `then` comes into force; nothing may look at what was `now`. */
void world_reload(void)
{
	struct definitions *definitions = rig.definitions;
	struct config_difference *d;

	memset(rig.changes, 0, sizeof(rig.changes));
	ck_assert_int_eq(config_difference_new(&now->config, &then->config, &d), 0);
	ck_assert_int_eq(mapping_reload(rig.mapping, &then->config, definitions, d), 0);
	reload_stores(d);
	mapping_catch_up(rig.mapping, d);
	config_difference_free(d);
	memset(now, 0xee, sizeof(*now));
	free(now);
	now = then;
	then = world_new();
	if (former_definitions)
		former_definitions = definitions_free(former_definitions);
	for (uint32_t i = 0; i < now->config.n_endpoints; i++)
		if (!rig.stores[i]) {
			rig.stores[i] = world_new_store();
			ck_assert_int_eq(mapping_attach(rig.mapping, i, rig.stores[i]), 0);
		}
}

void world_expect_gone(uint32_t endpoint, const char *text)
{
	const struct path path = path_of(text);

	ck_assert_msg(!store_exists(rig.stores[endpoint], &path), "%s", text);
}

void world_feed(void)
{
	rig_number(0, P_VOLTS, 230);
	rig_number(0, P_POWER, 1000);
	rig_sample(0, P_RUN, (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = true });
	rig_sample(0, P_FAULT, (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = true });
	rig_sample(0, P_SERIAL, (struct fieldway_value){ .type = FIELDWAY_STRING, .data = (char *)"ab", .size = 2 });
}

void world_expect_fed(void)
{
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3303/0/5601", "230");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect(0, "/3306/0/5850", "1");
	rig_expect(0, "/3/0/11/0", "17");
	rig_expect(0, "/3/0/2", "ab");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/7/0", "230");
	rig_expect(0, "/3/0/7/1", "1000");
}

void world_count(uint32_t device, uint32_t point, uint64_t n)
{
	rig_sample(device, point, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = n });
}

void world_redefine(const char *text)
{
	struct yaml_errors errors = { 0 };

	former_definitions = rig.definitions;
	rig.definitions = shipped_definitions();
	if (text)
		ck_assert_int_eq(definitions_read_text(rig.definitions, "x", text, strlen(text), &errors), 0);
}
