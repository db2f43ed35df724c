/* SPDX-License-Identifier: Apache-2.0 */
#include "config/imprint.h"

#include <string.h>

/* The first error stays, so that what is written reads as a list. */
struct imprint {
	struct buf *out;
	int error;
};

static void put(struct imprint *i, const void *data, size_t size)
{
	if (i->error >= 0)
		i->error = buf_append(i->out, data, size);
}

/* Of numbers, enums and flags: as they lie in memory, for no one but this run. */
#define PUT(i, x)                                      \
	do {                                           \
		__typeof__(x) _x = (x);                \
		put((i), &_x, sizeof(_x));             \
	} while (0)

/* With its length in front, so that neighbours do not run together. */
static void put_bytes(struct imprint *i, const void *data, size_t size)
{
	PUT(i, size);
	put(i, data, size);
}

static void put_text(struct imprint *i, const char *text)
{
	PUT(i, text != NULL);
	if (text)
		put_bytes(i, text, strlen(text));
}

static void put_unit(struct imprint *i, const struct unit *unit)
{
	put_text(i, unit ? unit_name(unit) : NULL);
}

static void put_value(struct imprint *i, const struct fieldway_value *v)
{
	PUT(i, v->type);
	switch (v->type) {
	case FIELDWAY_NONE:
		break;
	case FIELDWAY_BOOL:
		PUT(i, v->boolean);
		break;
	case FIELDWAY_INT:
		PUT(i, v->integer);
		break;
	case FIELDWAY_UINT:
		PUT(i, v->unsignd);
		break;
	case FIELDWAY_FLOAT:
		PUT(i, v->real);
		break;
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		put_bytes(i, v->data, v->size);
		break;
	}
}

static void put_values(struct imprint *i, const struct fieldway_value *values, size_t n)
{
	PUT(i, n);
	for (size_t k = 0; k < n; k++)
		put_value(i, &values[k]);
}

static void put_settings(struct imprint *i, const struct fieldway_settings *s)
{
	PUT(i, s->n);
	for (size_t k = 0; k < s->n; k++) {
		put_text(i, s->items[k].key);
		put_value(i, &s->items[k].value);
	}
}

/* What an exchanged plugin may understand otherwise. */
static void put_plugin(struct imprint *i, const struct config_plugin *plugin)
{
	put_text(i, plugin->name);
	put_text(i, plugin->version);
	PUT(i, plugin->capabilities);
	PUT(i, plugin->unchecked);
	PUT(i, plugin->n_keys);
	for (size_t k = 0; k < plugin->n_keys; k++) {
		const struct fieldway_key *key = &plugin->keys[k];

		put_text(i, key->name);
		PUT(i, key->scope);
		PUT(i, key->flags);
		PUT(i, key->type);
	}
}

int imprint_server(struct buf *b, const struct config_server *s)
{
	struct imprint i = { .out = b };

	put_text(&i, s->name);
	PUT(&i, s->short_id);
	put_text(&i, s->uri);
	PUT(&i, s->protocol);
	PUT(&i, s->lifetime_s);
	PUT(&i, s->pmin_s);
	PUT(&i, s->pmax_s);
	PUT(&i, s->priority);
	PUT(&i, s->initial_delay_s);
	PUT(&i, s->retry_count);
	PUT(&i, s->retry_timer_s);
	PUT(&i, s->sequence_delay_s);
	PUT(&i, s->sequence_count);
	PUT(&i, s->disable_timeout_s);
	PUT(&i, s->send);
	PUT(&i, s->storing);
	PUT(&i, s->confirmable);
	PUT(&i, s->failure_block);
	PUT(&i, s->bootstrap_on_failure);
	PUT(&i, s->queue_mode);
	PUT(&i, s->n_formats);
	for (size_t k = 0; k < s->n_formats; k++)
		put_text(&i, s->formats[k]);
	put_text(&i, s->profile_id);
	put_text(&i, s->profile_list);
	PUT(&i, s->liveness_usec);
	PUT(&i, s->security);
	put_text(&i, s->psk_identity);
	put_text(&i, s->psk_key);
	PUT(&i, s->n_endpoints);
	for (size_t k = 0; k < s->n_endpoints; k++)
		put_text(&i, s->endpoints[k]);
	PUT(&i, s->n_rights);
	for (size_t k = 0; k < s->n_rights; k++) {
		PUT(&i, s->rights[k].object);
		PUT(&i, s->rights[k].right);
	}
	PUT(&i, s->other_right);
	return i.error;
}

