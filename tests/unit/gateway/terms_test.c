/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "base/macro.h"
#include "gateway/registry/terms.h"

/* What YAML says of an account, against lines of what was kept. */

static struct builtin_right rights[] = { { .object = 3, .rights = 1 }, { .object = 16, .rights = 15 } };

static char uri[] = "coap://h";

static struct account_terms terms_of(uint16_t short_id, uint8_t others, size_t n)
{
	return (struct account_terms){
		.uri = uri,
		.short_id = short_id,
		.settings = { .lifetime_s = 3600,
			      .pmin_s = 1,
			      .pmax_s = -1,
			      .priority = -1,
			      .initial_delay_s = -1,
			      .retry_count = -1,
			      .retry_timer_s = -1,
			      .sequence_delay_s = -1,
			      .sequence_count = -1,
			      .disable_timeout_s = 86400,
			      .storing = true,
			      .send = true },
		.access = { .rights = rights, .n = n, .others = others },
	};
}

static const struct {
	const char *line;
	bool same;
} settings[] = {
	{ "account 101 coap://h lifetime=3600 pmin=1 pmax=-1 send", true },
	{ "account 101 coaps://elsewhere:1 lifetime=3600 pmin=1 pmax=-1 send", true },
	{ "account 101 coap://h lifetime=3601 pmin=1 pmax=-1 send", false },
	{ "account 101 coap://h lifetime=3600 pmin=1 pmax=-1", false },
	{ "account 101 coap://h lifetime=3600 pmin=1 pmax=-1 send priority=1", false },
	{ "account 101", false },
	{ "", false },
};

START_TEST(test_settings)
{
	const struct account_terms t = terms_of(101, 15, 0);
	_cleanup_free_ char *own = terms_settings(&t);

	ck_assert_str_eq(own, settings[0].line);
	ck_assert_int_eq(terms_same_settings(&t, settings[_i].line), settings[_i].same);
}
END_TEST

static const struct {
	const char *line;
	uint16_t short_id;
	uint8_t others;
	size_t n;
	bool same;
} access_lines[] = {
	{ "access 101 15", 101, 15, 0, true },
	{ "access 101 15 102 1 3=1", 101, 15, 0, true },
	{ "access 101 15 102 1 3=1", 102, 1, 1, true },
	{ "access 101 15 102 1 3=1", 102, 1, 0, false },
	{ "access 101 15 102 1 3=1 16=15 103 0", 102, 1, 2, true },
	{ "access 101 15 102 1 3=1 16=15 103 0", 102, 1, 1, false },
	{ "access 101 15 102 1 3=1 16=15 103 0", 103, 0, 0, true },
	{ "access 101 15 102 1", 103, 15, 0, false },
	/* Rights of one and the number of the next are no part. */
	{ "access 101 15 1 0", 15, 1, 0, false },
	{ "access 101 15 1 0", 1, 0, 0, true },
	{ "access", 101, 15, 0, false },
	{ "access bootstrap", 101, 15, 0, false },
	{ "", 101, 15, 0, false },
};

START_TEST(test_access)
{
	const struct account_terms t =
		terms_of(access_lines[_i].short_id, access_lines[_i].others, access_lines[_i].n);

	ck_assert_int_eq(terms_same_access(&t, access_lines[_i].line), access_lines[_i].same);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terms");
	TCase *tcase = tcase_create("terms");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_settings, 0, ARRAY_SIZE(settings));
	tcase_add_loop_test(tcase, test_access, 0, ARRAY_SIZE(access_lines));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
