/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/builtin/rig.h"

/* What happened, in order: d(one), u(pdate), x(disable), r(estart). */
static char events[16];
static int error;
static uint16_t port_instance;
static int endpoint;

static void note(char event)
{
	size_t n = strlen(events);

	ck_assert_uint_lt(n + 1, sizeof(events));
	events[n] = event;
	events[n + 1] = 0;
}

static void on_update(void *userdata, uint16_t server_instance)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	port_instance = server_instance;
	note('u');
}

static void on_disable(void *userdata, uint16_t server_instance)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	port_instance = server_instance;
	note('x');
}

static void on_restart(void *userdata)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	note('r');
}

static void no_facts(void *userdata, struct builtin_facts *ret)
{
	ck_assert_ptr_eq(userdata, &endpoint);
}

static void on_keep(void *userdata, const struct builtin_clock *clock)
{
	ck_assert_ptr_eq(userdata, &endpoint);
}

static const struct builtin_ports ports = { .update = on_update,
					    .disable = on_disable,
					    .restart = on_restart,
					    .facts = no_facts,
					    .keep_clock = on_keep };
static const struct builtin_host machine;

#define ABSENT                                                                                        \
	.disable_timeout_s = 86400, .storing = true, .priority = -1, .initial_delay_s = -1,           \
	.retry_count = -1, .retry_timer_s = -1, .sequence_delay_s = -1, .sequence_count = -1
static const struct builtin_settings settings = { .lifetime_s = 3600, ABSENT, .pmin_s = 10, .pmax_s = 900 };
static const struct builtin_account account = {
	.uri = "coaps://lwm2m.example.com:5684",
	.secure = true,
	.identity = "urn:dev:os:1-gw7",
	.short_id = 101,
	.settings = &settings,
};
static const struct builtin_values host = {
	.accounts = &account,
	.n_accounts = 1,
	.manufacturer = "ACME",
	.model = "GW",
	.serial = "42",
	.firmware = "6.1",
	.device_type = "gateway",
	.software = "1.0",
	.host = &machine,
};
static const struct builtin_values bare = { 0 };

static void set_up(void)
{
	rig_set_up();
	events[0] = 0;
}

static void make(const struct builtin_values *values)
{
	ck_assert_int_eq(builtin_new(store, definitions, values, &ports, &endpoint, &builtin), 0);
}

struct content {
	const char *path, *text;
};

static const struct content of_host[] = {
	{ "/0/0/0", "coaps://lwm2m.example.com:5684" },
	{ "/0/0/1", "0" },
	{ "/0/0/2", "0" },
	{ "/0/0/3", "dXJuOmRldjpvczoxLWd3Nw==" },
	{ "/0/0/5", NULL }, /* the key */
	{ "/0/0/10", "101" },
	{ "/1/0/0", "101" },
	{ "/1/0/1", "3600" },
	{ "/1/0/2", "10" },
	{ "/1/0/3", "900" },
	{ "/1/0/5", "86400" },
	{ "/1/0/6", "1" },
	{ "/1/0/7", "U" },
	{ "/1/0/9", NULL }, /* no bootstrap to be triggered */
	{ "/1/0/23", "1" }, /* the standard's default: muted */
	{ "/3/0/0", "ACME" },
	{ "/3/0/1", "GW" },
	{ "/3/0/2", "42" },
	{ "/3/0/3", "6.1" },
	{ "/3/0/11/0", "0" },
	{ "/3/0/16", "U" },
	{ "/3/0/17", "gateway" },
	{ "/3/0/19", "1.0" },
	{ "/3/0/5", NULL }, /* no factory reset */
};

START_TEST(test_content_of_host)
{
	make(&host);
	expect(of_host[_i].path, of_host[_i].text);
}
END_TEST

/* No server, no facts: what the object must have stays. */
static const struct content of_bare[] = {
	{ "/0/0/0", NULL },  { "/1/0/0", NULL },   { "/3/0/0", NULL }, { "/3/0/2", NULL },
	{ "/3/0/13", NULL }, { "/3/0/11/0", "0" }, { "/3/0/16", "U" },
};

