/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/reader.h"

#define SIZE_MOST (UINT64_C(1) << 40)

static const struct {
	const char *name;
	unsigned shift;
} units[] = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };

bool size_parse(const char *text, uint64_t least, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	char number[FORMAT_U64_MAX];
	uint64_t value;

	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (parse_u64(number, &value) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!streq(text + digits, units[i].name))
			continue;
		if (value > SIZE_MOST >> units[i].shift)
			return false;
		*ret = value << units[i].shift;
		return *ret >= least;
	}
	return false;
}
