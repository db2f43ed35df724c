/* SPDX-License-Identifier: Apache-2.0 */
#include "update/software.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/str.h"
#include "base/timer.h"
#include "state/state.h"
#include "update/handler_job.h"
#include "update/kept_answer.h"
#include "update/software_record.h"

#define STATE_KIND "software"
#define NOTE_MAX (INSTALL_TEXT_MAX + 64) /* the longest result, and why */

struct software {
	struct state *state;
	char *name, *label;
	struct software_kept kept;
	struct delivery *delivery;
	struct handler_job *job;
	struct state_commit *commit; /* that its handler begins to work */
	struct list answers;	     /* kept_answer.h */
	struct timer answer; /* DELIVERY_ANSWER_USEC */
	software_done done;  /* who waits for an Activate or Deactivate */
	void *done_userdata;
	void (*watch)(void *userdata);
	void *watch_userdata;
	char why[INSTALL_TEXT_MAX]; /* in words, what is behind a failure, or nothing comes; "": nobody has said */
	char note[NOTE_MAX];
};

const char *software_note(const struct software *s)
{
	return s->note;
}

const char *software_refusal(const struct software *s, int error)
{
	static const char *const texts[SOFTWARE_STATES] = {
		[SOFTWARE_INITIAL] = "not in state 0, initial",
		[SOFTWARE_DOWNLOAD_STARTED] = "not in state 1, downloading",
		[SOFTWARE_DOWNLOADED] = "not in state 2, downloaded",
		[SOFTWARE_DELIVERED] = "not in state 3, delivered",
		[SOFTWARE_INSTALLED] = "not in state 4, installed",
	};

	return error == -EBUSY ? "its handler is at work" : texts[s->kept.status.state];
}

static void write_note(struct software *s)
{
	const char *what = software_status_text(&s->kept.status);

	snprintf(s->note, sizeof(s->note), "%s%s%s", what, *what && *s->why ? ": " : "", s->why);
}

/* Before a failure is entered: what is behind it. */
static void say(struct software *s, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%.*s", (int)utf8_valid_prefix(why, MIN(strlen(why), sizeof(s->why) - 1)), why);
	write_note(s);
}

struct software_view software_view(const struct software *s)
{
	const struct software_kept *k = &s->kept;
	const bool package = k->status.state == SOFTWARE_DELIVERED;
	struct software_view v = { .status = k->status };

	memcpy(v.name, package ? k->package_name : k->installed_name, sizeof(v.name));
	memcpy(v.version, package ? k->package_version : k->installed_version, sizeof(v.version));
	return v;
}

const char *software_name(const struct software *s)
{
	return s->name;
}

struct delivery *software_delivery(const struct software *s)
{
	return s->delivery;
}

/* ---- the door ---- */

/* done: NULL, or what follows when the disk has it, or cannot have it. */
static void keep(struct software *s, state_done done)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = software_record_encode(&s->kept, &record);

	if (done)
		s->commit = state_commit_cancel(s->commit);
	if (r >= 0 && done)
		r = state_commit(s->state, s->name, STATE_KIND, record.data, record.size, done, s, &s->commit);
	else if (r >= 0)
		r = state_save(s->state, s->name, STATE_KIND, record.data, record.size);
	if (r < 0)
		log_error(NULL, "%s: its state cannot be kept over restarts: %s", s->label, strerror(-r));
	if (s->watch)
		s->watch(s->watch_userdata);
	if (r < 0 && done)
		done(s, r);
}

static void check(struct software *s);
static void work(void *userdata, int error);

static int enter(struct software *s, enum software_event event, enum software_result result)
{
	struct software_kept *k = &s->kept;
	int action = software_step(&k->status, event, result);

	if (action < 0)
		return action;
	if (event != SOFTWARE_FAILED && event != SOFTWARE_BROKE)
		s->why[0] = '\0';
	write_note(s);
	log_notice(NULL, "%s: %s%s%s", s->label, software_state_name(k->status.state), *s->note ? ": " : "", s->note);
	if (action == SOFTWARE_DROP) {
		handler_job_stop(s->job);
		k->package_name[0] = k->package_version[0] = '\0';
		delivery_drop(s->delivery);
	}
	/*
	 * A new name for each, by which it is known after a restart. The disk has it before the handler
	 * hears of it: what ends after that is asked for, even if the power goes before it is kept.
	 */
	if (action == SOFTWARE_WORK)
		snprintf(k->id, sizeof(k->id), "%016llx", (unsigned long long)random_u64());
	keep(s, action == SOFTWARE_WORK ? work : NULL);
	if (action == SOFTWARE_CHECK)
		check(s);
	return action;
}

