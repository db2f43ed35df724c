/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/conversation.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "setup.h"

/* Requests and their answers, without line and clock. */

static const struct fieldway_device device = {
	.name = "d",
	.settings = SETTINGS(TEXT("id", "07"), TEXT("mode", "request"), TEXT("frame.end", "\r\n"),
			     TEXT("messages.ident.match", "^/(?<baud>[0-9])(?<name>.*)$"),
			     TEXT("requests.r.steps.hello.send", "{id}?"), TEXT("requests.r.steps.hello.expect", "ident"),
			     UINT("requests.r.steps.hello.retries", 1),
			     TEXT("requests.r.steps.note.send", "!{ident.baud}"),
			     TEXT("requests.r.steps.data.send", "={ident.name}"), TEXT("requests.r.steps.data.expect", "^D(?<v>.*)$"),
			     TEXT("requests.r.steps.data.refuse", "^E"), TEXT("requests.r.steps.data.baud_from", "ident.baud"),
			     UINT("requests.r.steps.data.bauds.5", 9600), UINT("requests.r.steps.data.timeout", 7000)),
	.points = (const struct fieldway_point[]){
		{ .name = "v", .readable = true, .settings = SETTINGS(TEXT("from", "data.v")) },
		{ .name = "w", .writable = true,
		  .settings = SETTINGS(TEXT("send", "W{value:d}"), TEXT("expect", "^OK$"), TEXT("refuse", "^NO")) },
		{ .name = "b", .writable = true, .settings = SETTINGS(TEXT("send", "B{value}")) },
	},
	.n_points = 3,
};
static const struct fieldway_value one = { .type = FIELDWAY_FLOAT, .real = 1 };
static const struct fieldway_value half = { .type = FIELDWAY_FLOAT, .real = 0.5 };

static struct fieldway_driver *driver;
static struct conversation c;

static void setup(void)
{
	struct fieldway_error error = { 0 };

	ck_assert_msg(driver_new(NULL, &device, &driver, &error) == 0, "%s", error.text);
}

static void teardown(void)
{
	conversation_done(&c);
	driver_free(driver);
}

static bool hear(const char *text)
{
	const struct frame frame = { .raw = (const uint8_t *)text, .size = strlen(text),
				     .content = (const uint8_t *)text, .content_size = strlen(text) };

	return conversation_frame(&c, &frame, 5);
}

static void begin_write(uint32_t point, const struct fieldway_value *value)
{
	conversation_done(&c);
	conversation_write(&c, driver, point, value);
}

static void expect_bytes(const char *text)
{
	ck_assert_int_eq(c.state, CONVERSATION_SEND);
	ck_assert_uint_eq(c.size, strlen(text));
	ck_assert_int_eq(memcmp(c.bytes, text, c.size), 0);
}

START_TEST(steps)
{
	conversation_read(&c, driver, 0);
	expect_bytes("07?");
	ck_assert(!hear("/5abc"));
	conversation_sent(&c);
	ck_assert_int_eq(c.state, CONVERSATION_LISTEN);
	ck_assert(!hear("other"));
	ck_assert(hear("/5abc"));
	/* Nothing answers this one. */
	expect_bytes("!5");
	ck_assert_uint_eq(conversation_answer_baud(&c), 0);
	conversation_sent(&c);
	expect_bytes("=abc");
	ck_assert_uint_eq(conversation_answer_baud(&c), 9600);
	ck_assert_uint_eq(conversation_timeout_usec(&c), 7000);
	conversation_sent(&c);
	ck_assert(hear("D12"));
	ck_assert_int_eq(c.state, CONVERSATION_DONE);
	ck_assert_ptr_nonnull(conversation_answer(&c, driver->routes[0].message));
	ck_assert_uint_eq(conversation_answer(&c, driver->routes[0].message)->boottime_usec, 5);
	ck_assert(!hear("D13"));
}
END_TEST

START_TEST(silence)
{
	conversation_read(&c, driver, 0);
	conversation_sent(&c);
	conversation_silence(&c);
	expect_bytes("07?");
	conversation_sent(&c);
	conversation_silence(&c);
	ck_assert_int_eq(c.state, CONVERSATION_FAILED);
	ck_assert_int_eq(c.result.error, -ETIMEDOUT);
	ck_assert_str_eq(c.result.detail, "no answer at step hello");
}
END_TEST

START_TEST(trouble_belongs_to_its_step)
{
	conversation_read(&c, driver, 0);
	conversation_sent(&c);
	ck_assert(!hear("garbage"));
	ck_assert(hear("/5abc"));
	conversation_sent(&c);
	conversation_sent(&c);
	conversation_silence(&c);
	ck_assert_int_eq(c.result.error, -ETIMEDOUT);
	conversation_done(&c);

	conversation_read(&c, driver, 0);
	conversation_sent(&c);
	ck_assert(!hear("gar\x01" "bage"));
	conversation_silence(&c);
	conversation_sent(&c);
	conversation_noise(&c);
	conversation_silence(&c);
	ck_assert_int_eq(c.result.error, -EBADMSG);
	ck_assert_str_eq(c.result.detail, "\"gar.bage\" is not what is expected");
}
END_TEST

START_TEST(refusals)
{
	conversation_read(&c, driver, 0);
	conversation_sent(&c);
	ck_assert(hear("/5abc"));
	conversation_sent(&c);
	conversation_sent(&c);
	ck_assert(hear("E7"));
	ck_assert_int_eq(c.state, CONVERSATION_FAILED);
	ck_assert_int_eq(c.result.error, -EREMOTEIO);
}
END_TEST

/* Every way a write can end, and at which point. */
START_TEST(outcomes)
{
	begin_write(1, &half);
	ck_assert_int_eq(c.state, CONVERSATION_FAILED);
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_NOT_SENT);
	begin_write(1, &one);
	expect_bytes("W1");
	conversation_fail(&c, -ENODEV, "gone");
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_NOT_SENT);
	begin_write(1, &one);
	conversation_sent(&c);
	conversation_silence(&c);
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_UNKNOWN);
	begin_write(1, &one);
	conversation_sent(&c);
	ck_assert(hear("NO way"));
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_REFUSED);
	begin_write(1, &one);
	conversation_sent(&c);
	ck_assert(hear("OK"));
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_ACCEPTED);
	begin_write(2, &one);
	conversation_sent(&c);
	ck_assert_int_eq(c.state, CONVERSATION_DONE);
	ck_assert_int_eq(conversation_outcome(&c), FIELDWAY_ACCEPTED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conversation");
	TCase *t = tcase_create("conversation");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, steps);
	tcase_add_test(t, silence);
	tcase_add_test(t, trouble_belongs_to_its_step);
	tcase_add_test(t, refusals);
	tcase_add_test(t, outcomes);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
