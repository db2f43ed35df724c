/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/field.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"
#include "link/marshal.h"

/* ---- one value of a message, as a plugin's key wants it ---- */

/* The numbers of D-Bus that are no type of value: read as one that is. */
static int read_small(sd_bus_message *m, char type, struct fieldway_value *ret)
{
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
	} small;
	struct fieldway_value v = { .type = FIELDWAY_UINT };
	int r = sd_bus_message_enter_container(m, 'v', (char[]){ type, '\0' });

	if (r >= 0)
		r = sd_bus_message_read_basic(m, type, &small);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	if (type == 'y')
		v.unsignd = small.y;
	else if (type == 'q')
		v.unsignd = small.q;
	else if (type == 'u')
		v.unsignd = small.u;
	else
		v = (struct fieldway_value){ .type = FIELDWAY_INT,
					     .integer = type == 'n' ? small.n : small.i };
	*ret = v;
	return sd_bus_message_exit_container(m);
}

/* Any number or text of a variant; text stays in the message. */
static int read_plain(sd_bus_message *m, struct fieldway_value *ret)
{
	const char *contents;
	char kind;
	int r = sd_bus_message_peek_type(m, &kind, &contents);

	if (r <= 0 || kind != 'v' || strlen(contents) != 1)
		return -EINVAL;
	if (strchr("ynqiu", *contents))
		return read_small(m, *contents, ret);
	return strchr("bxtds", *contents) ? link_read_value(m, ret) : -EINVAL;
}

static int number_from_text(const char *text, enum fieldway_type type, bool duration,
			    struct fieldway_value *ret)
{
	ret->type = type;
	if (type == FIELDWAY_INT)
		return parse_i64(text, &ret->integer);
	if (type == FIELDWAY_FLOAT)
		return parse_double(text, &ret->real);
	return duration ? parse_usec(text, &ret->unsignd) : parse_u64(text, &ret->unsignd);
}

static int boolean_from_text(const char *text, struct fieldway_value *ret)
{
	*ret = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = streq(text, "true") };
	return ret->boolean || streq(text, "false") ? 0 : -EINVAL;
}

static double real_of(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_INT	? (double)v->integer :
	       v->type == FIELDWAY_UINT ? (double)v->unsignd :
					  v->real;
}

static int number_to(const struct fieldway_value *v, enum fieldway_type type, struct fieldway_value *ret)
{
	struct fieldway_value to = { .type = type };

	if (v->type != FIELDWAY_INT && v->type != FIELDWAY_UINT &&
	    !(v->type == FIELDWAY_FLOAT && type == FIELDWAY_FLOAT))
		return -EINVAL;
	if (type == FIELDWAY_FLOAT) {
		to.real = real_of(v);
	} else if (type == FIELDWAY_INT) {
		if (v->type == FIELDWAY_UINT && v->unsignd > INT64_MAX)
			return -ERANGE;
		to.integer = v->type == FIELDWAY_UINT ? (int64_t)v->unsignd : v->integer;
	} else {
		if (v->type == FIELDWAY_INT && v->integer < 0)
			return -ERANGE;
		to.unsignd = v->type == FIELDWAY_INT ? (uint64_t)v->integer : v->unsignd;
	}
	*ret = to;
	return 0;
}

/* 0, -EINVAL, -ERANGE. */
static int value_fit(const struct fieldway_value *v, enum fieldway_type type, bool duration,
		     struct fieldway_value *ret)
{
	switch (type) {
	case FIELDWAY_BOOL:
		if (v->type == FIELDWAY_STRING)
			return boolean_from_text(v->data, ret);
		*ret = *v;
		return v->type == FIELDWAY_BOOL ? 0 : -EINVAL;
	case FIELDWAY_INT:
	case FIELDWAY_UINT:
	case FIELDWAY_FLOAT:
		return v->type == FIELDWAY_STRING ? number_from_text(v->data, type, duration, ret) :
						    number_to(v, type, ret);
	case FIELDWAY_STRING:
		*ret = *v;
		return v->type == FIELDWAY_STRING ? 0 : -EINVAL;
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		return -EINVAL;
	}
	return -EINVAL;
}

/* ---- settings ---- */

static const struct fieldway_key *find_key(const struct config_plugin *plugin, unsigned scope,
					   const char *name)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (plugin->keys[i].scope & scope && dotted_match(plugin->keys[i].name, name))
			return &plugin->keys[i];
	return NULL;
}

static int refuse(sd_bus_error *error, const char *key, const char *why)
{
	char echo[ECHO_MAX + 1];

	sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s: %s", error_echo(key, echo), why);
	return -EINVAL;
}

