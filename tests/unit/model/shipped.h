/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/yaml.h"
#include "model/definition.h"

/* The objects that are shipped; the caller frees them. */
static inline struct definitions *shipped_definitions(void)
{
	const char *top = getenv("abs_top_srcdir");
	struct yaml_errors errors = { 0 };
	struct definitions *d;
	char folder[512];

	ck_assert_ptr_nonnull(top);
	snprintf(folder, sizeof(folder), "%s/objects", top);
	ck_assert_int_eq(definitions_new(&d), 0);
	ck_assert_int_eq(definitions_read_folder(d, folder, &errors), 0);
	return d;
}
