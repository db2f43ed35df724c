/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/local_internal.h"
#include "link/marshal.h"

/* The host ends a write so much earlier that its own, better answer is here in time. */
#define WRITE_MARGIN_USEC (300 * USEC_PER_MSEC)
#define WRITE_DETAIL_MAX 640u

struct write {
	struct list list; /* host.writes */
	struct host *host;
	uint32_t device, point;
	struct fieldway_value value;
	void *data; /* of the value */
	struct timer timer;
	sd_bus_slot *slot;
	bool sent;
	bool over; /* told; it only waits for the host's answer, so that unanswered calls stay counted */
	fieldbus_done done;
	void *userdata;
};

static struct write *write_free(struct write *w)
{
	timer_disarm(&w->timer);
	list_remove(&w->list);
	w->host->n_writes--;
	sd_bus_slot_unref(w->slot);
	free(w->data);
	free(w);
	return NULL;
}

/* detail names what it is about. */
static void write_tell(struct write *w, enum fieldway_outcome outcome, int error, const char *detail)
{
	fieldbus_done done = w->over ? NULL : w->done;

	timer_disarm(&w->timer);
	w->over = true;
	w->done = NULL;
	if (done)
		done(w->userdata, outcome, error, detail);
}

static void write_end(struct write *w, enum fieldway_outcome outcome, int error, const char *detail)
{
	write_tell(w, outcome, error, detail);
	write_free(w);
}

/* As the host names it in its own results. */
static char *write_detail(const struct write *w, const char *what, char ret[WRITE_DETAIL_MAX])
{
	const struct config_device *d;
	char point[LINK_POINT_TEXT_MAX];

	/* Nobody is told any more. */
	*ret = '\0';
	if (w->device == NO_DEVICE)
		return ret;
	d = &w->host->fieldbus->config->devices[w->device];
	fieldbus_point_text(d->type, w->point, point, sizeof(point));
	snprintf(ret, WRITE_DETAIL_MAX, "bus %.100s: device %.100s: %.150s: %.150s",
		 host_bus(w->host)->name, d->name, point, what);
	ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
	return ret;
}

static void write_expired(struct timer *timer, void *userdata)
{
	struct write *w = userdata;
	char detail[WRITE_DETAIL_MAX];

	if (w->sent)
		write_tell(w, FIELDWAY_UNKNOWN, -ETIMEDOUT, write_detail(w, "no result in time", detail));
	else
		write_end(w, FIELDWAY_NOT_SENT, -ETIMEDOUT,
			  write_detail(w, "its plugin host was not ready in time", detail));
}

/* ---- the host's answer ---- */

static int read_outcome(sd_bus_message *m, enum fieldway_outcome *ret_outcome, int *ret_error,
			const char **ret_detail)
{
	uint8_t outcome;
	int r;

	r = sd_bus_message_read(m, LINK_TYPE_OUTCOME, &outcome, ret_error, ret_detail);
	if (r <= 0 || outcome > FIELDWAY_UNKNOWN || *ret_error > 0 || link_check_text(*ret_detail) < 0)
		return -EBADMSG;
	*ret_outcome = outcome;
	return 0;
}

static void write_failed(struct write *w, int error, const char *what)
{
	char detail[WRITE_DETAIL_MAX];

	write_end(w, FIELDWAY_UNKNOWN, error, write_detail(w, what, detail));
}

static void write_take_error(struct write *w, const sd_bus_error *e)
{
	/* sd-bus makes this one when the link closes. */
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		write_failed(w, -ECONNRESET, "its plugin host ended before it answered");
	else
		write_failed(w, -EIO, e->message ?: "its plugin host failed");
}

/* It was told as unknown: this is the only word about what became of it. */
static void log_late(const struct write *w, enum fieldway_outcome outcome, const char *detail)
{
	static const char *const texts[] = {
		[FIELDWAY_ACCEPTED] = "accepted",
		[FIELDWAY_REFUSED] = "refused",
		[FIELDWAY_NOT_SENT] = "not sent",
		[FIELDWAY_UNKNOWN] = "unknown",
	};
	struct log_about about = host_about(w->host);
	char text[WRITE_DETAIL_MAX];

	about.device = w->host->fieldbus->config->devices[w->device].name;
	if (!log_budget_take(&w->host->fieldbus->devices[w->device].log_budget, NULL))
		return;
	log_notice(&about, "%s: %s%s%s%s", write_detail(w, "its result came late", text), texts[outcome],
		   *detail ? " (" : "", detail, *detail ? ")" : "");
}

static void write_take_outcome(struct write *w, sd_bus_message *m)
{
	enum fieldway_outcome outcome;
	const char *detail;
	int error;

	if (read_outcome(m, &outcome, &error, &detail) < 0) {
		host_give_up(w->host, "sent a malformed answer to Write");
		write_failed(w, -EBADMSG, "its plugin host gave a malformed answer");
		return;
	}
	if (w->over && w->device != NO_DEVICE)
		log_late(w, outcome, detail);
	write_end(w, outcome, error, detail);
}

static int write_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct write *w = userdata;

	(void)error;
	if (e)
		write_take_error(w, e);
	else
		write_take_outcome(w, m);
	return 1;
}

/* ---- the way to the host ---- */

static int write_call_new(struct write *w, sd_bus_message **ret)
{
	/* The kernel's clock has no steps of a test in it. */
	uint64_t deadline = w->timer.due_usec - WRITE_MARGIN_USEC - clock_offset_usec();
	int r;

	r = link_call_new(w->host->link, "Write", ret);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "tuut", w->host->generation,
					  w->host->fieldbus->devices[w->device].id, w->point,
					  deadline);
	return r < 0 ? r : link_append_value(*ret, &w->value);
}

