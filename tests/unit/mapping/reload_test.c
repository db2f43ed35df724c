/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/yaml.h"
#include "config/difference.h"
#include "mapping/counter.h"
#include "tests/unit/mapping/meter.h"

/* A configuration takes the place of another one while values and requests go on. */

static struct config_plugin plugin = { .name = (char *)"modbus", .version = (char *)"1" };

/* The points of a meter, in two orders and with one that has changed. */
enum { P_VOLTS, P_POWER, P_RUN, P_FAULT, P_SERIAL, P_COUNT, P_ASKED, P_MAX };
#define RW (CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE)
#define FAST .period_usec = SECONDS(2), .stale = { .times = 3 }, .scale10 = -1, .verify = { .point = -1 }
static const struct config_point former_points[] = {
	[P_VOLTS] = { .name = (char *)"volts", .access = R, .scale = 1, FAST },
	[P_POWER] = { .name = (char *)"power", .access = R, .scale = 1, FAST },
	[P_RUN] = { .name = (char *)"run", .access = RW, FAST },
	[P_FAULT] = { .name = (char *)"fault", .access = R, FAST },
	[P_SERIAL] = { .name = (char *)"serial", .access = R, FAST },
	[P_COUNT] = { .name = (char *)"count", .access = R, FAST, .counter = { .enabled = true, .wrap = 65536 } },
	[P_ASKED] = { .name = (char *)"asked", .access = R, .period_usec = CONFIG_RATE_ON_DEMAND, .scale10 = -1,
		      .verify = { .point = -1 } },
};

/* One configuration in memory of its own, which is wiped when the next one is in force. */
struct world {
	struct config config;
	struct config_bus bus;
	struct config_device devices[RIG_MAX];
	struct config_endpoint endpoints[RIG_MAX];
	struct config_type types[RIG_MAX], *type_list[RIG_MAX];
	struct config_point points[RIG_MAX][P_MAX];
	struct config_map maps[RIG_MAX][16];
};
static struct world *now, *then;
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

static uint32_t add_type(struct world *w)
{
	uint32_t i = w->config.n_types++;

	w->type_list[i] = &w->types[i];
	memcpy(w->points[i], former_points, sizeof(former_points));
	w->types[i] = (struct config_type){
		.profile = (char *)"meter", .plugin = &plugin, .points = w->points[i], .n_points = P_MAX
	};
	return i;
}

static uint32_t add_device(struct world *w, char *name, uint32_t type)
{
	uint32_t i = w->config.n_devices++;

	w->devices[i] = (struct config_device){ .name = name, .type = &w->types[type], .enabled = true };
	return i;
}

static uint32_t add_endpoint(struct world *w, char *name, uint32_t device)
{
	uint32_t i = w->config.n_endpoints++;

	w->endpoints[i] = (struct config_endpoint){
		.name = name, .endpoint = name, .device = device, .map = w->maps[i]
	};
	return i;
}

static void add_row(struct world *w, uint32_t endpoint, struct config_map map)
{
	w->maps[endpoint][w->endpoints[endpoint].n_map++] = map;
}

static void add_point(struct world *w, uint32_t endpoint, const char *path, uint32_t point)
{
	add_row(w, endpoint, (struct config_map){ .path = path_of(path), .device = SELF, .point = point });
}

static void add_constant(struct world *w, uint32_t endpoint, const char *path, int64_t number)
{
	add_row(w, endpoint, (struct config_map){ .path = path_of(path),
						  .kind = CONFIG_MAP_CONSTANT,
						  .constant = value_integer(number) });
}

