/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "tests/unit/builtin/rig.h"
#include "tests/unit/model/shipped.h"

/* Objects of the agent in a store that goes on with another configuration. */


static const struct builtin_ports ports = { 0 };

#define ABSENT                                                                                        \
	.disable_timeout_s = 86400, .storing = true, .priority = -1, .initial_delay_s = -1,           \
	.retry_count = -1, .retry_timer_s = -1, .sequence_delay_s = -1, .sequence_count = -1
static const struct builtin_settings settings = { .lifetime_s = 3600, ABSENT, .pmin_s = 10, .pmax_s = -1 };
static const struct builtin_account account = {
	.uri = "coaps://lwm2m.example.com:5684",
	.secure = true,
	.identity = "gw7",
	.short_id = 101,
	.settings = &settings,
};
static const struct builtin_values former = {
	.accounts = &account,
	.n_accounts = 1,
	.manufacturer = "ACME",
	.model = "GW",
};

static void set_up(void)
{
	rig_set_up();
	ck_assert_int_eq(builtin_new(store, definitions, &former, &ports, NULL, &builtin), 0);
	rig_watch();
}

static void reload(const struct builtin_values *values)
{
	ck_assert_int_eq(builtin_reload(builtin, definitions, values), 0);
}

/* Nothing else than the accounts changes. */
static void reload_accounts(const struct builtin_account *accounts, size_t n)
{
	struct builtin_values now = former;

	now.accounts = accounts;
	now.n_accounts = n;
	reload(&now);
}

static void put(const char *path, struct value v)
{
	const struct path p = path_of(path);

	ck_assert_int_eq(store_update_one(store, &p, &v), 0);
	changes[0] = 0;
}

START_TEST(the_same_is_no_change)
{
	struct builtin_account same = account;

	same.overlaid = _i;
	reload_accounts(&same, 1);
	ck_assert_str_eq(changes, "");
	expect("/1/0/7", "U");
}
END_TEST

START_TEST(facts_of_the_device)
{
	struct builtin_values now = former;

	now.manufacturer = "Other";
	now.model = NULL;
	now.firmware = "7";
	reload(&now);
	ck_assert_str_eq(changes, "/3/0/0 /3/0/1 /3/0/3 ");
	expect("/3/0/0", "Other");
	expect("/3/0/1", NULL);
	expect("/3/0/3", "7");
}
END_TEST

/* What a profile maps there is the profile's, until it is no more. */
START_TEST(others_keep_what_is_theirs)
{
	static const struct backing_ops ops = { 0 };
	const struct backing backing = { .ops = &ops };
	const struct path model = path_of("/3/0/1"), reboot = path_of("/3/0/4");
	struct builtin_values now = former;

	ck_assert_int_eq(store_add_resource(store, &model, &backing), 0);
	ck_assert_int_eq(store_add_resource(store, &reboot, &backing), 0);
	put("/3/0/11/0", value_integer(8));
	now.model = "New";
	reload(&now);
	ck_assert_int_eq(store_quality(store, &model), STORE_NEVER);
	ck_assert_ptr_eq(store_backing(store, &reboot)->ops, &ops);
	expect("/3/0/11/0", "8");
	store_remove_resource(store, &model);
	store_remove_resource(store, &reboot);
	reload(&now);
	expect("/3/0/1", "New");
	ck_assert_ptr_nonnull(store_backing(store, &reboot));
}
END_TEST

START_TEST(settings_of_the_account)
{
	const struct builtin_settings other = { .lifetime_s = 60, ABSENT, .pmin_s = -1, .pmax_s = 30, .send = true };
	struct builtin_account now = account;

	now.overlaid = _i;
	now.settings = &other;
	now.uri = "coap://other.example.com";
	now.secure = false;
	reload_accounts(&now, 1);
	expect("/0/0/0", "coap://other.example.com");
	expect("/0/0/2", "3");
	expect("/0/0/3", NULL);
	expect("/1/0/1", _i ? "3600" : "60");
	expect("/1/0/2", _i ? "10" : NULL);
	expect("/1/0/3", _i ? NULL : "30");
	expect("/1/0/23", _i ? "1" : "0");
	/* And back. */
	now = account;
	now.overlaid = _i;
	reload_accounts(&now, 1);
	expect("/0/0/3", "Z3c3");
	expect("/1/0/1", "3600");
	expect("/1/0/23", "1");
}
END_TEST

