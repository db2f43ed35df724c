/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"

/* What sd-bus says about a message of another type than expected. */
int link_malformed(int r)
{
	return r == -ENOMEM ? r : -EBADMSG;
}

int link_append_text(struct sd_bus_message *m, const char *text)
{
	if (!utf8_is_valid(text ?: "", strlen(text ?: "")))
		return -EINVAL;
	return sd_bus_message_append_basic(m, 's', text ?: "");
}

int link_check_text(const char *text)
{
	return strnlen(text, LINK_TEXT_MAX + 1) > LINK_TEXT_MAX ? -EBADMSG : 0;
}

bool link_value_is_valid(const struct fieldway_value *value)
{
	return value->type != FIELDWAY_STRING ||
	       (value->size < UINT32_MAX && !memchr(value->data ?: "", '\0', value->size) &&
		utf8_is_valid(value->data ?: "", value->size));
}

static int append_text(sd_bus_message *m, const struct fieldway_value *value)
{
	char *text;
	int r;

	if (!link_value_is_valid(value))
		return -EINVAL;
	r = sd_bus_message_open_container(m, 'v', "s");
	if (r < 0)
		return r;
	r = sd_bus_message_append_string_space(m, value->size, &text);
	if (r < 0)
		return r;
	if (value->size > 0)
		memcpy(text, value->data, value->size);
	return sd_bus_message_close_container(m);
}

static int append_bytes(sd_bus_message *m, const struct fieldway_value *value)
{
	int r = sd_bus_message_open_container(m, 'v', "ay");

	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', value->data, value->size);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_value(struct sd_bus_message *m, const struct fieldway_value *value)
{
	switch (value->type) {
	case FIELDWAY_NONE:
		return sd_bus_message_append(m, "v", "y", 0);
	case FIELDWAY_BOOL:
		return sd_bus_message_append(m, "v", "b", (int)value->boolean);
	case FIELDWAY_INT:
		return sd_bus_message_append(m, "v", "x", value->integer);
	case FIELDWAY_UINT:
		return sd_bus_message_append(m, "v", "t", value->unsignd);
	case FIELDWAY_FLOAT:
		return sd_bus_message_append(m, "v", "d", value->real);
	case FIELDWAY_STRING:
		return append_text(m, value);
	case FIELDWAY_BYTES:
		return append_bytes(m, value);
	}
	return -EINVAL;
}

static int read_text(sd_bus_message *m, struct fieldway_value *v)
{
	int r;

	v->type = FIELDWAY_STRING;
	r = sd_bus_message_read_basic(m, 's', &v->data);
	v->size = r > 0 ? strlen(v->data) : 0;
	return r;
}

static int read_bytes(sd_bus_message *m, struct fieldway_value *v)
{
	const void *data;
	int r;

	r = sd_bus_message_read_array(m, 'y', &data, &v->size);
	v->type = FIELDWAY_BYTES;
	v->data = r < 0 ? NULL : data;
	return r;
}

/* Inside the variant. */
static int read_content(sd_bus_message *m, const char *contents, struct fieldway_value *v)
{
	int boolean = 0, r;
	uint8_t none;

	if (streq(contents, "ay"))
		return read_bytes(m, v);
	switch (contents[1] ? 0 : contents[0]) {
	case 'y':
		v->type = FIELDWAY_NONE;
		return sd_bus_message_read_basic(m, 'y', &none);
	case 'b':
		v->type = FIELDWAY_BOOL;
		r = sd_bus_message_read_basic(m, 'b', &boolean);
		v->boolean = boolean;
		return r;
	case 'x':
		v->type = FIELDWAY_INT;
		return sd_bus_message_read_basic(m, 'x', &v->integer);
	case 't':
		v->type = FIELDWAY_UINT;
		return sd_bus_message_read_basic(m, 't', &v->unsignd);
	case 'd':
		v->type = FIELDWAY_FLOAT;
		return sd_bus_message_read_basic(m, 'd', &v->real);
	case 's':
		return read_text(m, v);
	default:
		return -EBADMSG;
	}
}

int link_read_value(struct sd_bus_message *m, struct fieldway_value *ret)
{
	struct fieldway_value value = { 0 };
	const char *contents;
	char type;
	int r;

	r = sd_bus_message_peek_type(m, &type, &contents);
	if (r <= 0 || type != 'v')
		return -EBADMSG;
	r = sd_bus_message_enter_container(m, 'v', contents);
	if (r >= 0)
		r = read_content(m, contents, &value);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return link_malformed(r);
	*ret = value;
	return 0;
}
