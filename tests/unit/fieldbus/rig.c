/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fieldbus/rig.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

struct rig rig;

/* Real time: the clock of base moves in these tests. */
uint64_t rig_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void rig_check_patience(uint64_t start_usec)
{
	ck_assert_msg(rig_now() - start_usec < RIG_PATIENCE_USEC, "waited in vain");
}

void rig_turn(void)
{
	ck_assert_int_ge(sd_event_run(rig.event, 2 * USEC_PER_MSEC), 0);
}

void rig_advance(uint64_t usec)
{
	clock_advance(usec);
	timers_run(rig.timers);
}

/* ---- what the user sees ---- */

static void on_values(void *userdata, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	ck_assert_ptr_eq(userdata, &rig);
	ck_assert_uint_lt(device, RIG_DEVICES);
	rig.n_values[device]++;
	rig.first = samples[0];
	rig.n_samples = n;
}

static void on_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	const char *now;

	ck_assert_ptr_eq(userdata, &rig);
	ck_assert_uint_lt(device, RIG_DEVICES);
	ck_assert_int_eq(fieldbus_device_state(rig.fieldbus, device, &now), state);
	ck_assert_str_eq(now, reason);
	rig.n_states[device]++;
	rig.states[device] = state;
}

static int on_local_write(void *userdata, uint32_t device, uint64_t serial, uint32_t point,
			  const struct fieldway_value *value)
{
	ck_assert_ptr_eq(userdata, &rig);
	ck_assert_uint_eq(point, RIG_ORDER);
	ck_assert(rig.any_value || value->type == FIELDWAY_STRING);
	if (rig.no_program)
		return -EHOSTDOWN;
	rig.told = device;
	rig.serial = serial;
	rig.n_told++;
	return 0;
}

static int on_content(void *userdata, const struct fieldbus_content *what, uint8_t **ret, size_t *ret_size,
		      const char **ret_reason)
{
	ck_assert_ptr_eq(userdata, &rig);
	rig.asked = *what;
	if (!rig.content) {
		*ret_reason = "no such key";
		return -ENOKEY;
	}
	*ret = (uint8_t *)strdup(rig.content);
	*ret_size = strlen(rig.content);
	return 0;
}

void rig_done(void *userdata, enum fieldway_outcome outcome, int error, const char *detail)
{
	rig.n_done++;
	rig.outcome = outcome;
	rig.error = error;
	snprintf(rig.detail, sizeof(rig.detail), "%s", detail);
}

/* ---- the configuration ---- */

static char *literal(const char *text)
{
	return strcpy(arena_new(rig.c.config.arena, strlen(text) + 1), text);
}

struct fieldway_settings rig_setting(unsigned i, const char *key, const char *text)
{
	rig.c.settings[i] = (struct fieldway_setting){
		.key = key,
		.value = { .type = FIELDWAY_STRING, .data = text, .size = strlen(text) },
	};
	return (struct fieldway_settings){ &rig.c.settings[i], 1 };
}

static struct yaml_mark mark(const char *file, unsigned line)
{
	return (struct yaml_mark){ file, line, 1 };
}

static void make_points(struct rig_configuration *c)
{
	static const char *const names[] = { "level", "order", "mode" };

	for (unsigned i = 0; i < RIG_POINTS; i++)
		c->points[i] = (struct config_point){
			.mark = mark("profile.yaml", 10 + i),
			.name = literal(names[i]),
			.access = i == RIG_ORDER ? CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE : CONFIG_ACCESS_READ,
			.scale = 1,
			.factor = 1,
			.verify = { .point = -1 },
			.scale10 = -1,
			.period_usec = USEC_PER_SEC,
		};
	c->labels[0] = (struct config_label){ 0, literal("stop") };
	c->labels[1] = (struct config_label){ 1, literal("forward") };
	c->points[RIG_MODE].labels = c->labels;
	c->points[RIG_MODE].n_labels = 2;
	c->type = (struct config_type){ .profile = literal("fake-meter"), .plugin = &c->plugin, .points = c->points,
					.n_points = RIG_POINTS };
}

static void make_buses(struct rig_configuration *c)
{
	static const char *const buses[] = { "hall1", "lan" }, *const devices[] = { "m1", "m2", "m3", "m4" };

	for (unsigned i = 0; i < RIG_BUSES; i++)
		c->buses[i] = (struct config_bus){ .mark = mark("bus.yaml", 20 + i), .name = literal(buses[i]),
						   .plugin = &c->plugin, .timeout_usec = USEC_PER_SEC,
						   .retries = 1, .offline_after = 3,
						   .offline_first_usec = USEC_PER_SEC,
						   .offline_last_usec = USEC_PER_MINUTE };
	for (unsigned i = 0; i < RIG_DEVICES; i++)
		c->devices[i] = (struct config_device){ .mark = mark("site.yaml", 30 + i), .name = literal(devices[i]),
							.bus = i == 2, .type = &c->type, .enabled = i != 3 };
}