START_TEST(test_content_of_bare)
{
	make(&bare);
	expect(of_bare[_i].path, of_bare[_i].text);
}
END_TEST

START_TEST(test_without_security)
{
	const struct builtin_settings no_periods = { .lifetime_s = 3600, ABSENT, .pmin_s = -1, .pmax_s = -1 };
	struct builtin_account insecure = account;
	struct builtin_values values = host;

	insecure.secure = false;
	insecure.uri = "coap://lwm2m.example.com";
	insecure.settings = &no_periods;
	values.accounts = &insecure;
	make(&values);
	expect("/0/0/2", "3");
	expect("/0/0/3", NULL);
	expect("/1/0/2", NULL);
	expect("/1/0/3", NULL);
}
END_TEST

/* Every mandatory resource that holds a value is there, and every executable one exists. */
START_TEST(test_mandatory_resources)
{
	static const uint16_t objects[] = { 0, 1, 3 };

	make(&host);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct object_definition *o = store_object(store, objects[i]);

		ck_assert_ptr_eq(o, definitions_newest(definitions, objects[i]));
		for (size_t k = 0; k < o->n_resources; k++) {
			const struct path path = path_of_resource(o->id, 0, o->resources[k].id);

			/* /0: keys and certificates never enter a store. */
			if (o->resources[k].mandatory &&
			    !(o->id == 0 && path.resource >= 3 && path.resource <= 5))
				ck_assert_msg(store_exists(store, &path), "/%u/0/%u", o->id,
					      path.resource);
		}
	}
}
END_TEST

static void on_done(void *userdata, int e, const char *reason)
{
	error = e;
	note('d');
}

/* What an Execute asks for begins when it has been answered. */
static const struct {
	const char *path, *argument, *events;
} executables[] = {
	{ "/1/0/4", "0='x'", "dx" },
	{ "/1/0/8", "", "du" },
	{ "/1/0/8", "0='U'", "du" },
	{ "/1/0/8", "0,1='x'", "du" },
	{ "/3/0/4", "0='x'", "dr" },
};

START_TEST(test_executable)
{
	const struct path path = path_of(executables[_i].path);

	make(&host);
	ck_assert(store_exists(store, &path));
	port_instance = 77;
	store_execute(store, &path, executables[_i].argument, on_done, NULL);
	ck_assert_int_eq(error, 0);
	ck_assert_str_eq(events, executables[_i].events);
	ck_assert_uint_eq(port_instance, path.object == 1 ? 0 : 77);
}
END_TEST

/* The trigger's argument is a binding to come over; there is but one. */
START_TEST(test_arguments_of_the_trigger)
{
	static const char *const arguments[] = { "0='T'", "0='S'", "0='M',1", "0='H'" };
	const struct path path = path_of("/1/0/8");

	make(&host);
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
		store_execute(store, &path, arguments[i], on_done, NULL);
		ck_assert_int_eq(error, -EINVAL);
	}
	ck_assert_str_eq(events, "dddd");
}
END_TEST

static void write_time(int64_t time)
{
	const struct record record = { .path = path_of("/3/0/13"), .value = value_time(time) };

	store_write(store, &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
}

static int64_t read_time(void)
{
	const struct path path = path_of("/3/0/13");
	struct value v;

	ck_assert_int_eq(store_read(store, &path, false, &v, NULL), 0);
	ck_assert_int_eq(v.type, VALUE_TIME);
	return v.integer;
}

START_TEST(test_time)
{
	const int64_t now = clock_realtime_usec() / USEC_PER_SEC;

	make(&host);
	ck_assert_int_ge(read_time(), now);
	ck_assert_int_le(read_time(), now + 2);
	write_time(2013);
	ck_assert_int_eq(error, 0);
	ck_assert_int_ge(read_time(), 2013);
	ck_assert_int_le(read_time(), 2015);
	clock_advance(100 * USEC_PER_SEC);
	ck_assert_int_ge(read_time(), 2113);
	ck_assert_int_le(read_time(), 2115);
	write_time(0);
	ck_assert_int_le(read_time(), 2);
	/* The machine's own clock is as it was. */
	ck_assert_int_ge(clock_realtime_usec() / USEC_PER_SEC, now);
}
END_TEST

START_TEST(test_no_such_time)
{
	static const int64_t strange[] = { -1, INT64_MIN, INT64_MAX, INT64_C(253402300800) };

	make(&host);
	write_time(2013);
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		write_time(strange[i]);
		ck_assert_int_eq(error, -ERANGE);
		ck_assert_int_le(read_time(), 2015);
	}
}
END_TEST

