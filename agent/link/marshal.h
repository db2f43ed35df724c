/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "link/host1.h"

struct arena;

/*
 * Structs to messages and back. Append: 0 or negative errno, -EINVAL for text
 * that is not UTF-8 or holds a NUL. Read: -EBADMSG for anything that the type
 * does not allow; text and bytes lie in the message and live as long as it.
 */
int link_append_value(struct sd_bus_message *m, const struct fieldway_value *value);
int link_read_value(struct sd_bus_message *m, struct fieldway_value *ret);
/* Would link_append_value() take it? */
bool link_value_is_valid(const struct fieldway_value *value);

/* What a host said in one text: 0, or -EBADMSG for more than LINK_TEXT_MAX. */
int link_check_text(const char *text);

int link_append_configuration(struct sd_bus_message *m, const struct link_configuration *c);
/* The result holds a reference to the message. */
int link_read_configuration(struct sd_bus_message *m, struct link_configuration **ret);
struct link_configuration *link_configuration_free(struct link_configuration *c);

int link_append_settings(struct sd_bus_message *m, const struct fieldway_settings *settings);
/* The array lies in the arena, its texts in the message. */
int link_read_settings(struct sd_bus_message *m, struct arena *arena, struct fieldway_settings *ret);

/* Samples of one device in a message that goes on: (u(tttt)a(uyitv)). */
int link_open_values(struct sd_bus_message *m, uint32_t device, const struct link_counters *counters);
int link_append_sample(struct sd_bus_message *m, const struct fieldway_sample *sample);
int link_close_values(struct sd_bus_message *m);
/*
 * The whole of Values: each called once a device. n is 0 when a device only
 * has counters.
 */
typedef void (*link_values_handler)(void *userdata, uint32_t device, const struct link_counters *counters,
				    const struct fieldway_sample *samples, size_t n);
int link_read_values(struct sd_bus_message *m, uint64_t *ret_generation, link_values_handler handler,
		     void *userdata);
/* One array a(uyitv), for Decode; *ret is freed by the caller. */
int link_read_samples(struct sd_bus_message *m, struct fieldway_sample **ret, size_t *ret_n);

int link_append_cells(struct sd_bus_message *m, const struct fieldway_cell *cells, size_t n);
int link_read_cells(struct sd_bus_message *m, struct fieldway_cell **ret, size_t *ret_n);
/* As cells: what they point to lies in the message. */
int link_append_inputs(struct sd_bus_message *m, const struct fieldway_input *inputs, size_t n);
int link_read_inputs(struct sd_bus_message *m, struct fieldway_input **ret, size_t *ret_n);

int link_append_description(struct sd_bus_message *m, const struct link_description *d);
/* Everything lies in arena memory and outlives the message. */
int link_read_description(struct sd_bus_message *m, struct arena *arena, struct link_description *ret);
/* At most LINK_REFUSALS_MAX, -EINVAL. */
int link_append_refusals(struct sd_bus_message *m, const struct link_refusal *refusals, size_t n);
/* The arrays lie in the arena, their texts in the message. */
int link_read_refusals(struct sd_bus_message *m, struct arena *arena, struct link_refusal **ret,
		       size_t *ret_n);
/* One, into an open array of LINK_TYPE_EXPLANATION. */
int link_append_explanation(struct sd_bus_message *m, const struct link_explanation *e);
int link_read_explanations(struct sd_bus_message *m, struct arena *arena,
			   struct link_explanation **ret, size_t *ret_n);
/* The two arrays of LINK_TYPE_STATISTICS; read: as refusals. */
int link_append_request_statistics(struct sd_bus_message *m, const struct link_request_statistics *items,
				   size_t n);
int link_read_request_statistics(struct sd_bus_message *m, struct arena *arena,
				 struct link_request_statistics **ret, size_t *ret_n);
int link_append_point_statistics(struct sd_bus_message *m, const struct link_point_statistics *items,
				 size_t n);
int link_read_point_statistics(struct sd_bus_message *m, struct arena *arena,
			       struct link_point_statistics **ret, size_t *ret_n);