/* ---- a package that comes ---- */

static enum software_result result_of_failure(int error)
{
	switch (error) {
	case -ENOSPC:
		return SOFTWARE_NO_STORAGE;
	case -ENOMEM:
		return SOFTWARE_NO_MEMORY;
	case -EINVAL:
	case -EPROTONOSUPPORT:
		return SOFTWARE_INVALID_URI;
	default:
		return SOFTWARE_CONNECTION_LOST;
	}
}

static void on_whole(void *userdata)
{
	enter(userdata, SOFTWARE_ARRIVED, SOFTWARE_NO_RESULT);
}

static void on_failed(void *userdata, int error)
{
	enter(userdata, SOFTWARE_FAILED, result_of_failure(error));
}

static void on_keep(void *userdata)
{
	keep(userdata, NULL);
}

static void on_trouble(void *userdata, const char *text)
{
	say(userdata, text);
}

/* 0: it would be taken now. */
static int may(const struct software *s, enum software_event event)
{
	struct software_status copy = s->kept.status;

	return MIN(software_step(&copy, event, SOFTWARE_NO_RESULT), 0);
}

static int on_pushed(void *userdata)
{
	struct software *s = userdata;
	int r = may(s, SOFTWARE_PUSH);

	if (r < 0)
		return r;
	/* Who waits for the end of one before it: that is over. */
	s->commit = state_commit_cancel(s->commit);
	delivery_answer(s->delivery, 0, NULL);
	/* Or a restart would go on with what that was. */
	s->kept.uri[0] = '\0';
	enter(s, SOFTWARE_PUSH, SOFTWARE_NO_RESULT);
	return 0;
}

static const struct delivery_ops delivery_ops = {
	.pushed = on_pushed,
	.whole = on_whole,
	.failed = on_failed,
	.keep = on_keep,
	.trouble = on_trouble,
};

int software_write_uri(struct software *s, const char *uri)
{
	int r = may(s, SOFTWARE_PULL);

	if (r < 0)
		return r;
	if (delivery_check_uri(s->delivery, uri) < 0) {
		log_warning(NULL, "%s: %s: nothing can be fetched from there", s->label, uri);
		enter(s, SOFTWARE_BAD_URI, SOFTWARE_NO_RESULT);
		return 0;
	}
	snprintf(s->kept.uri, sizeof(s->kept.uri), "%s", uri);
	enter(s, SOFTWARE_PULL, SOFTWARE_NO_RESULT);
	delivery_pull(s->delivery, false);
	return 0;
}

/* ---- what its handler does ---- */

/* state_done */
static void on_check_kept(void *userdata, int error)
{
	struct software *s = userdata;

	(void)error;
	s->commit = NULL;
	delivery_answer(s->delivery, 0, NULL);
}

/* Whoever wrote the package hears of it when the disk has what came of it: it is not sent a second time. */
static void end_check(struct software *s, enum software_result result)
{
	if (result == SOFTWARE_VERIFIED)
		enter(s, SOFTWARE_CHECKED, result);
	else
		enter(s, SOFTWARE_FAILED, result);
	keep(s, on_check_kept);
}

static void check(struct software *s)
{
	if (handler_job_start(s->job, INSTALL_CHECK, "", 0, 0) >= 0)
		return;
	say(s, HANDLER_UNREACHED);
	end_check(s, SOFTWARE_DEVICE_ERROR);
}

static enum software_result result_of_check(uint8_t code)
{
	switch (code) {
	case INSTALL_CODE_DONE:
		return SOFTWARE_VERIFIED;
	case INSTALL_CODE_NO_STORAGE:
		return SOFTWARE_NO_STORAGE;
	case INSTALL_CODE_NO_MEMORY:
		return SOFTWARE_NO_MEMORY;
	case INSTALL_CODE_PACKAGE_TYPE:
		return SOFTWARE_PACKAGE_TYPE;
	default:
		return SOFTWARE_NOT_INTACT;
	}
}

static void checked(struct software *s, const struct install_answer *a)
{
	char why[INSTALL_TEXT_MAX];

	say(s, handler_job_trouble(a, why));
	if (a->end != INSTALL_EXITED) {
		log_error(NULL, "%s: its handler cannot look at the package%s%s", s->label, *a->reason ? ": " : "", a->reason);
		end_check(s, SOFTWARE_DEVICE_ERROR);
		return;
	}
	memcpy(s->kept.package_name, a->name, sizeof(a->name));
	memcpy(s->kept.package_version, a->version, sizeof(a->version));
	end_check(s, result_of_check(a->code));
}

