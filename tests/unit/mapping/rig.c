/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mapping/rig.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/model/shipped.h"

struct rig rig;

/* ---- the field ---- */

int fieldbus_write(struct fieldbus *f, uint32_t device, uint32_t point,
		   const struct fieldway_value *value, fieldbus_done done, void *userdata)
{
	struct rig_write *w = &rig.writes[rig.n_writes];

	if (rig.write_error < 0)
		return rig.write_error;
	ck_assert_uint_lt(rig.n_writes++, ARRAY_SIZE(rig.writes));
	*w = (struct rig_write){ .device = device,
				 .point = point,
				 .value = *value,
				 .done = done,
				 .userdata = userdata };
	if (value->type == FIELDWAY_STRING)
		snprintf(w->text, sizeof(w->text), "%.*s", (int)value->size, value->data);
	return 0;
}

int fieldbus_read(struct fieldbus *f, uint32_t device, const uint32_t *points, size_t n, fieldbus_read_done done,
		  void *userdata)
{
	if (rig.write_error < 0)
		return rig.write_error;
	rig.read = (struct rig_read){ .device = device, .n = n, .done = done, .userdata = userdata };
	ck_assert_uint_le(n, ARRAY_SIZE(rig.read.points));
	memcpy(rig.read.points, points, n * sizeof(*points));
	rig.n_reads++;
	return 0;
}

void fieldbus_point_text(const struct config_type *type, uint32_t point, char *ret, size_t size)
{
	snprintf(ret, size, "point %s (input %u)", type->points[point].name, point);
}

void fieldbus_forget(struct fieldbus *f, void *userdata)
{
	for (unsigned i = 0; i < rig.n_writes; i++)
		if (rig.writes[i].userdata == userdata)
			rig.writes[i].forgotten = true;
	if (rig.read.userdata == userdata)
		rig.read.done = NULL;
}

void rig_answer(unsigned i, enum fieldway_outcome outcome, int error, const char *detail)
{
	ck_assert_uint_lt(i, rig.n_writes);
	rig.writes[i].done(rig.writes[i].userdata, outcome, error, detail);
}

/* ---- life ---- */

static void on_seen(void *userdata, uint32_t endpoint, bool complete)
{
	ck_assert_ptr_eq(userdata, &rig);
	rig.n_seen[endpoint] += !complete;
	rig.n_complete[endpoint] += complete;
}

static const struct mapping_ops ops = { .seen = on_seen };

void rig_set_up(void)
{
	rig = (struct rig){
		.bus = { .name = (char *)"hall1" },
		.config = { .buses = &rig.bus,
			    .n_buses = 1,
			    .devices = rig.devices,
			    .endpoints = rig.endpoints,
			    .writes_allow = true },
	};
	ck_assert_int_eq(timers_new(NULL, &rig.timers), 0);
	rig.definitions = shipped_definitions();
}

void rig_tear_down(void)
{
	for (size_t i = 0; i < RIG_MAX; i++)
		store_free(rig.stores[i]);
	mapping_free(rig.mapping);
	timers_free(rig.timers);
	definitions_free(rig.definitions);
}

uint32_t rig_device(char *name, const struct config_type *type)
{
	ck_assert_uint_lt(rig.config.n_devices, RIG_MAX);
	rig.devices[rig.config.n_devices] =
		(struct config_device){ .name = name, .type = type, .enabled = true };
	return rig.config.n_devices++;
}

