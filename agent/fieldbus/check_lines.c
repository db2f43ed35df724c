/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "fieldbus/internal.h"

/* A line that a bus needs: a serial port, or one of its connections to a TCP host. */
struct check_line {
	char *place; /* a port without symbolic links, where it is there */
	char *name;  /* as the bus has it */
	uint32_t bus;
};

static bool has_line(const struct check *c, const char *name, uint32_t bus)
{
	const struct check_line *last = c->n_lines > 0 ? &c->lines[c->n_lines - 1] : NULL;

	return last && last->bus == bus && streq(last->name, name);
}

int check_line_add(struct check *c, const char *name, uint32_t bus)
{
	struct check_line *grown, line = { .bus = bus };

	if (!*name || has_line(c, name, bus))
		return 0;
	if ((c->n_lines & (c->n_lines - 1)) == 0) {
		grown = reallocarray(c->lines, 2 * c->n_lines + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->lines = grown;
	}
	line.name = strdup(name);
	line.place = (*name == '/' ? realpath(name, NULL) : NULL) ?: strdup(name);
	if (!line.name || !line.place) {
		free(line.name);
		free(line.place);
		return -ENOMEM;
	}
	c->lines[c->n_lines++] = line;
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct check_line *x = a, *y = b;
	int order = strcmp(x->place, y->place);

	return order ? order : (x->bus > y->bus) - (x->bus < y->bus);
}

static void warn(struct check *c, const struct check_line *first, const struct check_line *second)
{
	const struct config_bus *mine = &c->config->buses[second->bus];
	const struct config_bus *other = &c->config->buses[first->bus];
	bool same = streq(first->name, second->name);

	yaml_error(c->warnings, mine->mark,
		   "bus %s: line %s is one of bus %s (%s:%u) too%s%s: "
		   "what shares a line belongs on one bus",
		   mine->name, second->name, other->name, other->mark.file, other->mark.line,
		   same ? "" : ", as ", same ? "" : first->name);
}

/* A bus with a thousand hosts that are another's too is told once. */
void check_lines(struct check *c)
{
	uint32_t told = UINT32_MAX;

	if (c->n_lines > 1)
		qsort(c->lines, c->n_lines, sizeof(*c->lines), compare_lines);
	for (size_t i = 1; i < c->n_lines; i++) {
		if (!streq(c->lines[i - 1].place, c->lines[i].place) || c->lines[i].bus == told)
			continue;
		told = c->lines[i].bus;
		warn(c, &c->lines[i - 1], &c->lines[i]);
	}
}

void check_lines_done(struct check *c)
{
	for (size_t i = 0; i < c->n_lines; i++) {
		free(c->lines[i].name);
		free(c->lines[i].place);
	}
	free(c->lines);
}

/* ---- devices of one line ---- */

#define COMPARED_MAX 1000u /* of one line; more of them have only radio */

static bool is_equal(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case FIELDWAY_BOOL:
		return a->boolean == b->boolean;
	case FIELDWAY_INT:
		return a->integer == b->integer;
	case FIELDWAY_UINT:
		return a->unsignd == b->unsignd;
	case FIELDWAY_FLOAT:
		return a->real == b->real;
	case FIELDWAY_STRING:
		return strcasecmp(a->data, b->data) == 0;
	case FIELDWAY_BYTES:
		return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
	case FIELDWAY_NONE:
		break;
	}
	return true;
}

static const struct fieldway_value *find_value(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return &s->items[i].value;
	return NULL;
}

/* Texts by their letters, of whichever case. */
static bool is_near(const struct fieldway_settings *a, const struct fieldway_settings *b,
		    size_t *ret_common)
{
	size_t common = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct fieldway_value *other = find_value(b, a->items[i].key);

		if (other && !is_equal(&a->items[i].value, other))
			return false;
		common += other != NULL;
	}
	*ret_common = common;
	return true;
}

/*
 * Are they one device, although their addresses are written in two ways? On one line
 * what only one of them says is what the other means: the port of a host. Where
 * addresses say nothing two types may well listen to one line. Addresses that are the
 * same letter by letter, and what parameters make of a device, config has compared.
 */
static bool is_one_device(const struct config_device *a, const struct config_device *b)
{
	bool same_type = streq(a->type->profile, b->type->profile);
	size_t common;

	if (same_type && a->type->parametric && b->type->parametric)
		return false;
	return is_near(&a->address, &b->address, &common) && (common > 0 || same_type);
}

void check_line_devices(struct check *c, const struct link_explanation *lines, size_t n)
{
	for (size_t i = 1; *lines->line && i < MIN(n, (size_t)COMPARED_MAX); i++)
		for (size_t k = 0; k < i; k++) {
			const struct config_device *a = &c->config->devices[lines[k].device];
			const struct config_device *b = &c->config->devices[lines[i].device];

			if (!is_one_device(a, b) || check_knows(c->errors, b->mark))
				continue;
			yaml_error(c->errors, b->mark, "%s has the address of %s on bus %s (%s:%u)",
				   b->name, a->name, c->config->buses[b->bus].name, a->mark.file,
				   a->mark.line);
		}
}
