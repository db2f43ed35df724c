/* SPDX-License-Identifier: Apache-2.0 */
#include "download/download.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "download/internal.h"

#define TROUBLE_MAX 300u /* libcurl's longest, and more */

static const struct attempt_kind *const kinds[] = { &attempt_coap, &attempt_http };

static bool has_scheme(const char *uri, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncasecmp(uri, scheme, n) == 0 && strncmp(uri + n, "://", 3) == 0 && uri[n + 3] != '\0';
}

static const struct attempt_kind *find_kind(const char *uri)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (const char *const *scheme = kinds[i]->schemes; *scheme; scheme++)
			if (has_scheme(uri, *scheme))
				return kinds[i];
	return NULL;
}

int download_check(const char *uri)
{
	if (!strstr(uri, "://"))
		return -EINVAL;
	return find_kind(uri) ? 0 : -EPROTONOSUPPORT;
}

/* ---- attempts ---- */

static void finish(struct download *d, int error)
{
	timer_disarm(&d->timer);
	d->config.ops->done(d->config.userdata, error);
}

static void start(struct timer *timer, void *userdata)
{
	struct download *d = userdata;
	int r;

	(void)timer;
	d->progress = false;
	/* Without a name for what is there it may belong to another file. */
	if (!*d->etag)
		d->offset = 0;
	r = d->kind->start(d);
	if (r < 0)
		finish(d, r);
}

int attempt_begin(struct download *d, uint64_t offset, uint64_t size, const char *etag)
{
	int r = d->config.ops->begin(d->config.userdata, offset, size, etag);

	if (r < 0)
		return r;
	d->offset = offset;
	strcpy(d->etag, strlen(etag) < sizeof(d->etag) ? etag : "");
	return 0;
}

void attempt_anew(struct download *d)
{
	d->offset = 0;
	d->etag[0] = '\0';
}

int attempt_take(struct download *d, const void *data, size_t size)
{
	int r = d->config.ops->take(d->config.userdata, data, size);

	if (r == 0) {
		d->offset += size;
		d->progress = true;
	}
	return r;
}

void attempt_trouble(struct download *d, const char *format, ...)
{
	char text[TROUBLE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	d->config.ops->trouble(d->config.userdata, text);
}

void attempt_end(struct download *d, int error)
{
	if (error != -EAGAIN) {
		finish(d, error);
		return;
	}
	if (d->progress) {
		d->n_attempts = 0;
		backoff_reset(&d->backoff);
	}
	if (++d->n_attempts >= DOWNLOAD_ATTEMPTS_MAX)
		finish(d, -ECONNRESET);
	else if (clock_monotonic_usec() - d->begun_usec >= DOWNLOAD_USEC_MAX)
		finish(d, -ETIMEDOUT);
	else
		timer_arm_in(&d->timer, backoff_next(&d->backoff, random_u64()));
}

/* ---- life ---- */

static int copy_texts(struct download *d, const char *uri)
{
	d->uri = strdup(uri);
	if (!d->uri)
		return -ENOMEM;
	return d->config.trust ? str_replace(&d->trust, d->config.trust) : 0;
}

int download_new(const struct download_config *config, const char *uri, uint64_t offset, const char *etag,
		 struct download **ret)
{
	struct download *d;
	int r = download_check(uri);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->config = *config;
	d->kind = find_kind(uri);
	d->backoff = (struct backoff){ 1 * USEC_PER_SEC, USEC_PER_MINUTE, 0 };
	d->begun_usec = clock_monotonic_usec();
	timer_init(&d->timer, config->timers, start, d);
	if (*etag && strlen(etag) < sizeof(d->etag)) {
		d->offset = offset;
		strcpy(d->etag, etag);
	}
	r = copy_texts(d, uri);
	if (r >= 0)
		r = timer_arm_in(&d->timer, 0);
	if (r < 0) {
		download_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct download *download_free(struct download *d)
{
	if (!d)
		return NULL;
	timer_disarm(&d->timer);
	if (d->attempt)
		d->kind->stop(d);
	free(d->uri);
	free(d->trust);
	free(d);
	return NULL;
}