static void answer(struct software *s, int error, const char *reason)
{
	software_done done = TAKE_PTR(s->done);

	timer_disarm(&s->answer);
	if (done)
		done(s->done_userdata, error, reason);
}

static void on_answer_due(struct timer *timer, void *userdata)
{
	(void)timer;
	answer(userdata, 0, NULL);
}

static void worked(struct software *s)
{
	struct software_kept *k = &s->kept;

	if (k->status.work == SOFTWARE_INSTALLS) {
		memcpy(k->installed_name, k->package_name, sizeof(k->installed_name));
		memcpy(k->installed_version, k->package_version, sizeof(k->installed_version));
	} else if (k->status.work == SOFTWARE_UNINSTALLS) {
		k->installed_name[0] = k->installed_version[0] = '\0';
	}
	enter(s, SOFTWARE_DONE, SOFTWARE_NO_RESULT);
	answer(s, 0, NULL);
}

static void broke(struct software *s, uint8_t code, const char *reason)
{
	log_error(NULL, "%s %s no more: %s", s->label, software_status_text(&s->kept.status), reason);
	say(s, reason);
	enter(s, SOFTWARE_BROKE, code == INSTALL_CODE_NO_STORAGE ? SOFTWARE_NO_STORAGE : SOFTWARE_INSTALL_FAILED);
	answer(s, -EIO, reason);
}

/* state_done: it may begin. */
static void work(void *userdata, int error)
{
	struct software *s = userdata;
	static const enum install_action actions[SOFTWARE_WORKS] = {
		[SOFTWARE_INSTALLS] = INSTALL_PACKAGE,
		[SOFTWARE_UNINSTALLS] = INSTALL_UNINSTALL,
		[SOFTWARE_ACTIVATES] = INSTALL_ACTIVATE,
		[SOFTWARE_DEACTIVATES] = INSTALL_DEACTIVATE,
	};

	s->commit = NULL;
	/* Of a check that is followed by this at once. */
	delivery_answer(s->delivery, 0, NULL);
	if (error < 0)
		broke(s, error == -ENOSPC ? INSTALL_CODE_NO_STORAGE : INSTALL_CODE_FAILED, "its state cannot be kept");
	else if (handler_job_start(s->job, actions[s->kept.status.work], s->kept.id, 0, 0) < 0)
		broke(s, INSTALL_CODE_FAILED, HANDLER_UNREACHED);
}

static void on_job(void *userdata, const struct install_answer *a)
{
	struct software *s = userdata;
	char reason[INSTALL_TEXT_MAX];

	if (s->kept.status.work == SOFTWARE_RESTS) {
		checked(s, a);
	} else if (a->end == INSTALL_EXITED && a->code == INSTALL_CODE_DONE) {
		worked(s);
	} else {
		broke(s, a->code, handler_job_trouble(a, reason));
	}
}

static void answer_when_kept(struct software *s, software_done done, void *userdata)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = software_record_encode(&s->kept, &record);

	if (r >= 0)
		r = kept_answer_add(&s->answers, s->state, s->name, STATE_KIND, span_of(record.data, record.size), done,
				    userdata);
	if (r < 0)
		done(userdata, r, NULL);
}

/* Does its handler have something to do then? */
static bool makes_work(const struct software *s, enum software_event event)
{
	struct software_status status = s->kept.status;

	return software_step(&status, event, SOFTWARE_NO_RESULT) >= 0 && status.work != SOFTWARE_RESTS;
}

int software_execute(struct software *s, enum software_event event, software_done done, void *userdata)
{
	const bool waits = event == SOFTWARE_ACTIVATE || event == SOFTWARE_DEACTIVATE, begins = makes_work(s, event);
	int r = may(s, event);

	if (r < 0)
		return r;
	if (waits) {
		s->done = done;
		s->done_userdata = userdata;
		timer_arm_in(&s->answer, DELIVERY_ANSWER_USEC);
	} else if (begins) {
		done(userdata, 0, NULL);
	}
	enter(s, event, SOFTWARE_NO_RESULT);
	if (!waits && !begins)
		answer_when_kept(s, done, userdata);
	return 0;
}

/* ---- over restarts ---- */

