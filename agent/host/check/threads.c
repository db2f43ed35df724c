/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/macro.h"
#include "host/check/check.h"

/* Pure operations in several threads at once: they agree, and leave the process as it was. */

#define THREADS 4u
#define ROUNDS 200u
/* As good as none for a round, whatever malloc() keeps for itself. */
#define LEAK_BYTES 8u

struct outcome {
	size_t n_requests;
	char line[256], request[96];
	int decoded;
	struct fieldway_sample sample;
};

struct round {
	const struct check *check;
	const struct outcome *expected;
	bool differs;
};

/* Fewer than are in the folder is "." and "..". */
static unsigned count_names(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void first_request(const struct fieldway_plugin *p, const struct fieldway_driver *d,
			  struct outcome *ret)
{
	static const uint8_t bytes[4];
	const uint32_t wanted = 0;
	struct fieldway_plan plan = { 0 };
	char text[256];

	if (p->plan_new(d, &wanted, 1, &plan) != 0)
		return;
	ret->n_requests = plan.n;
	if (plan.n > 0 && plan.requests[0].n_points == 1) {
		memcpy(ret->request, plan.requests[0].text, sizeof(ret->request));
		ret->decoded = p->decode(d, &plan.requests[0], bytes, sizeof(bytes), &ret->sample,
					 text, sizeof(text));
	}
	p->plan_free(&plan);
}

static void go_round(const struct check *c, struct outcome *ret)
{
	struct fieldway_error error = { 0 };
	struct fieldway_driver *d;

	*ret = (struct outcome){ .decoded = -ENODATA };
	if (c->plugin->bus_check(&c->bus, &error) != 0 ||
	    c->plugin->driver_new(&c->bus, &c->device, &d, &error) != 0)
		return;
	c->plugin->line_name(d, ret->line, sizeof(ret->line));
	first_request(c->plugin, d, ret);
	c->plugin->driver_free(d);
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	return a->n_requests == b->n_requests && strncmp(a->line, b->line, sizeof(a->line)) == 0 &&
	       strncmp(a->request, b->request, sizeof(a->request)) == 0 &&
	       a->decoded == b->decoded &&
	       (a->decoded != 0 || (a->sample.quality == b->sample.quality &&
				    a->sample.value.type == b->sample.value.type));
}

static void *run(void *userdata)
{
	struct round *round = userdata;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct outcome outcome;

		go_round(round->check, &outcome);
		round->differs = round->differs || !is_same(&outcome, round->expected);
	}
	return NULL;
}

static void run_together(struct check *c, const struct outcome *expected)
{
	struct round rounds[THREADS];
	pthread_t threads[THREADS];
	unsigned n = 0;

	while (n < THREADS) {
		rounds[n] = (struct round){ .check = c, .expected = expected };
		if (pthread_create(&threads[n], NULL, run, &rounds[n]) != 0)
			break;
		n++;
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		if (rounds[i].differs)
			check_complain(c, "thread %u got something else than it gets alone", i);
	}
}

static void look_for_leaks(struct check *c)
{
	struct outcome outcome;
	size_t before, after;

	/* First what malloc() keeps at hand is filled. */
	for (unsigned i = 0; i < ROUNDS; i++)
		go_round(c, &outcome);
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < ROUNDS; i++)
		go_round(c, &outcome);
	after = mallinfo2().uordblks;
	if (after > before + (size_t)ROUNDS * LEAK_BYTES)
		check_complain(c, "%zu bytes of each driver and plan are not given back",
			       (after - before) / ROUNDS);
}

static void look_for_handlers(struct check *c)
{
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
		    action.sa_handler != SIG_IGN)
			check_complain(c, "it handles signal %d", signal);
	}
}

void check_threads(struct check *c)
{
	unsigned descriptors, threads;
	struct outcome expected;

	check_part("threads");
	go_round(c, &expected);
	descriptors = count_names("/proc/self/fd");
	threads = count_names("/proc/self/task");
	run_together(c, &expected);
	look_for_leaks(c);
	if (count_names("/proc/self/fd") > descriptors)
		check_complain(c, "descriptors stay open");
	if (count_names("/proc/self/task") > threads)
		check_complain(c, "threads are left running");
	look_for_handlers(c);
}
