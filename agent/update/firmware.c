/* SPDX-License-Identifier: Apache-2.0 */
#include "update/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "state/state.h"
#include "update/firmware_internal.h"

#define STATE_NAME "host"
#define STATE_KIND "firmware"
#define PACKAGE_FILE "firmware"

static const char *const states[FIRMWARE_STATES] = {
	[FIRMWARE_IDLE] = "idle",
	[FIRMWARE_DOWNLOADING] = "downloading",
	[FIRMWARE_DOWNLOADED] = "downloaded",
	[FIRMWARE_UPDATING] = "updating",
};

static const char *const results[FIRMWARE_RESULTS] = {
	[FIRMWARE_INITIAL] = "",
	[FIRMWARE_UPDATED] = ": updated",
	[FIRMWARE_NO_STORAGE] = ": not enough storage",
	[FIRMWARE_NO_MEMORY] = ": not enough memory",
	[FIRMWARE_CONNECTION_LOST] = ": the connection was lost",
	[FIRMWARE_NOT_INTACT] = ": the package is not intact",
	[FIRMWARE_PACKAGE_TYPE] = ": the package is of another kind",
	[FIRMWARE_INVALID_URI] = ": the URI is wrong",
	[FIRMWARE_UPDATE_FAILED] = ": the update failed",
	[FIRMWARE_PROTOCOL] = ": the URI's protocol is not known here",
	[FIRMWARE_CANCELLED] = ": cancelled",
	[FIRMWARE_DEFERRED] = ": deferred",
};

const struct firmware_view *firmware_view(const struct firmware *f)
{
	return &f->kept.view;
}

