/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"
#include "config/keys.h"
#include "config/sections.h"

/* How the tables are written. */
#define AT(type, member) .offset = offsetof(struct type, member)
#define LATER(n, h)                                                                                \
	{                                                                                          \
		n, KEY_LATER, .help = h                                                            \
	}
#define SCHEMA(h)                                                                                  \
	{                                                                                          \
		"schema", KEY_ONLY, .required = true, .initial = "1", .help = h                    \
	}
#define KEY_TABLE(where, k)                                                                        \
	{                                                                                          \
		where, k, ARRAY_SIZE(k)                                                            \
	}
