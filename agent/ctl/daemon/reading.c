/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "dbus/agent1.h"
#include "link/marshal.h"

static int read_one(sd_bus_message *m, struct arena *arena, void *place)
{
	struct reading *reading = place;
	int r = sd_bus_message_enter_container(m, 'r', "ssv");

	(void)arena;
	if (r <= 0)
		return record_error(r);
	r = sd_bus_message_read(m, "ss", &reading->name, &reading->problem);
	r = r > 0 ? link_read_value(m, &reading->value) : record_error(r);
	if (r < 0)
		return r;
	if (*reading->problem)
		reading->value = (struct fieldway_value){ 0 };
	r = sd_bus_message_exit_container(m);
	return r > 0 ? 0 : record_error(r);
}

int readings_read(sd_bus_message *m, struct arena *arena, struct reading **ret, size_t *ret_n)
{
	return record_array_read(m, AGENT1_READING, sizeof(**ret), read_one, arena, ret, ret_n);
}

const struct reading *reading_find(const struct reading *readings, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(readings[i].name, name))
			return &readings[i];
	return NULL;
}

/* ---- for people ---- */

static const char *bytes_text(struct arena *arena, const struct fieldway_value *value)
{
	_cleanup_free_ char *hex = hex_encode(value->data, value->size);

	return hex ? arena_text(arena, hex, strlen(hex)) : NULL;
}

const char *reading_text(struct arena *arena, const struct fieldway_value *value)
{
	char text[FORMAT_DOUBLE_MAX];

	switch (value->type) {
	case FIELDWAY_NONE:
		return "";
	case FIELDWAY_BOOL:
		return value->boolean ? "true" : "false";
	case FIELDWAY_INT:
		snprintf(text, sizeof(text), "%" PRId64, value->integer);
		break;
	case FIELDWAY_UINT:
		format_u64(value->unsignd, text);
		break;
	case FIELDWAY_FLOAT:
		format_double(value->real, text);
		break;
	case FIELDWAY_STRING:
		return arena_text(arena, value->data, value->size);
	case FIELDWAY_BYTES:
		return bytes_text(arena, value);
	}
	return arena_text(arena, text, strlen(text));
}

json_t *readings_document(const struct reading *readings, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array, json_pack("{s:s, s:o, s:s?}", "name", readings[i].name,
					       "value", document_value(&readings[i].value),
					       "problem", document_text(readings[i].problem)));
	return array;
}

int readings_print(FILE *to, const struct reading *readings, size_t n)
{
	_cleanup_table_ struct table t = { .columns = 2 };
	_cleanup_arena_ struct arena arena = { 0 };
	const char *text;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		text = *readings[i].problem ? readings[i].problem :
					      reading_text(&arena, &readings[i].value);
		r = text ? table_add(&t, (const char *[]){ readings[i].name, text }) : -ENOMEM;
	}
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}
