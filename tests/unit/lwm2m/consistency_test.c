/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lwm2m/bootstrap/consistency.h"
#include "lwm2m/bootstrap/unbootstrap.h"
#include "tests/unit/lwm2m/shape.h"
#include "tests/unit/model/shipped.h"

static struct definitions *definitions;

static void set_up(void)
{
	definitions = shipped_definitions();
}

static void tear_down(void)
{
	definitions = definitions_free(definitions);
}

/* ---- what Finish asks (lwm2m.md "Bootstrap") ---- */

#define BOOTSTRAP "/0/0/0 coaps://bs.example.com:5694\n/0/0/1 1\n/0/0/2 0\n/0/0/3 bWU=\n/0/0/5 c2VjcmV0\n"
#define SECURITY "/0/1/0 coap://one.example.com\n/0/1/1 0\n/0/1/2 3\n/0/1/10 101\n"
#define SERVER "/1/4/0 101\n/1/4/1 86400\n/1/4/6 0\n/1/4/7 U\n"
#define GOOD BOOTSTRAP SECURITY SERVER
#define OTHER "/0/2/0 coaps://two\n/0/2/1 0\n/0/2/2 0\n/0/2/3 bWU=\n/0/2/5 c2VjcmV0\n/0/2/10 102\n" \
	      "/1/0/0 102\n/1/0/1 300\n/1/0/6 1\n/1/0/7 UQ\n"
#define ACCESS "/2/0/0 3\n/2/0/1 0\n/2/0/2/101 15\n/2/0/2/0 1\n/2/0/3 101\n"

