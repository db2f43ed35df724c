/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "stream_state.h"

/* Another configuration while the port stays open. */

struct change {
	const struct fieldway_driver *const *drivers;
	const uint32_t *before;
	size_t n;
	/* Made first. */
	struct listener *listeners;
	uint32_t *after; /* by former index; UINT32_MAX: gone */
	struct fieldway_sample *samples;
	size_t max_samples;
	char *text;
	size_t text_size;
};

static void change_done(struct change *c)
{
	for (size_t i = 0; c->listeners && i < c->n; i++)
		if (c->before[i] == UINT32_MAX)
			framer_free(c->listeners[i].framer);
	free(c->listeners);
	free(c->after);
	free(c->samples);
	free(c->text);
}

/* What answers are put into has to hold the largest. */
static int make_room(struct change *c)
{
	size_t longest = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct fieldway_driver *d = c->drivers[i];

		longest = d->frame.max > longest ? d->frame.max : longest;
		c->max_samples = d->n_points > c->max_samples ? d->n_points : c->max_samples;
	}
	c->text_size = STREAM_TEXT_FRAMES * longest;
	c->samples = calloc(c->max_samples + 1, sizeof(*c->samples));
	c->text = malloc(c->text_size + 1);
	return c->samples && c->text ? 0 : -ENOMEM;
}

static int change_make(struct change *c, const struct fieldway_session *s)
{
	int r = make_room(c);

	c->listeners = calloc(c->n + 1, sizeof(*c->listeners));
	c->after = malloc((s->n + 1) * sizeof(*c->after));
	if (r < 0 || !c->listeners || !c->after)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		c->after[i] = UINT32_MAX;
	for (size_t i = 0; r >= 0 && i < c->n; i++) {
		if (c->before[i] == UINT32_MAX) {
			r = framer_new(&c->drivers[i]->frame, &c->listeners[i].framer);
		} else {
			c->listeners[i] = s->listeners[c->before[i]];
			c->after[c->before[i]] = (uint32_t)i;
		}
		c->listeners[i].driver = c->drivers[i];
	}
	return r < 0 ? -ENOMEM : 0;
}

/* In the order in which they wait. */
static void move_writes(struct fieldway_session *s, const struct change *c)
{
	for (size_t i = 0; i < s->n_writes;) {
		struct pending *w = &s->writes[i];

		if (c->after[w->device] == UINT32_MAX) {
			output_end(s, i, -ECANCELED, "its device has gone from the configuration");
			continue;
		}
		w->device = c->after[w->device];
		if (i == 0 && s->writing)
			conversation_follow(&s->conversation, c->drivers[w->device], w->point);
		i++;
	}
}

static void install(struct fieldway_session *s, struct change *c)
{
	for (size_t i = 0; i < s->n; i++)
		if (c->after[i] == UINT32_MAX)
			framer_free(s->listeners[i].framer);
	free(s->listeners);
	free(s->samples);
	free(s->text);
	s->listeners = c->listeners;
	s->n = c->n;
	s->samples = c->samples;
	s->max_samples = c->max_samples;
	s->text = c->text;
	s->text_size = c->text_size;
	s->bus = c->drivers[0]->bus;
	for (size_t i = 0; i < s->n; i++)
		framer_follow(s->listeners[i].framer, &s->listeners[i].driver->frame);
	c->listeners = NULL;
	c->samples = NULL;
	c->text = NULL;
}

static void begin_new(struct fieldway_session *s, const struct change *c)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (c->before[i] != UINT32_MAX)
			continue;
		if (s->reason[0])
			s->host->state(s->host, i, FIELDWAY_DEVICE_FAILED, s->reason);
		if (s->connected)
			stream_hello(s, s->listeners[i].driver);
	}
}

int stream_change(struct fieldway_session *s, const struct fieldway_bus *bus,
		  const struct fieldway_driver *const *drivers, size_t n_drivers, const uint32_t *before)
{
	struct change c = { .drivers = drivers, .before = before, .n = n_drivers };
	int r = change_make(&c, s);

	(void)bus;
	if (r >= 0) {
		move_writes(s, &c);
		install(s, &c);
		begin_new(s, &c);
		output_run(s);
	}
	change_done(&c);
	return r;
}
