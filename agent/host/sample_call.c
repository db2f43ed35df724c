/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "host/calls.h"
#include "host/setup/decode.h"
#include "host/setup/input.h"
#include "link/marshal.h"

/* Decode of Host1: one of a profile's samples. */

struct sample_call {
	struct setup *setup;
	const struct setup_device *device;
	struct fieldway_cell *cells;
	struct fieldway_input *inputs;
	size_t n_cells, n_inputs;
	struct decoded decoded; /* of inputs */
	struct refusals refusals;
};

static void sample_call_done(struct sample_call *s)
{
	decoded_done(&s->decoded);
	free(s->cells);
	free(s->inputs);
	setup_free(s->setup);
	refusals_done(&s->refusals);
}

static int reply_samples(sd_bus_message *m, const struct sample_call *s)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	if (r >= 0)
		r = link_append_refusals(reply, s->refusals.items, s->refusals.n);
	if (r >= 0 && s->setup && s->n_inputs == 0)
		r = decode_append(reply, s->setup, s->device, s->cells, s->n_cells);
	else if (r >= 0)
		r = decoded_append(reply, &s->decoded);
	return reply_end(reply, r);
}

static int read_sample(struct host *h, sd_bus_message *m, struct sample_call *s, uint32_t *ret_device)
{
	int r = host_read_setup(h, m, SETUP_SAMPLE, &s->refusals, &s->setup);

	if (r < 0 && r != -EINVAL)
		return r;
	r = sd_bus_message_read(m, "u", ret_device);
	if (r >= 0)
		r = link_read_cells(m, &s->cells, &s->n_cells);
	return r < 0 ? r : link_read_inputs(m, &s->inputs, &s->n_inputs);
}

static int decode_sample(sd_bus_message *m, struct sample_call *s, uint32_t device, sd_bus_error *error)
{
	int r = 0;

	if (s->setup)
		s->device = setup_find(s->setup, device);
	if (s->setup && !s->device)
		return sd_bus_error_set_errnof(error, -ENODEV, "there is no device %u", device);
	if (s->setup && s->n_inputs > 0)
		r = decode_inputs(s->setup, s->device, s->inputs, s->n_inputs, &s->refusals,
				  &s->decoded);
	else if (s->setup && !s->setup->plugin->answer)
		return sd_bus_error_set_errnof(error, -EOPNOTSUPP,
					       "plugin %s has no registers for samples",
					       s->setup->plugin->name);
	return r < 0 && r != -EINVAL ? r : reply_samples(m, s);
}

int sample_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct sample_call s = { 0 };
	uint32_t device;
	int r = read_sample(userdata, m, &s, &device);

	if (r >= 0)
		r = decode_sample(m, &s, device, error);
	sample_call_done(&s);
	return r;
}