/* Two meters; the first one's endpoint shows something of each kind. */
static void fill_standard(struct world *w)
{
	uint32_t type = add_type(w);

	add_device(w, (char *)"em1", type);
	add_device(w, (char *)"em2", type);
	add_endpoint(w, (char *)"em1", 0);
	add_point(w, 0, "/3303/0/5700", P_VOLTS);
	add_point(w, 0, "/3305/1/5800", P_POWER);
	add_point(w, 0, "/3306/0/5850", P_RUN);
	add_row(w, 0, (struct config_map){ .path = path_of("/3/0/11"),
					   .kind = CONFIG_MAP_ALARM,
					   .device = SELF,
					   .point = P_FAULT,
					   .alarm = 17 });
	add_point(w, 0, "/3/0/2", P_SERIAL);
	add_row(w, 0, (struct config_map){ .path = path_of("/3/0/12"),
					   .kind = CONFIG_MAP_EXECUTE,
					   .device = SELF,
					   .point = P_RUN,
					   .constant = value_boolean(true) });
	add_constant(w, 0, "/3/0/6/0", 1);
	add_constant(w, 0, "/3/0/6/1", 5);
	add_point(w, 0, "/3/0/7/0", P_VOLTS);
	add_point(w, 0, "/3/0/7/1", P_POWER);
	add_endpoint(w, (char *)"em2", 1);
	add_point(w, 1, "/3303/0/5700", P_VOLTS);
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

static struct store *new_store(void)
{
	const struct record none = { .path = path_of("/3/0/11/0"), .value = value_integer(0) };
	struct store *s;

	ck_assert_int_eq(store_new(rig.definitions, &s), 0);
	ck_assert_int_eq(store_add_instance(s, definitions_newest(rig.definitions, 3), 0), 0);
	ck_assert_int_eq(store_update(s, &none, 1), 0);
	return s;
}

static void on_seen(void *userdata, uint32_t endpoint, bool complete)
{
	rig.n_seen[endpoint] += !complete;
	rig.n_complete[endpoint] += complete;
}

static void start(void (*fill)(struct world *w))
{
	static const struct mapping_ops ops = { .seen = on_seen };
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
		rig.stores[i] = new_store();
		ck_assert_int_eq(mapping_attach(rig.mapping, i, rig.stores[i]), 0);
	}
	store_set_watch(rig.stores[0], on_change, NULL);
	then = world_new();
	former_definitions = NULL;
}

static void set_up(void)
{
	start(fill_standard);
}

static void tear_down(void)
{
	rig_tear_down();
	free(now);
	free(then);
}

/* Stores follow their endpoints; those that went are in gone[]. */
static struct store *gone[RIG_MAX];
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
static void reload(void)
{
	struct definitions *definitions = rig.definitions;
	struct config_difference *d;

	memset(rig.changes, 0, sizeof(rig.changes));
	ck_assert_int_eq(config_difference_new(&now->config, &then->config, &d), 0);
	ck_assert_int_eq(mapping_reload(rig.mapping, &then->config, definitions, d), 0);
	reload_stores(d);
	config_difference_free(d);
	memset(now, 0xee, sizeof(*now));
	free(now);
	now = then;
	then = world_new();
	if (former_definitions)
		former_definitions = definitions_free(former_definitions);
	for (uint32_t i = 0; i < now->config.n_endpoints; i++)
		if (!rig.stores[i]) {
			rig.stores[i] = new_store();
			ck_assert_int_eq(mapping_attach(rig.mapping, i, rig.stores[i]), 0);
		}
}

static void expect_gone(uint32_t endpoint, const char *text)
{
	const struct path path = path_of(text);

	ck_assert_msg(!store_exists(rig.stores[endpoint], &path), "%s", text);
}

static void feed(void)
{
	rig_number(0, P_VOLTS, 230);
	rig_number(0, P_POWER, 1000);
	rig_sample(0, P_RUN, (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = true });
	rig_sample(0, P_FAULT, (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = true });
	rig_sample(0, P_SERIAL, (struct fieldway_value){ .type = FIELDWAY_STRING, .data = (char *)"ab", .size = 2 });
}

static void expect_fed(void)
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

/* ---- what is the same stays ---- */

