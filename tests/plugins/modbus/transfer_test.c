/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "transfer_rig.h"

/* Requests that take more than one transaction, or none that is answered: each on TCP (0) and RTU (1). */

/* ---- bits ---- */

START_TEST(bits_leave_the_others_alone)
{
	start(_i);
	ask("set holding 100 0x5a00 0x1234");
	writes(BIT, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 100"), "23048"); /* 0x5a08 */
	writes(BIT, on(false), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 100"), "23040");
	/* 0x1234 is 0x3412 as the point has it. */
	reads(MASK, 0x41);
	writes(MASK, number(-2), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 101"), "57919"); /* 0x3fe2, bytes swapped: 0xe23f */
	reads(MASK, -2);
	writes(MASK, number(128), FIELDWAY_NOT_SENT, -ERANGE);
	stop();
}
END_TEST

START_TEST(a_bit_takes_one_request)
{
	int before;

	start(_i);
	before = requests();
	writes(BIT, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 1);
	writes(MERGED, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 3);
	stop();
}
END_TEST

START_TEST(bits_are_merged_where_it_is_asked_for)
{
	start(_i);
	ask("set holding 102 0x0123 0 0xaabb 0xccdd");
	writes(MERGED, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 102"), "33059"); /* 0x8123 */
	writes(WIDE, number(0x1234), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 104 2"), "43538 13533"); /* 0xaa12 0x34dd */
	stop();
}
END_TEST

/* Before the write nothing has been written: its outcome is known. */
START_TEST(what_cannot_be_read_is_not_merged)
{
	start(_i);
	ask("exception 4");
	writes(MERGED, on(true), FIELDWAY_REFUSED, -EREMOTEIO);
	ask("talk");
	ask("silent");
	writes(MERGED, on(true), FIELDWAY_NOT_SENT, -ETIMEDOUT);
	ask("talk");
	ck_assert_str_eq(ask("get holding 102"), "0");
	stop();
}
END_TEST

START_TEST(a_device_without_function_22)
{
	start(_i);
	ask("exception 1");
	writes(BIT, on(true), FIELDWAY_REFUSED, -EOPNOTSUPP);
	ask("talk");
	ask("fault data 1");
	writes(BIT, on(true), FIELDWAY_UNKNOWN, -EBADMSG);
	stop();
}
END_TEST

START_TEST(written_and_read_back)
{
	const struct fieldway_value f230 = { .type = FIELDWAY_FLOAT, .real = 230.2 };
	int before;

	start(_i);
	before = requests();
	writes(BACK, f230, FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 1);
	ck_assert_str_eq(ask("get holding 110 2"), "13107 17254"); /* 0x3333 0x4366 */
	ask("fault data 1");
	writes(BACK, f230, FIELDWAY_UNKNOWN, -EBADMSG);
	ck_assert_str_eq(f.result.detail, "the device reads back another value");
	/* What is read elsewhere need not be what was written. */
	ask("set holding 112 7 8");
	writes(ELSEWHERE, number(9), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 112 2"), "7 9");
	ask("fault length 1");
	writes(BACK, f230, FIELDWAY_UNKNOWN, -EBADMSG);
	stop();
}
END_TEST

/* ---- identification ---- */

static void text_is(const struct fieldway_sample *s, const char *expected)
{
	ck_assert_int_eq(s->quality, FIELDWAY_GOOD);
	ck_assert_int_eq(s->value.type, FIELDWAY_STRING);
	ck_assert_uint_eq(s->value.size, strlen(expected));
	ck_assert_mem_eq(s->value.data, expected, s->value.size);
}

START_TEST(objects_come_in_a_stream)
{
	const uint32_t basic[] = { VENDOR, REVISION },
		       all[] = { VENDOR, REVISION, NAME, EXTRA, UNKNOWN };
	struct fieldway_sample samples[5];
	int before;

	start(_i);
	before = requests();
	ck_assert_int_eq(read_points(basic, 2, samples), 0);
	ck_assert_int_eq(requests(), before + 1);
	text_is(&samples[0], "Fieldway");
	text_is(&samples[1], "V1.5");
	before = requests();
	ck_assert_int_eq(read_points(all, 5, samples), 0);
	ck_assert_int_gt(requests(), before + 2);
	text_is(&samples[0], "Fieldway");
	text_is(&samples[2], "Simulator");
	ck_assert_uint_eq(samples[3].value.size, 2);
	ck_assert_mem_eq(samples[3].value.data, "\1\2", 2);
	ck_assert_int_eq(samples[4].quality, FIELDWAY_INVALID);
	stop();
}
END_TEST

START_TEST(devices_that_say_less)
{
	const uint32_t all[] = { VENDOR, NAME, EXTRA };
	struct fieldway_sample samples[3];

	start(_i);
	ask("identification 2");
	ck_assert_int_eq(read_points(all, 3, samples), 0);
	text_is(&samples[1], "Simulator");
	ck_assert_int_eq(samples[2].quality, FIELDWAY_INVALID);
	/* Refuses to be asked for more. */
	ask("identification 1");
	ck_assert_int_eq(read_points(all, 3, samples), 0);
	text_is(&samples[0], "Fieldway");
	ck_assert_int_eq(samples[1].quality, FIELDWAY_INVALID);
	ask("identification 0");
	ck_assert_int_eq(read_points(all, 3, samples), -EOPNOTSUPP);
	stop();
}
END_TEST

START_TEST(identification_goes_wrong)
{
	start(_i);
	ask("silent");
	fails(VENDOR, -ETIMEDOUT);
	ask("talk");
	ask("fault mute 1");
	fails(VENDOR, -ETIMEDOUT);
	text_is(&(struct fieldway_sample){ .value = read_one(VENDOR).value }, "Fieldway");
	stop();
}
END_TEST

/* ---- broadcasts ---- */

static void start_broadcast(bool accepted)
{
	const uint64_t unit = 0;

	simulate(true);
	make_device(unit);
	f.device_settings[1] =
		(struct fieldway_setting){ "broadcast",
					   { .type = FIELDWAY_BOOL, .boolean = accepted } };
	f.device.settings.n = 2;
	f.device.points = &f.points[PLAIN];
	f.device.n_points = 1;
	f.points[PLAIN].readable = false;
	open_line();
}

START_TEST(everybody_is_told)
{
	start_broadcast(_i);
	writes(0, number(7), _i ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN, _i ? 0 : -ETIMEDOUT);
	writes(0, number(8), _i ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN, _i ? 0 : -ETIMEDOUT);
	/* The second waited until the first was surely done. */
	ck_assert_int_ge(requests(), 1);
	while (strcmp(ask("get holding 10"), "8") != 0)
		;
	ck_assert_int_eq(requests(), 2);
	stop();
}
END_TEST

/* Nobody answers, so nobody is waited for. */
START_TEST(a_raw_request_to_everybody)
{
	const uint8_t request[] = { 6, 0, 10, 0, 9 };
	uint64_t begin = deadline(0);
	uint8_t answer[8];
	size_t size = 99;
	bool broken;

	start_broadcast(false);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(plugin->raw(f.line, f.driver, request, sizeof(request), deadline(LONG_USEC),
					     answer, sizeof(answer), &size, &f.result, &broken),
				 0);
	ck_assert_uint_eq(size, 0);
	ck_assert(!broken);
	ck_assert_uint_ge(deadline(0) - begin, 100000);
	while (strcmp(ask("get holding 10"), "9") != 0)
		;
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/transfer");
	TCase *t = tcase_create("transfer");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, bits_leave_the_others_alone, 0, 2);
	tcase_add_loop_test(t, a_bit_takes_one_request, 0, 2);
	tcase_add_loop_test(t, bits_are_merged_where_it_is_asked_for, 0, 2);
	tcase_add_loop_test(t, what_cannot_be_read_is_not_merged, 0, 2);
	tcase_add_loop_test(t, a_device_without_function_22, 0, 2);
	tcase_add_loop_test(t, written_and_read_back, 0, 2);
	tcase_add_loop_test(t, objects_come_in_a_stream, 0, 2);
	tcase_add_loop_test(t, devices_that_say_less, 0, 2);
	tcase_add_loop_test(t, identification_goes_wrong, 0, 2);
	tcase_add_loop_test(t, everybody_is_told, 0, 2);
	tcase_add_test(t, a_raw_request_to_everybody);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