static void resume(struct software *s)
{
	const bool whole = delivery_is_whole(s->delivery);

	switch (s->kept.status.state) {
	case SOFTWARE_INITIAL:
	case SOFTWARE_INSTALLED:
		break;
	case SOFTWARE_DOWNLOAD_STARTED:
		/* A Package is not sent a second time by itself. */
		if (whole)
			enter(s, SOFTWARE_ARRIVED, SOFTWARE_NO_RESULT);
		else if (*s->kept.uri)
			delivery_pull(s->delivery, true);
		else
			enter(s, SOFTWARE_FAILED, SOFTWARE_CONNECTION_LOST);
		break;
	case SOFTWARE_DOWNLOADED:
		if (whole)
			check(s);
		else
			enter(s, SOFTWARE_FAILED, SOFTWARE_NOT_INTACT);
		break;
	case SOFTWARE_DELIVERED:
		if (!whole)
			enter(s, SOFTWARE_UNINSTALL, SOFTWARE_NO_RESULT);
		break;
	}
}

void software_start(struct software *s)
{
	if (s->kept.status.work != SOFTWARE_RESTS)
		handler_job_start(s->job, INSTALL_WAIT, s->kept.id, 0, 0);
	else
		resume(s);
}

static int restore(struct software *s)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = state_load(s->state, s->name, STATE_KIND, &record);

	if (r >= 0)
		r = software_record_decode(span_of(record.data, record.size), &s->kept);
	if (r < 0 && r != -ENOENT)
		log_warning(NULL, "%s: what was kept of it is lost: %s", s->label, strerror(-r));
	write_note(s);
	return r == -ENOMEM ? r : 0;
}

/* ---- being there ---- */

void software_set_watch(struct software *s, void (*watch)(void *userdata), void *userdata)
{
	s->watch = watch;
	s->watch_userdata = userdata;
}

void software_end_watch(struct software *s)
{
	s->watch = NULL;
	answer(s, -EBUSY, NULL);
	delivery_answer(s->delivery, -EBUSY, NULL);
	kept_answers_end(&s->answers, -EBUSY);
}

int software_reload(struct software *s, const char *handler, uint64_t max_size)
{
	int r = handler_job_set_handler(s->job, handler);

	if (r >= 0)
		delivery_set_max_size(s->delivery, max_size);
	return r;
}

static int make_delivery(struct software *s, const struct software_config *c)
{
	_cleanup_free_ char *file = NULL;
	struct delivery_config config = {
		.source = c->source,
		.source_userdata = c->source_userdata,
		.event = c->event,
		.timers = c->timers,
		.folder = c->folder,
		.label = s->label,
		.max_size = c->max_size,
		.uri = s->kept.uri,
		.etag = s->kept.etag,
		.ops = &delivery_ops,
		.userdata = s,
	};

	if (asprintf(&file, "software-%s.package", s->name) < 0) {
		file = NULL;
		return -ENOMEM;
	}
	config.name = file;
	return delivery_new(&config, &s->delivery);
}

static int make_job(struct software *s, const struct software_config *c)
{
	const struct handler_job_config config = {
		.event = c->event,
		.timers = c->timers,
		.socket = c->socket,
		.handler = c->handler,
		.software = s->name,
		.label = s->label,
		.delivery = s->delivery,
		.done = on_job,
		.userdata = s,
	};

	return handler_job_new(&config, &s->job);
}

static int software_init(struct software *s, const struct software_config *c)
{
	int r;

	s->name = strdup(c->name);
	if (!s->name || asprintf(&s->label, "software %s", c->name) < 0) {
		s->label = NULL;
		return -ENOMEM;
	}
	r = timers_reserve(c->timers, 1);
	if (r >= 0)
		r = make_delivery(s, c);
	if (r >= 0)
		r = make_job(s, c);
	return r < 0 ? r : restore(s);
}

int software_new(const struct software_config *config, struct software **ret)
{
	struct software *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->state = config->state;
	list_init(&s->answers);
	timer_init(&s->answer, config->timers, on_answer_due, s);
	r = software_init(s, config);
	if (r < 0) {
		software_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void software_detach(struct software *s)
{
	delivery_detach(s->delivery);
}

struct software *software_free(struct software *s)
{
	if (!s)
		return NULL;
	if (s->delivery)
		software_end_watch(s);
	state_commit_cancel(s->commit);
	kept_answers_free(&s->answers);
	handler_job_free(s->job);
	delivery_free(s->delivery);
	free(s->name);
	free(s->label);
	free(s);
	return NULL;
}
