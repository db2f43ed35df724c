/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

#include "fieldbus/internal.h"

struct leaver *leaver_free(struct leaver *l)
{
	char how[64];

	if (!l)
		return NULL;
	timer_disarm(&l->timer);
	sd_event_source_disable_unref(l->exit_source);
	process_reap(&l->process, how, sizeof(how));
	list_remove(&l->list);
	free(l);
	return NULL;
}

static int leaver_exited(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	leaver_free(userdata);
	return 0;
}

/* It may be that nobody has watched its exit: it is looked at again. */
static void leaver_late(struct timer *timer, void *userdata)
{
	struct leaver *l = userdata;

	if (process_wait(&l->process, 0)) {
		leaver_free(l);
		return;
	}
	process_signal(&l->process, SIGKILL);
	timer_arm_in(timer, HOST_EXIT_USEC);
}

int leaver_new(struct fieldbus *f, struct leaver **ret)
{
	struct leaver *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->fieldbus = f;
	list_init(&l->list);
	timer_init(&l->timer, f->timers, leaver_late, l);
	/* Moved later, which cannot fail. */
	r = timer_arm_in(&l->timer, HOST_EXIT_USEC);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

bool leavers_hold(const struct fieldbus *f)
{
	uint64_t now = clock_monotonic_usec();
	struct leaver *l;

	list_for_each(l, &f->leavers, list)
		if (now - l->since_usec < LEAVER_HOLDS_USEC)
			return true;
	return false;
}

void host_leaves(struct host *h, struct leaver *l)
{
	struct fieldbus *f = h->fieldbus;

	host_dismiss(h);
	l->process = h->process;
	h->process = (struct process){ 0 };
	if (l->process.kind == PROCESS_NONE) {
		leaver_free(l);
		return;
	}
	l->since_usec = clock_monotonic_usec();
	list_append(&f->leavers, &l->list);
	timer_arm_in(&l->timer, HOST_EXIT_USEC);
	(void)sd_event_add_io(f->event, &l->exit_source, l->process.fd, process_events(&l->process),
			      leaver_exited, l);
}
