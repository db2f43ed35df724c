/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct fieldway_value *setting_find(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0)
			return &s->items[i].value;
	return NULL;
}

bool setting_has(const struct fieldway_settings *s, const char *key)
{
	return setting_find(s, key) != NULL;
}

uint64_t setting_uint(const struct fieldway_settings *s, const char *key, uint64_t fallback)
{
	const struct fieldway_value *v = setting_find(s, key);

	if (!v)
		return fallback;
	if (v->type == FIELDWAY_INT)
		return (uint64_t)v->integer;
	return v->type == FIELDWAY_UINT ? v->unsignd : fallback;
}

int setting_choice(const struct fieldway_settings *s, const char *key, const char *const *choices,
		   int fallback)
{
	const struct fieldway_value *v = setting_find(s, key);

	if (!v)
		return fallback;
	if (v->type != FIELDWAY_STRING)
		return -EINVAL;
	for (int i = 0; choices[i]; i++)
		if (strlen(choices[i]) == v->size && memcmp(choices[i], v->data, v->size) == 0)
			return i;
	return -EINVAL;
}

char *setting_text(const struct fieldway_settings *s, const char *key)
{
	const struct fieldway_value *v = setting_find(s, key);

	return v && v->type == FIELDWAY_STRING ? strndup(v->data, v->size) : NULL;
}

int setting_refuse(struct fieldway_error *error, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	error->point = -1;
	error->key = key;
	return -EINVAL;
}