static const struct {
	const char *store, *reason; /* NULL: consistent */
} rows[] = {
	{ GOOD, NULL },
	{ SECURITY SERVER, NULL },
	{ GOOD OTHER, NULL },
	{ GOOD OTHER ACCESS "/2/1/0 3303\n/2/1/1 65535\n/2/1/2/102 16\n/2/1/3 65535\n", NULL },
	/* Nothing, or a bootstrap server alone. */
	{ "", "no account of a server in /0" },
	{ BOOTSTRAP, "no account of a server in /0" },
	{ "/0/3\n", "/0/3: no URI (resource 0)" },
	/* /0, one by one. */
	{ "/0/1/1 0\n/0/1/2 3\n/0/1/10 101\n" SERVER, "/0/1: no URI (resource 0)" },
	{ "/0/1/0 one.example.com\n/0/1/1 0\n/0/1/2 3\n/0/1/10 101\n" SERVER,
	  "/0/1: its URI is none of a server: coap(s)://host[:port]" },
	{ "/0/1/0 coap://one\n/0/1/2 3\n/0/1/10 101\n" SERVER,
	  "/0/1: of a server, or of a bootstrap server (resource 1)?" },
	{ "/0/1/0 coap://one\n/0/1/1 0\n/0/1/10 101\n" SERVER, "/0/1: no security mode (resource 2)" },
	{ "/0/1/0 coaps://one\n/0/1/1 0\n/0/1/2 2\n/0/1/10 101\n" SERVER,
	  "/0/1: security mode 2 is not spoken here" },
	{ "/0/1/0 coap+tcp://one\n/0/1/1 0\n/0/1/2 3\n/0/1/10 101\n" SERVER,
	  "/0/1: only UDP is spoken here, coap:// and coaps://" },
	{ "/0/1/0 coaps://one\n/0/1/1 0\n/0/1/2 3\n/0/1/10 101\n" SERVER,
	  "/0/1: mode 3 does not go with its URI's scheme" },
	{ "/0/1/0 coap://one\n/0/1/1 0\n/0/1/2 0\n/0/1/10 101\n" SERVER,
	  "/0/1: mode 0 does not go with its URI's scheme" },
	{ "/0/1/0 coaps://one\n/0/1/1 0\n/0/1/2 0\n/0/1/5 c2VjcmV0\n/0/1/10 101\n" SERVER,
	  "/0/1: mode 0, and no identity (resource 3)" },
	{ "/0/1/0 coaps://one\n/0/1/1 0\n/0/1/2 0\n/0/1/3 bWU=\n/0/1/10 101\n" SERVER,
	  "/0/1: mode 0, and no key (resource 5)" },
	/* Its key is kept elsewhere. */
	{ "/0/9/0 coaps://one\n/0/9/1 0\n/0/9/2 0\n/0/9/3 bWU=\n/0/9/10 101\n" SERVER, NULL },
	/* Links of /0. */
	{ GOOD "/0/1/17 65535:65535\n", NULL },
	{ GOOD "/0/1/17 21:0\n", "/0/1/17 links to no instance of /21" },
	{ GOOD "/21/0\n/0/1/17 3:0\n/3/0\n", "/0/1/17 links to no instance of /21" },
	{ GOOD "/21/0\n/0/1/17 21:0\n", "/0/1/17: OSCORE is not spoken here" },
	{ GOOD "/24/1\n/0/1/26 24:1\n", NULL },
	{ GOOD "/24/1\n/0/1/26 24:2\n", "/0/1/26 links to no instance of /24" },
	{ GOOD "/23/1\n/0/1/27/0 23:1\n/0/1/27/1 23:2\n", "/0/1/27 links to no instance of /23" },
	/* /0 and /1 go together. */
	{ "/0/1/0 coap://one\n/0/1/1 0\n/0/1/2 3\n" SERVER,
	  "/0/1: no short server id of 1 to 65534 (resource 10)" },
	{ GOOD "/0/2/0 coap://two\n/0/2/1 0\n/0/2/2 3\n/0/2/10 101\n", "short server id 101 in two instances of /0" },
	{ SECURITY, "server 101 of /0/1 has no /1" },
	{ GOOD "/0/2/0 coap://two\n/0/2/1 0\n/0/2/2 3\n/0/2/10 102\n", "server 102 of /0/2 has no /1" },
	{ GOOD "/1/5/0 102\n/1/5/1 1\n/1/5/6 0\n/1/5/7 U\n",
	  "/1/5: its short server id is that of no account in /0" },
	{ GOOD "/1/5/0 101\n/1/5/1 1\n/1/5/6 0\n/1/5/7 U\n", "short server id 101 in two instances of /1" },
	{ GOOD "/1/5/5 60\n", "/1/5: resource 0 is missing" },
	{ SECURITY "/1/4/0 101\n/1/4/6 0\n/1/4/7 U\n", "/1/4: resource 1 is missing" },
	{ SECURITY "/1/4/0 101\n/1/4/1 60\n/1/4/7 U\n", "/1/4: resource 6 is missing" },
	{ SECURITY "/1/4/0 101\n/1/4/1 60\n/1/4/6 0\n", "/1/4: resource 7 is missing" },
	{ SECURITY "/1/4/0 101\n/1/4/1 -60\n/1/4/6 0\n/1/4/7 U\n", "/1/4: a lifetime below 0" },
	/* Of bootstrap servers there is one, and its short server id means nothing. */
	{ GOOD "/0/7/0 coap://bs\n/0/7/1 1\n/0/7/2 3\n", "more than one account of a bootstrap server in /0" },
	{ "/0/0/0 coap://bs\n/0/0/1 1\n/0/0/2 3\n/0/0/10 101\n" SECURITY SERVER, NULL },
	{ "/0/0/0 coap://bs\n/0/0/1 1\n/0/0/2 0\n" SECURITY SERVER,
	  "/0/0: mode 0 does not go with its URI's scheme" },
	/* /2 names servers that there are. */
	{ GOOD "/2/0/0 3\n/2/0/1 0\n", "/2/0: resource 3 is missing" },
	{ GOOD "/2/0/1 0\n/2/0/3 101\n", "/2/0: resource 0 is missing" },
	{ GOOD "/2/0/0 3\n/2/0/3 101\n", "/2/0: resource 1 is missing" },
	{ GOOD "/2/0/0 3\n/2/0/1 0\n/2/0/3 102\n", "/2/0: its owner, server 102, has no account" },
	{ GOOD "/2/0/0 3\n/2/0/1 0\n/2/0/3 0\n", "/2/0: its owner, server 0, has no account" },
	{ GOOD ACCESS "/2/0/2/103 1\n", "/2/0: rights for server 103, which has no account" },
};

static bool is_elsewhere(void *userdata, uint16_t security)
{
	ck_assert_ptr_eq(userdata, &definitions);
	return security == 9;
}

