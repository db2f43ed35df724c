/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/difference.h"
#include "tests/unit/mapping/meter.h"

/*
 * Chains of random configurations: after each reload the stores are those of a
 * fresh start with the new one, but for values of what has stayed the same. Each
 * configuration lies in memory of its own, which goes when the next one is in force.
 */

#define CHAINS 120
#define LINKS 7
#define DEVICES 4u
#define ENDPOINTS 4u
#define TYPES 3u
#define POINTS 6u
#define ROWS_MAX 24u

static uint64_t seed, random_state;

static uint32_t draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

/* ---- a configuration ---- */

static struct config_plugin plugin = { .name = (char *)"modbus", .version = (char *)"1" };
static char *const device_names[DEVICES] = { (char *)"d0", (char *)"d1", (char *)"d2", (char *)"d3" };
static char *const endpoint_names[ENDPOINTS] = { (char *)"e0", (char *)"e1", (char *)"e2", (char *)"e3" };
static char *const point_names[POINTS] = { (char *)"volts", (char *)"power", (char *)"run",
					   (char *)"fault", (char *)"asked", (char *)"count" };
enum { VOLT, POWER, RUN, FAULT, ASK, COUNT };

struct world {
	struct config config;
	struct config_bus bus;
	struct config_device devices[DEVICES];
	struct config_endpoint endpoints[ENDPOINTS];
	struct config_type types[TYPES], *type_list[TYPES];
	struct config_point points[TYPES][POINTS];
	unsigned variants[TYPES][POINTS]; /* by name: what the point is like */
	uint32_t place[TYPES][POINTS];	  /* by name: its number */
	struct config_map maps[ENDPOINTS][ROWS_MAX];
	/* What each row is, as far as its values are concerned. */
	char what[ENDPOINTS][ROWS_MAX][96];
};

static void make_type(struct world *w, uint32_t type)
{
	uint32_t order[POINTS];

	for (uint32_t i = 0; i < POINTS; i++)
		order[i] = i;
	for (uint32_t i = POINTS - 1; i > 0; i--) {
		uint32_t k = draw(i + 1);

		SWAP(order[i], order[k]);
	}
	w->type_list[type] = &w->types[type];
	w->types[type] = (struct config_type){
		.profile = (char *)"meter", .plugin = &plugin, .points = w->points[type], .n_points = POINTS
	};
	for (uint32_t i = 0; i < POINTS; i++) {
		uint32_t name = order[i];
		unsigned variant = draw(4) == 0;

		w->place[type][name] = i;
		w->variants[type][name] = variant;
		w->points[type][i] = (struct config_point){
			.name = point_names[name],
			.access = name == RUN ? R | CONFIG_ACCESS_WRITE : R,
			.scale = variant ? 10 : 1,
			.unit = name == VOLT ? unit_find(variant ? "mV" : "V", NULL) : NULL,
			/* That changes no value. */
			.period_usec = name == ASK ? CONFIG_RATE_ON_DEMAND : SECONDS(2 + draw(2)),
			.stale = { .times = 3 },
			.counter = { .enabled = name == COUNT },
			.scale10 = -1,
			.verify = { .point = -1 },
		};
	}
}

/* What can be shown, and by which point; kind of constants is a number each time. */
static const struct shape {
	const char *path;
	enum config_map_kind kind;
	unsigned point;
} shapes[] = {
	{ "/3303/0/5700", CONFIG_MAP_POINT, VOLT },    { "/3303/1/5700", CONFIG_MAP_POINT, POWER },
	{ "/3303/2/5700", CONFIG_MAP_POINT, ASK },     { "/3305/0/5800", CONFIG_MAP_POINT, POWER },
	{ "/3305/0/5805", CONFIG_MAP_POINT, COUNT },   { "/3303/0/5601", CONFIG_MAP_POINT, POWER },
	{ "/3303/0/5603", CONFIG_MAP_CONSTANT, 0 },    { "/3306/0/5850", CONFIG_MAP_POINT, RUN },
	{ "/3306/0/5851", CONFIG_MAP_POINT, RUN },     { "/3/0/6/0", CONFIG_MAP_CONSTANT, 0 },
	{ "/3/0/6/1", CONFIG_MAP_CONSTANT, 0 },	       { "/3/0/6/2", CONFIG_MAP_POINT, POWER },
	{ "/3/0/7/0", CONFIG_MAP_POINT, POWER },       { "/3/0/7/1", CONFIG_MAP_POINT, COUNT },
	{ "/3/0/7/2", CONFIG_MAP_CONSTANT, 0 },	       { "/3/0/11", CONFIG_MAP_ALARM, FAULT },
	{ "/3/0/12", CONFIG_MAP_EXECUTE, RUN },	       { "/3303/0/5605", CONFIG_MAP_EXECUTE, RUN },
	{ "/3303/1/5518", CONFIG_MAP_CONSTANT, 0 },    { "/3316/0/5700", CONFIG_MAP_POINT, VOLT },
};

