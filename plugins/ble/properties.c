/* SPDX-License-Identifier: Apache-2.0 */
#include "properties.h"

#include <errno.h>
#include <string.h>

static int one_property(sd_bus_message *m, property_handler handler, void *userdata)
{
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	r = handler(name, m, userdata);
	return r == 0 ? sd_bus_message_skip(m, "v") : r;
}

int properties_each(sd_bus_message *m, property_handler handler, void *userdata)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = one_property(m, handler, userdata);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Is the variant at m of this type? */
static int variant_is(sd_bus_message *m, const char *signature)
{
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(m, &type, &contents);

	if (r < 0)
		return r;
	return r > 0 && type == 'v' && strcmp(contents, signature) == 0;
}

static int read_variant(sd_bus_message *m, const char *signature, void *ret)
{
	int r = variant_is(m, signature);

	if (r <= 0)
		return r;
	r = sd_bus_message_enter_container(m, 'v', signature);
	if (r < 0)
		return r;
	r = sd_bus_message_read_basic(m, signature[0], ret);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}

int property_bool(sd_bus_message *m, bool *ret)
{
	int value = 0, r = read_variant(m, "b", &value);

	if (r > 0)
		*ret = value != 0;
	return r;
}

int property_int16(sd_bus_message *m, int16_t *ret)
{
	return read_variant(m, "n", ret);
}

int property_byte(sd_bus_message *m, uint8_t *ret)
{
	return read_variant(m, "y", ret);
}

int property_text(sd_bus_message *m, char type, const char **ret)
{
	const char signature[2] = { type, 0 };

	return read_variant(m, signature, ret);
}

int property_bytes(sd_bus_message *m, const void **ret, size_t *ret_size)
{
	int r = variant_is(m, "ay");

	if (r <= 0)
		return r;
	r = sd_bus_message_enter_container(m, 'v', "ay");
	if (r < 0)
		return r;
	r = sd_bus_message_read_array(m, 'y', ret, ret_size);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r < 0 ? r : 1;
}
