/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

/* ---- to a message ---- */

static int append_setting(sd_bus_message *m, const struct fieldway_setting *s)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', s->key);
	if (r >= 0)
		r = link_append_value(m, &s->value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_settings(sd_bus_message *m, const struct fieldway_settings *s)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < s->n; i++)
		r = append_setting(m, &s->items[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_values(sd_bus_message *m, const struct fieldway_value *values, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "v");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = link_append_value(m, &values[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Cuts the brackets off: what sd_bus_message_open_container() wants for a struct. */
#define POINT_CONTENTS "sudddavb(btdi)tdtyti" LINK_TYPE_SETTINGS
#define TYPE_CONTENTS LINK_TYPE_SETTINGS "a" LINK_TYPE_POINT "(iav)"
#define DEVICE_CONTENTS "usu" LINK_TYPE_SETTINGS
#define BUS_CONTENTS "ss" LINK_TYPE_SETTINGS "tuutt"

static int append_point(sd_bus_message *m, const struct link_point *p)
{
	int r = sd_bus_message_open_container(m, 'r', POINT_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "suddd", p->name, p->access, p->scale, p->offset, p->factor);
	if (r >= 0)
		r = append_values(m, p->invalid, p->n_invalid);
	if (r >= 0)
		r = sd_bus_message_append(m, "b(btdi)tdtyti", (int)p->inexact_reject,
					  (int)p->verify.enabled, p->verify.within_usec, p->verify.tolerance,
					  p->verify.point, p->period_usec, p->deadband, p->sample_usec,
					  (uint8_t)p->sample_keep, p->silence_usec, p->scale10);
	if (r >= 0)
		r = link_append_settings(m, &p->settings);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_identify(sd_bus_message *m, const struct link_identify *i)
{
	int r = sd_bus_message_open_container(m, 'r', "iav");

	if (r >= 0)
		r = sd_bus_message_append(m, "i", i->point);
	if (r >= 0)
		r = append_values(m, i->values, i->n_values);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_type(sd_bus_message *m, const struct link_type *t)
{
	int r = sd_bus_message_open_container(m, 'r', TYPE_CONTENTS);

	if (r >= 0)
		r = link_append_settings(m, &t->settings);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', LINK_TYPE_POINT);
	for (size_t i = 0; r >= 0 && i < t->n_points; i++)
		r = append_point(m, &t->points[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = append_identify(m, &t->identify);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_device(sd_bus_message *m, const struct link_device *d)
{
	int r = sd_bus_message_open_container(m, 'r', DEVICE_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "usu", d->id, d->name, d->type);
	if (r >= 0)
		r = link_append_settings(m, &d->address);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_bus(sd_bus_message *m, const struct link_configuration *c)
{
	int r = sd_bus_message_open_container(m, 'r', BUS_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", c->plugin, c->bus.name);
	if (r >= 0)
		r = link_append_settings(m, &c->bus.settings);
	if (r >= 0)
		r = sd_bus_message_append(m, "tuutt", c->bus.timeout_usec, c->retries, c->offline_after,
					  c->offline_first_usec, c->offline_last_usec);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_types(sd_bus_message *m, const struct link_configuration *c)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_TYPE);

	for (size_t i = 0; r >= 0 && i < c->n_types; i++)
		r = append_type(m, &c->types[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_devices(sd_bus_message *m, const struct link_configuration *c)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE);

	for (size_t i = 0; r >= 0 && i < c->n_devices; i++)
		r = append_device(m, &c->devices[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_configuration(struct sd_bus_message *m, const struct link_configuration *c)
{
	int r = sd_bus_message_append(m, "t", c->generation);

	if (r >= 0)
		r = append_bus(m, c);
	if (r >= 0)
		r = append_types(m, c);
	return r < 0 ? r : append_devices(m, c);
}

/* ---- and back ---- */

/* Doubles the array as it comes; what it had before stays in the arena until the end. */
static int array_grow(struct arena *arena, void **items, size_t item_size, size_t n, size_t *allocated)
{
	size_t wanted = *allocated > 0 ? *allocated * 2 : 4;
	void *grown;

	if (n < *allocated)
		return 0;
	grown = arena_new(arena, wanted * item_size);
	if (!grown)
		return -ENOMEM;
	if (n > 0)
		memcpy(grown, *items, n * item_size);
	*items = grown;
	*allocated = wanted;
	return 0;
}

/* Every kind but a value is a struct and is entered here. */
static int read_item(sd_bus_message *m, char kind, const char *contents, link_item_reader reader,
		     struct arena *arena, void *item)
{
	int r;

	if (kind == 'v')
		return reader(m, arena, item);
	r = sd_bus_message_enter_container(m, kind, contents);
	if (r <= 0)
		return link_malformed(r);
	r = reader(m, arena, item);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_items(sd_bus_message *m, char kind, const char *contents, size_t item_size, size_t most,
		      link_item_reader reader, struct arena *arena, void **ret_items, size_t *ret_n)
{
	void *items = NULL;
	size_t n = 0, allocated = 0;
	int r;

	while ((r = sd_bus_message_at_end(m, 0)) == 0) {
		if (n >= most)
			return -EBADMSG;
		r = array_grow(arena, &items, item_size, n, &allocated);
		if (r < 0)
			return r;
		r = read_item(m, kind, contents, reader, arena, (char *)items + n * item_size);
		if (r < 0)
			return r;
		n++;
	}
	*ret_items = items;
	*ret_n = n;
	return r;
}

int link_read_array(struct sd_bus_message *m, char kind, const char *contents, size_t item_size,
		    size_t most, link_item_reader reader, struct arena *arena, void *ret_items,
		    size_t *ret_n)
{
	const char *type;
	void *items;
	char array;
	int r;

	r = sd_bus_message_peek_type(m, &array, &type);
	if (r <= 0 || array != 'a')
		return -EBADMSG;
	r = sd_bus_message_enter_container(m, 'a', type);
	if (r < 0)
		return link_malformed(r);
	r = read_items(m, kind, contents, item_size, most, reader, arena, &items, ret_n);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return link_malformed(r);
	memcpy(ret_items, &items, sizeof(items));
	return 0;
}

static int read_setting(sd_bus_message *m, struct arena *arena, void *item)
{
	struct fieldway_setting *s = item;
	int r = sd_bus_message_read_basic(m, 's', &s->key);

	return r <= 0 ? link_malformed(r) : link_read_value(m, &s->value);
}

int link_read_settings(sd_bus_message *m, struct arena *arena, struct fieldway_settings *s)
{
	return link_read_array(m, 'r', "sv", sizeof(struct fieldway_setting), LINK_SETTINGS_MAX,
			       read_setting, arena, &s->items, &s->n);
}

static int read_one_value(sd_bus_message *m, struct arena *arena, void *item)
{
	return link_read_value(m, item);
}

static int read_point_end(sd_bus_message *m, struct arena *arena, struct link_point *p)
{
	int inexact, verify, r;
	uint8_t keep;

	r = sd_bus_message_read(m, "b(btdi)tdtyti", &inexact, &verify, &p->verify.within_usec,
				&p->verify.tolerance, &p->verify.point, &p->period_usec, &p->deadband,
				&p->sample_usec, &keep, &p->silence_usec, &p->scale10);
	if (r <= 0)
		return link_malformed(r);
	if (keep > LINK_KEEP_MAXIMUM)
		return -EBADMSG;
	p->sample_keep = (enum link_keep)keep;
	p->inexact_reject = inexact;
	p->verify.enabled = verify;
	return link_read_settings(m, arena, &p->settings);
}

static int read_point(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_point *p = item;
	int r;

	r = sd_bus_message_read(m, "suddd", &p->name, &p->access, &p->scale, &p->offset, &p->factor);
	if (r <= 0)
		return link_malformed(r);
	r = link_read_array(m, 'v', NULL, sizeof(*p->invalid), LINK_INVALID_MAX, read_one_value, arena,
			    &p->invalid, &p->n_invalid);
	return r < 0 ? r : read_point_end(m, arena, p);
}

/* Of another point, or -1. */
static bool index_is_sane(int32_t index, size_t n_points)
{
	return index >= -1 && index < (int64_t)n_points;
}

static bool point_is_sane(const struct link_point *p, size_t n_points)
{
	return isfinite(p->scale) && isfinite(p->offset) && isfinite(p->factor) && p->scale != 0 &&
	       p->factor != 0 && p->deadband >= 0 && isfinite(p->deadband) &&
	       index_is_sane(p->verify.point, n_points) && index_is_sane(p->scale10, n_points);
}

static int read_identify(sd_bus_message *m, struct arena *arena, struct link_identify *i)
{
	int r = sd_bus_message_enter_container(m, 'r', "iav");

	if (r > 0)
		r = sd_bus_message_read_basic(m, 'i', &i->point);
	if (r <= 0)
		return link_malformed(r);
	r = link_read_array(m, 'v', NULL, sizeof(*i->values), LINK_INVALID_MAX, read_one_value, arena,
			    &i->values, &i->n_values);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_type(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_type *t = item;
	int r;

	r = link_read_settings(m, arena, &t->settings);
	if (r >= 0)
		r = link_read_array(m, 'r', POINT_CONTENTS, sizeof(*t->points), LINK_POINTS_MAX, read_point,
				    arena, &t->points, &t->n_points);
	for (size_t i = 0; r >= 0 && i < t->n_points; i++)
		if (!point_is_sane(&t->points[i], t->n_points))
			return -EBADMSG;
	if (r >= 0)
		r = read_identify(m, arena, &t->identify);
	return r < 0 || index_is_sane(t->identify.point, t->n_points) ? r : -EBADMSG;
}

static int read_device(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_device *d = item;
	int r = sd_bus_message_read(m, "usu", &d->id, &d->name, &d->type);

	return r <= 0 ? link_malformed(r) : link_read_settings(m, arena, &d->address);
}

static int read_bus(sd_bus_message *m, struct arena *arena, struct link_configuration *c)
{
	int r;

	r = sd_bus_message_enter_container(m, 'r', BUS_CONTENTS);
	if (r > 0)
		r = sd_bus_message_read(m, "ss", &c->plugin, &c->bus.name);
	if (r > 0)
		r = link_read_settings(m, arena, &c->bus.settings) < 0 ? -EBADMSG : 1;
	if (r > 0)
		r = sd_bus_message_read(m, "tuutt", &c->bus.timeout_usec, &c->retries, &c->offline_after,
					&c->offline_first_usec, &c->offline_last_usec);
	return r <= 0 ? link_malformed(r) : sd_bus_message_exit_container(m);
}

static int read_all(sd_bus_message *m, struct arena *arena, struct link_configuration *c)
{
	int r;

	r = sd_bus_message_read(m, "t", &c->generation);
	if (r <= 0)
		return link_malformed(r);
	r = read_bus(m, arena, c);
	if (r < 0)
		return r;
	r = link_read_array(m, 'r', TYPE_CONTENTS, sizeof(*c->types), LINK_DEVICES_MAX, read_type, arena,
			    &c->types, &c->n_types);
	if (r < 0)
		return r;
	r = link_read_array(m, 'r', DEVICE_CONTENTS, sizeof(*c->devices), LINK_DEVICES_MAX, read_device,
			    arena, &c->devices, &c->n_devices);
	for (size_t i = 0; r >= 0 && i < c->n_devices; i++)
		if (c->devices[i].type >= c->n_types)
			return -EBADMSG;
	return r;
}

DEFINE_FREEP(struct link_configuration *, link_configuration_free)

int link_read_configuration(struct sd_bus_message *m, struct link_configuration **ret)
{
	_cleanup_(link_configuration_freep) struct link_configuration *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	/* It may hold keys. */
	r = sd_bus_message_sensitive(m);
	if (r < 0)
		return r;
	c->arena = calloc(1, sizeof(struct arena));
	if (!c->arena)
		return -ENOMEM;
	r = read_all(m, c->arena, c);
	if (r < 0)
		return link_malformed(r);
	c->message = sd_bus_message_ref(m);
	*ret = TAKE_PTR(c);
	return 0;
}

struct link_configuration *link_configuration_free(struct link_configuration *c)
{
	if (!c)
		return NULL;
	if (c->arena)
		arena_done(c->arena);
	free(c->arena);
	sd_bus_message_unref(c->message);
	free(c);
	return NULL;
}
