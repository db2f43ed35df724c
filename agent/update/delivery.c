/* SPDX-License-Identifier: Apache-2.0 */
#include "update/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/timer.h"
#include "update/package.h"

struct delivery {
	struct delivery_config config; /* folder and name are the package's */
	char *label;
	struct package *package;
	uint64_t expected;
	bool pushed;	     /* a Package comes that way */
	int refused;	     /* why that does not any more */
	bool told;	     /* why nothing of what is pulled comes */
	struct timer answer; /* DELIVERY_ANSWER_USEC */
	delivery_done done;  /* who waits for a Package to be taken */
	void *done_userdata;
};

uint64_t delivery_received(const struct delivery *d)
{
	return package_size(d->package);
}

uint64_t delivery_expected(const struct delivery *d)
{
	return d->expected;
}

int delivery_open(const struct delivery *d)
{
	return package_open(d->package);
}

bool delivery_is_whole(const struct delivery *d)
{
	_cleanup_close_ int fd = package_open(d->package);

	return fd >= 0;
}

void delivery_set_max_size(struct delivery *d, uint64_t max_size)
{
	d->config.max_size = max_size;
}

static void stop_fetching(struct delivery *d)
{
	if (d->config.source)
		d->config.source->stop(d->config.source_userdata);
}

void delivery_drop(struct delivery *d)
{
	stop_fetching(d);
	d->config.etag[0] = '\0';
	d->pushed = false;
	d->expected = 0;
	package_drop(d->package);
}

void delivery_answer(struct delivery *d, int error, const char *reason)
{
	delivery_done done = TAKE_PTR(d->done);

	timer_disarm(&d->answer);
	if (done)
		done(d->done_userdata, error, reason);
}

static void on_answer_due(struct timer *timer, void *userdata)
{
	(void)timer;
	delivery_answer(userdata, 0, NULL);
}

/* ---- a Package that is pushed ---- */

static const char *keeping_error(int error)
{
	return error == -EFBIG ? "it is larger than max_size" : strerror(-error);
}

/* Of the disk, or of max_size. */
static int refuse(struct delivery *d, int error)
{
	const bool full = error == -EFBIG || error == -ENOSPC || error == -EDQUOT;
	const char *why = keeping_error(error);

	log_warning(NULL, "%s: the package cannot be kept: %s", d->label, why);
	d->config.ops->trouble(d->config.userdata, why);
	d->config.ops->failed(d->config.userdata, error == -ENOMEM ? -ENOMEM : -ENOSPC);
	d->refused = full ? -EMSGSIZE : error;
	return d->refused;
}

int delivery_push_begin(struct delivery *d, uint64_t size)
{
	int r = d->config.ops->pushed(d->config.userdata);

	if (r < 0)
		return r;
	r = package_begin(d->package, 0, size, d->config.max_size);
	d->refused = 0;
	if (r < 0)
		return refuse(d, r);
	d->expected = size;
	d->pushed = true;
	return 0;
}

int delivery_push_take(struct delivery *d, const void *data, size_t size)
{
	int r;

	/* Reset, or cancelled, on the way; or the disk has said so. */
	if (!d->pushed)
		return d->refused < 0 ? d->refused : -EPERM;
	r = package_take(d->package, data, size);
	return r < 0 && r != -EBUSY ? refuse(d, r) : r;
}

void delivery_push_lost(struct delivery *d)
{
	if (d->pushed)
		d->config.ops->failed(d->config.userdata, -ECONNRESET);
}

void delivery_push_end(struct delivery *d, delivery_done done, void *userdata)
{
	int r = d->pushed ? package_finish(d->package) : -EPERM;

	if (r < 0) {
		if (d->pushed)
			r = refuse(d, r);
		done(userdata, r, NULL);
		return;
	}
	d->pushed = false;
	d->done = done;
	d->done_userdata = userdata;
	timer_arm_in(&d->answer, DELIVERY_ANSWER_USEC);
}

/* It is on the disk, or cannot be. */
static void on_package(void *userdata, int error)
{
	struct delivery *d = userdata;

	if (error < 0) {
		d->pushed = false;
		delivery_answer(d, refuse(d, error), NULL);
	} else {
		d->config.ops->whole(d->config.userdata);
	}
}

/* ---- one that is pulled ---- */

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

int delivery_check_uri(const struct delivery *d, const char *uri)
{
	if (strlen(uri) >= DELIVERY_URI_MAX || !is_uri(uri))
		return -EINVAL;
	return d->config.source ? d->config.source->check(d->config.source_userdata, uri) : -EPROTONOSUPPORT;
}

void delivery_pull(struct delivery *d, bool resume)
{
	const struct delivery_source *s = d->config.source;
	uint64_t offset = resume ? package_part_size(d->package) : 0;
	int r;

	d->told = false;
	r = s ? s->start(d->config.source_userdata, d, d->config.uri, offset, d->config.etag) : -EPROTONOSUPPORT;

	if (r < 0)
		delivery_fetch_done(d, r);
}

int delivery_fetch_begin(struct delivery *d, uint64_t offset, uint64_t size, const char *etag)
{
	int r = package_begin(d->package, offset, size, d->config.max_size);

	if (r < 0)
		return r;
	d->expected = size;
	d->told = false;
	d->config.ops->trouble(d->config.userdata, "");
	snprintf(d->config.etag, DELIVERY_ETAG_MAX, "%s", etag);
	d->config.ops->keep(d->config.userdata);
	return 0;
}

int delivery_fetch_take(struct delivery *d, const void *data, size_t size)
{
	return package_take(d->package, data, size);
}

void delivery_fetch_trouble(struct delivery *d, const char *text)
{
	d->told = true;
	log_warning(NULL, "%s: %s: %s", d->label, d->config.uri, text);
	d->config.ops->trouble(d->config.userdata, text);
}

static int failure_of(int error)
{
	switch (error) {
	case -EFBIG:
	case -ENOSPC:
	case -EDQUOT:
		return -ENOSPC;
	case -ENOMEM:
	case -EINVAL:
	case -EPROTONOSUPPORT:
		return error;
	default:
		return -ECONNRESET;
	}
}

void delivery_fetch_done(struct delivery *d, int error)
{
	int r = error < 0 ? error : package_finish(d->package);

	if (r >= 0)
		return;
	if (!d->told)
		delivery_fetch_trouble(d, keeping_error(r));
	d->config.ops->failed(d->config.userdata, failure_of(r));
}

/* ---- being there ---- */

int delivery_new(const struct delivery_config *config, struct delivery **ret)
{
	struct package_config package = { .event = config->event, .folder = config->folder, .name = config->name,
					  .done = on_package };
	struct delivery *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->config = *config;
	timer_init(&d->answer, config->timers, on_answer_due, d);
	package.userdata = d;
	d->label = strdup(config->label);
	r = d->label ? timers_reserve(config->timers, 1) : -ENOMEM;
	if (r >= 0)
		r = package_new(&package, &d->package);
	if (r < 0) {
		delivery_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void delivery_detach(struct delivery *d)
{
	package_detach(d->package);
}

struct delivery *delivery_free(struct delivery *d)
{
	if (!d)
		return NULL;
	delivery_answer(d, -EBUSY, NULL);
	stop_fetching(d);
	if (d->package)
		package_stop(d->package);
	package_free(d->package);
	free(d->label);
	free(d);
	return NULL;
}
