/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/errand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/host.h"
#include "host/line/attempt.h"
#include "host/line/line.h"
#include "link/marshal.h"

struct errand {
	struct list node; /* in the line's, until it is its job */
	struct host_bus *bus;
	struct line *line;
	struct setup *setup; /* NULL: the guest has it */
	const struct fieldway_driver *driver;
	sd_bus_message *call; /* NULL: answered */
	struct timer timer;
	uint64_t deadline_usec; /* of the kernel's clock */
	uint8_t answer[WORKER_ANSWER_BYTES];
	size_t size;
	uint8_t request[];
};

/* ---- the answer ---- */

static int answer(sd_bus_message *call, int error, const char *detail, const void *bytes, size_t n)
{
	sd_bus_message *m = NULL;
	char text[256];
	int r;

	snprintf(text, sizeof(text), "%s", *detail || error == 0 ? detail : strerror(-error));
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	r = sd_bus_message_new_method_return(call, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "is", error, text);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', bytes, n);
	if (r >= 0)
		r = sd_bus_message_send(m);
	sd_bus_message_unref(m);
	return r;
}

static void errand_free(struct errand *e)
{
	e->bus->n_errands--;
	timer_disarm(&e->timer);
	list_remove(&e->node);
	sd_bus_message_unref(e->call);
	setup_free(e->setup);
	free(e);
}

static void errand_end(struct errand *e, int error, const char *detail, const void *bytes, size_t n)
{
	/* An answer that cannot be sent is a link that is gone. */
	if (e->call)
		(void)answer(e->call, error, detail, bytes, n);
	e->call = sd_bus_message_unref(e->call);
}

static void errand_late(struct timer *timer, void *userdata)
{
	struct errand *e = userdata;

	if (e->line->errand == e) {
		errand_end(e, -ETIMEDOUT, "no answer before the deadline", NULL, 0);
		return;
	}
	errand_end(e, -ETIMEDOUT, "the line was busy until the deadline", NULL, 0);
	errand_free(e);
}

void errands_cancel(struct line *l, int error, const char *text)
{
	struct errand *e;

	list_for_each(e, &l->errands, node) {
		errand_end(e, error, text, NULL, 0);
		errand_free(e);
	}
}

/* ---- at work ---- */

void errand_start(struct line *l)
{
	struct errand *e = list_entry(l->errands.next, struct errand, node);
	struct job *job = &l->job;

	list_remove(&e->node);
	l->errand = e;
	l->device = NULL;
	job->kind = JOB_RAW;
	job->driver = e->driver;
	job->raw = e->request;
	job->raw_size = e->size;
	job->answer = e->answer;
	job->tries = 1;
	job->deadline_usec = e->deadline_usec;
	job->requests = job->errors = job->timeouts = 0;
	job->restored = false;
}

void errand_done(struct line *l)
{
	const struct job *job = &l->job;
	struct errand *e = TAKE_PTR(l->errand);
	bool failed = job->result.error < 0;

	errand_end(e, job->result.error, job->result.detail, job->answer,
		   failed ? 0 : job->answer_size);
	errand_free(e);
}

/* ---- guests ---- */

static void guest_free(struct line *l)
{
	struct setup *setup = l->setup;

	errands_cancel(l, -ECANCELED, "its line was closed");
	attempts_cancel(l, -ECANCELED, "its line was closed");
	line_free(l);
	setup_free(setup);
}

void guest_due(struct line *l)
{
	if (l->work != LINE_IDLE || !list_is_empty(&l->errands) || !list_is_empty(&l->attempts))
		return;
	l->leaving = true;
	worker_stop(l->worker);
}

void guest_idle(struct line *l)
{
	if (timer_arm_in(&l->due, ERRAND_GUEST_USEC) < 0)
		guest_due(l);
}

void guest_ended(struct line *l)
{
	guest_free(l);
}

static void guest_retire(struct line *l, int error, const char *text)
{
	errands_cancel(l, error, text);
	attempts_cancel(l, error, text);
	l->leaving = true;
	timer_disarm(&l->due);
	if (l->worker)
		worker_stop(l->worker);
	else
		guest_free(l);
}

void guests_retire(struct host_bus *b, int error, const char *text)
{
	struct line *l;

	list_for_each(l, &b->guests, node)
		guest_retire(l, error, text);
}

void guest_leave(struct host_bus *b, const char *name)
{
	struct line *l;

	list_for_each(l, &b->guests, node)
		if (streq(l->name, name) && !l->leaving)
			guest_retire(l, -ECANCELED, "the configuration has changed");
}

static size_t count_guests(const struct host_bus *b)
{
	struct line *l;
	size_t n = 0;

	list_for_each(l, &b->guests, node)
		n++;
	return n;
}