START_TEST(test_check)
{
	const struct consistency_keys keys = { .elsewhere = is_elsewhere, .userdata = &definitions };
	struct store *s = shape_new(definitions, rows[_i].store);
	char reason[CONSISTENCY_REASON_MAX];

	ck_assert_int_eq(consistency_check(s, &keys, reason), rows[_i].reason ? -EINVAL : 0);
	ck_assert_str_eq(reason, rows[_i].reason ?: "");
	store_free(s);
}
END_TEST

START_TEST(test_check_without_references)
{
	struct store *s = shape_new(definitions, rows[17].store);
	char reason[CONSISTENCY_REASON_MAX];

	ck_assert_ptr_nonnull(strstr(rows[17].store, "/0/9"));
	ck_assert_int_eq(consistency_check(s, NULL, reason), -EINVAL);
	ck_assert_str_eq(reason, "/0/9: mode 0, and no key (resource 5)");
	store_free(s);
}
END_TEST

/* ---- what goes along with an account (Transport 5.2.5) ---- */

#define RIGHTS(instance) "/2/0/0 16\n/2/0/1 " instance "\n"
static const struct {
	const char *access, *after; /* of /2, for the one that leaves, 101 */
	bool stays;		    /* /16/0, which is the servers' to make */
} leaving[] = {
	/* Another's, and others have rights there, too. */
	{ RIGHTS("0") "/2/0/2/101 1\n/2/0/2/102 3\n/2/0/3 102\n",
	  "/2/0\n/2/0/0 16\n/2/0/1 0\n/2/0/2/102 3\n/2/0/3 102\n", true },
	/* Its own: who has the most of Write and Delete has it then, the first of equals. */
	{ RIGHTS("0") "/2/0/2/101 15\n/2/0/2/102 3\n/2/0/2/103 10\n/2/0/2/104 11\n/2/0/3 101\n",
	  "/2/0\n/2/0/0 16\n/2/0/1 0\n/2/0/2/102 3\n/2/0/2/103 10\n/2/0/2/104 11\n/2/0/3 103\n", true },
	{ RIGHTS("0") "/2/0/2/102 1\n/2/0/3 101\n", "/2/0\n/2/0/0 16\n/2/0/1 0\n/2/0/2/102 1\n/2/0/3 102\n", true },
	/* All others have some right, and none of them more than the rest. */
	{ RIGHTS("0") "/2/0/2/0 1\n/2/0/3 101\n", "/2/0\n/2/0/0 16\n/2/0/1 0\n/2/0/2/0 1\n/2/0/3 65535\n", true },
	/* Nobody else: it goes with it, unless it is the agent's. */
	{ RIGHTS("0") "/2/0/2/101 15\n/2/0/3 101\n", "", false },
	{ RIGHTS("0") "/2/0/2/102 0\n/2/0/3 101\n", "", false },
	{ "/2/0/0 3\n/2/0/1 0\n/2/0/3 101\n", "/2/0\n/2/0/0 3\n/2/0/1 0\n/2/0/3 65535\n", true },
};

static bool may_delete(void *userdata, const struct path *instance)
{
	ck_assert_ptr_eq(userdata, &definitions);
	return instance->object == 16;
}

START_TEST(test_unbootstrap)
{
	const struct unbootstrap_terms terms = { .may_delete = may_delete, .userdata = &definitions };
	struct store *s = shape_new(definitions, "/1/4/0 101\n/1/5/0 102\n/3/0\n/16/0\n");
	const struct path portfolio = path_of_instance(16, 0), device = path_of_instance(3, 0);

	shape_fill(s, definitions, leaving[_i].access);
	ck_assert_int_eq(unbootstrap(s, 101, &terms), 0);
	ck_assert_str_eq(shape_text(s, "/1"), "/1/5\n/1/5/0 102\n");
	ck_assert_str_eq(shape_text(s, "/2"), leaving[_i].after);
	ck_assert_int_eq(store_exists(s, &portfolio), leaving[_i].stays);
	ck_assert(store_exists(s, &device));
	store_free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("consistency");
	TCase *checks = tcase_create("check"), *leaves = tcase_create("unbootstrap");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(checks, set_up, tear_down);
	tcase_add_loop_test(checks, test_check, 0, ARRAY_SIZE(rows));
	tcase_add_test(checks, test_check_without_references);
	tcase_add_checked_fixture(leaves, set_up, tear_down);
	tcase_add_loop_test(leaves, test_unbootstrap, 0, ARRAY_SIZE(leaving));
	suite_add_tcase(suite, checks);
	suite_add_tcase(suite, leaves);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