/* A point that a profile maps here takes over (mapping adds its backing the same way). */
static void other_execute(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	note('o');
	done(done_userdata, 0, NULL);
}

START_TEST(test_a_mapped_reboot_takes_over)
{
	static const struct backing_ops ops = { .execute = other_execute };
	const struct backing backing = { .ops = &ops };
	const struct path path = path_of("/3/0/4");

	make(&host);
	ck_assert_int_eq(store_add_resource(store, &path, &backing), 0);
	store_execute(store, &path, "", on_done, NULL);
	ck_assert_str_eq(events, "od");
}
END_TEST

START_TEST(test_settings_are_the_servers_to_write)
{
	struct record records[] = {
		{ .path = path_of("/1/0/1"), .value = value_integer(60) },
		{ .path = path_of("/1/0/2"), .value = value_integer(1) },
		{ .path = path_of("/1/0/3"), .value = value_integer(6) },
		{ .path = path_of("/1/0/6"), .value = value_boolean(false) },
	};
	const struct path instance = path_of("/1/0");

	make(&host);
	store_write(store, &instance, STORE_UPDATE, records, ARRAY_SIZE(records), on_done, NULL);
	ck_assert_int_eq(error, 0);
	expect("/1/0/1", "60");
	expect("/1/0/2", "1");
	expect("/1/0/3", "6");
	expect("/1/0/6", "0");
	/* Short Server ID: int-256. */
	records[0] = (struct record){ .path = path_of("/1/0/0"), .value = value_integer(7) };
	store_write(store, &records[0].path, STORE_REPLACE, records, 1, on_done, NULL);
	ck_assert_int_eq(error, -EPERM);
	expect("/1/0/0", "101");
}
END_TEST

/* What a server writes to Binding would not be done: queue mode and other transports come later. */
START_TEST(test_other_bindings)
{
	static const char *const texts[] = { "U", "UQ", "T", "US", "" };

	make(&host);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct record record = { .path = path_of("/1/0/7") };

		ck_assert_int_eq(value_set_string(&record.value, texts[i]), 0);
		store_write(store, &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
		ck_assert_int_eq(error, i == 0 ? 0 : -EINVAL);
		value_done(&record.value);
	}
	expect("/1/0/7", "U");
}
END_TEST

START_TEST(test_without_definitions)
{
	struct definitions *none;
	struct builtin *b = NULL;
	struct store *s;

	ck_assert_int_eq(definitions_new(&none), 0);
	ck_assert_int_eq(store_new(none, &s), 0);
	ck_assert_int_eq(builtin_new(s, none, &host, &ports, &endpoint, &b), -ENOENT);
	ck_assert_int_eq(builtin_new(s, none, &bare, &ports, &endpoint, &b), -ENOENT);
	ck_assert_ptr_null(b);
	store_free(s);
	definitions_free(none);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("builtin");
	TCase *tcase = tcase_create("builtin");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_loop_test(tcase, test_content_of_host, 0, ARRAY_SIZE(of_host));
	tcase_add_loop_test(tcase, test_content_of_bare, 0, ARRAY_SIZE(of_bare));
	tcase_add_test(tcase, test_without_security);
	tcase_add_test(tcase, test_mandatory_resources);
	tcase_add_loop_test(tcase, test_executable, 0, ARRAY_SIZE(executables));
	tcase_add_test(tcase, test_arguments_of_the_trigger);
	tcase_add_test(tcase, test_time);
	tcase_add_test(tcase, test_no_such_time);
	tcase_add_test(tcase, test_a_mapped_reboot_takes_over);
	tcase_add_test(tcase, test_settings_are_the_servers_to_write);
	tcase_add_test(tcase, test_other_bindings);
	tcase_add_test(tcase, test_without_definitions);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