static void make_row(struct world *w, uint32_t endpoint, const struct shape *shape)
{
	struct config_endpoint *e = &w->endpoints[endpoint];
	uint32_t device = e->device == UINT32_MAX ? draw(w->config.n_devices) : e->device;
	uint32_t type = (uint32_t)(w->devices[device].type - w->types);
	unsigned point = shape->point, constant = draw(3);
	struct config_map *map = &w->maps[endpoint][e->n_map];

	/* Now and then by another point. */
	if (shape->kind == CONFIG_MAP_POINT && point == POWER && draw(5) == 0)
		point = COUNT;
	*map = (struct config_map){
		.path = path_of(shape->path),
		.kind = shape->kind,
		.device = e->device == UINT32_MAX ? device : SELF,
		.point = w->place[type][point],
		.alarm = shape->kind == CONFIG_MAP_ALARM ? 16 : 0,
	};
	if (shape->kind == CONFIG_MAP_CONSTANT)
		map->constant = value_integer(constant);
	if (shape->kind == CONFIG_MAP_EXECUTE)
		map->constant = value_boolean(true);
	if (shape->kind == CONFIG_MAP_CONSTANT)
		snprintf(w->what[endpoint][e->n_map], sizeof(w->what[0][0]), "%s constant %u", shape->path, constant);
	else
		snprintf(w->what[endpoint][e->n_map], sizeof(w->what[0][0]), "%s %s %s %u", shape->path,
			 w->devices[device].name, point_names[point], w->variants[type][point]);
	e->n_map++;
}

static void make_endpoint(struct world *w, char *name)
{
	uint32_t i = w->config.n_endpoints++;
	size_t first = draw(ARRAY_SIZE(shapes));

	w->endpoints[i] = (struct config_endpoint){ .name = name,
						    .endpoint = name,
						    .device = draw(4) ? draw(w->config.n_devices) : UINT32_MAX,
						    .map = w->maps[i] };
	for (size_t k = 0; k < ARRAY_SIZE(shapes); k++)
		if (draw(3) > 0)
			make_row(w, i, &shapes[(first + k) % ARRAY_SIZE(shapes)]);
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t first = draw(DEVICES);

	ck_assert_ptr_nonnull(w);
	w->bus = (struct config_bus){ .name = (char *)"hall1", .plugin = &plugin };
	w->config = (struct config){ .buses = &w->bus,
				     .n_buses = 1,
				     .types = w->type_list,
				     .n_types = TYPES,
				     .devices = w->devices,
				     .endpoints = w->endpoints,
				     .writes_allow = true };
	for (uint32_t i = 0; i < TYPES; i++)
		make_type(w, i);
	for (uint32_t i = 0; i < DEVICES; i++)
		if (draw(5) > 0 || w->config.n_devices == 0)
			w->devices[w->config.n_devices++] =
				(struct config_device){ .name = device_names[(first + i) % DEVICES],
							.type = &w->types[draw(TYPES)],
							.enabled = true };
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		if (draw(5) > 0)
			make_endpoint(w, endpoint_names[(first + i) % ENDPOINTS]);
	return w;
}

/* ---- mappings, and what is in their stores ---- */

struct side {
	struct mapping *mapping;
	struct store *stores[ENDPOINTS];
};

static void on_seen(void *userdata, uint32_t endpoint, bool complete)
{
	(void)userdata;
	(void)complete;
	ck_assert_uint_lt(endpoint, ENDPOINTS);
}

static struct store *attach(struct mapping *m, uint32_t endpoint)
{
	const struct record none = { .path = path_of("/3/0/11/0"), .value = value_integer(0) };
	struct store *s;

	ck_assert_int_eq(store_new(rig.definitions, &s), 0);
	ck_assert_int_eq(store_add_instance(s, definitions_newest(rig.definitions, 3), 0), 0);
	ck_assert_int_eq(store_update(s, &none, 1), 0);
	ck_assert_int_eq(mapping_attach(m, endpoint, s), 0);
	return s;
}

