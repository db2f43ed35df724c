/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "fieldbus/fieldbus.h"
#include "gateway/modbus/modbus_internal.h"

/* The connections of another configuration, made beside those that are there. */

static uint32_t find_bus(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_buses; i++)
		if (streq(c->buses[i].name, name))
			return i;
	return UINT32_MAX;
}

static int make_next(struct modbus_field *next, const struct modbus_field *m)
{
	int r = modbus_lines_copy(next, m);

	if (r >= 0)
		r = modbus_lines_make(next);
	if (r >= 0)
		r = modbus_connections_make(next);
	next->switched_on = calloc(next->config.config->n_buses + 1, sizeof(*next->switched_on));
	return r < 0 || next->switched_on ? r : -ENOMEM;
}

/* What was switched off there is for nobody to switch on again. */
static void leave_line(struct modbus_line *line, const struct modbus_field *m, struct modbus_field *next)
{
	uint32_t bus = find_bus(next->config.config, m->config.config->buses[line->bus].name);

	line->leaves = true;
	if (line->off && bus != UINT32_MAX)
		next->switched_on[bus] = true;
}

static void leave_lines(struct modbus_field *m, struct modbus_field *next)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].address && !modbus_line_find(next, m->lines[i].name))
			leave_line(&m->lines[i], m, next);
	for (size_t i = 0; i < next->n_lines; i++)
		next->lines[i].off = next->lines[i].address && next->lines[i].off;
}

static struct modbus_request *find_lost(struct modbus_field *m)
{
	struct modbus_request *q;

	list_for_each(q, &m->requests, list)
		if (!modbus_line_of(m, q->connection))
			return q;
	return NULL;
}

/* What comes after them goes to lines that stay, and by the numbers that those still have. */
static void end_requests(struct modbus_field *m)
{
	struct modbus_request *q;

	while ((q = find_lost(m))) {
		fieldbus_forget(m->config.fieldbus, q);
		list_remove(&q->list);
		q->done(q->userdata, -EHOSTDOWN, "the configuration has changed", NULL, 0);
		free(q);
	}
}

/* Requests know where it lies, and it is in their list. */
static void take_over(struct modbus_field *m, struct modbus_field *next)
{
	struct list requests;

	list_init(&requests);
	list_move(&m->requests, &requests);
	SWAP(*m, *next);
	list_init(&m->requests);
	list_move(&requests, &m->requests);
}

/* Without memory for them there are no connections until the next one. */
static void drop_lines(struct modbus_field *m, const struct config *config)
{
	for (size_t i = 0; i < m->n_lines; i++)
		m->lines[i].leaves = m->lines[i].address != NULL;
	end_requests(m);
	for (size_t i = 0; i < m->n_lines; i++) {
		free(TAKE_PTR(m->lines[i].address));
		m->lines[i].device = NULL;
		m->lines[i].leaves = m->lines[i].off = false;
	}
	free(TAKE_PTR(m->line_of_device));
	m->values.n_connections = 0;
	m->builtin = NULL;
	m->config.config = config;
}

int modbus_field_reload(struct modbus_field *m, const struct config *config)
{
	struct modbus_field *next = calloc(1, sizeof(*next));
	int r = next ? 0 : -ENOMEM;

	if (r >= 0) {
		next->config = m->config;
		next->config.config = config;
		r = make_next(next, m);
	}
	if (r >= 0) {
		leave_lines(m, next);
		end_requests(m);
		take_over(m, next);
		modbus_lines_save(m);
	}
	if (r < 0)
		drop_lines(m, config);
	if (next)
		modbus_field_done(next);
	free(next);
	return r;
}
