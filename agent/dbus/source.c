/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/values.h"
#include "fieldbus/fieldbus.h"

static bool is_row_of(const struct config_map *row, const struct path *path)
{
	return path_contains(path, &row->path) || path_contains(&row->path, path);
}

struct source source_find(const struct item *item, const struct path *path)
{
	const struct config *c = item->dbus->config.config;
	const struct config_endpoint *e = item->id == DBUS_HOST ? &c->host_endpoint : &c->endpoints[item->id - 1];
	struct source s = { 0 };

	for (size_t i = 0; i < e->n_map; i++) {
		if (!is_row_of(&e->map[i], path))
			continue;
		if (s.row) {
			s.more++;
			continue;
		}
		s.row = &e->map[i];
	}
	if (s.row && s.row->kind != CONFIG_MAP_CONSTANT) {
		s.device_id = config_row_device(e, s.row);
		s.device = &c->devices[s.device_id];
		s.point = &s.device->type->points[s.row->point];
	}
	return s;
}

static int say_setting(struct buf *out, const struct fieldway_setting *s)
{
	char number[FORMAT_DOUBLE_MAX];

	switch (s->value.type) {
	case FIELDWAY_BOOL:
		return buf_printf(out, "%s %s, ", s->key, s->value.boolean ? "true" : "false");
	case FIELDWAY_INT:
		return buf_printf(out, "%s %" PRId64 ", ", s->key, s->value.integer);
	case FIELDWAY_UINT:
		return buf_printf(out, "%s %" PRIu64 ", ", s->key, s->value.unsignd);
	case FIELDWAY_FLOAT:
		return buf_printf(out, "%s %s, ", s->key, format_double(s->value.real, number));
	case FIELDWAY_STRING:
		return buf_printf(out, "%s %.*s, ", s->key, (int)s->value.size, s->value.data);
	case FIELDWAY_BYTES: /* a secret, perhaps */
	case FIELDWAY_NONE:
		break;
	}
	return 0;
}

static int say_number(struct buf *out, double value, double nothing, const char *before)
{
	char number[FORMAT_DOUBLE_MAX];

	return value == nothing ? 0 : buf_printf(out, "%s%s", before, format_double(value, number));
}

/* "area holding, address 100, type uint16; raw x 0.1 Hz": what the plugin and the host make of the bytes. */
static int say_decoding(struct buf *out, const struct config_point *p)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < p->settings.n; i++)
		r = say_setting(out, &p->settings.items[i]);
	if (out->size >= 2)
		out->size -= 2;
	if (r >= 0)
		r = buf_append_text(out, "; raw");
	if (r >= 0)
		r = say_number(out, p->scale, 1, " x ");
	if (r >= 0)
		r = say_number(out, p->offset, 0, " + ");
	if (r >= 0)
		r = say_number(out, p->factor, 1, ", x ");
	if (r >= 0 && p->scale10 >= 0)
		r = buf_append_text(out, " x 10^scale10");
	if (r >= 0 && p->unit)
		r = buf_printf(out, " %s", unit_name(p->unit));
	return r;
}

static int append_decoding(sd_bus_message *m, const struct source *s)
{
	_cleanup_buf_ struct buf out = { 0 };
	_cleanup_free_ char *text = NULL;
	int r = say_decoding(&out, s->point);

	if (r < 0)
		return r;
	text = buf_take_text(&out);
	return text ? entry_text(m, "Decoding", text) : -ENOMEM;
}

static const char *kind_name(const struct source *s)
{
	static const char *const names[] = {
		[CONFIG_MAP_POINT] = "point",
		[CONFIG_MAP_CONSTANT] = "constant",
		[CONFIG_MAP_EXECUTE] = "execute",
		[CONFIG_MAP_ALARM] = "alarm",
	};

	return s->row ? names[s->row->kind] : "agent";
}

static int append_device(sd_bus_message *m, const struct item *item, const struct source *s)
{
	const struct config *c = item->dbus->config.config;
	const char *reason = NULL;
	enum fieldbus_state state =
		fieldbus_device_state(item->dbus->config.fieldbus, s->device_id, &reason);
	char place[256];
	int r = entry_text(m, "Device", s->device->name);

	if (r >= 0)
		r = entry_text(m, "Bus", c->buses[s->device->bus].name);
	if (r >= 0)
		r = entry_text(m, "DeviceState", fieldbus_state_name(state));
	if (r >= 0)
		r = entry_text(m, "DeviceReason", reason);
	fieldbus_point_text(s->device->type, s->row->point, place, sizeof(place));
	if (r >= 0)
		r = entry_text(m, "Point", place);
	if (r >= 0)
		r = append_decoding(m, s);
	if (r >= 0)
		r = entry_text(m, "PointUnit", s->point->unit ? unit_name(s->point->unit) : NULL);
	/* Nobody asks the program of a local device. */
	if (r < 0 || s->device->type->plugin == &config_plugin_local)
		return r;
	r = entry_text(m, "Rate", s->point->rate);
	return r < 0 ? r : entry_u64(m, "Period", s->point->period_usec);
}

int source_append(sd_bus_message *m, const struct item *item, const struct source *s)
{
	int r = entry_text(m, "Source", kind_name(s));

	if (r >= 0 && s->more > 0)
		r = entry_u64(m, "MoreSources", s->more);
	return r < 0 || !s->point ? r : append_device(m, item, s);
}