uint32_t rig_endpoint(char *name, uint32_t device, const struct config_map *map, size_t n)
{
	uint32_t i = rig.config.n_endpoints++;
	struct record none = { .path = path_of("/3/0/11/0"), .value = value_integer(0) };

	ck_assert_uint_lt(i, RIG_MAX);
	rig.endpoints[i] = (struct config_endpoint){
		.name = name, .endpoint = name, .device = device, .map = map, .n_map = n
	};
	ck_assert_int_eq(store_new(rig.definitions, &rig.stores[i]), 0);
	ck_assert_int_eq(
		store_add_instance(rig.stores[i], definitions_newest(rig.definitions, 3), 0), 0);
	ck_assert_int_eq(store_update(rig.stores[i], &none, 1), 0);
	return i;
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

void rig_start(void)
{
	const struct mapping_config config = {
		.config = &rig.config,
		.definitions = rig.definitions,
		.timers = rig.timers,
		.state = rig.state,
	};

	ck_assert_int_eq(mapping_new(&config, &ops, &rig, &rig.mapping), 0);
	for (uint32_t i = 0; i < rig.config.n_endpoints; i++)
		ck_assert_int_eq(mapping_attach(rig.mapping, i, rig.stores[i]), 0);
	store_set_watch(rig.stores[0], on_change, NULL);
}

void rig_advance(uint64_t usec)
{
	clock_advance(usec);
	timers_run(rig.timers);
}

struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

/* ---- values ---- */

void rig_sample(uint32_t device, uint32_t point, struct fieldway_value v)
{
	const struct fieldway_sample sample = { .point = point,
						.quality = FIELDWAY_GOOD,
						.boottime_usec = clock_boottime_usec(),
						.value = v };

	mapping_values(rig.mapping, device, &sample, 1);
}

void rig_number(uint32_t device, uint32_t point, double v)
{
	rig_sample(device, point, (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = v });
}

void rig_bad_sample(uint32_t device, uint32_t point, enum fieldway_quality quality, int error)
{
	const struct fieldway_sample sample = { .point = point,
						.quality = quality,
						.error = error,
						.boottime_usec = clock_boottime_usec() };

	mapping_values(rig.mapping, device, &sample, 1);
}

void rig_expect(uint32_t endpoint, const char *path, const char *text)
{
	struct path p = path_of(path);
	_cleanup_value_ struct value v = { 0 };
	_cleanup_free_ char *got = NULL;
	int r = store_read(rig.stores[endpoint], &p, false, &v, NULL);

	ck_assert_msg(r == 0, "%s: %s", path, strerror(-r));
	ck_assert_int_eq(value_format_text(&v, &got), 0);
	ck_assert_msg(strcmp(got, text) == 0, "%s: %s, not %s", path, got, text);
}

void rig_expect_error(uint32_t endpoint, const char *path, int error)
{
	struct path p = path_of(path);
	_cleanup_value_ struct value v = { 0 };
	int r = store_read(rig.stores[endpoint], &p, false, &v, NULL);

	ck_assert_msg(r == error, "%s: %s, not %s", path, strerror(-r), strerror(-error));
}

void rig_expect_explanation(uint32_t endpoint, const char *path, const char *text)
{
	struct path p = path_of(path);
	char got[160];

	store_explain(rig.stores[endpoint], &p, got, sizeof(got));
	ck_assert_str_eq(got, text);
}

static void on_done(void *userdata, int error, const char *reason)
{
	rig.n_done++;
	rig.error = error;
	snprintf(rig.reason, sizeof(rig.reason), "%s", reason ?: "");
}

void rig_write(uint32_t endpoint, const char *path, struct value v)
{
	const struct record record = { .path = path_of(path), .value = v };

	rig.n_done = 0;
	store_write(rig.stores[endpoint], &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
	value_done(&v);
}

void rig_write_all(uint32_t endpoint, const char *path, enum store_write_mode mode,
		   const struct record *records, size_t n)
{
	const struct path target = path_of(path);

	rig.n_done = 0;
	store_write(rig.stores[endpoint], &target, mode, records, n, on_done, NULL);
}

void rig_execute(uint32_t endpoint, const char *path)
{
	rig_execute_with(endpoint, path, "");
}

void rig_execute_with(uint32_t endpoint, const char *path, const char *argument)
{
	const struct path p = path_of(path);

	rig.n_done = 0;
	store_execute(rig.stores[endpoint], &p, argument, on_done, NULL);
}
