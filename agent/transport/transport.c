/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/transport.h"

#include <errno.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "transport/internal.h"

/* How many sessions and ended calls one turn serves. */
#define READY_BATCH 256u

static void serve_sessions(struct transport *t)
{
	for (unsigned i = 0; i < READY_BATCH && !list_is_empty(&t->ready); i++) {
		struct session *s = list_entry(t->ready.next, struct session, ready_node);

		list_remove(&s->ready_node);
		session_serve(s);
	}
}

static void run_done(struct transport *t)
{
	for (unsigned i = 0; i < READY_BATCH && !list_is_empty(&t->done); i++)
		call_run_done(list_entry(t->done.next, struct call, node));
}

static void on_ready(struct timer *timer, void *userdata)
{
	struct transport *t = userdata;

	run_done(t);
	serve_sessions(t);
	if (!list_is_empty(&t->done) || !list_is_empty(&t->ready))
		timer_arm_in(&t->ready_timer, 0);
}

static void on_answers(struct timer *timer, void *userdata)
{
	answer_expire(userdata);
}

static void on_network(void *userdata)
{
	struct transport *t = userdata;
	struct session *s;

	list_for_each(s, &t->sessions, all_node)
		session_network_changed(s);
	if (t->network_changed)
		t->network_changed(t->network_userdata);
}

void transport_watch_network(struct transport *t, void (*changed)(void *userdata), void *userdata)
{
	t->network_changed = changed;
	t->network_userdata = userdata;
}

/* SplitMix64. */
uint64_t transport_jitter(struct transport *t)
{
	uint64_t z = t->jitter += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

int transport_new(struct sd_event *event, struct timers *timers, struct transport **ret)
{
	struct transport *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->timers = timers;
	t->hash_seed = random_u64();
	t->jitter = random_u64();
	list_init(&t->sessions);
	list_init(&t->ready);
	list_init(&t->done);
	list_init(&t->answers);
	timer_init(&t->ready_timer, timers, on_ready, t);
	timer_init(&t->answers_timer, timers, on_answers, t);
	r = loop_new(event, &t->loop);
	if (r >= 0)
		r = names_new(t->loop, names_resolve_system, &t->names);
	if (r >= 0)
		r = timers_reserve(timers, 2);
	if (r >= 0 && netmon_new(t->loop, timers, on_network, t, &t->netmon) == -ENOMEM)
		r = -ENOMEM;
	if (r < 0) {
		transport_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct transport *transport_free(struct transport *t)
{
	if (!t)
		return NULL;
	timer_disarm(&t->ready_timer);
	timer_disarm(&t->answers_timer);
	netmon_free(t->netmon);
	names_free(t->names);
	loop_free(t->loop);
	dtls_shared_free(t->dtls);
	buf_done(&t->flight);
	buf_done(&t->out);
	free(t);
	return NULL;
}

int governor_new(struct transport *t, const char *server_name, struct governor **ret)
{
	return governor_create(t->timers, ret);
}

struct governor *governor_free(struct governor *g)
{
	return governor_destroy(g);
}
