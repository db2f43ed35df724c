/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "builtin/modbus_pdu.h"

/* ---- the frames of the Application Protocol V1.1b3, section 6 ---- */

static const struct cluster coils = { .type = CLUSTER_COIL, .start = 19, .quantity = 19 };
static const struct cluster registers = { .type = CLUSTER_HOLDING, .start = 107, .quantity = 3 };

START_TEST(test_reads)
{
	static const uint8_t ask_coils[] = { 1, 0, 0x13, 0, 0x13 }, ask_registers[] = { 3, 0, 0x6b, 0, 3 };
	static const uint8_t coil_answer[] = { 1, 3, 0xcd, 0x6b, 0x05 };
	static const uint8_t register_answer[] = { 3, 6, 2, 0x2b, 0, 0, 0, 0x64 };
	static const uint16_t bits[] = { 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1 };
	static const uint16_t numbers[] = { 555, 0, 100 };
	uint8_t pdu[PDU_MAX];
	uint16_t values[19];

	ck_assert_uint_eq(pdu_read(&coils, pdu), sizeof(ask_coils));
	ck_assert_mem_eq(pdu, ask_coils, sizeof(ask_coils));
	ck_assert_uint_eq(pdu_read(&registers, pdu), sizeof(ask_registers));
	ck_assert_mem_eq(pdu, ask_registers, sizeof(ask_registers));
	ck_assert_int_eq(pdu_read_answer(&coils, coil_answer, sizeof(coil_answer), values), 0);
	ck_assert_mem_eq(values, bits, sizeof(bits));
	ck_assert_int_eq(pdu_read_answer(&registers, register_answer, sizeof(register_answer), values), 0);
	ck_assert_mem_eq(values, numbers, sizeof(numbers));
	/* Another length, another function, another number of bytes. */
	ck_assert_int_eq(pdu_read_answer(&registers, register_answer, 7, values), -EBADMSG);
	ck_assert_int_eq(pdu_read_answer(&registers, register_answer, 0, values), -EBADMSG);
	ck_assert_int_eq(pdu_read_answer(&coils, register_answer, sizeof(register_answer), values), -EBADMSG);
	ck_assert_int_eq(pdu_read_answer(&registers, (const uint8_t[]){ 3, 5, 1, 2, 3, 4, 5, 6 }, 8, values),
			 -EBADMSG);
}
END_TEST

START_TEST(test_writes)
{
	static const uint16_t bits[] = { 1, 0, 1, 1, 0, 0, 1, 1, 1, 0 }, numbers[] = { 10, 0x102 };
	static const uint8_t many_coils[] = { 15, 0, 0x13, 0, 10, 2, 0xcd, 1 };
	static const uint8_t many_registers[] = { 16, 0, 0x6c, 0, 2, 4, 0, 10, 1, 2 };
	static const uint8_t one_coil[] = { 5, 0, 0x15, 0xff, 0 }, one_register[] = { 6, 0, 0x6b, 1, 2 };
	uint8_t pdu[PDU_MAX];

	ck_assert_uint_eq(pdu_write(&coils, 0, bits, 10, pdu), sizeof(many_coils));
	ck_assert_mem_eq(pdu, many_coils, sizeof(many_coils));
	ck_assert_int_eq(pdu_write_answer(pdu, many_coils, 5), 0);
	ck_assert_int_eq(pdu_write_answer(pdu, many_registers, 5), -EBADMSG);
	ck_assert_int_eq(pdu_write_answer(pdu, many_coils, 4), -EBADMSG);
	ck_assert_uint_eq(pdu_write(&registers, 1, numbers, 2, pdu), sizeof(many_registers));
	ck_assert_mem_eq(pdu, many_registers, sizeof(many_registers));
	ck_assert_uint_eq(pdu_write(&coils, 2, bits, 1, pdu), sizeof(one_coil));
	ck_assert_mem_eq(pdu, one_coil, sizeof(one_coil));
	ck_assert_uint_eq(pdu_write(&registers, 0, &numbers[1], 1, pdu), sizeof(one_register));
	ck_assert_mem_eq(pdu, one_register, sizeof(one_register));
}
END_TEST

START_TEST(test_largest_write)
{
	static uint16_t values[WRITE_BITS_MAX];
	const struct cluster many = { .type = CLUSTER_COIL, .quantity = CLUSTER_BITS_MAX };
	uint8_t pdu[PDU_MAX];

	ck_assert_uint_le(pdu_write(&many, 0, values, pdu_write_max(&many), pdu), PDU_MAX);
	ck_assert_uint_le(pdu_write(&registers, 0, values, pdu_write_max(&registers), pdu), PDU_MAX);
}
END_TEST

static const struct {
	uint8_t code;
	int error;
	const char *text;
} exceptions[] = {
	{ 1, -EIO, "exception 1 (illegal function)" },
	{ 2, -EIO, "exception 2 (illegal data address)" },
	{ 6, -EBUSY, "exception 6 (device busy)" },
	{ 10, -EHOSTDOWN, "exception 10 (gateway path unavailable)" },
	{ 11, -ETIMEDOUT, "exception 11 (gateway target did not answer)" },
	{ 7, -EIO, "exception 7 (that no standard knows)" },
	{ 255, -EIO, "exception 255 (that no standard knows)" },
};

START_TEST(test_exceptions)
{
	const uint8_t request[] = { 3, 0, 0, 0, 1 }, answer[] = { 0x83, exceptions[_i].code };
	char text[EXCEPTION_TEXT_MAX];

	ck_assert_int_eq(pdu_exception(request, answer, 2, text), exceptions[_i].error);
	ck_assert_str_eq(text, exceptions[_i].text);
	/* Of another function. */
	ck_assert_int_eq(pdu_exception((const uint8_t[]){ 4 }, answer, 2, text), 0);
	ck_assert_int_eq(pdu_exception(request, answer, 1, text), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pdu");
	TCase *tcase = tcase_create("pdu");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_reads);
	tcase_add_test(tcase, test_writes);
	tcase_add_test(tcase, test_largest_write);
	tcase_add_loop_test(tcase, test_exceptions, 0, ARRAY_SIZE(exceptions));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
