/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/profile/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "fieldbus/fieldbus.h"
#include "mapping/alarm.h"
#include "mapping/transform.h"
#include "model/definition.h"

#define PLACE_SIZE 256u

/* dbus/field.c */
static const char invalid[] = "invalid";

struct page {
	const struct tree *tree;
	struct table table;
	struct arena arena;
};

static const char *keep(struct page *p, const char *text)
{
	return arena_text(&p->arena, text, strlen(text));
}

/* ---- points ---- */

static const struct reading *reading_of(const struct tree *t, uint32_t point)
{
	return reading_find(t->readings, t->n, t->type->points[point].name);
}

static const char *problem_of(const struct tree *t, uint32_t point)
{
	const struct reading *reading = reading_of(t, point);

	return reading ? reading->problem : "not read";
}

/* "input 52" of "point power (input 52)". */
static const char *place_of(struct page *p, uint32_t point)
{
	char text[PLACE_SIZE], *open, *close;

	fieldbus_point_text(p->tree->type, point, text, sizeof(text));
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open)
		return "";
	*close = '\0';
	return keep(p, open + 1);
}

/* ---- values of resources ---- */

static const char *model_text(struct page *p, const struct value *value, const char *unit)
{
	_cleanup_free_ char *text = NULL, *both = NULL;

	if (value_format_text(value, &text) < 0)
		return NULL;
	if (!unit)
		return keep(p, text);
	if (asprintf(&both, "%s %s", text, unit) < 0) {
		both = NULL;
		return NULL;
	}
	return keep(p, both);
}

static const char *point_text(struct page *p, const struct config_map *row,
			      const struct resource_definition *resource)
{
	const struct reading *reading = reading_of(p->tree, row->point);
	_cleanup_value_ struct value value = { 0 };
	struct transform t;
	int r;

	if (*problem_of(p->tree, row->point))
		return problem_of(p->tree, row->point);
	r = transform_init(&t, &p->tree->type->points[row->point], resource, row->unit);
	if (r >= 0)
		r = transform_forward(&t, &reading->value, &value);
	if (r == -ENOMEM)
		return NULL;
	if (r < 0)
		return r == -ERANGE ? "does not fit the resource" : "no value of this resource";
	return model_text(p, &value, transform_unit(&t, row->unit));
}

static bool is_true(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_BOOL ? v->boolean : v->unsignd != 0;
}

static double number_of(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_INT	 ? (double)v->integer :
	       v->type == FIELDWAY_UINT	 ? (double)v->unsignd :
	       v->type == FIELDWAY_FLOAT ? v->real :
					   v->boolean;
}

/* As soon as it holds: `delay` is about what comes later. */
static bool is_alarm(const struct config_map *row, const struct fieldway_value *v)
{
	struct config_condition now;
	struct alarm alarm = { 0 };

	if (!row->condition)
		return is_true(v);
	now = *row->condition;
	now.delay_usec = 0;
	alarm_take(&alarm, &now, number_of(v), 1);
	return alarm.on;
}

static const char *alarm_text(struct page *p, const struct config_map *row)
{
	char text[sizeof("alarm 65535: yes")];

	if (*problem_of(p->tree, row->point))
		return problem_of(p->tree, row->point);
	snprintf(text, sizeof(text), "alarm %u: %s", row->alarm,
		 is_alarm(row, &reading_of(p->tree, row->point)->value) ? "yes" : "no");
	return keep(p, text);
}

static const char *row_text(struct page *p, const struct config_map *row,
			    const struct resource_definition *resource)
{
	switch (row->kind) {
	case CONFIG_MAP_POINT:
		if (!(p->tree->type->points[row->point].access & CONFIG_ACCESS_READ))
			return "(only written)";
		return point_text(p, row, resource);
	case CONFIG_MAP_CONSTANT:
		return model_text(p, &row->constant, NULL);
	case CONFIG_MAP_EXECUTE:
		return "(executed)";
	case CONFIG_MAP_ALARM:
		return alarm_text(p, row);
	}
	return "";
}