static void side_start(struct side *side, const struct world *w)
{
	static const struct mapping_ops ops = { .seen = on_seen };
	const struct mapping_config config = { .config = &w->config,
					       .definitions = rig.definitions,
					       .timers = rig.timers };

	memset(side, 0, sizeof(*side));
	ck_assert_int_eq(mapping_new(&config, &ops, NULL, &side->mapping), 0);
	for (uint32_t i = 0; i < w->config.n_endpoints; i++)
		side->stores[i] = attach(side->mapping, i);
}

static void side_stop(struct side *side)
{
	for (size_t i = 0; i < ENDPOINTS; i++)
		side->stores[i] = store_free(side->stores[i]);
	side->mapping = mapping_free(side->mapping);
}

/* A time in the middle of a second: 5518 has whole ones, and is to be the same whoever counts it. */
static uint64_t sample_time(void)
{
	clock_advance(USEC_PER_SEC + USEC_PER_SEC / 2 - clock_realtime_usec() % USEC_PER_SEC);
	return clock_boottime_usec();
}

/* The same of each point of each device, whatever their numbers; `more` of it each time. */
static void feed(const struct side *side, const struct world *w, unsigned more, uint64_t boottime_usec)
{
	for (uint32_t i = 0; i < w->config.n_devices; i++) {
		struct fieldway_sample samples[POINTS];

		for (uint32_t k = 0; k < POINTS; k++) {
			const char *name = w->devices[i].type->points[k].name;

			samples[k] = (struct fieldway_sample){
				.point = k,
				.boottime_usec = boottime_usec,
				.value = { .type = FIELDWAY_UINT,
					   .unsignd = 1000u * (unsigned)name[0] + 10u * (unsigned)w->devices[i].name[1] +
						      more },
			};
			if (streq(name, "run") || streq(name, "fault"))
				samples[k].value.unsignd = (unsigned)(w->devices[i].name[1] + more) % 2;
		}
		mapping_values(side->mapping, i, samples, POINTS);
	}
}

struct entry {
	struct path path;
	enum store_quality quality;
	char text[32];
};

struct dump {
	struct store *store;
	struct entry entries[160];
	size_t n;
};

static int dump_one(void *userdata, const struct path *path)
{
	struct dump *d = userdata;
	struct entry *e = &d->entries[d->n];
	_cleanup_value_ struct value value = { 0 };
	_cleanup_free_ char *text = NULL;
	const struct path resource = path_cut(path, PATH_RESOURCE);

	ck_assert_uint_lt(d->n++, ARRAY_SIZE(d->entries));
	*e = (struct entry){ .path = *path, .quality = store_quality(d->store, &resource) };
	if (path->depth >= PATH_RESOURCE && store_read(d->store, path, true, &value, NULL) >= 0 &&
	    value_format_text(&value, &text) >= 0)
		snprintf(e->text, sizeof(e->text), "%s", text);
	return store_children(d->store, path, dump_one, d);
}

static void dump(struct dump *d, struct store *s)
{
	d->store = s;
	d->n = 0;
	ck_assert_int_eq(store_children(s, &(struct path){ 0 }, dump_one, d), 0);
}

static const struct entry *find(const struct dump *d, const struct path *path)
{
	for (size_t i = 0; i < d->n; i++)
		if (path_equal(&d->entries[i].path, path))
			return &d->entries[i];
	return NULL;
}

/* ---- what has to be ---- */

static const char *row_at(const struct world *w, uint32_t endpoint, const struct path *path)
{
	for (size_t i = 0; i < w->endpoints[endpoint].n_map; i++)
		if (path_equal(&w->maps[endpoint][i].path, path))
			return w->what[endpoint][i];
	return NULL;
}

static uint32_t endpoint_of(const struct world *w, const char *name)
{
	for (uint32_t i = 0; i < w->config.n_endpoints; i++)
		if (streq(w->endpoints[i].name, name))
			return i;
	return CONFIG_NONE;
}

static bool row_stays(const struct world *before, uint32_t was, const struct world *after, uint32_t is,
		      const struct path *path)
{
	const char *a = was == CONFIG_NONE ? NULL : row_at(before, was, path), *b = row_at(after, is, path);

	return a && b && streq(a, b);
}

static bool is_extreme(const struct path *path)
{
	static const uint16_t ids[] = { 5601, 5602, 5801, 5802 };
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		any |= path->depth == PATH_RESOURCE && path->resource == ids[i];
	return any;
}

