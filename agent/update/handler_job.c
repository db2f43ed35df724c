/* SPDX-License-Identifier: Apache-2.0 */
#include "update/handler_job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/timer.h"
#include "update/delivery.h"
#include "update/handler_call.h"

/* So long nobody answers, and then it counts as failed. */
#define UNHEARD_USEC (10 * USEC_PER_MINUTE)
/* Another installation by the same handler, or a restart of the machine that is to come. */
#define BUSY_USEC (5 * USEC_PER_SEC)
#define REBOOT_USEC USEC_PER_MINUTE

struct handler_job {
	struct handler_job_config config; /* its strings are ours */
	char *socket, *handler, *software, *label;
	struct install_request request;
	bool runs;
	struct handler_call *call;
	struct timer retry;
	struct backoff backoff;
	uint64_t unheard_usec; /* since then nobody answers who has to; 0: somebody does */
};

static void on_answer(void *userdata, int error, const struct install_answer *answer);

static void log_unreachable(const struct handler_job *j, int error)
{
	log_error(NULL, "%s: handler %s cannot be reached at %s: %s", j->label, j->handler, j->socket,
		  error == -ENOPKG ? "fieldway-install.socket is not active" : strerror(-error));
}

static int ask(struct handler_job *j)
{
	const enum install_action action = j->request.action;
	_cleanup_close_ int package = -1;

	if (action == INSTALL_CHECK || action == INSTALL_PACKAGE) {
		package = delivery_open(j->config.delivery);
		if (package < 0)
			return package;
	}
	j->call = handler_call_free(j->call);
	snprintf(j->request.handler, sizeof(j->request.handler), "%s", j->handler);
	return handler_call_new(j->config.event, j->socket, &j->request, package, on_answer, j, &j->call);
}

static void end(struct handler_job *j, const struct install_answer *answer)
{
	handler_job_stop(j);
	j->config.done(j->config.userdata, answer);
}

static void fail(struct handler_job *j, const char *why)
{
	struct install_answer a = { .end = INSTALL_UNKNOWN };

	snprintf(a.reason, sizeof(a.reason), "%s", why);
	end(j, &a);
}

/* Whoever has it may be gone, and only its record knows. */
static void wait_for_end(struct handler_job *j)
{
	int r;

	j->request.action = INSTALL_WAIT;
	r = ask(j);
	if (r >= 0)
		return;
	if (j->unheard_usec == 0)
		j->unheard_usec = clock_monotonic_usec();
	if (clock_monotonic_usec() - j->unheard_usec < UNHEARD_USEC) {
		timer_arm_in(&j->retry, backoff_next(&j->backoff, random_u64()));
		return;
	}
	log_unreachable(j, r);
	fail(j, "nobody answers for its handler");
}

static void on_retry(struct timer *timer, void *userdata)
{
	struct handler_job *j = userdata;
	int r;

	(void)timer;
	if (j->request.action == INSTALL_WAIT) {
		wait_for_end(j);
		return;
	}
	r = ask(j);
	if (r >= 0)
		return;
	log_unreachable(j, r);
	fail(j, strerror(-r));
}

static void on_answer(void *userdata, int error, const struct install_answer *answer)
{
	struct handler_job *j = userdata;

	j->call = handler_call_free(j->call);
	if (error < 0) {
		/* A check changes nothing, and has no record. */
		if (j->request.action == INSTALL_CHECK)
			fail(j, "it ended without an answer");
		else
			wait_for_end(j);
		return;
	}
	j->unheard_usec = 0;
	switch (answer->end) {
	case INSTALL_REBOOT:
		j->request.action = INSTALL_WAIT;
		timer_arm_in(&j->retry, REBOOT_USEC);
		break;
	case INSTALL_BUSY:
		/* Ours is not begun. */
		timer_arm_in(&j->retry, BUSY_USEC);
		break;
	case INSTALL_EXITED:
	case INSTALL_REFUSED:
	case INSTALL_BROKEN:
	case INSTALL_UNKNOWN:
		end(j, answer);
		break;
	}
}

int handler_job_start(struct handler_job *j, enum install_action action, const char *id, uint32_t severity,
		      uint32_t defer_s)
{
	int r;

	handler_job_stop(j);
	j->request = (struct install_request){ .action = action, .severity = severity, .defer_s = defer_s };
	snprintf(j->request.id, sizeof(j->request.id), "%s", *id ? id : "none");
	snprintf(j->request.software, sizeof(j->request.software), "%s", j->software);
	j->runs = true;
	if (action == INSTALL_WAIT) {
		wait_for_end(j);
		return 0;
	}
	r = ask(j);
	if (r < 0) {
		log_unreachable(j, r);
		handler_job_stop(j);
	}
	return r;
}

void handler_job_stop(struct handler_job *j)
{
	j->call = handler_call_free(j->call);
	timer_disarm(&j->retry);
	j->backoff.step = 0;
	j->unheard_usec = 0;
	j->runs = false;
}

const char *handler_job_trouble(const struct install_answer *a, char ret[INSTALL_TEXT_MAX])
{
	const char *why = a->end == INSTALL_BROKEN ? "it was broken off" : "it did not begin";

	if (*a->reason || a->end != INSTALL_EXITED)
		snprintf(ret, INSTALL_TEXT_MAX, "%s", *a->reason ? a->reason : why);
	else if (a->code != INSTALL_CODE_DONE && a->code != INSTALL_CODE_DEFERRED)
		snprintf(ret, INSTALL_TEXT_MAX, "the handler ended with exit status %u, see journalctl -t fieldway-install",
			 a->code);
	else
		ret[0] = '\0';
	return ret;
}

bool handler_job_runs(const struct handler_job *j)
{
	return j->runs;
}

int handler_job_set_handler(struct handler_job *j, const char *handler)
{
	return str_replace(&j->handler, handler);
}

int handler_job_new(const struct handler_job_config *config, struct handler_job **ret)
{
	struct handler_job *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	j->config = *config;
	j->backoff = (struct backoff){ 1 * USEC_PER_SEC, USEC_PER_MINUTE, 0 };
	timer_init(&j->retry, config->timers, on_retry, j);
	j->socket = strdup(config->socket);
	j->handler = strdup(config->handler);
	j->software = strdup(config->software);
	j->label = strdup(config->label);
	r = j->socket && j->handler && j->software && j->label ? timers_reserve(config->timers, 1) : -ENOMEM;
	if (r < 0) {
		handler_job_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

struct handler_job *handler_job_free(struct handler_job *j)
{
	if (!j)
		return NULL;
	handler_job_stop(j);
	free(j->socket);
	free(j->handler);
	free(j->software);
	free(j->label);
	free(j);
	return NULL;
}