static int add_row(struct page *p, const struct config_map *row)
{
	const struct object_definition *object =
		definitions_newest(p->tree->definitions, row->path.object);
	const struct resource_definition *resource =
		object ? object_resource(object, row->path.resource) : NULL;
	bool constant = row->kind == CONFIG_MAP_CONSTANT;
	char path[PATH_TEXT_MAX];
	const char *cells[] = {
		keep(p, path_format(&row->path, path)),
		resource ? resource->name : "",
		resource ? row_text(p, row, resource) : "",
		constant ? "" : p->tree->type->points[row->point].name,
		constant ? "" : place_of(p, row->point),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (!cells[i])
			return -ENOMEM;
	return table_add(&p->table, cells);
}

/* ---- what no resource shows ---- */

static bool is_shown(const struct config_type *type, uint32_t point)
{
	for (size_t i = 0; i < type->n_map; i++)
		if (type->map[i].kind != CONFIG_MAP_CONSTANT && type->map[i].point == point)
			return true;
	return false;
}

static int add_unshown(struct page *p, uint32_t point)
{
	const struct config_point *c = &p->tree->type->points[point];
	const char *problem = problem_of(p->tree, point), *value = problem, *place;
	_cleanup_free_ char *both = NULL;

	if (!*problem) {
		value = reading_text(&p->arena, &reading_of(p->tree, point)->value);
		if (value && c->unit && asprintf(&both, "%s %s", value, unit_name(c->unit)) < 0)
			both = NULL;
		value = both ? keep(p, both) : value;
	}
	place = place_of(p, point);
	return value && place ?
		       table_add(&p->table, (const char *[]){ "-", "-", value, c->name, place }) :
		       -ENOMEM;
}

/* ---- which model it is ---- */

static bool is_text(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

static bool is_same(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (is_text(a) != is_text(b))
		return false;
	return is_text(a) ? a->size == b->size && memcmp(a->data, b->data, a->size) == 0 :
			    number_of(a) == number_of(b);
}

static bool is_model(const struct config_identify *identify, const struct reading *reading)
{
	for (size_t i = 0; i < identify->n_values; i++)
		if (is_same(&identify->values[i], &reading->value))
			return true;
	return false;
}

static int print_model(FILE *to, struct page *p, bool *good)
{
	const struct config_identify *identify = &p->tree->type->identify;
	const struct reading *reading;
	const char *text;

	if (identify->n_values == 0)
		return 0;
	reading = reading_of(p->tree, (uint32_t)identify->point);
	text = reading && !*reading->problem ? reading_text(&p->arena, &reading->value) :
					       problem_of(p->tree, (uint32_t)identify->point);
	if (!text)
		return -ENOMEM;
	fputs("\nidentify: ", to);
	text_print(to, p->tree->type->points[identify->point].name);
	fputs(" is ", to);
	text_print(to, text);
	if (reading && !*reading->problem && is_model(identify, reading)) {
		fputs(", as it should be\n", to);
		return 0;
	}
	fputs(": ANOTHER MODEL, the daemon would take none of its values\n", to);
	*good = false;
	return 0;
}

/* ---- all of it ---- */

struct count {
	unsigned read, invalid, all;
};

static struct count count_points(const struct tree *t)
{
	struct count c = { 0 };

	for (uint32_t i = 0; i < t->type->n_points; i++) {
		const char *problem = problem_of(t, i);

		if (!(t->type->points[i].access & CONFIG_ACCESS_READ))
			continue;
		c.all++;
		c.read += !*problem;
		c.invalid += streq(problem, invalid);
	}
	return c;
}

static void print_count(FILE *to, const struct count *c)
{
	fprintf(to, "\n%u of %u points read", c->read, c->all);
	if (c->invalid > 0)
		fprintf(to, ", %u invalid", c->invalid);
	if (c->all > c->read + c->invalid)
		fprintf(to, ", %u missing", c->all - c->read - c->invalid);
	fputc('\n', to);
}

static int fill(struct page *p)
{
	const struct config_type *type = p->tree->type;
	int r = table_add(&p->table,
			  (const char *[]){ "PATH", "RESOURCE", "VALUE", "POINT", "WHERE" });

	for (size_t i = 0; i < type->n_map && r >= 0; i++)
		r = add_row(p, &type->map[i]);
	for (uint32_t i = 0; i < type->n_points && r >= 0; i++)
		if (type->points[i].access & CONFIG_ACCESS_READ && !is_shown(type, i))
			r = add_unshown(p, i);
	return r;
}

int tree_print(FILE *to, const struct tree *t, bool *ret_good)
{
	struct page p = { .tree = t, .table = { .columns = 5 } };
	const struct count count = count_points(t);
	bool good = true;
	int r = fill(&p);

	if (r >= 0) {
		table_print(to, &p.table, &(struct table_frame){ 0 });
		r = print_model(to, &p, &good);
	}
	if (r >= 0) {
		print_count(to, &count);
		*ret_good = good && count.all == count.read + count.invalid;
	}
	table_done(&p.table);
	arena_done(&p.arena);
	return r;
}

/* "expected", "other"; null: the profile names none. */
static const char *model_of(const struct tree *t)
{
	const struct config_identify *identify = &t->type->identify;
	const struct reading *reading;

	if (identify->n_values == 0)
		return NULL;
	reading = reading_of(t, (uint32_t)identify->point);
	return reading && !*reading->problem && is_model(identify, reading) ? "expected" : "other";
}

int tree_print_document(const struct tree *t, bool *ret_good)
{
	static const char *const keys[] = { "path", "resource", "value", "point", "where" };
	struct page p = { .tree = t, .table = { .columns = ARRAY_SIZE(keys) } };
	const struct count count = count_points(t);
	const char *model = model_of(t);
	int r = fill(&p);

	if (r >= 0)
		r = document_print(json_pack("{s:s, s:o, s:s?, s:i, s:i}", "profile",
					     t->type->profile, "rows",
					     document_rows(&p.table, keys), "model", model, "read",
					     (int)count.read, "points", (int)count.all));
	if (r >= 0)
		*ret_good = !(model && streq(model, "other")) &&
			    count.all == count.read + count.invalid;
	table_done(&p.table);
	arena_done(&p.arena);
	return r;
}
