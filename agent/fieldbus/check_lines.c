/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
