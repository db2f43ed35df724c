/* SPDX-License-Identifier: Apache-2.0 */
#include "update/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "state/state.h"
#include "update/firmware_internal.h"

#define STATE_NAME "host"
#define STATE_KIND "firmware"
#define PACKAGE_FILE "firmware"
#define LABEL "firmware"

static const char *const states[FIRMWARE_STATES] = {
	[FIRMWARE_IDLE] = "idle",
	[FIRMWARE_DOWNLOADING] = "downloading",
	[FIRMWARE_DOWNLOADED] = "downloaded",
	[FIRMWARE_UPDATING] = "updating",
};

static const char *const results[FIRMWARE_RESULTS] = {
	[FIRMWARE_INITIAL] = "",
	[FIRMWARE_UPDATED] = "updated",
	[FIRMWARE_NO_STORAGE] = "not enough storage",
	[FIRMWARE_NO_MEMORY] = "not enough memory",
	[FIRMWARE_CONNECTION_LOST] = "the connection was lost",
	[FIRMWARE_NOT_INTACT] = "the package is not intact",
	[FIRMWARE_PACKAGE_TYPE] = "the package is of another kind",
	[FIRMWARE_INVALID_URI] = "the URI is wrong",
	[FIRMWARE_UPDATE_FAILED] = "the update failed",
	[FIRMWARE_PROTOCOL] = "the URI's protocol is not known here",
	[FIRMWARE_CANCELLED] = "cancelled",
	[FIRMWARE_DEFERRED] = "deferred",
};

const char *firmware_state_name(enum firmware_state state)
{
	return states[state];
}

const char *firmware_note(const struct firmware *f)
{
	return f->note;
}

const char *firmware_refusal(const struct firmware *f)
{
	static const char *const texts[FIRMWARE_STATES] = {
		[FIRMWARE_IDLE] = "not in state 0, idle",
		[FIRMWARE_DOWNLOADING] = "not in state 1, downloading",
		[FIRMWARE_DOWNLOADED] = "not in state 2, downloaded",
		[FIRMWARE_UPDATING] = "not in state 3, updating",
	};

	return texts[f->kept.view.status.state];
}

static void write_note(struct firmware *f)
{
	const char *result = results[f->kept.view.status.result];

	snprintf(f->note, sizeof(f->note), "%s%s%s", result, *result && *f->why ? ": " : "", f->why);
}

void firmware_say(struct firmware *f, const char *why)
{
	snprintf(f->why, sizeof(f->why), "%.*s", (int)utf8_valid_prefix(why, MIN(strlen(why), sizeof(f->why) - 1)), why);
	write_note(f);
}

const struct firmware_view *firmware_view(const struct firmware *f)
{
	return &f->kept.view;
}

struct delivery *firmware_delivery(const struct firmware *f)
{
	return f->delivery;
}

const uint8_t *firmware_protocols(const struct firmware *f, size_t *ret_n)
{
	*ret_n = f->config.source ? f->config.source->n_protocols : 0;
	return f->config.source ? f->config.source->protocols : NULL;
}

bool firmware_may(const struct firmware *f, enum firmware_event event)
{
	struct firmware_status copy = f->kept.view.status;

	return firmware_step(&copy, event, FIRMWARE_INITIAL) >= 0;
}

/* ---- the door ---- */

void firmware_keep(struct firmware *f)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = firmware_record_encode(&f->kept, &record);

	if (r >= 0)
		r = state_save(f->config.state, STATE_NAME, STATE_KIND, record.data, record.size);
	if (r < 0)
		log_error(NULL, "firmware: its state cannot be kept over restarts: %s", strerror(-r));
	if (f->watch)
		f->watch(f->watch_userdata);
}

int firmware_commit(struct firmware *f, state_done done)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = firmware_record_encode(&f->kept, &record);

	f->commit = state_commit_cancel(f->commit);
	if (r >= 0)
		r = state_commit(f->config.state, STATE_NAME, STATE_KIND, record.data, record.size, done, f, &f->commit);
	if (f->watch)
		f->watch(f->watch_userdata);
	return r;
}

void firmware_when_kept(struct firmware *f, delivery_done done, void *userdata)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = firmware_record_encode(&f->kept, &record);

	if (r >= 0)
		r = kept_answer_add(&f->answers, f->config.state, STATE_NAME, STATE_KIND,
				    span_of(record.data, record.size), done, userdata);
	if (r < 0)
		done(userdata, r, NULL);
}