int imprint_bus(struct buf *b, const struct config_bus *bus)
{
	struct imprint i = { .out = b };

	put_text(&i, bus->name);
	put_plugin(&i, bus->plugin);
	put_settings(&i, &bus->settings);
	PUT(&i, bus->timeout_usec);
	PUT(&i, bus->retries);
	PUT(&i, bus->offline_after);
	PUT(&i, bus->offline_first_usec);
	PUT(&i, bus->offline_last_usec);
	return i.error;
}

int imprint_address(struct buf *b, const struct config_device *d)
{
	struct imprint i = { .out = b };

	put_settings(&i, &d->address);
	PUT(&i, d->owner_uid);
	PUT(&i, d->owner_gid);
	PUT(&i, d->enabled);
	return i.error;
}

/* ---- types ---- */

/* Points are named, not numbered: another one may have come in front of them. */
static void put_other(struct imprint *i, const struct config_type *t, int32_t point)
{
	put_text(i, point >= 0 ? t->points[point].name : NULL);
}

static void put_number_range(struct imprint *i, const struct range *range)
{
	PUT(i, range->present);
	if (!range->present)
		return;
	PUT(i, range->minimum);
	PUT(i, range->maximum);
	put_bytes(i, range->values, range->n * sizeof(*range->values));
}

/* What a value is that was read. */
static void put_meaning(struct imprint *i, const struct config_point *p)
{
	put_text(i, p->name);
	put_settings(i, &p->settings);
	put_unit(i, p->unit);
	PUT(i, p->access);
	PUT(i, p->scale);
	PUT(i, p->offset);
	PUT(i, p->factor);
	put_values(i, p->invalid, p->n_invalid);
	PUT(i, p->n_labels);
	for (size_t k = 0; k < p->n_labels; k++) {
		PUT(i, p->labels[k].number);
		put_text(i, p->labels[k].text);
	}
	PUT(i, p->counter.enabled);
}

/* What is let through, in either direction. */
static void put_limits(struct imprint *i, const struct config_point *p)
{
	put_number_range(i, &p->range);
	PUT(i, p->inexact_reject);
	PUT(i, p->counter.wrap);
	PUT(i, p->counter.max_step);
	PUT(i, p->deadband);
}

/* How often it is wanted. */
static void put_times(struct imprint *i, const struct config_point *p)
{
	PUT(i, p->period_usec);
	PUT(i, p->sample_usec);
	PUT(i, p->sample_keep);
	PUT(i, p->silence_usec);
	PUT(i, p->stale.times);
	PUT(i, p->stale.after_usec);
	PUT(i, p->stale.read);
}

static void put_point(struct imprint *i, const struct config_type *t, const struct config_point *p)
{
	put_meaning(i, p);
	put_limits(i, p);
	put_times(i, p);
	PUT(i, p->verify.enabled);
	PUT(i, p->verify.within_usec);
	PUT(i, p->verify.tolerance);
	put_other(i, t, p->verify.point);
	put_other(i, t, p->scale10);
}

int imprint_point(struct buf *b, const struct config_type *t, uint32_t point)
{
	struct imprint i = { .out = b };
	const struct config_point *p = &t->points[point];

	put_point(&i, t, p);
	if (p->verify.point >= 0)
		put_point(&i, t, &t->points[p->verify.point]);
	if (p->scale10 >= 0)
		put_point(&i, t, &t->points[p->scale10]);
	return i.error;
}

int imprint_point_value(struct buf *b, const struct config_type *t, uint32_t point)
{
	struct imprint i = { .out = b };
	const struct config_point *p = &t->points[point];

	put_meaning(&i, p);
	put_other(&i, t, p->scale10);
	if (p->scale10 >= 0)
		put_meaning(&i, &t->points[p->scale10]);
	return i.error;
}

int imprint_type(struct buf *b, const struct config_type *t)
{
	struct imprint i = { .out = b };

	put_text(&i, t->profile);
	PUT(&i, t->revision);
	put_plugin(&i, t->plugin);
	put_settings(&i, &t->settings);
	put_other(&i, t, t->identify.n_values > 0 ? t->identify.point : -1);
	put_values(&i, t->identify.values, t->identify.n_values);
	PUT(&i, t->n_parameters);
	for (size_t k = 0; k < t->n_parameters; k++) {
		put_text(&i, t->parameters[k].name);
		PUT(&i, t->parameters[k].value);
	}
	PUT(&i, t->n_points);
	for (size_t k = 0; k < t->n_points; k++)
		put_point(&i, t, &t->points[k]);
	return i.error;
}

bool imprint_same(const struct buf *a, const struct buf *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}