/* The agent's own, that comes with values. */
static bool is_measured(const struct path *path)
{
	return is_extreme(path) || (path->depth == PATH_RESOURCE && path->resource == 5518);
}

/* A value beside it that has stayed. */
static bool neighbour_stays(const struct world *before, uint32_t was, const struct world *after, uint32_t is,
			    const struct path *path)
{
	for (size_t i = 0; i < after->endpoints[is].n_map; i++) {
		const struct config_map *map = &after->maps[is][i];
		const struct path instance = path_cut(path, PATH_INSTANCE);

		if (map->kind == CONFIG_MAP_POINT && path_contains(&instance, &map->path) &&
		    row_stays(before, was, after, is, &map->path))
			return true;
	}
	return false;
}

/* Does any instance of the resource stay? Its quality is that of all. */
static bool resource_stays(const struct world *before, uint32_t was, const struct world *after, uint32_t is,
			   const struct path *resource)
{
	for (size_t i = 0; i < after->endpoints[is].n_map; i++)
		if (path_contains(resource, &after->maps[is][i].path) &&
		    row_stays(before, was, after, is, &after->maps[is][i].path))
			return true;
	return false;
}

#define CHECK(c, what) ck_assert_msg(c, "seed %" PRIu64 ": endpoint %s, %s: %s", seed, name, path_text, what)

static void check_endpoint(const struct world *before, const struct dump *old, const struct world *after, uint32_t is,
			   struct store *reloaded, struct store *fresh)
{
	const char *name = after->endpoints[is].name;
	uint32_t was = endpoint_of(before, name);
	static struct dump now, wanted;
	char path_text[PATH_TEXT_MAX];

	dump(&now, reloaded);
	dump(&wanted, fresh);
	for (size_t i = 0; i < wanted.n; i++) {
		path_format(&wanted.entries[i].path, path_text);
		CHECK(find(&now, &wanted.entries[i].path), "is missing");
	}
	for (size_t i = 0; i < now.n; i++) {
		const struct entry *e = &now.entries[i], *want = find(&wanted, &e->path),
				   *had = old ? find(old, &e->path) : NULL;
		const struct path resource = path_cut(&e->path, PATH_RESOURCE);
		bool stays = row_stays(before, was, after, is, &e->path);

		path_format(&e->path, path_text);
		if (e->path.depth < PATH_RESOURCE || (e->path.object == 3 && e->path.resource == 11)) {
			CHECK(want, "should not be there");
			continue;
		}
		if (!want && is_measured(&e->path)) {
			CHECK(neighbour_stays(before, was, after, is, &e->path), "is of nothing that has stayed");
			CHECK(had && streq(had->text, e->text), "is not what it was");
			continue;
		}
		if (!want) {
			CHECK(stays && e->path.depth == PATH_RESOURCE_INSTANCE, "should not be there");
			CHECK(had && streq(had->text, e->text), "is not what it was");
			continue;
		}
		if (stays && e->path.depth == PATH_RESOURCE) {
			CHECK(had && e->quality == had->quality && streq(e->text, had->text), "has not stayed");
		} else if (*want->text) {
			CHECK(streq(e->text, want->text), "has another value");
		} else if (!resource_stays(before, was, after, is, &resource)) {
			CHECK(e->quality == want->quality && !*e->text, "has an old value");
		}
	}
}

/* When both have read everything, they are the same but for what they remember. */
static void check_fed(const struct world *w, uint32_t endpoint, struct store *reloaded, struct store *fresh)
{
	const char *name = w->endpoints[endpoint].name;
	static struct dump now, wanted;
	char path_text[PATH_TEXT_MAX];

	dump(&now, reloaded);
	dump(&wanted, fresh);
	for (size_t i = 0; i < MIN(now.n, wanted.n); i++) {
		const struct entry *e = &now.entries[i], *want = &wanted.entries[i];

		path_format(&e->path, path_text);
		CHECK(path_equal(&e->path, &want->path), "is not there with both");
		CHECK(e->quality == want->quality, "is not as good");
		if (!is_extreme(&e->path) || row_at(w, endpoint, &e->path))
			CHECK(streq(e->text, want->text), "has another value than a fresh start");
	}
	*path_text = 0;
	CHECK(now.n == wanted.n, "one has more than the other");
}

/* ---- requests that are out meanwhile ---- */

static unsigned n_asked, n_ended;