static void drop(struct firmware *f)
{
	handler_job_stop(f->job);
	timer_disarm(&f->deferral);
	f->kept.deferred_until_s = 0;
	f->kept.view.name[0] = f->kept.view.version[0] = '\0';
	delivery_drop(f->delivery);
}

int firmware_enter(struct firmware *f, enum firmware_event event, enum firmware_result result)
{
	struct firmware_view *v = &f->kept.view;
	struct firmware_status before = v->status, after = before;
	int action = firmware_step(&after, event, result);

	if (action < 0)
		return action;
	/* Before the state itself (resource 12). */
	if (after.state != before.state)
		v->changed_s = (int64_t)(clock_realtime_usec() / USEC_PER_SEC);
	v->status = after;
	if (event != FIRMWARE_FAILED && event != FIRMWARE_ENDED)
		f->why[0] = '\0';
	write_note(f);
	if (action == FIRMWARE_DROP)
		drop(f);
	log_notice(NULL, "firmware: %s%s%s", states[after.state], *f->note ? ": " : "", f->note);
	if (action == FIRMWARE_INSTALL)
		firmware_install(f);
	else
		firmware_keep(f);
	return action;
}

/* ---- a package that comes ---- */

static enum firmware_result result_of_failure(int error)
{
	switch (error) {
	case -ENOSPC:
		return FIRMWARE_NO_STORAGE;
	case -ENOMEM:
		return FIRMWARE_NO_MEMORY;
	case -EINVAL:
		return FIRMWARE_INVALID_URI;
	case -EPROTONOSUPPORT:
		return FIRMWARE_PROTOCOL;
	default:
		return FIRMWARE_CONNECTION_LOST;
	}
}

static void on_whole(void *userdata)
{
	firmware_check(userdata);
}

static void on_failed(void *userdata, int error)
{
	firmware_enter(userdata, FIRMWARE_FAILED, result_of_failure(error));
}

static void on_keep(void *userdata)
{
	firmware_keep(userdata);
}

static void on_trouble(void *userdata, const char *text)
{
	firmware_say(userdata, text);
}

static int on_pushed(void *userdata)
{
	struct firmware *f = userdata;

	if (!firmware_may(f, FIRMWARE_PUSH))
		return -EPERM;
	/* Who waits for the end of one before it: that is over. */
	f->commit = state_commit_cancel(f->commit);
	delivery_answer(f->delivery, 0, NULL);
	/* Or a restart would go on with what that was. */
	f->kept.view.uri[0] = '\0';
	firmware_enter(f, FIRMWARE_PUSH, FIRMWARE_INITIAL);
	return 0;
}

static const struct delivery_ops delivery_ops = {
	.pushed = on_pushed,
	.whole = on_whole,
	.failed = on_failed,
	.keep = on_keep,
	.trouble = on_trouble,
};

/* ---- what servers ask ---- */

int firmware_reset(struct firmware *f)
{
	char before[DELIVERY_URI_MAX];
	int r;

	memcpy(before, f->kept.view.uri, sizeof(before));
	f->kept.view.uri[0] = '\0';
	r = firmware_enter(f, FIRMWARE_RESET, FIRMWARE_INITIAL);
	if (r < 0)
		memcpy(f->kept.view.uri, before, sizeof(before));
	else
		delivery_answer(f->delivery, 0, NULL);
	return r < 0 ? r : 0;
}

int firmware_cancel(struct firmware *f)
{
	int r = firmware_enter(f, FIRMWARE_CANCEL, FIRMWARE_INITIAL);

	if (r < 0)
		return r;
	delivery_answer(f->delivery, 0, NULL);
	return 0;
}

int firmware_update(struct firmware *f)
{
	int r = firmware_enter(f, FIRMWARE_UPDATE, FIRMWARE_INITIAL);

	return r < 0 ? r : 0;
}

int firmware_write_uri(struct firmware *f, const char *uri)
{
	int r;

	if (!*uri)
		return firmware_reset(f);
	if (strlen(uri) >= DELIVERY_URI_MAX)
		return -EINVAL;
	if (!firmware_may(f, FIRMWARE_PULL))
		return -EPERM;
	r = delivery_check_uri(f->delivery, uri);
	strcpy(f->kept.view.uri, r == -EINVAL ? "" : uri);
	if (r < 0) {
		firmware_enter(f, FIRMWARE_BAD_URI, r == -EINVAL ? FIRMWARE_INVALID_URI : FIRMWARE_PROTOCOL);
		return 0;
	}
	firmware_enter(f, FIRMWARE_PULL, FIRMWARE_INITIAL);
	delivery_pull(f->delivery, false);
	return 0;
}

