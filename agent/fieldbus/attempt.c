/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

struct attempt {
	struct inquiry inquiry;
	struct fieldbus *fieldbus;
	size_t n_points;
	fieldbus_read_done done;
	sd_bus_message *arguments; /* of the first call; later ones have the same */
	uint64_t end_usec;
	size_t next; /* the host that is asked after this one; SIZE_MAX: none, this one may open what it has not */
};

static int attempt_send(struct attempt *a, struct host *h);

static int attempt_take(struct inquiry *q, sd_bus_message *m)
{
	const struct attempt *a = container_of(q, struct attempt, inquiry);
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_refusal *refusals;
	size_t n;
	int r;

	r = link_read_refusals(m, &arena, &refusals, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return inquiry_take_reading(m, a->done, q->userdata, a->n_points);
	a->done(q->userdata, -EINVAL, refusals[0].text, NULL, 0);
	return 0;
}

/* The first of the bus's running hosts from there on; NULL: none. */
static struct host *find_host(const struct fieldbus *f, uint32_t bus, size_t from, size_t *ret_next)
{
	for (*ret_next = from; *ret_next < f->n_hosts;) {
		size_t i = (*ret_next)++;

		if (f->hosts[i]->bus == bus && f->hosts[i]->state == HOST_RUNNING)
			return f->hosts[i];
	}
	return NULL;
}

/*
 * Of a bus with several hosts one may have the line: a second connection is
 * more than some devices take. Where none has, any will do.
 */
static int attempt_go_on(const struct attempt *a)
{
	struct fieldbus *f = a->fieldbus;
	struct attempt *next = malloc(sizeof(*next));
	struct host *h;

	if (!next)
		return -ENOMEM;
	*next = *a;
	next->inquiry = (struct inquiry){ .kind = a->inquiry.kind,
					  .device = NO_DEVICE,
					  .userdata = a->inquiry.userdata };
	sd_bus_message_ref(next->arguments);
	h = find_host(f, a->inquiry.host->bus, a->next, &next->next);
	if (!h) {
		h = find_host(f, a->inquiry.host->bus, 0, &next->next);
		next->next = SIZE_MAX;
	}
	return attempt_send(next, h);
}

static void attempt_fail(struct inquiry *q, int error, const char *text)
{
	const struct attempt *a = container_of(q, struct attempt, inquiry);

	if (error == -EXDEV && a->next != SIZE_MAX && attempt_go_on(a) >= 0)
		return;
	a->done(q->userdata, error, text, NULL, 0);
}

static void attempt_release(struct inquiry *q)
{
	sd_bus_message_unref(container_of(q, struct attempt, inquiry)->arguments);
}

static const struct inquiry_kind attempt_kind = { "Attempt", attempt_take, attempt_fail, attempt_release };

/* The running configuration's buses, with nothing but this device. */
static int arguments_new(struct host *h, const struct fieldbus_attempt *what, uint64_t usec, sd_bus_message **ret)
{
	struct config_device device = { .name = (char *)(uintptr_t)what->name,
					.bus = what->bus,
					.type = what->type,
					.address = what->address,
					.enabled = true };
	struct config config = { .buses = h->fieldbus->config->buses,
				 .n_buses = h->fieldbus->config->n_buses,
				 .devices = &device,
				 .n_devices = 1 };
	uint32_t index = 0;
	const struct device_list list = { .items = &index, .n = 1 };
	int r;

	r = configuration_call_new(h->fieldbus, h->link, "Attempt", h->generation, &config, what->bus,
				   &list, NULL, ret);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "t", inquiry_deadline(usec));
	return r < 0 ? r : sd_bus_message_seal(*ret, 1, 0);
}

static int call_new(const struct attempt *a, struct host *h, sd_bus_message **ret)
{
	int r = sd_bus_message_rewind(a->arguments, true);

	if (r >= 0)
		r = link_call_new(h->link, "Attempt", ret);
	if (r >= 0) /* there may be keys in it */
		r = sd_bus_message_sensitive(*ret);
	if (r >= 0)
		r = sd_bus_message_copy(*ret, a->arguments, true);
	return r < 0 ? r : sd_bus_message_append(*ret, "b", a->next != SIZE_MAX);
}

/* Takes it over, also on failure. */
static int attempt_send(struct attempt *a, struct host *h)
{
	uint64_t now = clock_monotonic_usec();
	sd_bus_message *m = NULL;
	int r = inquiry_host_check(a->fieldbus, h);

	if (r < 0) {
		sd_bus_message_unref(a->arguments);
		free(a);
		return r;
	}
	r = call_new(a, h, &m);
	return inquiry_send(&a->inquiry, h, r, m, a->end_usec > now ? a->end_usec - now : 0);
}

int fieldbus_attempt(struct fieldbus *f, const struct fieldbus_attempt *what, fieldbus_read_done done,
		     void *userdata)
{
	uint64_t usec = MIN(what->within_usec, FIELDBUS_ATTEMPT_USEC_MAX);
	struct attempt *a;
	struct host *h;
	size_t next;
	int r;

	if (!f->config || what->bus >= f->config->n_buses ||
	    !streq(what->type->plugin->name, f->config->buses[what->bus].plugin->name))
		return -EINVAL;
	h = find_host(f, what->bus, 0, &next);
	r = inquiry_host_check(f, h);
	if (r < 0)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct attempt){ .inquiry = { .kind = &attempt_kind, .device = NO_DEVICE, .userdata = userdata },
			       .fieldbus = f,
			       .n_points = what->type->n_points,
			       .done = done,
			       .end_usec = usec_add(clock_monotonic_usec(), usec),
			       .next = next };
	if (!find_host(f, what->bus, next, &next))
		a->next = SIZE_MAX;
	r = arguments_new(h, what, usec, &a->arguments);
	if (r >= 0)
		return attempt_send(a, h);
	sd_bus_message_unref(a->arguments);
	free(a);
	return r;
}
