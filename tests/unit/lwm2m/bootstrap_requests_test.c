/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/bootstrap_rig.h"
#include "tests/unit/transport/rig.h"

/* What a bootstrap server asks of an endpoint. */

/* ---- operations ---- */

static const struct {
	uint8_t code;
	const char *path;
	int32_t format; /* of a GET: Accept */
	const char *text;
	uint8_t answer;
	const char *body; /* NULL: whatever */
} operations[] = {
	{ CODE_GET, "/", FORMAT_LINK, "", CODE(2, 05), "</>;lwm2m=1.2,</0/1>,</1>,</3/0>,</16/0>" },
	{ CODE_GET, "/0", FORMAT_LINK, "", CODE(2, 05), "</>;lwm2m=1.2,</0/1>" },
	{ CODE_GET, "/7", FORMAT_LINK, "", CODE(4, 04), "" },
	{ CODE_GET, "/0/1", FORMAT_LINK, "", CODE(4, 05), "" },
	{ CODE_GET, "/1", -1, "", CODE(2, 05), NULL },
	{ CODE_GET, "/1", FORMAT_SENML_JSON, "", CODE(2, 05), NULL },
	{ CODE_GET, "/1", FORMAT_TEXT, "", CODE(4, 06), "" },
	{ CODE_GET, "/2", -1, "", CODE(4, 04), "" },
	{ CODE_GET, "/0", -1, "", CODE(4, 05), "" },
	{ CODE_GET, "/3/0", -1, "", CODE(4, 05), "" },
	{ CODE_GET, "/d01/3", -1, "", CODE(4, 05), "" },
	{ CODE_PUT, "/1/0", FORMAT_SENML_JSON, "[{\"n\":\"/1/0/0\",\"v\":1}]", CODE(2, 04), "" },
	{ CODE_PUT, "/1", FORMAT_SENML_JSON, "[{\"n\":\"/1/0/0\",\"v\":1}]", CODE(2, 04), "" },
	{ CODE_PUT, "/1/0/5", FORMAT_TEXT, "1", CODE(2, 04), "" },
	{ CODE_PUT, "/0/5/5", FORMAT_OPAQUE, "secret", CODE(2, 04), "" },
	{ CODE_PUT, "/1/0/5", FORMAT_TEXT, "x", CODE(4, 00), NULL },
	{ CODE_PUT, "/1/0/5", FORMAT_LINK, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0/5", -1, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0", FORMAT_TEXT, "1", CODE(4, 15), "" },
	{ CODE_PUT, "/1/0/5/0/0", FORMAT_TEXT, "1", CODE(4, 05), "" },
	{ CODE_PUT, "/d01/1/0/5", FORMAT_TEXT, "1", CODE(4, 05), "" },
	{ CODE_PUT, "/9999/0/5", FORMAT_TEXT, "1", CODE(4, 00), "/9999 is unknown here" },
	{ CODE_DELETE, "/", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/16", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/16/0", -1, "", CODE(2, 02), "" },
	{ CODE_DELETE, "/0/1", -1, "", CODE(4, 00), "this instance stays" },
	{ CODE_DELETE, "/1/0/5", -1, "", CODE(4, 00), "no less than an instance is deleted" },
	{ CODE_POST, "/1", FORMAT_SENML_JSON, "[]", CODE(4, 05), "" },
	{ CODE_POST, "/1/0/8", -1, "", CODE(4, 05), "" },
	{ CODE_POST, "/bs", FORMAT_TEXT, "x", CODE(4, 00), "Finish has no payload" },
	{ CODE_FETCH, "/", FORMAT_SENML_JSON, "[]", CODE(4, 05), "" },
};

START_TEST(test_operation)
{
	bool is_get = operations[_i].code == CODE_GET;

	open_it();
	ck_assert_uint_eq(is_get ? get(operations[_i].path, operations[_i].format) :
				   ask(operations[_i].code, operations[_i].path, operations[_i].format,
				       operations[_i].text),
			  operations[_i].answer);
	if (operations[_i].body)
		ck_assert_str_eq(body, operations[_i].body);
	if (is_get && operations[_i].answer == CODE(2, 05))
		ck_assert_int_eq(body_format, operations[_i].format < 0 ? FORMAT_SENML_CBOR : operations[_i].format);
	ck_assert(bootstrap_is_open(it.bootstrap));
}
END_TEST

