/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

/* A host's own answer comes so much before this side gives it up. */
#define TASK_MARGIN_USEC (2 * USEC_PER_SEC)
/* Lines that are to close may be at a request. */
#define RELEASE_WAIT_USEC (45 * USEC_PER_SEC)

static uint64_t kernel_now(void)
{
	return clock_monotonic_usec() - clock_offset_usec();
}

/* ---- Raw ---- */

/* With one host left to be asked it may open what it has not. */
static bool only_known(const struct task *t)
{
	const struct fieldbus *f = t->fieldbus;
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts; i++)
		n += f->hosts[i]->bus == t->bus;
	return n > 1 && t->next != SIZE_MAX;
}

static int raw_append(struct task_call *c, sd_bus_message *m)
{
	const struct task *t = c->task;
	int r;

	r = link_append_settings(m, &t->address);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', t->request, t->size);
	return r < 0 ? r : sd_bus_message_append(m, "tb", t->usec, only_known(t));
}

static int raw_take(struct task_call *c, sd_bus_message *m)
{
	struct task *t = c->task;
	const char *detail;
	const void *answer;
	size_t size;
	int error;

	if (sd_bus_message_read(m, "is", &error, &detail) <= 0 ||
	    sd_bus_message_read_array(m, 'y', &answer, &size) < 0 || error > 0 ||
	    size > FIELDBUS_RAW_MAX || link_check_text(detail) < 0)
		return -EBADMSG;
	if (error == -EXDEV && t->next != SIZE_MAX)
		return 1;
	if (t->raw_done)
		t->raw_done(t->userdata, error, detail, answer, size);
	t->raw_done = NULL;
	return 0;
}

static const struct task_kind raw_kind = {
	.member = "Raw",
	.one_by_one = true,
	.append = raw_append,
	.take = raw_take,
};

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

static int copy_settings(struct arena *arena, const struct fieldway_settings *from,
			 struct fieldway_settings *ret)
{
	struct fieldway_setting *items = arena_new(arena, (from->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		const struct fieldway_setting *s = &from->items[i];

		if (!link_value_is_valid(&s->value))
			return -EINVAL;
		items[i] = *s;
		items[i].key = arena_text(arena, s->key, strlen(s->key));
		if (has_data(&s->value))
			items[i].value.data = arena_text(arena, s->value.data, s->value.size);
		if (!items[i].key || (has_data(&s->value) && !items[i].value.data))
			return -ENOMEM;
	}
	*ret = (struct fieldway_settings){ .items = items, .n = from->n };
	return 0;
}

int fieldbus_raw(struct fieldbus *f, uint32_t bus, const struct fieldway_settings *address,
		 const void *request, size_t size, uint64_t within_usec, fieldbus_raw_done done,
		 void *userdata)
{
	struct task *t;
	int r;

	if (size == 0 || size > FIELDBUS_RAW_MAX || within_usec == 0 ||
	    within_usec > FIELDBUS_RAW_USEC || address->n > LINK_SETTINGS_MAX)
		return -EINVAL;
	r = task_new(f, bus, &raw_kind, within_usec + TASK_MARGIN_USEC, userdata, &t);
	if (r < 0)
		return r;
	t->usec = kernel_now() + within_usec;
	t->size = size;
	t->request = arena_text(&t->arena, request, size);
	r = t->request ? copy_settings(&t->arena, address, &t->address) : -ENOMEM;
	if (r >= 0)
		r = task_start(t);
	if (r < 0)
		task_free(t);
	else
		t->raw_done = done;
	return r;
}

/* ---- Scan ---- */

static int scan_append(struct task_call *c, sd_bus_message *m)
{
	return sd_bus_message_append(m, "t", c->task->usec);
}

static int scan_take(struct task_call *c, sd_bus_message *m)
{
	uint32_t n, dropped;

	if (sd_bus_message_read(m, "uu", &n, &dropped) <= 0)
		return -EBADMSG;
	c->task->n += n;
	c->task->dropped += dropped;
	return 0;
}

static const struct task_kind scan_kind = {
	.member = "Scan",
	.append = scan_append,
	.take = scan_take,
};

static int task_run(struct task *t, fieldbus_ended done)
{
	int r = task_start(t);

	if (r < 0)
		task_free(t);
	else
		t->ended = done;
	return r;
}

static const struct task_kind wake_kind = { .one_by_one = true };

static bool has_running_host(const struct fieldbus *f, uint32_t bus)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus && f->hosts[i]->state == HOST_RUNNING)
			return true;
	return false;
}