int guest_new(struct host_bus *b, struct setup *setup, struct line **ret)
{
	struct line *l;
	int r;

	if (b->n_lines + count_guests(b) >= HOST_LINES_MAX)
		return -EBUSY;
	r = line_new(b, setup->devices[0].line, &l);
	if (r < 0)
		return r;
	l->setup = setup;
	list_append(&b->guests, &l->node);
	r = line_start(l);
	if (r < 0) {
		l->setup = NULL; /* still the caller's */
		guest_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

/* ---- the beginning ---- */

struct line *errand_find_line(const struct host_bus *b, const char *name)
{
	struct line *l;

	for (size_t i = 0; i < b->n_lines; i++)
		if (streq(b->lines[i]->name, name))
			return b->lines[i];
	list_for_each(l, &b->guests, node)
		if (!l->leaving && streq(l->name, name))
			return l;
	return NULL;
}

/* The bus with one device that has no points. */
static int make_setup(struct loader *loader, const struct host_bus *b, sd_bus_message *call,
		      const struct fieldway_settings *address, struct refusals *refusals,
		      struct setup **ret)
{
	struct link_configuration *c = calloc(1, sizeof(*c));
	struct arena *arena = calloc(1, sizeof(*arena));
	struct fieldway_setting *items;
	int r;

	if (!c || !arena) {
		free(c);
		free(arena);
		return -ENOMEM;
	}
	*c = *b->setup->configuration;
	c->arena = arena;
	c->message = sd_bus_message_ref(call);
	c->types = arena_new(arena, sizeof(*c->types));
	c->devices = arena_new(arena, sizeof(*c->devices));
	items = arena_new(arena, (address->n + 1) * sizeof(*items));
	if (!c->types || !c->devices || !items) {
		link_configuration_free(c);
		return -ENOMEM;
	}
	if (address->n > 0)
		memcpy(items, address->items, address->n * sizeof(*items));
	c->types->identify.point = -1;
	c->n_types = 1;
	*c->devices = (struct link_device){ .name = "raw", .address = { items, address->n } };
	c->n_devices = 1;
	r = setup_new(loader, c, SETUP_BUS, refusals, ret);
	if (r >= 0)
		(*ret)->parent = setup_ref(b->setup);
	return r;
}

static int errand_new(struct host_bus *b, sd_bus_message *call, const void *request, size_t size,
		      uint64_t deadline_usec, struct errand **ret)
{
	struct errand *e = calloc(1, sizeof(*e) + size);

	if (!e)
		return -ENOMEM;
	list_init(&e->node);
	memcpy(e->request, request, size);
	e->size = size;
	e->deadline_usec = deadline_usec;
	timer_init(&e->timer, b->services->timers, errand_late, e);
	if (timer_arm(&e->timer, usec_add(deadline_usec, clock_offset_usec())) < 0) {
		free(e);
		return -ENOMEM;
	}
	e->call = sd_bus_message_ref(call);
	e->bus = b;
	b->n_errands++;
	*ret = e;
	return 0;
}

static int check(const struct host_bus *b, size_t size, const char **ret_text)
{
	if (!b->setup->plugin->raw) {
		*ret_text = "the plugin takes no raw requests";
		return -EOPNOTSUPP;
	}
	if (size == 0 || size > ERRAND_BYTES_MAX) {
		*ret_text = "a request has 1 to 4096 bytes";
		return -EINVAL;
	}
	if (b->lent_usec || !b->started) {
		*ret_text = b->lent_usec ? "its bus is lent to another program" :
					   "its bus has not started yet";
		return -EBUSY;
	}
	if (b->n_errands < ERRANDS_MAX)
		return 0;
	*ret_text = "too many requests are waiting";
	return -EBUSY;
}

/* On the line of its own name. *setup is NULL when somebody has taken it over. */
static int dispatch(struct host_bus *b, struct setup **setup, sd_bus_message *call,
		    const void *request, size_t size, uint64_t deadline_usec, bool known)
{
	struct line *l = errand_find_line(b, (*setup)->devices[0].line);
	struct errand *e;
	int r;

	if (!l && known)
		return -EXDEV;
	if (l && !l->worker)
		return -ENODEV;
	r = errand_new(b, call, request, size, deadline_usec, &e);
	if (r < 0)
		return r;
	e->driver = (*setup)->devices[0].driver;
	r = l ? 0 : guest_new(b, *setup, &l);
	if (r < 0) {
		errand_free(e);
		return r;
	}
	if (l->setup != *setup)
		e->setup = *setup;
	*setup = NULL;
	e->line = l;
	list_append(&l->errands, &e->node);
	line_kick(l);
	return 0;
}

/* Has a device that speaks by itself taken it? */
static bool is_held(const struct host_bus *b, const char *line)
{
	for (size_t i = 0; i < b->n_devices; i++)
		if (!b->devices[i]->line && streq(b->devices[i]->setup->line, line))
			return true;
	return false;
}

DEFINE_FREEP(struct setup *, setup_free)

int errand_begin(struct loader *loader, struct host_bus *b, sd_bus_message *call,
		 const struct fieldway_settings *address, const void *request, size_t size,
		 uint64_t deadline_usec, bool known)
{
	_cleanup_(refusals_done) struct refusals refusals = { 0 };
	_cleanup_(setup_freep) struct setup *setup = NULL;
	const char *text = "";
	int r;

	r = check(b, size, &text);
	if (r < 0)
		return answer(call, r, text, NULL, 0);
	r = make_setup(loader, b, call, address, &refusals, &setup);
	if (r < 0)
		return r != -EINVAL ? r : answer(call, r, refusals.items[0].text, NULL, 0);
	if (setup->devices[0].io == FIELDWAY_IO_EVENTS)
		return answer(call, -EOPNOTSUPP, "it speaks by itself and is not asked", NULL, 0);
	if (is_held(b, setup->devices[0].line))
		return answer(
			call, -EBUSY,
			"its devices speak by themselves and hold the line; fieldwayctl bus NAME release lends it",
			NULL, 0);
	r = dispatch(b, &setup, call, request, size, deadline_usec, known);
	return r < 0 ? answer(call, r, "", NULL, 0) : 0;
}
