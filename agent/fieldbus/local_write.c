/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fieldbus/local_internal.h"

/* A write is handed to the device's program, which says what has become of it. */

#define DETAIL_MAX 640u

struct local_write {
	struct list list; /* local.writes */
	struct local *local;
	uint64_t serial;
	uint32_t point;
	struct fieldway_value value;
	void *data; /* of the value */
	struct timer timer;
	uint64_t end_usec;
	bool sent;
	int misfit; /* 0: the value is one of the point's type */
	fieldbus_done done;
	void *userdata;
};

static void write_free(struct local_write *w)
{
	timer_disarm(&w->timer);
	list_remove(&w->list);
	w->local->n_writes--;
	free(w->data);
	free(w);
}

static void say(const struct local_write *w, const char *what, char ret[DETAIL_MAX])
{
	const struct fieldbus *f = w->local->fieldbus;
	const struct config_device *d = &f->config->devices[w->local->device];

	snprintf(ret, DETAIL_MAX, "bus %s: device %.100s: point %.100s: %.300s", f->config->buses[d->bus].name, d->name,
		 d->type->points[w->point].name, what);
	ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
}

static void write_end(struct local_write *w, enum fieldway_outcome outcome, int error, const char *what)
{
	char detail[DETAIL_MAX];

	say(w, what, detail);
	timer_disarm(&w->timer);
	list_remove(&w->list);
	if (w->done)
		w->done(w->userdata, outcome, error, detail);
	write_free(w);
}

/* Servers that see it in another place learn of it as of any value; behind the answer to the write. */
static void write_accepted(struct local_write *w)
{
	struct fieldbus *f = w->local->fieldbus;
	uint32_t device = w->local->device;
	const struct fieldway_sample sample = { .point = w->point,
						.boottime_usec = clock_boottime_usec(),
						.value = w->value };
	void *data = TAKE_PTR(w->data);
	bool readable = f->config->devices[device].type->points[w->point].access & CONFIG_ACCESS_READ;

	w->local->points[w->point].boottime_usec = sample.boottime_usec;
	write_end(w, FIELDWAY_ACCEPTED, 0, "done");
	if (readable && f->ops.values)
		f->ops.values(f->userdata, device, &sample, 1);
	free(data);
}

static void refuse_misfit(struct local_write *w)
{
	const struct config_type *type = w->local->fieldbus->config->devices[w->local->device].type;
	char what[64];

	snprintf(what, sizeof(what), "does not fit its type, %s", config_local_type_name(config_local_type(&type->points[w->point])));
	write_end(w, FIELDWAY_NOT_SENT, w->misfit, what);
}

/* Out of the loop: nobody is told of a write before whoever asked for it has returned. */
static void write_due(struct timer *timer, void *userdata)
{
	struct local_write *w = userdata;
	struct fieldbus *f = w->local->fieldbus;
	int r;

	if (w->misfit < 0) {
		refuse_misfit(w);
		return;
	}
	if (w->sent) {
		write_end(w, FIELDWAY_UNKNOWN, -ETIMEDOUT, "its program has not completed it in time");
		return;
	}
	r = f->ops.local_write ?
		    f->ops.local_write(f->userdata, w->local->device, w->serial, w->point, &w->value) :
		    -EHOSTDOWN;
	if (r < 0) {
		write_end(w, FIELDWAY_NOT_SENT, r,
			  r == -EHOSTDOWN ? "no program that publishes it is on the bus" : strerror(-r));
		return;
	}
	w->sent = true;
	timer_arm(timer, w->end_usec);
}

void local_writes_end(struct local *l, int error, const char *why)
{
	struct local_write *w;

	/* A done may ask for another one. */
	for (unsigned n = l->n_writes; n > 0; n--) {
		w = list_entry(l->writes.next, struct local_write, list);
		write_end(w, w->sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT, error, why);
	}
}

void local_writes_forget(struct local *l, const void *userdata)
{
	struct local_write *w;

	list_for_each(w, &l->writes, list)
		if (w->userdata == userdata)
			w->done = NULL;
}

int fieldbus_complete(struct fieldbus *f, uint32_t device, uint64_t serial, bool sent, int error,
		      const char *detail)
{
	struct local *l = f->config && device < f->config->n_devices ? f->devices[device].local : NULL;
	struct local_write *w = NULL, *i;

	if (l)
		list_for_each(i, &l->writes, list)
			if (i->sent && i->serial == serial)
				w = i;
	if (!w)
		return -ENOENT;
	if (error < 0)
		write_end(w, sent ? FIELDWAY_REFUSED : FIELDWAY_NOT_SENT, error,
			  *detail ? detail : "its program has refused it");
	else
		write_accepted(w);
	return 0;
}

/* ---- */

int local_write(struct local *l, uint32_t point, const struct fieldway_value *value, fieldbus_done done,
		void *userdata)
{
	struct fieldway_value fitting;
	struct local_write *w;
	int r;

	if (l->n_writes >= FIELDBUS_WRITES_MAX)
		return -EBUSY;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	timer_init(&w->timer, l->fieldbus->timers, write_due, w);
	w->end_usec = usec_add(clock_monotonic_usec(), FIELDBUS_WRITE_USEC);
	w->misfit = local_value_fit(&l->fieldbus->config->devices[l->device].type->points[point], value, &fitting);
	r = w->misfit < 0 ? 0 : write_copy_value(&fitting, &w->value, &w->data);
	if (r >= 0)
		r = timer_arm_in(&w->timer, 0);
	if (r < 0) {
		free(w->data);
		free(w);
		return r;
	}
	w->local = l;
	w->serial = ++l->fieldbus->local_serial;
	w->point = point;
	w->done = done;
	w->userdata = userdata;
	list_append(&l->writes, &w->list);
	l->n_writes++;
	return 0;
}