int fieldbus_wake(struct fieldbus *f, uint32_t bus, fieldbus_ended done, void *userdata)
{
	struct task *t;
	int r;

	if (has_running_host(f, bus))
		return -EALREADY;
	r = task_new(f, bus, &wake_kind, FIELDBUS_WAKE_USEC, userdata, &t);
	return r < 0 ? r : task_run(t, done);
}

int fieldbus_scan(struct fieldbus *f, uint32_t bus, uint64_t usec, fieldbus_found found,
		  fieldbus_ended done, void *userdata)
{
	struct task *t;
	int r;

	if (usec == 0 || usec > FIELDBUS_SCAN_USEC)
		return -EINVAL;
	r = task_new(f, bus, &scan_kind, usec + TASK_MARGIN_USEC, userdata, &t);
	if (r < 0)
		return r;
	t->usec = kernel_now() + usec;
	t->found = found;
	return task_run(t, done);
}

int tasks_found(struct host *h, sd_bus_message *m)
{
	const char *bus, *address, *facts;
	uint64_t generation;
	struct task *t;

	if (sd_bus_message_read(m, LINK_TYPE_FOUND, &generation, &bus, &address, &facts) <= 0 ||
	    link_check_text(address) < 0 || link_check_text(facts) < 0)
		return -EBADMSG;
	/* A user may scan no more, or ask to forget a scan in there. */
	list_for_each(t, &h->fieldbus->tasks, list)
		if (t->bus == h->bus && t->kind == &scan_kind && t->found)
			t->found(t->userdata, address, facts);
	return 0;
}

/* ---- Release ---- */

uint64_t host_loan(const struct host *h)
{
	uint64_t now = clock_monotonic_usec();

	return h->lent_usec > now ? h->lent_usec - now : 0;
}

bool host_is_lent(const struct host *h)
{
	return host_loan(h) > 0;
}

static int release_append(struct task_call *c, sd_bus_message *m)
{
	return sd_bus_message_append(m, "t", c->task->usec);
}

static int release_take(struct task_call *c, sd_bus_message *m)
{
	(void)m;
	c->host->lent_usec = c->task->usec > 0 ? usec_add(clock_monotonic_usec(), c->task->usec) : 0;
	return 0;
}

static const struct task_kind release_kind = {
	.member = "Release",
	.append = release_append,
	.take = release_take,
};

int fieldbus_release(struct fieldbus *f, uint32_t bus, uint64_t usec, fieldbus_ended done,
		     void *userdata)
{
	struct task *t;
	int r;

	if (usec > FIELDBUS_LENT_USEC)
		return -EINVAL;
	r = task_new(f, bus, &release_kind, RELEASE_WAIT_USEC, userdata, &t);
	if (r < 0)
		return r;
	t->usec = usec;
	return task_run(t, done);
}

/* ---- Record ---- */

static int record_append(struct task_call *c, sd_bus_message *m)
{
	return sd_bus_message_append(m, "ht", c->task->fd, c->task->usec);
}

static int record_take(struct task_call *c, sd_bus_message *m)
{
	uint64_t n, dropped;

	if (sd_bus_message_read(m, "tt", &n, &dropped) <= 0)
		return -EBADMSG;
	c->task->n += n;
	c->task->dropped += dropped;
	return 0;
}

static const struct task_kind record_kind = {
	.member = "Record",
	.append = record_append,
	.take = record_take,
};

int fieldbus_record(struct fieldbus *f, uint32_t bus, int fd, uint64_t usec, fieldbus_ended done,
		    void *userdata)
{
	struct task *t;
	int r;

	if (usec == 0 || usec > FIELDBUS_LENT_USEC)
		return -EINVAL;
	r = task_new(f, bus, &record_kind, usec + TASK_MARGIN_USEC, userdata, &t);
	if (r < 0)
		return r;
	t->usec = usec;
	t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (t->fd < 0) {
		r = -errno;
		task_free(t);
		return r;
	}
	return task_run(t, done);
}
