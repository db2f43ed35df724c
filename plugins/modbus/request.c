/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "exchange.h"
#include "identification.h"
#include "plugins/lib/moment.h"

/* Unit, checksum or header, and the PDU without its data, of both directions. */
#define WALK_WIRE_BYTES 21u
/* Serial Line V1.02, 2.4.1: so long everybody is given to do what a broadcast says. */
#define BROADCAST_PAUSE_USEC UINT64_C(100000)

int task_run(struct task *t, const uint8_t *pdu, size_t size, uint32_t wire_bytes,
	     const uint8_t **ret_answer, size_t *ret_size)
{
	uint8_t unit = t->driver->unit;
	int r;

	t->error = 0;
	t->sent = false;
	r = line_prepare(t->line, unit, wire_bytes, t->deadline_usec, t->result, t->broken);
	if (r < 0) {
		if (*t->broken)
			task_forget_models(t);
		return r;
	}
	t->sent = true;
	t->error = exchange_run(t->line, unit, pdu, size, ret_answer, ret_size);
	line_settle(t->line, unit, t->error, t->result, t->broken);
	/* Who was silent or away may come back with other modules. */
	if (t->error > 0 && t->error < MODBUS_ENOBASE)
		task_forget_models(t);
	return t->error ? t->result->error : 0;
}

int task_broadcast(struct task *t, const uint8_t *pdu, size_t size)
{
	const struct fieldway_driver *d = t->driver;
	int r;

	t->sent = false;
	r = line_prepare(t->line, d->unit, (uint32_t)size, t->deadline_usec, t->result, t->broken);
	if (r < 0)
		return r;
	t->sent = true;
	t->error = exchange_send(t->line, d->unit, pdu, size);
	line_settle(t->line, d->unit, t->error, t->result, t->broken);
	t->line->resume_usec += bus_wire_usec(&d->bus, (uint32_t)size) + BROADCAST_PAUSE_USEC;
	return t->error ? t->result->error : 0;
}

int task_spoilt(struct task *t)
{
	t->error = EMBBADDATA;
	line_settle(t->line, t->driver->unit, t->error, t->result, t->broken);
	return t->result->error;
}

bool task_met_exception(const struct task *t, unsigned code)
{
	return t->error == ERROR_EXCEPTION(code);
}

void task_check_models(struct task *t)
{
	if (task_met_exception(t, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS))
		task_forget_models(t);
}

/* Application Protocol V1.1b3, sections 6.1 to 6.4. */
static uint8_t read_function(enum area area)
{
	static const uint8_t functions[] = {
		[AREA_COIL] = MODBUS_FC_READ_COILS,
		[AREA_DISCRETE] = MODBUS_FC_READ_DISCRETE_INPUTS,
		[AREA_INPUT] = MODBUS_FC_READ_INPUT_REGISTERS,
		[AREA_HOLDING] = MODBUS_FC_READ_HOLDING_REGISTERS,
	};

	return functions[area];
}

int task_read_span(struct task *t, const struct span *span, const uint8_t **ret_bytes)
{
	uint8_t pdu[5] = { read_function(span->area) };
	size_t bytes = span_bytes(span), size;
	const uint8_t *answer;
	int r;

	put16(pdu + 1, span->address);
	put16(pdu + 3, span->count);
	r = task_run(t, pdu, sizeof(pdu), (uint32_t)bytes + WALK_WIRE_BYTES, &answer, &size);
	if (r < 0)
		return r;
	if (answer[1] != bytes || size != 2 + bytes)
		return task_spoilt(t);
	*ret_bytes = answer + 2;
	return 0;
}

void task_forget_models(struct task *t)
{
	if (t->driver->walk)
		*t->driver->walk = (struct walk){ 0 };
}

static int no_signature(struct task *t)
{
	const struct base *base = &t->driver->base;

	task_forget_models(t);
	t->result->error = -EREMOTEIO;
	snprintf(t->result->detail, sizeof(t->result->detail),
		 "there is no \"%.*s\" at address %u%s", base->n_signature,
		 (const char *)base->signature, base->at[0],
		 base->n_at > 1 ? " nor at the others" : "");
	return t->result->error;
}

/* One step, on a copy: an error that makes everything known worthless wipes the original. */
static int walk_step(struct task *t, struct walk *walk, uint16_t address, uint16_t count)
{
	const struct span span = { .area = AREA_HOLDING, .address = address, .count = count };
	const uint8_t *bytes = NULL;
	int r = task_read_span(t, &span, &bytes);

	if (r < 0 && !task_met_exception(t, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS))
		return r;
	/* That nothing is there was no error of the walk. */
	t->error = 0;
	*t->result = (struct fieldway_result){ 0 };
	walk_feed(&t->driver->base, walk, r < 0 ? NULL : bytes);
	*t->driver->walk = *walk;
	return 0;
}

/*
 * Is what is left less than a device may take? A step cut short would look like
 * silence, and with it go all that is known.
 */
static bool time_is_short(const struct task *t)
{
	return moment_now_usec() + t->driver->bus.timeout_usec > t->deadline_usec;
}

static int walk_pauses(struct task *t, const struct walk *walk)
{
	t->result->error = -EBUSY;
	snprintf(t->result->detail, sizeof(t->result->detail),
		 "still looking for its models, %zu found so far", walk->n);
	return -EBUSY;
}

int task_find_models(struct task *t)
{
	struct walk walk = *t->driver->walk;
	uint16_t address, count;
	bool stepped = false;
	int r;

	while (walk_wants(&t->driver->base, &walk, &address, &count)) {
		if (stepped && time_is_short(t))
			return walk_pauses(t, &walk);
		r = walk_step(t, &walk, address, count);
		if (r < 0)
			return r;
		stepped = true;
	}
	if (walk.state == WALK_LOST)
		return no_signature(t);
	return stepped && time_is_short(t) ? walk_pauses(t, &walk) : 0;
}

static int ask_category(struct task *t, struct collection *c, enum category category)
{
	uint8_t pdu[IDENTIFICATION_REQUEST_BYTES];
	const uint8_t *answer;
	size_t size;
	int r = 0;

	c->next = 0;
	for (unsigned i = 0; r == 0 && i < MAX_IDENTIFICATION_ANSWERS; i++) {
		collection_ask(c, category, pdu);
		r = task_run(t, pdu, sizeof(pdu), WALK_WIRE_BYTES + MAX_PDU_BYTES, &answer, &size);
		if (r < 0)
			return r;
		r = collection_take(c, answer, size);
	}
	return r < 0 ? task_spoilt(t) : 0;
}

ssize_t task_identify(struct task *t, const struct fieldway_request *request, uint8_t *ret,
		      size_t size)
{
	struct collection c;
	int r;

	collection_init(&c, t->driver->points, request, ret, size);
	/* A device answers with what it has; some refuse to be asked for more. */
	for (int category = collection_category(&c);; category--) {
		r = ask_category(t, &c, (enum category)category);
		if (category == CATEGORY_BASIC ||
		    !task_met_exception(t, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE))
			break;
	}
	return r < 0 ? r : (ssize_t)c.size;
}