/* One entry of a{sv} whose key was read. */
static int read_setting(sd_bus_message *m, const struct config_plugin *plugin, unsigned scope,
			const char *name, struct arena *arena, struct fieldway_setting *ret,
			sd_bus_error *error)
{
	const struct fieldway_key *key = find_key(plugin, scope, name);
	struct fieldway_value plain;
	int r;

	if (!key)
		return refuse(error, name, "the plugin has no such key here");
	if (key->flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT))
		return refuse(error, name, "secrets and files do not come over D-Bus");
	r = read_plain(m, &plain);
	if (r >= 0)
		r = value_fit(&plain, key->type, key->flags & FIELDWAY_KEY_DURATION, &ret->value);
	if (r == -EINVAL || r == -ERANGE)
		return refuse(error, name, r == -ERANGE ? "out of range" : "of a wrong type");
	/* "messages.*.match" is known by the name that it has here. */
	ret->key = streq(key->name, name) ? key->name : arena_text(arena, name, strlen(name));
	return ret->key ? r : -ENOMEM;
}

typedef int (*entry_reader)(sd_bus_message *m, const char *name, void *userdata);

/* a{sv}, each entry by the reader, at most FIELD_SETTINGS_MAX. */
static int read_entries(sd_bus_message *m, entry_reader reader, void *userdata)
{
	const char *name;
	unsigned n = 0;
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r <= 0)
			break;
		if (++n > FIELD_SETTINGS_MAX)
			return -E2BIG;
		r = sd_bus_message_read_basic(m, 's', &name);
		if (r >= 0)
			r = reader(m, name, userdata);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

struct reading {
	const struct config_plugin *plugin;
	unsigned scope;
	struct fieldway_setting *items;
	size_t n;
	struct config_point *point; /* NULL: an address */
	const char *scale10;	    /* of the point: the name of another one */
	struct arena *arena;
	sd_bus_error *error;
};

/* What belongs to a point whatever its plugin. */
static double *point_number(struct config_point *point, const char *name)
{
	if (!point)
		return NULL;
	return streq(name, "scale")  ? &point->scale :
	       streq(name, "offset") ? &point->offset :
	       streq(name, "factor") ? &point->factor :
				       NULL;
}