static int write_send(struct write *w)
{
	sd_bus_message *m = NULL;
	int r;

	host_follow_clock(w->host);
	r = write_call_new(w, &m);
	r = host_call(w->host, r, m, &w->slot, write_answered, w);
	/* A link that closes right now leaves it to host_down() to end the write. */
	if (r < 0)
		return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE ? 0 : r;
	w->sent = true;
	return 0;
}

void writes_send(struct host *h)
{
	char detail[WRITE_DETAIL_MAX];
	struct write *w;
	int r;

	for (unsigned n = h->n_writes; n > 0; n--) {
		w = list_entry(h->writes.next, struct write, list);
		list_remove(&w->list);
		list_append(&h->writes, &w->list);
		r = w->sent ? 0 : write_send(w);
		if (r < 0)
			write_end(w, FIELDWAY_NOT_SENT, r, write_detail(w, strerror(-r), detail));
	}
}

void writes_end(struct host *h, bool canceled, const char *why)
{
	char detail[WRITE_DETAIL_MAX];
	struct write *w;

	/* A done may ask for another write, which is for the next host. */
	for (unsigned n = h->n_writes; n > 0; n--) {
		w = list_entry(h->writes.next, struct write, list);
		write_end(w, w->sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT,
			  canceled ? -ECANCELED : -ECONNRESET, write_detail(w, why, detail));
	}
}

/*
 * What was sent is not over for the host, whose answer is counted still. It is
 * never logged: its device may have gone by then.
 */
void writes_cancel_device(struct host *h, uint32_t device, const char *why)
{
	char detail[WRITE_DETAIL_MAX];
	struct write *w;

	list_for_each(w, &h->writes, list) {
		if (w->device != device)
			continue;
		write_detail(w, why, detail);
		w->device = NO_DEVICE;
		if (w->sent)
			write_tell(w, FIELDWAY_UNKNOWN, -ECANCELED, detail);
		else
			write_end(w, FIELDWAY_NOT_SENT, -ECANCELED, detail);
	}
}

void writes_renumber(struct host *h, const uint32_t *devices_after)
{
	struct write *w;

	list_for_each(w, &h->writes, list)
		if (w->device != NO_DEVICE)
			w->device = devices_after[w->device];
}

/* ---- */

int write_copy_value(const struct fieldway_value *value, struct fieldway_value *ret, void **ret_data)
{
	char *data;

	*ret = *value;
	if (value->type != FIELDWAY_STRING && value->type != FIELDWAY_BYTES)
		return 0;
	data = malloc(value->size + 1);
	if (!data)
		return -ENOMEM;
	if (value->size > 0)
		memcpy(data, value->data, value->size);
	data[value->size] = '\0';
	ret->data = *ret_data = data;
	return 0;
}

static int write_new(struct host *h, const struct fieldway_value *value, struct write **ret)
{
	struct write *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	timer_init(&w->timer, h->fieldbus->timers, write_expired, w);
	r = write_copy_value(value, &w->value, &w->data);
	if (r >= 0)
		r = timer_arm_in(&w->timer, FIELDBUS_WRITE_USEC);
	if (r < 0) {
		free(w->data);
		free(w);
		return r;
	}
	w->host = h;
	list_append(&h->writes, &w->list);
	h->n_writes++;
	*ret = w;
	return 0;
}

static int write_check(const struct fieldbus *f, uint32_t device, uint32_t point,
		       const struct fieldway_value *value)
{
	const struct device *d;

	if (!f->config || device >= f->config->n_devices ||
	    point >= f->config->devices[device].type->n_points || !link_value_is_valid(value))
		return -EINVAL;
	d = &f->devices[device];
	if (!f->stopping && d->host && host_is_lent(d->host))
		return -EBUSY;
	if (f->stopping || (!d->host && !d->local) || d->paused || d->state == FIELDBUS_OFFLINE ||
	    d->state == FIELDBUS_FAILED || d->state == FIELDBUS_PAUSED)
		return -EHOSTDOWN;
	return !d->host || d->host->n_writes < FIELDBUS_WRITES_MAX ? 0 : -EBUSY;
}

int fieldbus_write(struct fieldbus *f, uint32_t device, uint32_t point, const struct fieldway_value *value,
		   fieldbus_done done, void *userdata)
{
	struct write *w;
	int r;

	r = write_check(f, device, point, value);
	if (r < 0)
		return r;
	if (f->devices[device].local)
		return local_write(f->devices[device].local, point, value, done, userdata);
	r = write_new(f->devices[device].host, value, &w);
	if (r < 0)
		return r;
	w->device = device;
	w->point = point;
	w->done = done;
	w->userdata = userdata;
	r = w->host->state == HOST_RUNNING ? write_send(w) : 0;
	if (r < 0)
		write_free(w);
	return r;
}

void fieldbus_forget(struct fieldbus *f, void *userdata)
{
	struct write *w;
	struct task *t;

	list_for_each(t, &f->tasks, list) {
		if (t->userdata != userdata)
			continue;
		t->raw_done = NULL;
		t->ended = NULL;
		t->found = NULL;
	}
	for (size_t i = 0; i < f->n_hosts; i++) {
		list_for_each(w, &f->hosts[i]->writes, list)
			if (w->userdata == userdata)
				w->done = NULL;
		inquiries_forget(f->hosts[i], userdata);
	}
	for (uint32_t i = 0; f->config && i < f->config->n_devices; i++)
		if (f->devices[i].local)
			local_writes_forget(f->devices[i].local, userdata);
}
