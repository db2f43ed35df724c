/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define VALUES_CONTENTS "u(tttt)" LINK_TYPE_SAMPLES

int link_open_values(struct sd_bus_message *m, uint32_t device, const struct link_counters *c)
{
	int r = sd_bus_message_open_container(m, 'r', VALUES_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "u(tttt)", device, c->requests, c->errors, c->timeouts,
					  c->conflated);
	return r < 0 ? r : sd_bus_message_open_container(m, 'a', LINK_TYPE_SAMPLE);
}

int link_append_sample(struct sd_bus_message *m, const struct fieldway_sample *s)
{
	int r = sd_bus_message_open_container(m, 'r', "uyitv");

	if (r >= 0)
		r = sd_bus_message_append(m, "uyit", s->point, (uint8_t)s->quality, s->error, s->boottime_usec);
	if (r >= 0)
		r = link_append_value(m, &s->value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_close_values(struct sd_bus_message *m)
{
	int r = sd_bus_message_close_container(m);

	return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

static int read_sample(sd_bus_message *m, struct arena *arena, void *item)
{
	struct fieldway_sample *s = item;
	uint8_t quality;
	int r;

	r = sd_bus_message_read(m, "uyit", &s->point, &quality, &s->error, &s->boottime_usec);
	if (r <= 0)
		return link_malformed(r);
	if (quality > FIELDWAY_FAILED || s->error > 0)
		return -EBADMSG;
	s->quality = quality;
	r = link_read_value(m, &s->value);
	if (r < 0)
		return r;
	return has_data(&s->value) && s->value.size > LINK_SAMPLE_BYTES_MAX ? -EBADMSG : 0;
}

static int read_samples(sd_bus_message *m, struct arena *arena, struct fieldway_sample **ret, size_t *ret_n)
{
	return link_read_array(m, 'r', "uyitv", sizeof(**ret), LINK_POINTS_MAX, read_sample, arena, ret, ret_n);
}

struct values {
	link_values_handler handler;
	void *userdata;
};

static int read_device_values(sd_bus_message *m, const struct values *v)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_sample *samples;
	struct link_counters c;
	uint32_t device;
	size_t n;
	int r;

	r = sd_bus_message_enter_container(m, 'r', VALUES_CONTENTS);
	if (r > 0)
		r = sd_bus_message_read(m, "u(tttt)", &device, &c.requests, &c.errors, &c.timeouts,
					&c.conflated);
	if (r <= 0)
		return link_malformed(r);
	r = read_samples(m, &arena, &samples, &n);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;
	v->handler(v->userdata, device, &c, samples, n);
	return 0;
}

int link_read_values(struct sd_bus_message *m, uint64_t *ret_generation, link_values_handler handler,
		     void *userdata)
{
	const struct values values = { handler, userdata };
	int r;

	r = sd_bus_message_read(m, "t", ret_generation);
	if (r > 0)
		r = sd_bus_message_enter_container(m, 'a', LINK_TYPE_DEVICE_VALUES);
	if (r <= 0)
		return link_malformed(r);
	while ((r = sd_bus_message_at_end(m, 0)) == 0) {
		r = read_device_values(m, &values);
		if (r < 0)
			return link_malformed(r);
	}
	return r < 0 ? link_malformed(r) : 0;
}

/* An array that the caller frees, out of arena memory. */
static int copy_array(const void *items, size_t n, size_t size, void *ret)
{
	void *copy = calloc(n + 1, size);

	if (!copy)
		return -ENOMEM;
	if (n > 0)
		memcpy(copy, items, n * size);
	memcpy(ret, &copy, sizeof(copy));
	return 0;
}

int link_read_samples(struct sd_bus_message *m, struct fieldway_sample **ret, size_t *ret_n)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_sample *samples;
	size_t n;
	int r;

	r = read_samples(m, &arena, &samples, &n);
	if (r >= 0)
		r = copy_array(samples, n, sizeof(*samples), ret);
	if (r >= 0)
		*ret_n = n;
	return r;
}

int link_append_cells(struct sd_bus_message *m, const struct fieldway_cell *cells, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "(suq)");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "(suq)", cells[i].area, cells[i].address, cells[i].value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_cell(sd_bus_message *m, struct arena *arena, void *item)
{
	struct fieldway_cell *c = item;
	int r = sd_bus_message_read(m, "suq", &c->area, &c->address, &c->value);

	return r <= 0 ? link_malformed(r) : 0;
}

int link_read_cells(struct sd_bus_message *m, struct fieldway_cell **ret, size_t *ret_n)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_cell *cells;
	size_t n;
	int r;

	r = link_read_array(m, 'r', "suq", sizeof(*cells), LINK_CELLS_MAX, read_cell, &arena, &cells, &n);
	if (r >= 0)
		r = copy_array(cells, n, sizeof(*cells), ret);
	if (r >= 0)
		*ret_n = n;
	return r;
}

static int append_input(sd_bus_message *m, const struct fieldway_input *input)
{
	int r = sd_bus_message_open_container(m, 'r', "say");

	if (r >= 0)
		r = link_append_text(m, input->name);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', input->data, input->size);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_inputs(struct sd_bus_message *m, const struct fieldway_input *inputs, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "(say)");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_input(m, &inputs[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_input(sd_bus_message *m, struct arena *arena, void *item)
{
	struct fieldway_input *input = item;
	const void *data;
	int r = sd_bus_message_read_basic(m, 's', &input->name);

	if (r > 0)
		r = sd_bus_message_read_array(m, 'y', &data, &input->size);
	if (r <= 0)
		return link_malformed(r);
	input->data = data;
	return 0;
}

int link_read_inputs(struct sd_bus_message *m, struct fieldway_input **ret, size_t *ret_n)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_input *inputs;
	size_t n;
	int r;

	r = link_read_array(m, 'r', "say", sizeof(*inputs), LINK_INPUTS_MAX, read_input, &arena,
			    &inputs, &n);
	if (r >= 0)
		r = copy_array(inputs, n, sizeof(*inputs), ret);
	if (r >= 0)
		*ret_n = n;
	return r;
}
