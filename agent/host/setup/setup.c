/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/setup/io.h"
#include "host/setup/polls.h"
#include "host/setup/settings.h"
#include "link/marshal.h"

/* A type as far as it is the same for all its devices. */
struct type {
	struct fieldway_point *points;
	bool compiled, refused;
};

struct building {
	struct setup *setup;
	struct refusals *refusals;
	enum setup_kind kind;
	struct type *types;
};

static const char *bus_name(const struct building *b)
{
	return b->setup->bus.name;
}

static struct refusal_place device_place(const struct building *b, const struct link_device *d)
{
	return (struct refusal_place){ .bus = bus_name(b),
				       .device = d->name,
				       .device_id = (int32_t)d->id,
				       .point_index = -1 };
}

static struct refusal_place point_place(const struct building *b, const struct link_device *d,
					const struct link_type *type, size_t point)
{
	struct refusal_place place = device_place(b, d);

	place.point = type->points[point].name;
	place.point_index = (int32_t)point;
	return place;
}

/* ---- bus ---- */

static int refuse_bus(const struct building *b, const char *key, const char *text)
{
	const struct refusal_place place = { .bus = bus_name(b),
					     .device_id = -1,
					     .point_index = -1 };
	int r = refusals_add(b->refusals, &place, key, "%s", text);

	return r < 0 ? r : -EINVAL;
}

static int check_numbers(const struct building *b)
{
	const struct link_configuration *c = b->setup->configuration;

	if (c->bus.timeout_usec < USEC_PER_MSEC || c->bus.timeout_usec > SETUP_TIMEOUT_MAX_USEC)
		return refuse_bus(b, "timeout", "the timeout is 1 ms to 10 minutes");
	if (c->retries > SETUP_RETRIES_MAX)
		return refuse_bus(b, "retries", "at most 100 retries");
	if (c->offline_first_usec < USEC_PER_MSEC || c->offline_first_usec > c->offline_last_usec)
		return refuse_bus(b, "offline", "retry is from 1 ms up, the shorter time first");
	return 0;
}

static int compile_bus(const struct building *b)
{
	const struct settings_source source = { FIELDWAY_SCOPE_BUS,
						&b->setup->configuration->bus.settings };
	const struct refusal_place place = { .bus = bus_name(b),
					     .device_id = -1,
					     .point_index = -1 };
	struct fieldway_error error = { .point = -1 };
	struct setup *s = b->setup;
	int r;

	if (!(s->plugin->capabilities & (FIELDWAY_CAN_POLL | FIELDWAY_CAN_LISTEN)))
		return refuse_bus(b, NULL, "the plugin can neither poll nor listen");
	r = check_numbers(b);
	if (r < 0)
		return r;
	r = settings_compile(s->plugin, &source, 1, &place, &s->arena, &s->bus.settings,
			     b->refusals);
	if (r < 0)
		return r;
	r = s->plugin->bus_check(&s->bus, &error);
	return r < 0 ? refuse_bus(b, error.key, error.text) : 0;
}

/* ---- types ---- */

static int check_point(const struct building *b, const struct link_device *d,
		       const struct link_type *type, size_t i)
{
	const struct refusal_place place = point_place(b, d, type, i);
	const struct link_point *p = &type->points[i];
	const struct link_point *proof = p->verify.point >= 0 ? &type->points[p->verify.point] : p;
	const struct link_point *exponent = p->scale10 >= 0 ? &type->points[p->scale10] : NULL;
	int r = 0;

	if ((p->access & LINK_WRITE) && !(b->setup->plugin->capabilities & FIELDWAY_CAN_WRITE))
		r = refusals_add(b->refusals, &place, "access", "the plugin cannot write");
	else if (exponent && exponent->scale10 >= 0)
		r = refusals_add(b->refusals, &place, "scale10", "point %s has a scale10 itself",
				 exponent->name);
	else if (exponent && !(exponent->access & LINK_READ))
		r = refusals_add(b->refusals, &place, "scale10", "point %s cannot be read",
				 exponent->name);
	else if (p->verify.enabled && (p->access & LINK_WRITE) && !(proof->access & LINK_READ))
		r = refusals_add(b->refusals, &place, "verify", "point %s cannot be read back",
				 proof->name);
	else
		return 0;
	return r < 0 ? r : -EINVAL;
}