/* What it took away does not come back. */
START_TEST(what_a_server_wrote)
{
	const struct builtin_settings other = { .lifetime_s = 60, ABSENT, .pmin_s = 5, .pmax_s = -1 };
	const struct path pmin = path_of("/1/0/2"), muted = path_of("/1/0/23");
	struct builtin_account now = account;

	put("/1/0/1", value_integer(77));
	store_remove_resource(store, &pmin);
	store_remove_resource(store, &muted);
	now.settings = &other;
	now.overlaid = true;
	reload_accounts(&now, 1);
	expect("/1/0/1", "77");
	expect("/1/0/2", NULL);
	expect("/1/0/23", NULL);
	/* Of another server's account nothing is left of it. */
	now.short_id = 102;
	reload_accounts(&now, 1);
	expect("/1/0/0", "102");
	expect("/1/0/1", "60");
	expect("/1/0/2", "5");
	expect("/1/0/23", "1");
	expect("/0/0/10", "102");
}
END_TEST

START_TEST(an_account_goes_and_comes)
{
	const struct path security = path_of("/0"), server = path_of("/1"), update = path_of("/1/0/8");

	reload_accounts(NULL, 0);
	ck_assert(!store_exists(store, &security));
	ck_assert(!store_exists(store, &server));
	expect("/3/0/0", "ACME");
	reload(&former);
	expect("/1/0/1", "3600");
	expect("/0/0/10", "101");
	ck_assert(store_exists(store, &update));
}
END_TEST

/* Each keeps its instance; of others nothing changes. */
START_TEST(several_accounts)
{
	const struct builtin_settings other = { .lifetime_s = 60, ABSENT, .pmin_s = -1, .pmax_s = -1 };
	struct builtin_account all[] = { account, account, account };

	for (uint16_t i = 1; i < ARRAY_SIZE(all); i++) {
		all[i].instance = all[i].security = i;
		all[i].short_id = 101 + i;
		all[i].settings = &other;
	}
	reload_accounts(all, 3);
	expect("/0/2/10", "103");
	expect("/1/1/0", "102");
	expect("/1/1/1", "60");
	expect("/1/0/1", "3600");
	/* One of them was written to. */
	put("/1/1/1", value_integer(77));
	all[1].overlaid = true;
	all[0] = all[2];
	reload_accounts(all, 2);
	ck_assert_str_eq(changes, "/0/0 /1/0 ");
	expect("/1/0/0", NULL);
	expect("/0/0/0", NULL);
	expect("/1/1/1", "77");
	expect("/1/2/0", "103");
}
END_TEST

START_TEST(other_definitions)
{
	static const char text[] =
		"schema: 1\n"
		"object: {id: 1, name: S, version: \"1.9\", instances: multiple}\n"
		"resources:\n"
		"  0: {name: A, operations: R, type: integer, mandatory: true}\n"
		"  1: {name: B, operations: RW, type: integer, mandatory: true, unit: s}\n"
		"  2: {name: C, operations: RW, type: integer}\n"
		"  3: {name: D, operations: RW, type: integer}\n"
		"  4: {name: E, operations: E}\n"
		"  5: {name: F, operations: RW, type: integer}\n"
		"  6: {name: G, operations: RW, type: boolean, mandatory: true}\n"
		"  7: {name: H, operations: RW, type: corelnk, mandatory: true}\n"
		"  8: {name: I, operations: E}\n"
		"  23: {name: J, operations: RW, type: boolean}\n";
	struct definitions *before = definitions;
	struct yaml_errors errors = { 0 };
	const struct path binding = path_of("/1/0/7");
	struct builtin_account same = account;

	definitions = shipped_definitions();
	ck_assert_int_eq(definitions_read_text(definitions, "x", text, strlen(text), &errors), 0);
	put("/1/0/1", value_integer(77));
	same.overlaid = _i;
	reload_accounts(&same, 1);
	definitions_free(before);
	ck_assert_ptr_eq(store_object(store, 1), definitions_newest(definitions, 1));
	expect("/1/0/1", _i ? "77" : "3600");
	expect("/1/0/7", "U");
	ck_assert_ptr_nonnull(store_backing(store, &binding));
}
END_TEST

/* The first error is told, and the rest done. */
START_TEST(without_an_object)
{
	struct definitions *before = definitions;
	const struct path device = path_of("/3");

	ck_assert_int_eq(definitions_new(&definitions), 0);
	ck_assert_int_eq(builtin_reload(builtin, definitions, &former), -ENOENT);
	definitions_free(before);
	ck_assert(!store_exists(store, &device));
	before = definitions;
	definitions = shipped_definitions();
	reload(&former);
	definitions_free(before);
	expect("/3/0/0", "ACME");
	expect("/1/0/1", "3600");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("reload");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_loop_test(tcase, the_same_is_no_change, 0, 2);
	tcase_add_test(tcase, facts_of_the_device);
	tcase_add_test(tcase, others_keep_what_is_theirs);
	tcase_add_loop_test(tcase, settings_of_the_account, 0, 2);
	tcase_add_test(tcase, what_a_server_wrote);
	tcase_add_test(tcase, an_account_goes_and_comes);
	tcase_add_test(tcase, several_accounts);
	tcase_add_loop_test(tcase, other_definitions, 0, 2);
	tcase_add_test(tcase, without_an_object);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
