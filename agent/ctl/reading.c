/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "ctl/record.h"
#include "ctl/table.h"
#include "dbus/agent1.h"

/* ---- one value ---- */

static int take_data(struct arena *arena, enum fieldway_type type, const void *data, size_t size,
		     struct fieldway_value *ret)
{
	*ret = (struct fieldway_value){ .type = type };
	ret->size = size;
	ret->data = arena_text(arena, data ?: "", size);
	return ret->data ? 0 : -ENOMEM;
}

static int read_number(sd_bus_message *m, char type, struct fieldway_value *ret)
{
	struct fieldway_value v = { 0 };
	int boolean = 0, r;

	switch (type) {
	case 'b':
		r = sd_bus_message_read_basic(m, 'b', &boolean);
		v = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = boolean };
		break;
	case 'x':
		v.type = FIELDWAY_INT;
		r = sd_bus_message_read_basic(m, 'x', &v.integer);
		break;
	case 't':
		v.type = FIELDWAY_UINT;
		r = sd_bus_message_read_basic(m, 't', &v.unsignd);
		break;
	case 'd':
		v.type = FIELDWAY_FLOAT;
		r = sd_bus_message_read_basic(m, 'd', &v.real);
		break;
	default:
		return -EBADMSG;
	}
	if (r > 0)
		*ret = v;
	return r > 0 ? 0 : record_error(r);
}

static int read_contents(sd_bus_message *m, struct arena *arena, const char *type,
			 struct fieldway_value *ret)
{
	const void *data;
	const char *text;
	size_t size;
	int r;

	if (streq(type, "s")) {
		r = sd_bus_message_read_basic(m, 's', &text);
		return r > 0 ? take_data(arena, FIELDWAY_STRING, text, strlen(text), ret) :
			       record_error(r);
	}
	if (streq(type, "ay")) {
		r = sd_bus_message_read_array(m, 'y', &data, &size);
		return r > 0 ? take_data(arena, FIELDWAY_BYTES, data, size, ret) : record_error(r);
	}
	return strlen(type) == 1 ? read_number(m, *type, ret) : -EBADMSG;
}

static int read_variant(sd_bus_message *m, struct arena *arena, struct fieldway_value *ret)
{
	const char *type;
	char kind;
	int r = sd_bus_message_peek_type(m, &kind, &type);

	if (r <= 0 || kind != 'v')
		return record_error(r);
	r = sd_bus_message_enter_container(m, 'v', type);
	if (r <= 0)
		return record_error(r);
	r = read_contents(m, arena, type, ret);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r > 0 ? 0 : record_error(r);
}

/* ---- all of them ---- */

static int read_one(sd_bus_message *m, struct arena *arena, void *place)
{
	struct reading *reading = place;
	int r = sd_bus_message_enter_container(m, 'r', "ssv");

	if (r <= 0)
		return record_error(r);
	r = sd_bus_message_read(m, "ss", &reading->name, &reading->problem);
	r = r > 0 ? read_variant(m, arena, &reading->value) : record_error(r);
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