static int compile_point(const struct building *b, const struct link_device *d,
			 const struct link_type *type, size_t i, struct fieldway_point *ret)
{
	const struct link_point *p = &type->points[i];
	const struct settings_source source = { FIELDWAY_SCOPE_POINT, &p->settings };
	const struct refusal_place place = point_place(b, d, type, i);
	int r;

	*ret = (struct fieldway_point){ .name = p->name,
					.readable = p->access & LINK_READ,
					.writable = p->access & LINK_WRITE,
					.period_usec = p->period_usec };
	r = check_point(b, d, type, i);
	if (r < 0)
		return r;
	return settings_compile(b->setup->plugin, &source, 1, &place, &b->setup->arena,
				&ret->settings, b->refusals);
}

static int check_identify(const struct building *b, const struct link_device *d,
			  const struct link_type *type)
{
	const struct link_identify *identify = &type->identify;
	struct refusal_place place;
	int r;

	if (identify->n_values == 0)
		return 0;
	if (identify->point < 0)
		return -EBADMSG;
	if ((type->points[identify->point].access & LINK_READ) &&
	    type->points[identify->point].scale10 < 0)
		return 0;
	place = point_place(b, d, type, (size_t)identify->point);
	r = refusals_add(b->refusals, &place, "identify", "identifies nothing: it %s",
			 type->points[identify->point].scale10 >= 0 ? "has a scale10" :
								      "cannot be read");
	return r < 0 ? r : -EINVAL;
}

/* The first device of a type stands for all: what is wrong with its points is said once. */
static int compile_type(const struct building *b, const struct link_device *d,
			const struct link_type *type, struct type *t)
{
	int r;

	if (t->compiled)
		return t->refused ? -EINVAL : 0;
	t->compiled = true;
	t->points = arena_new(&b->setup->arena, (type->n_points + 1) * sizeof(*t->points));
	if (!t->points)
		return -ENOMEM;
	for (size_t i = 0; i < type->n_points; i++) {
		r = compile_point(b, d, type, i, &t->points[i]);
		if (r == -ENOMEM)
			return r;
		t->refused |= r < 0;
	}
	r = check_identify(b, d, type);
	if (r < 0 && r != -EINVAL)
		return r;
	t->refused |= r < 0;
	return t->refused ? -EINVAL : 0;
}

/* ---- devices ---- */

static int compile_settings(const struct building *b, struct setup_device *d)
{
	const struct settings_source sources[] = {
		{ FIELDWAY_SCOPE_DEVICE | FIELDWAY_SCOPE_PROFILE, &d->type->settings },
		{ FIELDWAY_SCOPE_ADDRESS, &d->link->address },
	};
	const struct refusal_place place = device_place(b, d->link);

	return settings_compile(b->setup->plugin, sources, b->kind == SETUP_BUS ? 2 : 1, &place,
				&b->setup->arena, &d->device.settings, b->refusals);
}

static int refuse_driver(const struct building *b, const struct setup_device *d, struct type *t,
			 const struct fieldway_error *error)
{
	bool of_point = error->point >= 0 && (size_t)error->point < d->type->n_points;
	struct refusal_place place =
		of_point ? point_place(b, d->link, d->type, (size_t)error->point) :
			   device_place(b, d->link);
	int r = refusals_add(b->refusals, &place, error->key, "%s", error->text);

	t->refused |= of_point;
	return r < 0 ? r : -EINVAL;
}

static int name_line(const struct building *b, struct setup_device *d)
{
	const struct refusal_place place = device_place(b, d->link);
	char line[SETUP_LINE_NAME_MAX];
	int r;

	if (b->kind == SETUP_SAMPLE)
		return 0;
	r = b->setup->plugin->line_name(d->driver, line, sizeof(line));
	if (r < 0) {
		r = refusals_add(b->refusals, &place, NULL,
				 "its place on the line has too long a name");
		return r < 0 ? r : -EINVAL;
	}
	d->line = arena_text(&b->setup->arena, line, strlen(line));
	return d->line ? 0 : -ENOMEM;
}

