/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/* Looking into settings that the host has checked against the key table. */

const struct fieldway_value *setting_find(const struct fieldway_settings *s, const char *key);
bool setting_has(const struct fieldway_settings *s, const char *key);
/* The number, or fallback where the key is not set. */
uint64_t setting_uint(const struct fieldway_settings *s, const char *key, uint64_t fallback);
/* The index in choices of the text, fallback where the key is not set, -EINVAL for another text. */
int setting_choice(const struct fieldway_settings *s, const char *key, const char *const *choices,
		   int fallback);
/* A copy, NULL where the key is not set or memory is short; the caller frees it. */
char *setting_text(const struct fieldway_settings *s, const char *key);

/* Fills error and returns -EINVAL. key is one of the table, or NULL. */
int setting_refuse(struct fieldway_error *error, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
