/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "builtin/modbus.h"

struct register_value {
	uint16_t offset, value;
};

/* A cluster being read, or some of it written; in the order it was asked for. */
struct modbus_operation {
	struct list list; /* modbus.operations */
	struct modbus *modbus;
	uint16_t instance;
	struct cluster cluster;
	bool running;
	struct register_value *values; /* NULL: a read */
	size_t n, at, run;	       /* run: how many from `at` on are out */
	uint8_t request[PDU_MAX];
	backing_done done;
	void *userdata;
};

static void start_next(struct modbus *m);

static void operation_free(struct modbus_operation *op)
{
	struct modbus *m = op->modbus;

	m->n_operations--;
	m->n_running -= op->running;
	list_remove(&op->list);
	free(op->values);
	free(op);
}

static void operation_end(struct modbus_operation *op, int error, const char *reason)
{
	struct modbus *m = op->modbus;
	bool changed = op->values && op->at > 0;
	struct cluster cluster = op->cluster;
	uint16_t instance = op->instance;

	if (error < 0 && !op->values)
		cluster_fail(m, instance, reason ?: "");
	/* The device has some of it: that is no plain refusal. */
	if (error < 0 && changed)
		error = -EREMOTEIO;
	if (op->done)
		op->done(op->userdata, error, reason);
	operation_free(op);
	/* What the device made of it. */
	if (changed)
		operation_read(m, instance, &cluster, NULL, NULL);
	start_next(m);
}

/* ---- at work ---- */

static size_t run_length(const struct modbus_operation *op)
{
	const struct register_value *first = &op->values[op->at];
	size_t n = 1;

	while (op->at + n < op->n && n < pdu_write_max(&op->cluster) &&
	       first[n].offset == first->offset + n)
		n++;
	return n;
}

static size_t make_write(struct modbus_operation *op)
{
	uint16_t values[WRITE_BITS_MAX];

	op->run = run_length(op);
	for (size_t i = 0; i < op->run; i++)
		values[i] = op->values[op->at + i].value;
	return pdu_write(&op->cluster, op->values[op->at].offset, values, op->run, op->request);
}

static void answered(void *userdata, int error, const char *reason, const uint8_t *answer, size_t size);

static void operation_send(struct modbus_operation *op)
{
	struct builtin *b = op->modbus->builtin;
	size_t size = op->values ? make_write(op) : pdu_read(&op->cluster, op->request);
	int r = b->ports->modbus_request(b->endpoint, op->cluster.connection, op->cluster.unit,
					 op->request, size, answered, op);

	if (r < 0)
		operation_end(op, r, r == -EBUSY ? "too much is asked of its bus" : "its bus is not there");
}

static void read_answered(struct modbus_operation *op, const uint8_t *answer, size_t size)
{
	uint16_t values[CLUSTER_BITS_MAX];

	if (pdu_read_answer(&op->cluster, answer, size, values) < 0) {
		operation_end(op, -EIO, "the answer does not fit the request");
		return;
	}
	cluster_take(op->modbus, op->instance, &op->cluster, values);
	operation_end(op, 0, NULL);
}

static void write_answered(struct modbus_operation *op, const uint8_t *answer, size_t size)
{
	if (pdu_write_answer(op->request, answer, size) < 0) {
		operation_end(op, -EIO, "the answer does not fit the request");
		return;
	}
	op->at += op->run;
	if (op->at < op->n)
		operation_send(op);
	else
		operation_end(op, 0, NULL);
}

static void answered(void *userdata, int error, const char *reason, const uint8_t *answer, size_t size)
{
	struct modbus_operation *op = userdata;
	char text[EXCEPTION_TEXT_MAX];

	if (error >= 0) {
		error = pdu_exception(op->request, answer, size, text);
		reason = text;
	}
	if (error < 0)
		operation_end(op, error, reason);
	else if (op->values)
		write_answered(op, answer, size);
	else
		read_answered(op, answer, size);
}

static struct modbus_operation *first_waiting(struct modbus *m)
{
	struct modbus_operation *op;

	list_for_each(op, &m->operations, list)
		if (!op->running)
			return op;
	return NULL;
}

/* What fails at once makes room for the next: in a loop, not inside of each other. */
static void start_next(struct modbus *m)
{
	struct modbus_operation *op;

	if (m->starting)
		return;
	m->starting = true;
	while (m->n_running < OPERATIONS_AT_ONCE && (op = first_waiting(m))) {
		op->running = true;
		m->n_running++;
		operation_send(op);
	}
	m->starting = false;
}

/* ---- doors ---- */

static void operation_add(struct modbus *m, uint16_t instance, const struct cluster *cluster,
			  struct register_value *values, size_t n, backing_done done, void *userdata)
{
	struct modbus_operation *op = m->n_operations < OPERATIONS_MAX ? calloc(1, sizeof(*op)) : NULL;

	if (!op) {
		free(values);
		if (done)
			done(userdata, -EBUSY, "too much is asked of Modbus");
		return;
	}
	*op = (struct modbus_operation){ .modbus = m,
				  .instance = instance,
				  .cluster = *cluster,
				  .values = values,
				  .n = n,
				  .done = done,
				  .userdata = userdata };
	list_append(&m->operations, &op->list);
	m->n_operations++;
	start_next(m);
}

void operation_read(struct modbus *m, uint16_t instance, const struct cluster *cluster,
		    backing_done done, void *userdata)
{
	operation_add(m, instance, cluster, NULL, 0, done, userdata);
}

static int offset_compare(const void *a, const void *b)
{
	const struct register_value *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void operation_write(struct modbus *m, uint16_t instance, const struct cluster *cluster,
		     const struct record *records, size_t n, backing_done done, void *userdata)
{
	struct register_value *values = calloc(n, sizeof(*values));

	if (!values) {
		done(userdata, -ENOMEM, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		values[i] = (struct register_value){ records[i].path.resource_instance,
						     (uint16_t)records[i].value.integer };
	qsort(values, n, sizeof(*values), offset_compare);
	operation_add(m, instance, cluster, values, n, done, userdata);
}

bool operation_exists(const struct modbus *m, uint16_t instance)
{
	const struct modbus_operation *op;

	list_for_each(op, &m->operations, list)
		if (op->instance == instance)
			return true;
	return false;
}

/* Their requests ended with the fieldbus; whoever asked is gone, too. */
void operations_free(struct modbus *m)
{
	struct modbus_operation *op;

	list_for_each(op, &m->operations, list)
		operation_free(op);
}