static void ended(void *userdata, int error, const char *reason)
{
	(void)userdata;
	(void)error;
	(void)reason;
	n_ended++;
}

static void ask(struct side *side, const struct world *w)
{
	rig.n_writes = 0;
	n_asked = n_ended = 0;
	for (unsigned i = 0; i < 6 && w->config.n_endpoints > 0; i++) {
		struct store *s = side->stores[draw(w->config.n_endpoints)];
		const struct record record = { .path = path_of(draw(2) ? "/3306/0/5850" : "/3306/0/5851"),
					       .value = value_boolean(draw(2)) };

		/* Of what nobody maps a server is not let through to make it (lwm2m/resolver.h). */
		if (!store_exists(s, &record.path))
			continue;
		n_asked++;
		if (draw(3))
			store_write(s, &record.path, STORE_REPLACE, &record, 1, ended, NULL);
		else
			store_execute(s, &(struct path){ .ids = { 3, 0, 12 }, .depth = 3 }, "", ended, NULL);
	}
	if (w->config.n_endpoints > 0) {
		rig.read = (struct rig_read){ 0 };
		n_asked++;
		store_refresh(side->stores[0], &(struct path){ .ids = { 3303, 2, 5700 }, .depth = 3 }, ended, NULL);
	}
}

static void answer_all(void)
{
	for (unsigned i = 0; i < rig.n_writes; i++)
		if (!rig.writes[i].forgotten)
			rig_answer(i, draw(2) ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN, -ETIMEDOUT, "late");
	if (rig.read.done)
		rig.read.done(rig.read.userdata, -ETIMEDOUT, "late", NULL, 0);
	ck_assert_msg(n_asked == n_ended, "seed %" PRIu64 ": %u requests, %u ends", seed, n_asked, n_ended);
}

/* ---- */

static void reload(struct side *side, const struct world *before, const struct world *after)
{
	struct store *stores[ENDPOINTS] = { 0 };
	struct config_difference *d;

	ck_assert_int_eq(config_difference_new(&before->config, &after->config, &d), 0);
	ck_assert_int_eq(mapping_reload(side->mapping, &after->config, rig.definitions, d), 0);
	for (uint32_t i = 0; i < before->config.n_endpoints; i++)
		if (d->endpoints_after[i] == CONFIG_NONE)
			store_free(side->stores[i]);
		else
			stores[d->endpoints_after[i]] = side->stores[i];
	for (uint32_t i = 0; i < after->config.n_endpoints; i++)
		if (!stores[i])
			stores[i] = attach(side->mapping, i);
	memcpy(side->stores, stores, sizeof(stores));
	config_difference_free(d);
}

/* The next one of a chain; takes the former world. */
static struct world *one_link(struct side *side, struct world *before)
{
	static struct dump old[ENDPOINTS];
	struct world *after = world_new();
	struct side fresh;
	uint64_t now;

	for (uint32_t i = 0; i < before->config.n_endpoints; i++)
		dump(&old[i], side->stores[i]);
	ask(side, before);
	reload(side, before, after);
	side_start(&fresh, after);
	for (uint32_t i = 0; i < after->config.n_endpoints; i++) {
		uint32_t was = endpoint_of(before, after->endpoints[i].name);

		check_endpoint(before, was == CONFIG_NONE ? NULL : &old[was], after, i, side->stores[i],
			       fresh.stores[i]);
	}
	memset(before, 0xee, sizeof(*before));
	free(before);
	answer_all();
	now = sample_time();
	feed(side, after, 1, now);
	feed(&fresh, after, 1, now);
	for (uint32_t i = 0; i < after->config.n_endpoints; i++)
		check_fed(after, i, side->stores[i], fresh.stores[i]);
	side_stop(&fresh);
	if (draw(2))
		mapping_state(side->mapping, draw(after->config.n_devices), FIELDBUS_ONLINE, NULL);
	return after;
}

START_TEST(as_a_fresh_start)
{
	struct world *w;
	struct side side;

	seed = (uint64_t)_i + 1;
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
	w = world_new();
	side_start(&side, w);
	feed(&side, w, 0, sample_time());
	for (unsigned i = 0; i < LINKS; i++)
		w = one_link(&side, w);
	side_stop(&side);
	free(w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload_random");
	TCase *tcase = tcase_create("reload_random");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* Definitions are read once for all. */
	tcase_add_unchecked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_add_loop_test(tcase, as_a_fresh_start, 0, CHAINS);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