void firmware_set_severity(struct firmware *f, uint8_t severity)
{
	f->kept.view.severity = severity;
	firmware_keep(f);
}

void firmware_set_defer(struct firmware *f, uint32_t defer_s)
{
	f->kept.view.defer_s = defer_s;
	firmware_keep(f);
}

void firmware_set_automatic(struct firmware *f, bool automatic)
{
	f->kept.view.automatic = automatic;
	firmware_keep(f);
}

/* ---- over restarts ---- */

void firmware_start(struct firmware *f)
{
	switch (f->kept.view.status.state) {
	case FIRMWARE_IDLE:
		break;
	case FIRMWARE_DOWNLOADING:
		/* A Package is not sent a second time by itself. */
		if (delivery_is_whole(f->delivery))
			firmware_check(f);
		else if (*f->kept.view.uri)
			delivery_pull(f->delivery, true);
		else
			firmware_enter(f, FIRMWARE_FAILED, FIRMWARE_CONNECTION_LOST);
		break;
	case FIRMWARE_DOWNLOADED:
		if (!delivery_is_whole(f->delivery))
			firmware_reset(f);
		else if (f->kept.view.status.result == FIRMWARE_DEFERRED)
			firmware_defer(f);
		break;
	case FIRMWARE_UPDATING:
		firmware_wait(f);
		break;
	}
}

static int restore(struct firmware *f)
{
	_cleanup_buf_ struct buf record = { 0 };
	int r = state_load(f->config.state, STATE_NAME, STATE_KIND, &record);

	f->kept.view.severity = 1;
	f->kept.view.changed_s = -1;
	if (r >= 0)
		r = firmware_record_decode(span_of(record.data, record.size), &f->kept);
	if (r < 0 && r != -ENOENT)
		log_warning(NULL, "firmware: what was kept of it is lost: %s", strerror(-r));
	write_note(f);
	return r == -ENOMEM ? r : 0;
}

void firmware_set_watch(struct firmware *f, void (*watch)(void *userdata), void *userdata)
{
	f->watch = watch;
	f->watch_userdata = userdata;
}

void firmware_end_watch(struct firmware *f)
{
	f->watch = NULL;
	delivery_answer(f->delivery, -EBUSY, NULL);
	kept_answers_end(&f->answers, -EBUSY);
}

int firmware_reload(struct firmware *f, const char *handler, uint64_t max_size)
{
	int r = handler_job_set_handler(f->job, handler);

	if (r >= 0)
		delivery_set_max_size(f->delivery, max_size);
	return r;
}

static int make_delivery(struct firmware *f)
{
	const struct firmware_config *c = &f->config;
	const struct delivery_config config = {
		.source = c->source,
		.source_userdata = c->source_userdata,
		.event = c->event,
		.timers = c->timers,
		.folder = c->folder,
		.name = PACKAGE_FILE,
		.label = LABEL,
		.max_size = c->max_size,
		.uri = f->kept.view.uri,
		.etag = f->kept.etag,
		.ops = &delivery_ops,
		.userdata = f,
	};

	return delivery_new(&config, &f->delivery);
}

static int make_job(struct firmware *f)
{
	const struct handler_job_config config = {
		.event = f->config.event,
		.timers = f->config.timers,
		.socket = f->config.socket,
		.handler = f->config.handler,
		.software = "",
		.label = LABEL,
		.delivery = f->delivery,
		.done = firmware_job_done,
		.userdata = f,
	};

	return handler_job_new(&config, &f->job);
}

int firmware_new(const struct firmware_config *config, struct firmware **ret)
{
	struct firmware *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->config = *config;
	list_init(&f->answers);
	timer_init(&f->deferral, config->timers, firmware_deferral_over, f);
	r = timers_reserve(config->timers, 1);
	if (r >= 0)
		r = make_delivery(f);
	if (r >= 0)
		r = make_job(f);
	if (r >= 0)
		r = restore(f);
	if (r < 0) {
		firmware_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void firmware_detach(struct firmware *f)
{
	delivery_detach(f->delivery);
}

struct firmware *firmware_free(struct firmware *f)
{
	if (!f)
		return NULL;
	f->watch = NULL;
	timer_disarm(&f->deferral);
	state_commit_cancel(f->commit);
	kept_answers_free(&f->answers);
	handler_job_free(f->job);
	delivery_free(f->delivery);
	free(f);
	return NULL;
}