START_TEST(the_same_is_no_change)
{
	feed();
	fill_standard(then);
	reload();
	ck_assert_str_eq(rig.changes, "");
	expect_fed();
	/* It goes on. */
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(0, "/3303/0/5602", "231");
	rig_execute(0, "/3303/0/5605");
	rig_expect(0, "/3303/0/5601", "231");
	rig_advance(SECONDS(6));
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_explanation(0, "/3303/0/5700", "em1: last read 6s ago");
}
END_TEST

/* Everything is numbered otherwise: devices, endpoints, points, rows. */
static void fill_renumbered(struct world *w)
{
	uint32_t type = add_type(w);
	struct config_point *points = w->points[type];

	for (size_t i = 0; i < P_MAX; i++)
		points[i] = former_points[P_MAX - 1 - i];
	add_device(w, (char *)"em0", type);
	add_device(w, (char *)"em2", type);
	add_device(w, (char *)"em1", type);
	add_endpoint(w, (char *)"em2", 1);
	add_point(w, 0, "/3303/0/5700", P_MAX - 1 - P_VOLTS);
	add_endpoint(w, (char *)"em1", 2);
	add_point(w, 1, "/3/0/7/1", P_MAX - 1 - P_POWER);
	add_constant(w, 1, "/3/0/6/1", 5);
	add_constant(w, 1, "/3/0/6/0", 1);
	add_point(w, 1, "/3305/1/5800", P_MAX - 1 - P_POWER);
	add_point(w, 1, "/3306/0/5850", P_MAX - 1 - P_RUN);
	add_row(w, 1, (struct config_map){ .path = path_of("/3/0/11"),
					   .kind = CONFIG_MAP_ALARM,
					   .device = SELF,
					   .point = P_MAX - 1 - P_FAULT,
					   .alarm = 17 });
	add_point(w, 1, "/3/0/2", P_MAX - 1 - P_SERIAL);
	add_row(w, 1, (struct config_map){ .path = path_of("/3/0/12"),
					   .kind = CONFIG_MAP_EXECUTE,
					   .device = SELF,
					   .point = P_MAX - 1 - P_RUN,
					   .constant = value_boolean(true) });
	add_point(w, 1, "/3303/0/5700", P_MAX - 1 - P_VOLTS);
	add_point(w, 1, "/3/0/7/0", P_MAX - 1 - P_VOLTS);
}