/* Only an open door lets anything in. */
START_TEST(test_request_before_the_answer)
{
	struct message asked, m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&asked, REQUEST);
	request(&m, CODE_DELETE, "/", -1, "");
	peer_send(&m);
	peer_expect_silence();
	peer_answer(&asked, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	/* It comes again. */
	ck_assert_uint_eq(exchange(&m), CODE(2, 02));
}
END_TEST

/* ---- Finish ---- */

/* The owner may need none of it any more: another account, another server. */
START_TEST(test_freed_when_it_is_through)
{
	it.free_when_complete = true;
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_ptr_null(it.bootstrap);
}
END_TEST

/* The 2.04 may be lost: the same Finish is answered again, and not taken again. */
START_TEST(test_finish_repeated)
{
	struct message m;

	open_it();
	write_all();
	request(&m, CODE_POST, "/bs", -1, "");
	ck_assert_uint_eq(exchange(&m), CODE(2, 04));
	/* For as long as its server may repeat it (MAX_TRANSMIT_WAIT). */
	rig_advance(SECONDS(92));
	ck_assert_uint_eq(exchange(&m), CODE(2, 04));
	ck_assert_uint_eq(it.n_taken, 1);
}
END_TEST

START_TEST(test_inconsistent)
{
	open_it();
	ck_assert_uint_eq(put("/0/5", "[" SECURITY_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(finish(), CODE(4, 06));
	ck_assert_str_eq(body, "server 102 of /0/5 has no /1");
	ck_assert_int_eq(body_format, -1);
	ck_assert_uint_eq(it.n_taken, 0);
	ck_assert(bootstrap_is_open(it.bootstrap));
	/* It may mend it. */
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

/* What cannot be put in force is not finished, either. */
START_TEST(test_not_taken)
{
	open_it();
	write_all();
	it.take_error = -ENOMEM;
	ck_assert_uint_eq(finish(), CODE(4, 06));
	ck_assert(has_prefix(body, "it cannot be put in force: "));
	ck_assert_uint_eq(it.n_complete, 0);
	ck_assert(bootstrap_is_open(it.bootstrap));
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

/* Nobody hears of it before it has ended; meanwhile nothing else is done. */
START_TEST(test_taken_later)
{
	static const int errors[] = { -ENOSPC, 0 };
	struct message m, late;

	open_it();
	write_all();
	it.take_later = true;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		request(&m, CODE_POST, "/bs", -1, "");
		peer_send(&m);
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
		ck_assert(bootstrap_is_open(it.bootstrap));
		bootstrap_start(it.bootstrap, true);
		request(&late, CODE_DELETE, "/", -1, "");
		peer_send(&late);
		peer_expect_silence();
		/* Said again it is the same Finish. */
		peer_send(&m);
		peer_expect_silence();
		ck_assert_uint_eq(it.n_taken, i + 1);
		bootstrap_took(it.bootstrap, errors[i]);
		peer_receive(&late);
		ck_assert_uint_eq(late.id, m.id);
		ck_assert_uint_eq(late.code, errors[i] < 0 ? CODE(4, 06) : CODE(2, 04));
		ck_assert_uint_eq(it.n_complete, i);
	}
	expect_states("TOTI");
}
END_TEST

/* It takes longer than the server waits for, or the connection is gone: it ends all the same. */
START_TEST(test_taken_much_later)
{
	struct message m, answer;

	open_it();
	write_all();
	it.take_later = true;
	request(&m, CODE_POST, "/bs", -1, "");
	peer_send(&m);
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
	rig_advance(SECONDS(2));
	peer_receive(&answer);
	ck_assert_int_eq(answer.code, 0);
	rig_advance(SECONDS(300));
	rig_turn();
	ck_assert_int_eq(bootstrap_state(it.bootstrap), BOOTSTRAP_TAKING);
	bootstrap_took(it.bootstrap, 0);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_CON);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	ck_assert_uint_eq(it.n_complete, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bootstrap_requests");
	TCase *tests = tcase_create("bootstrap_requests");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, bootstrap_set_up, bootstrap_tear_down);
	tcase_add_test(tests, test_freed_when_it_is_through);
	tcase_add_test(tests, test_finish_repeated);
	tcase_add_test(tests, test_inconsistent);
	tcase_add_test(tests, test_not_taken);
	tcase_add_test(tests, test_taken_later);
	tcase_add_test(tests, test_taken_much_later);
	tcase_add_loop_test(tests, test_operation, 0, ARRAY_SIZE(operations));
	tcase_add_test(tests, test_request_before_the_answer);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
