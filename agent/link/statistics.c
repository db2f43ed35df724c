/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#define REQUEST_CONTENTS "sttttttttt"
#define POINT_CONTENTS "utttttis"

/* ---- requests ---- */

static int append_request(sd_bus_message *m, const struct link_request_statistics *s)
{
	int r = sd_bus_message_open_container(m, 'r', REQUEST_CONTENTS);

	if (r >= 0)
		r = link_append_text(m, s->text);
	if (r >= 0)
		r = sd_bus_message_append(m, "ttttttttt", s->period_usec, s->effective_usec, s->requests,
					  s->errors, s->timeouts, s->exceptions, s->last_usec,
					  s->mean_usec, s->max_usec);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_request_statistics(struct sd_bus_message *m, const struct link_request_statistics *items,
				   size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "(" REQUEST_CONTENTS ")");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_request(m, &items[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_request(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_request_statistics *s = item;
	int r = sd_bus_message_read(m, REQUEST_CONTENTS, &s->text, &s->period_usec, &s->effective_usec,
				    &s->requests, &s->errors, &s->timeouts, &s->exceptions,
				    &s->last_usec, &s->mean_usec, &s->max_usec);

	return r <= 0 ? link_malformed(r) : link_check_text(s->text);
}

int link_read_request_statistics(struct sd_bus_message *m, struct arena *arena,
				 struct link_request_statistics **ret, size_t *ret_n)
{
	return link_read_array(m, 'r', REQUEST_CONTENTS, sizeof(**ret), LINK_POINTS_MAX, read_request,
			       arena, ret, ret_n);
}

/* ---- points ---- */

static int append_point(sd_bus_message *m, const struct link_point_statistics *s)
{
	int r = sd_bus_message_open_container(m, 'r', POINT_CONTENTS);

	if (r >= 0)
		r = sd_bus_message_append(m, "utttttis", s->point, s->good, s->invalid, s->failed,
					  s->unchanged, s->conflated, s->error, s->text);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_point_statistics(struct sd_bus_message *m, const struct link_point_statistics *items,
				 size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "(" POINT_CONTENTS ")");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = append_point(m, &items[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int read_point(sd_bus_message *m, struct arena *arena, void *item)
{
	struct link_point_statistics *s = item;
	int r = sd_bus_message_read(m, POINT_CONTENTS, &s->point, &s->good, &s->invalid, &s->failed,
				    &s->unchanged, &s->conflated, &s->error, &s->text);

	if (r <= 0)
		return link_malformed(r);
	return s->error > 0 ? -EBADMSG : link_check_text(s->text);
}

int link_read_point_statistics(struct sd_bus_message *m, struct arena *arena,
			       struct link_point_statistics **ret, size_t *ret_n)
{
	return link_read_array(m, 'r', POINT_CONTENTS, sizeof(**ret), LINK_POINTS_MAX, read_point, arena,
			       ret, ret_n);
}