START_TEST(other_numbers_are_no_change)
{
	feed();
	rig_number(1, P_VOLTS, 110);
	fill_renumbered(then);
	reload();
	ck_assert_str_eq(rig.changes, "");
	SWAP(rig.stores[0], rig.stores[1]);
	expect_fed();
	rig_expect(1, "/3303/0/5700", "110");
	rig_number(2, P_MAX - 1 - P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(0, "/3/0/7/0", "231");
	rig_number(1, P_MAX - 1 - P_VOLTS, 111);
	rig_expect(1, "/3303/0/5700", "111");
	rig_expect(0, "/3303/0/5700", "231");
	rig_write(0, "/3306/0/5850", value_boolean(false));
	ck_assert_uint_eq(rig.n_writes, 1);
	ck_assert_uint_eq(rig.writes[0].device, 2);
	ck_assert_uint_eq(rig.writes[0].point, P_MAX - 1 - P_RUN);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_expect(0, "/3306/0/5850", "0");
	/* What was silent is so under its new number. */
	mapping_state(rig.mapping, 2, FIELDBUS_OFFLINE, "silent");
	rig_expect_error(0, "/3303/0/5700", -EHOSTDOWN);
	rig_expect(1, "/3303/0/5700", "111");
}
END_TEST

/* ---- what changes ---- */

START_TEST(rows_come_and_go)
{
	feed();
	fill_standard(then);
	then->endpoints[0].n_map = 0;
	add_point(then, 0, "/3303/0/5700", P_VOLTS);
	add_point(then, 0, "/3303/4/5700", P_POWER);
	reload();
	ck_assert_str_eq(rig.changes, "/3303/4 /3305 /3305/1 /3306 /3306/0 /3/0/2 /3/0/6 /3/0/7 /3/0/11 /3/0/12 "
				      "/3303/4/5605 /3303/4/5700 ");
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3303/0/5601", "230");
	rig_expect_error(0, "/3303/4/5700", -ENODATA);
	rig_expect(0, "/3/0/11/0", "0");
	expect_gone(0, "/3305");
	expect_gone(0, "/3306/0");
	expect_gone(0, "/3/0/2");
	expect_gone(0, "/3/0/6");
	expect_gone(0, "/3/0/12");
	rig_number(0, P_POWER, 7);
	rig_expect(0, "/3303/4/5700", "7");
	/* And back again: nothing is known of what had been. */
	fill_standard(then);
	reload();
	expect_gone(0, "/3303/4");
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect_error(0, "/3305/1/5800", -ENODATA);
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/11/0", "0");
	feed();
	expect_fed();
}
END_TEST

START_TEST(a_row_of_something_else_begins_anew)
{
	feed();
	fill_standard(then);
	then->maps[0][0].point = P_POWER;
	then->points[0][P_SERIAL].settings.n = 0;
	then->maps[0][6].constant = value_integer(3);
	then->maps[0][3].alarm = 18;
	reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	expect_gone(0, "/3303/0/5601");
	rig_expect(0, "/3/0/6/0", "3");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/11/0", "0");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_number(0, P_POWER, 1001);
	rig_expect(0, "/3303/0/5700", "1001");
	rig_expect(0, "/3303/0/5601", "1001");
}
END_TEST

/* Another meter behind the same rows: all of its values, and nobody else's. */
START_TEST(another_point_is_another_value)
{
	feed();
	rig_number(1, P_VOLTS, 110);
	fill_standard(then);
	add_type(then);
	then->types[1].profile = (char *)"other";
	then->points[1][P_VOLTS].scale = 0.1;
	then->devices[0].type = &then->types[1];
	reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect(1, "/3303/0/5700", "110");
	/* Of a resource with several sources the others stay. */
	rig_expect(0, "/3/0/7/1", "1000");
	expect_gone(0, "/3/0/7/0");
}
END_TEST

/* How often it is read and when it is stale changes no value, but counts from now on. */
START_TEST(another_rate)
{
	feed();
	fill_standard(then);
	then->points[0][P_VOLTS].period_usec = SECONDS(1);
	then->points[0][P_POWER].stale.times = 5;
	reload();
	ck_assert_str_eq(rig.changes, "");
	expect_fed();
	rig_advance(SECONDS(3));
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect(0, "/3305/1/5800", "1000");
	rig_advance(SECONDS(6));
	rig_expect(0, "/3305/1/5800", "1000");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3305/1/5800", -ESTALE);
	/* It would have been stale by now. */
	feed();
	rig_advance(SECONDS(2));
	fill_standard(then);
	then->points[0][P_VOLTS].period_usec = SECONDS(1) / 4;
	reload();
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect(0, "/3305/1/5800", "1000");
}
END_TEST

START_TEST(resource_instances_come_and_go)
{
	feed();
	fill_standard(then);
	then->endpoints[0].n_map = 6;
	add_constant(then, 0, "/3/0/6/1", 5);
	add_constant(then, 0, "/3/0/6/2", 2);
	add_point(then, 0, "/3/0/7/1", P_POWER);
	add_point(then, 0, "/3/0/7/2", P_VOLTS);
	reload();
	expect_gone(0, "/3/0/6/0");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/6/2", "2");
	expect_gone(0, "/3/0/7/0");
	rig_expect(0, "/3/0/7/1", "1000");
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3/0/7/2", "231");
}
END_TEST

/* What the agent gives without asking, until YAML maps it, and after. */
START_TEST(given_and_mapped)
{
	feed();
	fill_standard(then);
	add_point(then, 0, "/3303/0/5601", P_POWER);
	reload();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect_error(0, "/3303/0/5601", -ENODATA);
	rig_expect(0, "/3303/0/5602", "230");
	rig_number(0, P_POWER, 5);
	rig_expect(0, "/3303/0/5601", "5");
	fill_standard(then);
	reload();
	expect_gone(0, "/3303/0/5601");
	rig_number(0, P_VOLTS, 229);
	rig_expect(0, "/3303/0/5601", "229");
	rig_expect(0, "/3303/0/5602", "230");
}
END_TEST

START_TEST(units_follow)
{
	static struct world *w;

	fill_standard(then);
	then->points[0][P_VOLTS].unit = unit_find("V", NULL);
	reload();
	rig_expect(0, "/3303/0/5701", "V");
	w = then;
	fill_standard(w);
	w->points[0][P_VOLTS].unit = unit_find("A", NULL);
	reload();
	rig_expect(0, "/3303/0/5701", "A");
	fill_standard(then);
	reload();
	expect_gone(0, "/3303/0/5701");
}
END_TEST

START_TEST(what_a_server_wrote_stays)
{
	const struct path type = path_of("/3303/0/5750");
	_cleanup_value_ struct value v = { 0 };

	feed();
	ck_assert_int_eq(value_set_string(&v, "boiler"), 0);
	ck_assert_int_eq(store_update_one(rig.stores[0], &type, &v), 0);
	fill_standard(then);
	then->maps[0][0].point = P_POWER;
	reload();
	rig_expect(0, "/3303/0/5750", "boiler");
}
END_TEST

static void other_definitions(const char *text);

START_TEST(endpoints_come_and_go)
{
	if (_i)
		other_definitions(NULL);
	feed();
	rig_number(1, P_VOLTS, 110);
	fill_standard(then);
	then->endpoints[0].name = then->endpoints[0].endpoint = (char *)"em3";
	rig_write(0, "/3306/0/5850", value_boolean(false));
	rig_execute(0, "/3/0/12");
	reload();
	/* What was asked of it ends; what it has can be read until it is gone. */
	ck_assert(rig.writes[0].forgotten && rig.writes[1].forgotten);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_ptr_nonnull(gone[0]);
	SWAP(rig.stores[0], gone[0]);
	expect_fed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	ck_assert_int_eq(rig.error, -EPERM);
	rig_execute(0, "/3/0/12");
	ck_assert_int_eq(rig.error, -EPERM);
	rig_execute(0, "/3303/0/5605");
	ck_assert_int_eq(rig.error, -EPERM);
	store_refresh(rig.stores[0], &(struct path){ 0 }, NULL, NULL);
	rig_expect_explanation(0, "/3303/0/5700", "");
	store_free(rig.stores[0]);
	rig.stores[0] = gone[0];
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(1, "/3303/0/5700", "110");
}
END_TEST

/* ---- requests that are out ---- */

START_TEST(a_write_of_a_row_that_stays)
{
	feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	fill_renumbered(then);
	reload();
	SWAP(rig.stores[0], rig.stores[1]);
	ck_assert_uint_eq(rig.n_done, 0);
	ck_assert(!rig.writes[0].forgotten);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_int_eq(rig.error, 0);
	rig_expect(0, "/3306/0/5850", "0");
}
END_TEST

START_TEST(a_write_of_a_row_that_goes)
{
	feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	fill_standard(then);
	if (_i)
		then->maps[0][2].path = path_of("/3306/1/5850");
	else
		then->maps[0][2].point = P_FAULT;
	reload();
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_str_eq(rig.reason, "the configuration has changed");
	ck_assert(rig.writes[0].forgotten);
	if (_i)
		expect_gone(0, "/3306/0");
	else
		rig_expect_error(0, "/3306/0/5850", -ENODATA);
}
END_TEST

START_TEST(unknown_outcomes_after_it)
{
	feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	fill_renumbered(then);
	reload();
	SWAP(rig.stores[0], rig.stores[1]);
	rig_answer(0, FIELDWAY_UNKNOWN, -ETIMEDOUT, "no answer");
	rig_expect_error(0, "/3306/0/5850", -ESTALE);
}
END_TEST

static unsigned n_refreshed;
static int refresh_error;

static void refreshed(void *userdata, int error, const char *reason)
{
	n_refreshed++;
	refresh_error = error;
}

static void fill_asking(struct world *w)
{
	fill_standard(w);
	add_point(w, 0, "/3303/9/5700", P_ASKED);
}

static void set_up_asking(void)
{
	n_refreshed = 0;
	start(fill_asking);
}

START_TEST(a_read_of_a_device_that_stays)
{
	const struct path path = path_of("/3303/9/5700");
	struct fieldway_sample sample = { .point = P_ASKED,
					  .boottime_usec = clock_boottime_usec(),
					  .value = { .type = FIELDWAY_FLOAT, .real = 3 } };

	store_refresh(rig.stores[0], &path, refreshed, NULL);
	ck_assert_uint_eq(rig.n_reads, 1);
	fill_asking(then);
	SWAP(then->devices[0], then->devices[1]);
	then->endpoints[0].device = 1;
	then->endpoints[1].device = 0;
	reload();
	ck_assert_uint_eq(n_refreshed, 0);
	rig.read.done(rig.read.userdata, 0, "", &sample, 1);
	ck_assert_uint_eq(n_refreshed, 1);
	ck_assert_int_eq(refresh_error, 0);
	rig_expect(0, "/3303/9/5700", "3");
}
END_TEST

START_TEST(a_read_of_a_device_that_changes)
{
	const struct path path = path_of("/3303/9/5700");

	store_refresh(rig.stores[0], &path, refreshed, NULL);
	fill_asking(then);
	if (_i)
		then->devices[0].name = (char *)"em9";
	else
		then->types[0].revision = 2;
	reload();
	ck_assert_uint_eq(n_refreshed, 1);
	ck_assert_int_eq(refresh_error, -ECANCELED);
	ck_assert_ptr_null(rig.read.done);
}
END_TEST

/* ---- counters ---- */

static void fill_counting(struct world *w)
{
	fill_standard(w);
	add_point(w, 0, "/3200/0/5501", P_COUNT);
}

static char folder[64];

static void start_counting(void)
{
	start(fill_counting);
}

static void set_up_counting(void)
{
	snprintf(folder, sizeof(folder), "%s/reload-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	start_counting();
}

static void tear_down_counting(void)
{
	char command[128];

	tear_down();
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

/* Of a state folder, which rig_set_up() forgets. */
static void restart_with(struct state *state)
{
	static const struct mapping_ops ops = { .seen = on_seen };
	const struct mapping_config config = { .config = &now->config,
					       .definitions = rig.definitions,
					       .timers = rig.timers,
					       .state = state };

	mapping_free(rig.mapping);
	rig.mapping = NULL;
	ck_assert_int_eq(mapping_new(&config, &ops, &rig, &rig.mapping), 0);
	rig.stores[0] = store_free(rig.stores[0]);
	rig.stores[0] = new_store();
	ck_assert_int_eq(mapping_attach(rig.mapping, 0, rig.stores[0]), 0);
}

static void stop_with(struct state *state)
{
	store_free(rig.stores[0]);
	store_free(rig.stores[1]);
	rig.stores[0] = rig.stores[1] = NULL;
	rig.mapping = mapping_free(rig.mapping);
	state_free(state);
}

static void count(uint32_t device, uint32_t point, uint64_t n)
{
	rig_sample(device, point, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = n });
}

START_TEST(counters_go_on)
{
	struct counter c;

	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	count(0, P_COUNT, 65500);
	count(0, P_COUNT, 20);
	fill_counting(then);
	/* Another number, or another type of which the counter is the same. */
	if (_i == 1)
		SWAP(then->devices[0], then->devices[1]);
	if (_i == 2)
		then->types[0].revision = 7;
	then->endpoints[0].device = _i == 1;
	then->endpoints[1].device = _i != 1;
	reload();
	rig_expect(0, "/3200/0/5501", "65556");
	ck_assert_int_eq(mapping_counter(rig.mapping, _i == 1, P_COUNT, &c), 0);
	ck_assert_uint_eq(c.wraps, 1);
	count(_i == 1, P_COUNT, 10);
	rig_expect(0, "/3200/0/5501", "65566");
}
END_TEST

/* The same as over a restart: its name and unit decide. */
START_TEST(a_counter_in_another_unit)
{
	fill_counting(then);
	then->points[0][P_COUNT].unit = unit_find("kWh", NULL);
	reload();
	count(0, P_COUNT, 65500);
	count(0, P_COUNT, 20);
	rig_expect(0, "/3200/0/5501", "65556");
	fill_counting(then);
	then->points[0][P_COUNT].unit = unit_find("Wh", NULL);
	reload();
	rig_expect_error(0, "/3200/0/5501", -ENODATA);
	count(0, P_COUNT, 20001);
	rig_expect(0, "/3200/0/5501", "65556001");
}
END_TEST

/* YAML says for a while that it is none. */
START_TEST(a_counter_that_is_none_for_a_while)
{
	struct state *state;

	tear_down();
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	start_counting();
	restart_with(state);
	count(0, P_COUNT, 65500);
	count(0, P_COUNT, 20);
	count(0, P_COUNT, 25);
	fill_counting(then);
	then->points[0][P_COUNT].counter.enabled = false;
	reload();
	count(0, P_COUNT, 30);
	rig_expect(0, "/3200/0/5501", "30");
	fill_counting(then);
	reload();
	count(0, P_COUNT, 31);
	rig_expect(0, "/3200/0/5501", "65567");
	stop_with(state);
}
END_TEST

START_TEST(counters_of_devices_that_go_are_kept)
{
	struct state *state;

	tear_down();
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	start_counting();
	restart_with(state);
	count(0, P_COUNT, 65500);
	count(0, P_COUNT, 20);
	count(0, P_COUNT, 21);
	fill_counting(then);
	then->devices[0].name = (char *)"away";
	reload();
	count(0, P_COUNT, 5);
	rig_expect(0, "/3200/0/5501", "5");
	fill_counting(then);
	reload();
	count(0, P_COUNT, 30);
	rig_expect(0, "/3200/0/5501", "65566");
	stop_with(state);
}
END_TEST

/* ---- states ---- */

START_TEST(states_go_on)
{
	feed();
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	fill_standard(then);
	add_point(then, 0, "/3303/4/5700", P_POWER);
	reload();
	rig_expect_error(0, "/3303/0/5700", -EHOSTDOWN);
	rig_expect_error(0, "/3303/4/5700", -EHOSTDOWN);
	rig_expect_explanation(0, "/3303/4/5700", "em1: never read, silent");
	rig_expect(0, "/3/0/11/0", "8");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, NULL);
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_error(0, "/3303/4/5700", -ENODATA);
}
END_TEST

START_TEST(seen_when_what_was_missing_goes)
{
	feed();
	count(0, P_COUNT, 1);
	ck_assert_uint_eq(rig.n_seen[0], 1);
	rig.n_complete[0] = 0;
	fill_standard(then);
	add_point(then, 0, "/3303/7/5700", P_COUNT);
	then->points[0][P_COUNT].name = (char *)"other";
	reload();
	ck_assert_uint_eq(rig.n_complete[0], 0);
	fill_standard(then);
	reload();
	ck_assert_uint_eq(rig.n_complete[0], 1);
	ck_assert_uint_eq(rig.n_seen[0], 1);
	/* One more that waits: complete again when it has come. */
	fill_standard(then);
	add_point(then, 0, "/3303/7/5700", P_COUNT);
	reload();
	feed();
	ck_assert_uint_eq(rig.n_complete[0], 1);
	count(0, P_COUNT, 1);
	ck_assert_uint_eq(rig.n_complete[0], 2);
}
END_TEST

/* ---- definitions ---- */

static void other_definitions(const char *text)
{
	struct yaml_errors errors = { 0 };
	char objects[512];

	former_definitions = rig.definitions;
	ck_assert_int_eq(definitions_new(&rig.definitions), 0);
	snprintf(objects, sizeof(objects), "%s/objects", getenv("abs_top_srcdir"));
	ck_assert_int_eq(definitions_read_folder(rig.definitions, objects, &errors), 0);
	if (text)
		ck_assert_int_eq(definitions_read_text(rig.definitions, "x", text, strlen(text), &errors), 0);
}

START_TEST(equal_definitions)
{
	feed();
	other_definitions(NULL);
	fill_standard(then);
	reload();
	ck_assert_str_eq(rig.changes, "");
	expect_fed();
	feed();
	rig_execute(0, "/3303/0/5605");
}
END_TEST

#define OBJECT_3303(version) \
	"schema: 1\nobject: {id: 3303, name: T, version: \"" version "\", instances: multiple}\nresources:\n"

/* No minimum any more, and values in kelvin. */
START_TEST(other_definitions_of_an_object)
{
	feed();
	rig_number(1, P_VOLTS, 110);
	other_definitions(OBJECT_3303("1.7") "  5700: {name: V, operations: R, type: float, unit: K}\n"
					     "  5602: {name: M, operations: R, type: float}\n");
	fill_standard(then);
	reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	expect_gone(0, "/3303/0/5601");
	expect_gone(0, "/3303/0/5605");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect_error(1, "/3303/0/5700", -ENODATA);
	ck_assert_ptr_eq(store_object(rig.stores[0], 3303), definitions_newest(rig.definitions, 3303));
	feed();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3303/0/5602", "230");
	expect_gone(0, "/3303/0/5601");
}
END_TEST

START_TEST(a_write_to_an_object_that_is_defined_otherwise)
{
	feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	other_definitions("schema: 1\nobject: {id: 3306, name: T, version: \"1.7\", instances: multiple}\nresources:\n"
			  "  5850: {name: V, operations: RW, type: integer}\n");
	fill_standard(then);
	reload();
	ck_assert_int_eq(rig.error, -ECANCELED);
	rig_expect_error(0, "/3306/0/5850", -ENODATA);
	feed();
	rig_expect(0, "/3306/0/5850", "1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("standard"), *asking = tcase_create("asking"), *counting = tcase_create("counting");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_same_is_no_change);
	tcase_add_test(tcase, other_numbers_are_no_change);
	tcase_add_test(tcase, rows_come_and_go);
	tcase_add_test(tcase, a_row_of_something_else_begins_anew);
	tcase_add_test(tcase, another_point_is_another_value);
	tcase_add_test(tcase, another_rate);
	tcase_add_test(tcase, resource_instances_come_and_go);
	tcase_add_test(tcase, given_and_mapped);
	tcase_add_test(tcase, units_follow);
	tcase_add_test(tcase, what_a_server_wrote_stays);
	tcase_add_loop_test(tcase, endpoints_come_and_go, 0, 2);
	tcase_add_test(tcase, a_write_of_a_row_that_stays);
	tcase_add_loop_test(tcase, a_write_of_a_row_that_goes, 0, 2);
	tcase_add_test(tcase, unknown_outcomes_after_it);
	tcase_add_test(tcase, states_go_on);
	tcase_add_test(tcase, seen_when_what_was_missing_goes);
	tcase_add_test(tcase, equal_definitions);
	tcase_add_test(tcase, other_definitions_of_an_object);
	tcase_add_test(tcase, a_write_to_an_object_that_is_defined_otherwise);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(asking, set_up_asking, tear_down);
	tcase_add_test(asking, a_read_of_a_device_that_stays);
	tcase_add_loop_test(asking, a_read_of_a_device_that_changes, 0, 2);
	suite_add_tcase(suite, asking);
	tcase_add_checked_fixture(counting, set_up_counting, tear_down_counting);
	tcase_add_loop_test(counting, counters_go_on, 0, 3);
	tcase_add_test(counting, a_counter_in_another_unit);
	tcase_add_test(counting, a_counter_that_is_none_for_a_while);
	tcase_add_test(counting, counters_of_devices_that_go_are_kept);
	suite_add_tcase(suite, counting);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
