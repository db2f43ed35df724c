/* SPDX-License-Identifier: Apache-2.0 */
#include "host/memory.h"
#include "host/sandbox/sandbox.h"
#include "suite.h"

START_TEST(the_limit_grows_with_the_configuration)
{
	uint64_t unit = sandbox_is_sanitized() ? 10 : 1;

	ck_assert_uint_eq(memory_limit(0, 0), unit * MEMORY_HOST_BYTES);
	ck_assert_uint_eq(memory_limit(2, 0) - memory_limit(1, 0), unit * MEMORY_DEVICE_BYTES);
	ck_assert_uint_eq(memory_limit(1, 5) - memory_limit(1, 4), unit * MEMORY_POINT_BYTES);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_test(t, the_limit_grows_with_the_configuration);
}

int main(void)
{
	return run_suite("memory", add);
}