static int read_invalid_values(sd_bus_message *m, struct reading *reading)
{
	struct config_point *point = reading->point;
	int r = sd_bus_message_enter_container(m, 'a', "v");

	point->invalid = arena_new(reading->arena, FIELD_SETTINGS_MAX * sizeof(*point->invalid));
	if (!point->invalid)
		return -ENOMEM;
	while (r > 0) {
		r = sd_bus_message_at_end(m, 0);
		if (r != 0)
			break;
		if (point->n_invalid == FIELD_SETTINGS_MAX)
			return -E2BIG;
		r = read_plain(m, &point->invalid[point->n_invalid++]);
		r = r < 0 ? r : 1;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_invalid(sd_bus_message *m, struct reading *reading)
{
	int r = sd_bus_message_enter_container(m, 'v', "av");

	if (r >= 0)
		r = read_invalid_values(m, reading);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Of a point, whatever its plugin; 0: it is none of these. */
static int read_common(sd_bus_message *m, const char *name, struct reading *reading)
{
	struct fieldway_value plain;
	int r;

	if (reading->point && streq(name, "invalid")) {
		r = read_invalid(m, reading);
		return r < 0 ? refuse(reading->error, name, "is no list of values") : 1;
	}
	if (!reading->point || !streq(name, "scale10"))
		return 0;
	r = read_plain(m, &plain);
	if (r < 0 || plain.type != FIELDWAY_STRING)
		return refuse(reading->error, name, "is no name of a point");
	reading->scale10 = plain.data;
	return 1;
}

static int read_entry(sd_bus_message *m, const char *name, void *userdata)
{
	struct reading *reading = userdata;
	double *number = point_number(reading->point, name);
	struct fieldway_value plain, fitted;
	int r = read_common(m, name, reading);

	if (r != 0)
		return MIN(r, 0);
	if (!number)
		return read_setting(m, reading->plugin, reading->scope, name, reading->arena,
				    &reading->items[reading->n++], reading->error);
	r = read_plain(m, &plain);
	if (r >= 0)
		r = value_fit(&plain, FIELDWAY_FLOAT, false, &fitted);
	if (r < 0)
		return refuse(reading->error, name, "is no number");
	*number = fitted.real;
	return 0;
}

static int read_settings(sd_bus_message *m, struct reading *reading, struct arena *arena,
			 struct fieldway_settings *ret)
{
	_cleanup_free_ struct fieldway_setting *items = calloc(FIELD_SETTINGS_MAX, sizeof(*items));
	struct fieldway_setting *kept;
	int r;

	if (!items)
		return -ENOMEM;
	reading->arena = arena;
	reading->items = items;
	r = read_entries(m, read_entry, reading);
	if (r == -E2BIG)
		return error_set(reading->error, r, "Too many settings");
	if (r < 0)
		return r;
	kept = arena_new(arena, (reading->n + 1) * sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	memcpy(kept, items, reading->n * sizeof(*kept));
	*ret = (struct fieldway_settings){ kept, reading->n };
	return 0;
}

int field_settings_split(const struct config_plugin *plugin, unsigned scope, struct arena *arena,
			 struct fieldway_settings *from, struct fieldway_settings *ret_others)
{
	struct fieldway_setting *own = arena_new(arena, (from->n + 1) * sizeof(*own));
	struct fieldway_setting *others = arena_new(arena, (from->n + 1) * sizeof(*others));
	size_t n = 0, n_others = 0;

	if (!own || !others)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++)
		if (find_key(plugin, scope, from->items[i].key))
			own[n++] = from->items[i];
		else
			others[n_others++] = from->items[i];
	*from = (struct fieldway_settings){ own, n };
	*ret_others = (struct fieldway_settings){ others, n_others };
	return 0;
}

int field_settings_read(sd_bus_message *m, const struct config_plugin *plugin, unsigned scope,
			struct arena *arena, struct fieldway_settings *ret, sd_bus_error *error)
{
	struct reading reading = { .plugin = plugin, .scope = scope, .error = error };

	return read_settings(m, &reading, arena, ret);
}

/* ---- points ---- */

/* *ret_scale10: the name of the other point, or NULL. */
static int read_point(sd_bus_message *m, const struct config_plugin *plugin, struct arena *arena,
		      struct config_point *ret, const char **ret_scale10, sd_bus_error *error)
{
	struct config_point point = { .access = CONFIG_ACCESS_READ,
				      .scale = 1,
				      .factor = 1,
				      .scale10 = -1,
				      .verify = { .point = -1 } };
	struct reading reading = {
		.plugin = plugin, .scope = FIELDWAY_SCOPE_POINT, .point = &point, .error = error
	};
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r < 0)
		return r;
	point.name = arena_text(arena, name, strlen(name));
	r = point.name ? read_settings(m, &reading, arena, &point.settings) : -ENOMEM;
	if (r < 0)
		return r;
	*ret = point;
	*ret_scale10 = reading.scale10;
	return 0;
}

/* What one point names of the others, once all of them are known. */
static int link_points(struct config_point *points, const char *const *scale10, size_t n, sd_bus_error *error)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; scale10[i] && k < n && points[i].scale10 < 0; k++)
			if (streq(points[k].name, scale10[i]) && k != i)
				points[i].scale10 = (int32_t)k;
		if (scale10[i] && points[i].scale10 < 0)
			return refuse(error, scale10[i], "there is no such point for scale10");
	}
	return 0;
}

int field_points_read(sd_bus_message *m, const struct config_plugin *plugin, struct arena *arena,
		      struct config_point **ret, size_t *ret_n, sd_bus_error *error)
{
	struct config_point *points = arena_new(arena, FIELD_POINTS_MAX * sizeof(*points));
	const char **scale10 = arena_new(arena, FIELD_POINTS_MAX * sizeof(*scale10));
	size_t n = 0;
	int r = points && scale10 ? sd_bus_message_enter_container(m, 'a', "(sa{sv})") : -ENOMEM;

	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'r', "sa{sv}");
		if (r <= 0)
			break;
		if (n == FIELD_POINTS_MAX)
			return error_set(error, -E2BIG, "Too many points");
		r = read_point(m, plugin, arena, &points[n], &scale10[n], error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		n++;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r >= 0)
		r = link_points(points, scale10, n, error);
	if (r < 0)
		return r;
	*ret = points;
	*ret_n = n;
	return 0;
}

/* ---- values ---- */

int field_value_append(sd_bus_message *m, const struct fieldway_value *value)
{
	return value->type == FIELDWAY_NONE ? sd_bus_message_append(m, "v", "s", "") :
					      link_append_value(m, value);
}

const char *field_problem(const struct fieldway_sample *sample)
{
	static const struct {
		int error;
		const char *text;
	} table[] = {
		{ EINVAL, "illegal value" },
		{ ENXIO, "illegal address" },
		{ EOPNOTSUPP, "illegal function" },
		{ EBUSY, "busy" },
		{ EREMOTEIO, "device failure" },
		{ EHOSTDOWN, "no answer behind the gateway" },
		{ ETIMEDOUT, "no answer" },
		{ EBADMSG, "garbled answer" },
	};

	if (sample->quality == FIELDWAY_GOOD)
		return "";
	if (sample->quality == FIELDWAY_INVALID)
		return "invalid";
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].error == -sample->error)
			return table[i].text;
	return strerror(-sample->error);
}
