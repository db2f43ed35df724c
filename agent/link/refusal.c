/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#define REFUSAL_CONTENTS "iiss"
#define REQUEST_CONTENTS "tsut"
#define EXPLANATION_CONTENTS "usa(" REQUEST_CONTENTS ")"

/* ---- what is held against a configuration ---- */

static int append_refusal(sd_bus_message *m, const struct link_refusal *refusal)
{
	int r = sd_bus_message_open_container(m, 'r', REFUSAL_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "ii", refusal->device, refusal->point);
	if (r >= 0)
		r = link_append_text(m, refusal->key);
	if (r >= 0)
		r = link_append_text(m, refusal->text);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_refusals(struct sd_bus_message *m, const struct link_refusal *refusals, size_t n)
{
	int r;

	if (n > LINK_REFUSALS_MAX)
		return -EINVAL;
	r = sd_bus_message_open_container(m, 'a', LINK_TYPE_REFUSAL);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_refusal(m, &refusals[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_refusal(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_refusal *refusal = item;
	int r = sd_bus_message_read(m, REFUSAL_CONTENTS, &refusal->device, &refusal->point,
				    &refusal->key, &refusal->text);

	if (r <= 0)
		return link_malformed(r);
	if (refusal->device < -1 || refusal->point < -1 || link_check_text(refusal->key) < 0)
		return -EBADMSG;
	return link_check_text(refusal->text);
}

int link_read_refusals(struct sd_bus_message *m, struct arena *arena, struct link_refusal **ret,
		       size_t *ret_n)
{
	return link_read_array(m, 'r', REFUSAL_CONTENTS, sizeof(**ret), LINK_REFUSALS_MAX,
			       read_refusal, arena, ret, ret_n);
}

/* ---- the requests that it needs ---- */

static int append_request(sd_bus_message *m, const struct link_request *request)
{
	int r = sd_bus_message_open_container(m, 'r', REQUEST_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "t", request->period_usec);
	if (r >= 0)
		r = link_append_text(m, request->text);
	if (r >= 0)
		r = sd_bus_message_append(m, "ut", request->wire_bytes, request->wire_usec);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_explanation(struct sd_bus_message *m, const struct link_explanation *e)
{
	int r = sd_bus_message_open_container(m, 'r', EXPLANATION_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "u", e->device);
	if (r >= 0)
		r = link_append_text(m, e->line);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(" REQUEST_CONTENTS ")");
	for (size_t i = 0; r >= 0 && i < e->n_requests; i++)
		r = append_request(m, &e->requests[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_request(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_request *request = item;
	int r = sd_bus_message_read(m, REQUEST_CONTENTS, &request->period_usec, &request->text,
				    &request->wire_bytes, &request->wire_usec);

	return r <= 0 ? link_malformed(r) : link_check_text(request->text);
}

static int read_explanation(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_explanation *e = item;
	int r = sd_bus_message_read(m, "us", &e->device, &e->line);

	r = r <= 0 ? link_malformed(r) : link_check_text(e->line);
	if (r < 0)
		return r;
	return link_read_array(m, 'r', REQUEST_CONTENTS, sizeof(*e->requests), LINK_POINTS_MAX,
			       read_request, arena, &e->requests, &e->n_requests);
}

int link_read_explanations(struct sd_bus_message *m, struct arena *arena,
			   struct link_explanation **ret, size_t *ret_n)
{
	return link_read_array(m, 'r', EXPLANATION_CONTENTS, sizeof(**ret), LINK_DEVICES_MAX,
			       read_explanation, arena, ret, ret_n);
}