static void make_configuration(struct rig_configuration *c)
{
	c->config.arena = calloc(1, sizeof(struct arena));
	ck_assert_ptr_nonnull(c->config.arena);
	c->keys[0] = (struct fieldway_key){ .name = "key", .flags = FIELDWAY_KEY_SECRET, .type = FIELDWAY_STRING };
	c->keys[1] = (struct fieldway_key){ .name = "ca", .flags = FIELDWAY_KEY_CONTENT, .type = FIELDWAY_STRING };
	c->plugin.keys = c->keys;
	c->plugin.name = literal("fake");
	make_points(c);
	make_buses(c);
	c->plugins[0] = &c->plugin;
	c->types[0] = &c->type;
	c->config.plugins = c->plugins;
	c->config.n_plugins = 1;
	c->config.types = c->types;
	c->config.n_types = 1;
	c->config.buses = c->buses;
	c->config.n_buses = RIG_BUSES;
	c->config.devices = c->devices;
	c->config.n_devices = RIG_DEVICES;
}

/* ---- life ---- */

void rig_set_up(void)
{
	static const struct fieldbus_ops ops = { on_values, on_state, on_local_write };
	struct fieldbus_config config = { .plugin_folder = "/a/folder", .content = on_content };

	rig = (struct rig){ 0 };
	snprintf(rig.program, sizeof(rig.program), "%s/tests/unit/fieldbus/fake_host", getenv("abs_top_builddir") ?: ".");
	ck_assert_int_eq(sd_event_new(&rig.event), 0);
	ck_assert_int_eq(timers_new(rig.event, &rig.timers), 0);
	config.event = rig.event;
	config.timers = rig.timers;
	config.host_program = rig.program;
	ck_assert_int_eq(fieldbus_new(&config, &ops, &rig, &rig.fieldbus), 0);
	make_configuration(&rig.c);
}

void rig_tear_down(void)
{
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	timers_free(rig.timers);
	sd_event_unref(rig.event);
	arena_done(rig.c.config.arena);
	free(rig.c.config.arena);
	/* No process of it is left, not even a dead one. */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static bool all_online(void)
{
	for (uint32_t i = 0; i < RIG_DEVICES; i++)
		if (rig.c.devices[i].enabled && fieldbus_device_state(rig.fieldbus, i, NULL) != FIELDBUS_ONLINE)
			return false;
	return true;
}

void rig_start(void)
{
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(all_online());
}

/* ---- orders ---- */

int rig_try(uint32_t device, const char *order)
{
	struct fieldway_value value = { .type = FIELDWAY_STRING, .data = order, .size = strlen(order) };

	return fieldbus_write(rig.fieldbus, device, RIG_ORDER, &value, rig_done, &rig);
}

void rig_order(uint32_t device, const char *order)
{
	ck_assert_int_eq(rig_try(device, order), 0);
}

void rig_wait_order(uint32_t device, const char *order)
{
	unsigned before = rig.n_done;

	rig_order(device, order);
	ck_assert_uint_eq(rig.n_done, before);
	rig_until(rig.n_done > before);
	ck_assert_uint_eq(rig.n_done, before + 1);
}

struct host *rig_host(uint32_t device)
{
	return rig.fieldbus->devices[device].host;
}

const char *rig_reason(uint32_t device)
{
	const char *reason;

	fieldbus_device_state(rig.fieldbus, device, &reason);
	return reason;
}

bool rig_is_back(uint32_t device, int before)
{
	int pid = fieldbus_host_pid(rig.fieldbus, device);

	return pid > 0 && pid != before && fieldbus_device_state(rig.fieldbus, device, NULL) == FIELDBUS_ONLINE;
}

struct fieldbus_statistics rig_statistics(uint32_t device)
{
	struct fieldbus_statistics s;

	fieldbus_device_statistics(rig.fieldbus, device, &s);
	return s;
}

/* The files of these configurations do not exist. */
struct yaml_mark config_setting_mark(const struct config *c, const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0)
			return (struct yaml_mark){ s->items[i].value.data, 7, 3 };
	return (struct yaml_mark){ "nowhere.yaml", 1, 1 };
}
