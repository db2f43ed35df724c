/* SPDX-License-Identifier: Apache-2.0 */
#include "host/event/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "link/marshal.h"

struct scan {
	struct list node; /* in the bus's scans */
	struct events *events;
	sd_bus_message *call;
	struct timer timer;
	uint64_t until_usec;
	uint32_t found, dropped;
};

static void scan_free(struct scan *s)
{
	s->events->n_scans--;
	list_remove(&s->node);
	timer_disarm(&s->timer);
	sd_bus_message_unref(s->call);
	free(s);
}

static void end(struct scan *s, int error)
{
	/* An answer that cannot be sent is a link that is gone. */
	if (error < 0)
		(void)sd_bus_reply_method_errno(s->call, error, NULL);
	else
		(void)sd_bus_reply_method_return(s->call, "uu", s->found, s->dropped);
	scan_free(s);
}

static void tell_plugin(struct events *e, uint64_t until_usec)
{
	if (e->session)
		e->bus->setup->plugin->bus_scan(e->session, until_usec);
}

static void scan_over(struct timer *timer, void *userdata)
{
	struct scan *s = userdata;
	struct events *e = s->events;

	end(s, 0);
	if (e->n_scans == 0)
		tell_plugin(e, 0);
}

static int scan_new(struct events *e, sd_bus_message *call, uint64_t until_usec, struct scan **ret)
{
	struct scan *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->events = e;
	s->until_usec = until_usec;
	timer_init(&s->timer, e->bus->services->timers, scan_over, s);
	r = timer_arm(&s->timer, usec_add(until_usec, clock_offset_usec()));
	if (r < 0) {
		free(s);
		return r;
	}
	s->call = sd_bus_message_ref(call);
	list_append(&e->scans, &s->node);
	e->n_scans++;
	*ret = s;
	return 0;
}

static uint64_t last_end(const struct events *e)
{
	uint64_t last = 0;
	struct scan *s;

	list_for_each(s, &e->scans, node)
		last = MAX(last, s->until_usec);
	return last;
}

int scan_begin(struct events *e, sd_bus_message *call, uint64_t until_usec)
{
	const struct fieldway_plugin *plugin = e->bus->setup->plugin;
	uint64_t now = clock_monotonic_usec() - clock_offset_usec();
	struct scan *s;
	int r;

	if (!plugin->bus_scan)
		return -EOPNOTSUPP;
	if (!e->session || e->n_scans >= SCANS_MAX || e->bus->lent_usec)
		return -EBUSY;
	if (until_usec <= now || until_usec - now > SCAN_USEC_MAX)
		return -EINVAL;
	r = scan_new(e, call, until_usec, &s);
	if (r < 0)
		return r;
	r = plugin->bus_scan(e->session, last_end(e));
	if (r < 0)
		scan_free(s);
	return r;
}

void scans_end(struct events *e, int error)
{
	bool any = e->n_scans > 0;
	struct scan *s;

	list_for_each(s, &e->scans, node)
		end(s, error);
	if (any)
		tell_plugin(e, 0);
}

/* ---- what is found ---- */

static int send(struct events *e, const char *address, const char *facts)
{
	sd_bus *link = e->bus->services->link;
	sd_bus_message *m = NULL;
	int r;

	r = link_check_queue(link);
	if (r >= 0)
		r = link_call_new(link, "Found", &m);
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, LINK_TYPE_FOUND,
					  e->bus->setup->configuration->generation,
					  bus_name(e->bus), address, facts);
	if (r >= 0)
		r = sd_bus_send(link, m, NULL);
	sd_bus_message_unref(m);
	return r;
}

static bool is_text(const char *text, size_t most)
{
	size_t n = text ? strnlen(text, most + 1) : most + 1;

	return n <= most && utf8_valid_prefix(text, n) == n;
}

static bool has_room(const struct events *e)
{
	struct scan *s;

	list_for_each(s, &e->scans, node)
		if (s->found < SCAN_FOUND_MAX)
			return true;
	return false;
}

void scan_found(const struct fieldway_host *host, const char *address, const char *facts)
{
	struct events *e = events_of(host);
	struct scan *s;
	bool sent;

	/* The last ones may come after the end. */
	if (e->n_scans == 0)
		return;
	if (!is_text(address, SCAN_ADDRESS_MAX) || !is_text(facts, SCAN_FACTS_MAX)) {
		events_misused(e, "has found what is no text, or too much");
		return;
	}
	sent = has_room(e) && send(e, address, facts) >= 0;
	list_for_each(s, &e->scans, node) {
		if (sent && s->found < SCAN_FOUND_MAX)
			s->found++;
		else
			s->dropped++;
	}
}