/* Nobody asks it what it is before it speaks. */
static int check_io(const struct building *b, const struct setup_device *d, struct type *t)
{
	struct refusal_place place;
	int r;

	if (d->io != FIELDWAY_IO_EVENTS || d->type->identify.n_values == 0)
		return 0;
	place = point_place(b, d->link, d->type, (size_t)d->type->identify.point);
	t->refused = true;
	r = refusals_add(b->refusals, &place, "identify",
			 "identifies nothing: the device speaks by itself");
	return r < 0 ? r : -EINVAL;
}

static int compile_device(const struct building *b, const struct link_device *link,
			  struct setup_device *d)
{
	const struct link_type *type = &b->setup->configuration->types[link->type];
	struct type *t = &b->types[link->type];
	struct fieldway_error error = { .point = -1 };
	int r;

	d->link = link;
	d->type = type;
	r = compile_type(b, link, type, t);
	if (r < 0)
		return r;
	d->device = (struct fieldway_device){ .name = link->name,
					      .points = t->points,
					      .n_points = type->n_points };
	r = compile_settings(b, d);
	if (r < 0)
		return r;
	r = b->setup->plugin->driver_new(b->kind == SETUP_BUS ? &b->setup->bus : NULL, &d->device,
					 &d->driver, &error);
	if (r < 0)
		return r == -ENOMEM ? r : refuse_driver(b, d, t, &error);
	d->io = io_of(b->setup->plugin, d->driver);
	r = check_io(b, d, t);
	if (r >= 0)
		r = name_line(b, d);
	if (r < 0 || b->kind == SETUP_SAMPLE || d->io == FIELDWAY_IO_EVENTS)
		return r;
	return polls_make(b->setup->plugin, &b->setup->arena, d);
}

/* ---- all ---- */

static int compile_devices(const struct building *b)
{
	struct setup *s = b->setup;
	int r, worst = 0;

	s->devices = calloc(s->configuration->n_devices + 1, sizeof(*s->devices));
	if (!s->devices)
		return -ENOMEM;
	for (size_t i = 0; i < s->configuration->n_devices; i++) {
		s->n_devices = i + 1;
		r = compile_device(b, &s->configuration->devices[i], &s->devices[i]);
		if (r == -ENOMEM)
			return r;
		worst = MIN(worst, r);
	}
	return worst;
}

static int compile(struct building *b)
{
	int r;

	b->types = calloc(b->setup->configuration->n_types + 1, sizeof(*b->types));
	if (!b->types)
		return -ENOMEM;
	if (b->kind == SETUP_BUS) {
		r = compile_bus(b);
		if (r < 0)
			return r;
	}
	r = compile_devices(b);
	return r < 0 || b->kind == SETUP_SAMPLE ? r : io_check(b->setup, b->refusals);
}

static int find_plugin(const struct building *b, struct loader *loader)
{
	char text[256] = "";
	int r = loader_get(loader, b->setup->configuration->plugin, &b->setup->plugin, text,
			   sizeof(text));

	return r == -ENOENT || r == -ELIBBAD ? refuse_bus(b, "plugin", text) : r;
}

DEFINE_FREEP(struct setup *, setup_free)

int setup_new(struct loader *loader, struct link_configuration *configuration, enum setup_kind kind,
	      struct refusals *refusals, struct setup **ret)
{
	_cleanup_(setup_freep) struct setup *s = calloc(1, sizeof(*s));
	struct building b = { .setup = s, .refusals = refusals, .kind = kind };
	int r;

	if (!s) {
		link_configuration_free(configuration);
		return -ENOMEM;
	}
	s->n_refs = 1;
	s->configuration = configuration;
	s->bus = configuration->bus;
	r = find_plugin(&b, loader);
	if (r >= 0)
		r = compile(&b);
	free(b.types);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

struct setup *setup_ref(struct setup *s)
{
	s->n_refs++;
	return s;
}

struct setup *setup_free(struct setup *s)
{
	if (!s || --s->n_refs > 0)
		return NULL;
	for (size_t i = 0; i < s->n_devices; i++) {
		polls_done(s->plugin, &s->devices[i]);
		if (s->devices[i].driver)
			s->plugin->driver_free(s->devices[i].driver);
	}
	free(s->devices);
	arena_done(&s->arena);
	link_configuration_free(s->configuration);
	setup_free(s->parent);
	free(s);
	return NULL;
}

const struct setup_device *setup_find(const struct setup *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (s->devices[i].link->id == id)
			return &s->devices[i];
	return NULL;
}
