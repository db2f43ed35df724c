/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <time.h>

#include "api/plugin.h"

/* Every plugin as the host loads it, and what the contract asks of each descriptor. */

#define EXAMPLE "plugins/example/.libs/example.so"

static const char *const files[] = {
	"plugins/modbus/.libs/modbus.so",
	"plugins/ble/.libs/ble.so",
	"plugins/serial/.libs/serial.so",
	EXAMPLE,
};

static const struct fieldway_plugin *load(const char *file, void **ret_handle)
{
	const struct fieldway_plugin *plugin;

	*ret_handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(*ret_handle != NULL, "%s", dlerror());
	plugin = dlsym(*ret_handle, "fieldway_plugin");
	ck_assert_ptr_nonnull(plugin);
	return plugin;
}

START_TEST(descriptors)
{
	void *handle;
	const struct fieldway_plugin *p = load(files[_i], &handle);

	ck_assert_uint_eq(p->struct_size, sizeof(*p));
	ck_assert_uint_eq(p->abi, FIELDWAY_ABI);
	ck_assert_ptr_nonnull(p->name);
	ck_assert_ptr_nonnull(p->version);
	ck_assert(p->bus_check && p->driver_new && p->driver_free && p->line_name);
	ck_assert(p->plan_new && p->plan_free && p->decode);
	if (p->capabilities & FIELDWAY_CAN_POLL)
		ck_assert(p->line_open && p->line_close && p->read);
	if (p->capabilities & FIELDWAY_CAN_WRITE)
		ck_assert((p->write || p->bus_write) && p->write_check);
	if (p->capabilities & FIELDWAY_CAN_LISTEN)
		ck_assert(p->bus_start && p->bus_stop);
	for (size_t i = 0; i < p->n_keys; i++)
		ck_assert(p->keys[i].name && p->keys[i].help && p->keys[i].scope);
	dlclose(handle);
}
END_TEST

/* A device of the example plugin with two points, from configuration to value. */
START_TEST(example_end_to_end)
{
	const struct fieldway_setting ticks = { "ticks", { .type = FIELDWAY_UINT, .unsignd = 10 } };
	const struct fieldway_point points[] = { { .name = "a", .readable = true }, { .name = "b", .readable = true } };
	const struct fieldway_device device = { .name = "d", .settings = { &ticks, 1 }, .points = points, .n_points = 2 };
	const struct fieldway_bus bus = { .name = "b" };
	const uint32_t wanted[] = { 1, 0 };
	struct fieldway_driver *driver;
	struct fieldway_line *line;
	struct fieldway_plan plan;
	struct fieldway_sample samples[2];
	struct fieldway_result result = { 0 };
	struct fieldway_error error;
	char name[16];
	bool broken = false;
	void *handle;
	const struct fieldway_plugin *p = load(EXAMPLE, &handle);

	ck_assert_int_eq(p->bus_check(&bus, &error), 0);
	ck_assert_int_eq(p->driver_new(&bus, &device, &driver, &error), 0);
	ck_assert_int_eq(p->line_name(driver, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "clock");
	ck_assert_int_eq(p->line_name(driver, name, 5), -ENAMETOOLONG);
	ck_assert_int_eq(p->plan_new(driver, wanted, 2, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_int_eq(p->line_open(&bus, driver, &line, &result), 0);
	ck_assert_int_eq(p->read(line, driver, &plan.requests[0], UINT64_MAX, samples, NULL, 0, &result, &broken), 0);
	ck_assert_int_eq(broken, false);
	ck_assert_uint_eq(samples[0].point, 1);
	ck_assert_uint_eq(samples[1].point, 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_GOOD);
	ck_assert_uint_eq(samples[0].value.unsignd, samples[0].boottime_usec / 1000000 * 10);
	ck_assert_int_eq(p->decode(driver, &plan.requests[0], "", 0, samples, NULL, 0), -EBADMSG);
	p->line_close(line);
	p->plan_free(&plan);
	p->driver_free(driver);
	dlclose(handle);
}
END_TEST

/* As for a profile's samples: neither bus nor address. */
START_TEST(example_without_a_bus)
{
	const struct fieldway_point point = { .name = "a", .readable = true };
	const struct fieldway_device device = { .name = "d", .points = &point, .n_points = 1 };
	const struct timespec then = { .tv_sec = 5 };
	const uint32_t wanted[] = { 0 };
	struct fieldway_driver *driver;
	struct fieldway_plan plan;
	struct fieldway_sample sample;
	struct fieldway_error error;
	void *handle;
	const struct fieldway_plugin *p = load(EXAMPLE, &handle);

	ck_assert_int_eq(p->driver_new(NULL, &device, &driver, &error), 0);
	ck_assert_int_eq(p->plan_new(driver, wanted, 1, &plan), 0);
	ck_assert_int_eq(p->decode(driver, &plan.requests[0], &then, sizeof(then), &sample, NULL,
				   0),
			 0);
	ck_assert_uint_eq(sample.value.unsignd, 5);
	p->plan_free(&plan);
	p->driver_free(driver);
	dlclose(handle);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins");
	TCase *t = tcase_create("contract");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, descriptors, 0, sizeof(files) / sizeof(files[0]));
	tcase_add_test(t, example_end_to_end);
	tcase_add_test(t, example_without_a_bus);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
