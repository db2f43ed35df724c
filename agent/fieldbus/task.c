/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "fieldbus/local_internal.h"

/* ---- calls ---- */

static void call_free(struct task_call *c)
{
	list_remove(&c->list);
	sd_bus_slot_unref(c->slot);
	free(c);
}

/* The last answer ends a task. The first error stands. */
static void call_end(struct task_call *c, int error)
{
	struct task *t = c->task;

	call_free(c);
	if (error < 0 && t->error == 0)
		t->error = error;
	if (list_is_empty(&t->calls))
		task_end(t, t->error);
}

static void call_take(struct task_call *c, sd_bus_message *m)
{
	struct host *h = c->host;
	struct task *t = c->task;
	int r = t->kind->take(c, m);

	if (r < 0)
		host_give_up(h, "sent a malformed answer");
	if (r <= 0 || !t->kind->one_by_one) {
		call_end(c, r);
		return;
	}
	/* Somebody else may know better. */
	call_free(c);
	r = task_start(t);
	if (r < 0)
		task_end(t, r);
}

static int call_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct task_call *c = userdata;

	(void)error;
	if (!e)
		call_take(c, m);
	else if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		call_end(c, -ECONNRESET); /* sd-bus makes this one when the link closes */
	else
		call_end(c, MIN(-sd_bus_error_get_errno(e), -1));
	return 1;
}

static int call_send(struct task_call *c)
{
	struct host *h = c->host;
	sd_bus_message *m = NULL;
	int r;

	host_follow_clock(h);
	r = link_call_new(h->link, c->task->kind->member, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "ts", h->generation, host_bus(h)->name);
	if (r >= 0)
		r = c->task->kind->append(c, m);
	r = host_call(h, r, m, &c->slot, call_answered, c);
	/* A link that closes right now leaves it to tasks_lost(). */
	return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE ? 0 : MIN(r, 0);
}

static int call_new(struct task *t, struct host *h)
{
	struct task_call *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->task = t;
	c->host = h;
	list_append(&t->calls, &c->list);
	r = h->state == HOST_RUNNING && t->kind->member ? call_send(c) : 0;
	if (r < 0)
		call_free(c);
	return r;
}

/* ---- tasks ---- */

static void task_late(struct timer *timer, void *userdata)
{
	(void)timer;
	task_end(userdata, -ETIMEDOUT);
}

static unsigned count_tasks(const struct fieldbus *f, uint32_t bus)
{
	struct task *t;
	unsigned n = 0;

	list_for_each(t, &f->tasks, list)
		n += t->bus == bus;
	return n;
}

int task_new(struct fieldbus *f, uint32_t bus, const struct task_kind *kind, uint64_t within_usec,
	     void *userdata, struct task **ret)
{
	struct task *t;
	int r;

	if (!f->config || f->stopping || bus >= f->config->n_buses)
		return -EINVAL;
	if (bus_is_local(f->config, bus))
		return -EOPNOTSUPP;
	if (bus_is_off(f, bus))
		return -EHOSTDOWN;
	if (count_tasks(f, bus) >= FIELDBUS_TASKS_MAX)
		return -EBUSY;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct task){
		.fieldbus = f, .bus = bus, .kind = kind, .fd = -1, .userdata = userdata
	};
	list_init(&t->calls);
	timer_init(&t->timer, f->timers, task_late, t);
	list_append(&f->tasks, &t->list);
	r = timer_arm_in(&t->timer, within_usec);
	if (r >= 0)
		r = bus_need_host(f, bus);
	if (r < 0)
		task_free(t);
	else
		*ret = t;
	return r;
}

void task_free(struct task *t)
{
	struct task_call *c;

	list_for_each(c, &t->calls, list)
		call_free(c);
	timer_disarm(&t->timer);
	list_remove(&t->list);
	closep(&t->fd);
	arena_done(&t->arena);
	free(t);
}

static int start_next(struct task *t)
{
	struct fieldbus *f = t->fieldbus;
	struct host *any = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts; i++) {
		if (f->hosts[i]->bus != t->bus)
			continue;
		any = any ?: f->hosts[i];
		if (n++ == t->next) {
			t->next++;
			return call_new(t, f->hosts[i]);
		}
	}
	/* Nobody has its line, or there is only one who could. */
	t->next = SIZE_MAX;
	return call_new(t, any);
}

static int start_all(struct task *t)
{
	struct fieldbus *f = t->fieldbus;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < f->n_hosts; i++)
		if (f->hosts[i]->bus == t->bus)
			r = call_new(t, f->hosts[i]);
	return r;
}

int task_start(struct task *t)
{
	return t->kind->one_by_one ? start_next(t) : start_all(t);
}

void task_end(struct task *t, int error)
{
	if (t->raw_done)
		t->raw_done(t->userdata, error, "", NULL, 0);
	if (t->ended)
		t->ended(t->userdata, error, t->n, t->dropped);
	task_free(t);
}

/* ---- their hosts ---- */

/* A call of this host that was sent or not; NULL: none. */
static struct task_call *find_call(const struct host *h, bool sent)
{
	struct task_call *c;
	struct task *t;

	list_for_each(t, &h->fieldbus->tasks, list)
		list_for_each(c, &t->calls, list)
			if (c->host == h && !c->slot == !sent)
				return c;
	return NULL;
}

void tasks_send(struct host *h)
{
	struct task_call *c;
	int r;

	while (h->state == HOST_RUNNING && (c = find_call(h, false))) {
		if (!c->task->kind->member) {
			call_end(c, 0);
			continue;
		}
		r = call_send(c);
		if (r < 0)
			call_end(c, r);
		else if (!c->slot)
			return;
	}
}

void tasks_lost(struct host *h)
{
	struct task_call *c;

	while ((c = find_call(h, true)))
		call_end(c, -ECONNRESET);
}

void tasks_cancel_bus(struct fieldbus *f, uint32_t bus)
{
	struct task *t;

	list_for_each(t, &f->tasks, list)
		if (t->bus == bus)
			task_end(t, -ECANCELED);
}

void tasks_renumber(struct fieldbus *f, const uint32_t *buses_after)
{
	struct task *t;

	list_for_each(t, &f->tasks, list)
		t->bus = buses_after[t->bus];
}

void tasks_cancel(struct fieldbus *f)
{
	while (!list_is_empty(&f->tasks))
		task_end(list_entry(f->tasks.next, struct task, list), -ECANCELED);
}