uint64_t firmware_received(const struct firmware *f)
{
	return package_size(f->package);
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

static void stop_fetching(struct firmware *f)
{
	if (f->config.source)
		f->config.source->stop(f->config.source_userdata);
	f->kept.etag[0] = '\0';
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

void firmware_answer(struct firmware *f, int error, const char *reason)
{
	firmware_done done = TAKE_PTR(f->done);

	timer_disarm(&f->answer);
	if (done)
		done(f->done_userdata, error, reason);
}

static void drop(struct firmware *f)
{
	stop_fetching(f);
	f->pushed = false;
	f->call = handler_call_free(f->call);
	timer_disarm(&f->retry);
	f->kept.deferred_until_s = 0;
	f->kept.view.name[0] = f->kept.view.version[0] = '\0';
	package_drop(f->package);
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
	if (action == FIRMWARE_DROP)
		drop(f);
	log_notice(NULL, "firmware: %s%s", states[after.state], results[after.result]);
	if (action == FIRMWARE_INSTALL)
		firmware_install(f);
	else
		firmware_keep(f);
	return action;
}

/* ---- a Package that is pushed ---- */

static int refuse_package(struct firmware *f, int error)
{
	const bool full = error == -EFBIG || error == -ENOSPC || error == -EDQUOT;

	log_warning(NULL, "firmware: the package cannot be kept: %s",
		    error == -EFBIG ? "it is larger than firmware: max_size" : strerror(-error));
	firmware_enter(f, FIRMWARE_FAILED, error == -ENOMEM ? FIRMWARE_NO_MEMORY : FIRMWARE_NO_STORAGE);
	f->refused = full ? -EMSGSIZE : error;
	return f->refused;
}

int firmware_push_begin(struct firmware *f, uint64_t size)
{
	int r = firmware_enter(f, FIRMWARE_PUSH, FIRMWARE_INITIAL);

	if (r < 0)
		return r;
	f->kept.view.uri[0] = '\0';
	f->refused = 0;
	r = package_begin(f->package, 0, size, f->config.max_size);
	if (r < 0)
		return refuse_package(f, r);
	f->pushed = true;
	return 0;
}

int firmware_push_take(struct firmware *f, const void *data, size_t size)
{
	int r;

	/* Reset, or cancelled, on the way; or the disk has said so. */
	if (!f->pushed)
		return f->refused < 0 ? f->refused : -EPERM;
	r = package_take(f->package, data, size);
	return r < 0 && r != -EBUSY ? refuse_package(f, r) : r;
}

void firmware_push_lost(struct firmware *f)
{
	if (f->pushed)
		firmware_enter(f, FIRMWARE_FAILED, FIRMWARE_CONNECTION_LOST);
}

void firmware_push_end(struct firmware *f, firmware_done done, void *userdata)
{
	int r = f->pushed ? package_finish(f->package) : -EPERM;

	if (r < 0) {
		if (f->pushed)
			r = refuse_package(f, r);
		done(userdata, r, NULL);
		return;
	}
	f->pushed = false;
	f->done = done;
	f->done_userdata = userdata;
	timer_arm_in(&f->answer, FIRMWARE_ANSWER_USEC);
}

static void on_answer_due(struct timer *timer, void *userdata)
{
	(void)timer;
	firmware_answer(userdata, 0, NULL);
}

/* The package is on the disk, or cannot be. */
static void on_package(void *userdata, int error)
{
	struct firmware *f = userdata;

	if (error < 0) {
		f->pushed = false;
		firmware_answer(f, refuse_package(f, error), NULL);
	} else {
		firmware_check(f);
	}
}

/* ---- what servers ask ---- */

int firmware_reset(struct firmware *f)
{
	char before[FIRMWARE_URI_MAX];
	int r;

	memcpy(before, f->kept.view.uri, sizeof(before));
	f->kept.view.uri[0] = '\0';
	r = firmware_enter(f, FIRMWARE_RESET, FIRMWARE_INITIAL);
	if (r < 0)
		memcpy(f->kept.view.uri, before, sizeof(before));
	else
		firmware_answer(f, 0, NULL);
	return r < 0 ? r : 0;
}

int firmware_cancel(struct firmware *f)
{
	int r = firmware_enter(f, FIRMWARE_CANCEL, FIRMWARE_INITIAL);

	firmware_answer(f, 0, NULL);
	return r < 0 ? r : 0;
}

int firmware_update(struct firmware *f)
{
	int r = firmware_enter(f, FIRMWARE_UPDATE, FIRMWARE_INITIAL);

	return r < 0 ? r : 0;
}

static bool is_scheme(const char *uri, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (uri[i] >= 'a' && uri[i] <= 'z') || (uri[i] >= 'A' && uri[i] <= 'Z');
		bool other = (uri[i] >= '0' && uri[i] <= '9') || strchr("+-.", uri[i]);

		if (!letter && (i == 0 || !other))
			return false;
	}
	return n > 0;
}

/* RFC 3986: a scheme, an authority, and none of the characters that stand in no URI. */
static bool is_uri(const char *uri)
{
	const char *colon = strchr(uri, ':');

	if (!colon || !is_scheme(uri, (size_t)(colon - uri)) || strncmp(colon, "://", 3) != 0 ||
	    strchr("/?#", colon[3]))
		return false;
	for (const char *p = uri; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("\"<>\\^`{|}", *p))
			return false;
	return true;
}

static int check_uri(const struct firmware *f, const char *uri)
{
	if (!is_uri(uri))
		return -EINVAL;
	return f->config.source ? f->config.source->check(f->config.source_userdata, uri) : -EPROTONOSUPPORT;
}

static void fetch(struct firmware *f, uint64_t offset)
{
	int r = f->config.source ? f->config.source->start(f->config.source_userdata, f->kept.view.uri, offset,
							   f->kept.etag) :
				   -EPROTONOSUPPORT;

	if (r < 0)
		firmware_fetch_done(f, r);
}

int firmware_write_uri(struct firmware *f, const char *uri)
{
	int r;

	if (!*uri)
		return firmware_reset(f);
	if (strlen(uri) >= FIRMWARE_URI_MAX)
		return -EINVAL;
	if (!firmware_may(f, FIRMWARE_PULL))
		return -EPERM;
	r = check_uri(f, uri);
	strcpy(f->kept.view.uri, r == -EINVAL ? "" : uri);
	if (r < 0) {
		firmware_enter(f, FIRMWARE_BAD_URI, r == -EINVAL ? FIRMWARE_INVALID_URI : FIRMWARE_PROTOCOL);
		return 0;
	}
	firmware_enter(f, FIRMWARE_PULL, FIRMWARE_INITIAL);
	fetch(f, 0);
	return 0;
}

/* ---- a package that is pulled ---- */

int firmware_fetch_begin(struct firmware *f, uint64_t offset, uint64_t size, const char *etag)
{
	int r = package_begin(f->package, offset, size, f->config.max_size);

	if (r < 0)
		return r;
	snprintf(f->kept.etag, sizeof(f->kept.etag), "%s", etag);
	firmware_keep(f);
	return 0;
}

int firmware_fetch_take(struct firmware *f, const void *data, size_t size)
{
	return package_take(f->package, data, size);
}

static enum firmware_result result_of_fetch(int error)
{
	switch (error) {
	case -EFBIG:
	case -ENOSPC:
	case -EDQUOT:
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

void firmware_fetch_done(struct firmware *f, int error)
{
	int r = error < 0 ? error : package_finish(f->package);

	if (r >= 0)
		return;
	log_warning(NULL, "firmware: %s: %s", f->kept.view.uri, strerror(-r));
	firmware_enter(f, FIRMWARE_FAILED, result_of_fetch(r));
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

static bool has_package(const struct firmware *f)
{
	_cleanup_close_ int fd = package_open(f->package);

	return fd >= 0;
}

void firmware_start(struct firmware *f)
{
	switch (f->kept.view.status.state) {
	case FIRMWARE_IDLE:
		break;
	case FIRMWARE_DOWNLOADING:
		/* A Package is not sent a second time by itself. */
		if (has_package(f))
			firmware_check(f);
		else if (*f->kept.view.uri)
			fetch(f, package_part_size(f->package));
		else
			firmware_enter(f, FIRMWARE_FAILED, FIRMWARE_CONNECTION_LOST);
		break;
	case FIRMWARE_DOWNLOADED:
		if (!has_package(f))
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
	return r == -ENOMEM ? r : 0;
}

void firmware_set_watch(struct firmware *f, void (*watch)(void *userdata), void *userdata)
{
	f->watch = watch;
	f->watch_userdata = userdata;
}

int firmware_reload(struct firmware *f, const char *handler, uint64_t max_size)
{
	int r = str_replace(&f->handler, handler);

	if (r >= 0)
		f->config.max_size = max_size;
	return r;
}

static int copy_texts(struct firmware *f)
{
	f->folder = strdup(f->config.folder);
	f->socket = strdup(f->config.socket);
	f->handler = strdup(f->config.handler);
	return f->folder && f->socket && f->handler ? 0 : -ENOMEM;
}

int firmware_new(const struct firmware_config *config, struct firmware **ret)
{
	const struct package_config package = { .event = config->event, .folder = config->folder,
						.name = PACKAGE_FILE, .done = on_package };
	struct package_config own = package;
	struct firmware *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->config = *config;
	f->backoff = (struct backoff){ 1 * USEC_PER_SEC, USEC_PER_MINUTE, 0 };
	timer_init(&f->retry, config->timers, firmware_retry, f);
	timer_init(&f->answer, config->timers, on_answer_due, f);
	own.userdata = f;
	r = timers_reserve(config->timers, 2);
	if (r >= 0)
		r = copy_texts(f);
	if (r >= 0)
		r = package_new(&own, &f->package);
	if (r >= 0)
		r = restore(f);
	if (r < 0) {
		firmware_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

struct firmware *firmware_free(struct firmware *f)
{
	if (!f)
		return NULL;
	f->watch = NULL;
	firmware_answer(f, -EBUSY, NULL);
	timer_disarm(&f->retry);
	handler_call_free(f->call);
	if (f->config.source)
		f->config.source->stop(f->config.source_userdata);
	if (f->package)
		package_stop(f->package);
	package_free(f->package);
	free(f->folder);
	free(f->socket);
	free(f->handler);
	free(f);
	return NULL;
}
