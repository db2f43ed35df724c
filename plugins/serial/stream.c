/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "plugins/lib/moment.h"
#include "port.h"
#include "stream_state.h"

#define RETRY_FIRST_USEC UINT64_C(500000)
#define RETRY_LAST_USEC UINT64_C(10000000)
/* How often it is looked whether a name has become an address. */
#define LOOKUP_STEP_USEC UINT64_C(50000)
/* Reads of one turn of the loop: a line that never stops must not keep others from their turn. */
#define READS_MAX 8u
#define CHUNK 1024u

/* ---- the port ---- */

static void tell_all(struct fieldway_session *s, enum fieldway_device_state state, const char *reason)
{
	if (strcmp(s->reason, reason) == 0)
		return;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	for (uint32_t i = 0; i < s->n; i++)
		s->host->state(s->host, i, state, reason);
}

static void close_port(struct fieldway_session *s)
{
	s->host->watch_free(s->watch);
	s->watch = NULL;
	port_close(s->fd);
	s->fd = -1;
	s->connected = false;
	input_reset(s);
}

static void retry_later(struct fieldway_session *s)
{
	s->host->timer_set(s->retry, moment_now_usec() + s->retry_usec);
	s->retry_usec = s->retry_usec * 2 < RETRY_LAST_USEC ? s->retry_usec * 2 : RETRY_LAST_USEC;
}

static void open_failed(struct fieldway_session *s, int error, const char *why)
{
	char reason[REASON_MAX];

	close_port(s);
	snprintf(reason, sizeof(reason), "cannot open %.110s: %.48s", s->bus.name, why ? why : strerror(-error));
	tell_all(s, FIELDWAY_DEVICE_FAILED, reason);
	retry_later(s);
}

void stream_lost(struct fieldway_session *s, int error)
{
	char reason[REASON_MAX];

	close_port(s);
	if (error == -ETIMEDOUT)
		snprintf(reason, sizeof(reason), "%.110s does not take what is to be sent", s->bus.name);
	else if (s->bus.tcp)
		snprintf(reason, sizeof(reason), "connection to %.110s lost: %.48s", s->bus.name, strerror(-error));
	else
		snprintf(reason, sizeof(reason), "%.110s is gone", s->bus.name);
	tell_all(s, FIELDWAY_DEVICE_FAILED, reason);
	output_fail(s, error == -ETIMEDOUT ? error : s->bus.tcp ? -ECONNRESET : -ENODEV, reason);
	s->retry_usec = RETRY_FIRST_USEC;
	retry_later(s);
}

void stream_hello(struct fieldway_session *s, const struct fieldway_driver *d)
{
	struct template_fill fill = { .find = driver_text, .userdata = d };
	uint8_t bytes[TEMPLATE_BYTES_MAX];
	char why[96];
	ssize_t n;
	size_t size;

	if (!d->hello || template_fill(d->hello, &fill, bytes, sizeof(bytes), &size, why, sizeof(why)) < 0)
		return;
	n = write(s->fd, bytes, size);
	if (n > 0)
		s->host->bytes(s->host, FIELDWAY_SENT, bytes, (size_t)n);
}

static void connected(struct fieldway_session *s)
{
	s->connected = true;
	s->retry_usec = RETRY_FIRST_USEC;
	s->host->timer_set(s->retry, UINT64_MAX);
	s->host->watch_set(s->watch, EPOLLIN);
	if (s->reason[0])
		tell_all(s, FIELDWAY_DEVICE_OFFLINE, "port open, nothing heard yet");
	s->reason[0] = '\0';
	for (size_t i = 0; i < s->n; i++)
		stream_hello(s, s->listeners[i].driver);
	output_run(s);
}

static void read_port(struct fieldway_session *s)
{
	uint8_t bytes[CHUNK];

	for (unsigned i = 0; i < READS_MAX && s->fd >= 0; i++) {
		ssize_t n = read(s->fd, bytes, sizeof(bytes));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			stream_lost(s, n < 0 ? -errno : -ECONNRESET);
			return;
		}
		s->host->bytes(s->host, FIELDWAY_RECEIVED, bytes, (size_t)n);
		input_bytes(s, bytes, (size_t)n);
	}
	output_run(s);
}

static void port_ready(void *userdata, uint32_t events)
{
	struct fieldway_session *s = userdata;
	int r;

	if (!s->connected) {
		r = port_connected(&s->bus, s->fd);
		if (r < 0)
			open_failed(s, r, NULL);
		else
			connected(s);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_port(s);
	else
		output_run(s);
}

static void open_port(struct fieldway_session *s)
{
	const char *why = NULL;
	int r;

	s->fd = port_open(&s->bus, s->listeners[0].driver->lookup, s->attempt++, 0, &why);
	r = s->fd;
	if (r == -EINPROGRESS) {
		s->host->timer_set(s->retry, moment_now_usec() + LOOKUP_STEP_USEC);
		return;
	}
	if (r >= 0)
		r = s->host->watch_new(s->host, s->fd, s->bus.tcp ? EPOLLOUT : EPOLLIN, port_ready, s, &s->watch);
	if (r < 0)
		open_failed(s, r, why);
	else if (s->bus.tcp)
		s->host->timer_set(s->retry, moment_now_usec() + s->bus.timeout_usec);
	else
		connected(s);
}

/* ---- timers ---- */

static void retry_due(void *userdata)
{
	struct fieldway_session *s = userdata;

	if (s->released)
		return;
	if (s->fd >= 0)
		open_failed(s, -ETIMEDOUT, NULL);
	else
		open_port(s);
}

static void idle_due(void *userdata)
{
	input_idle(userdata);
	output_run(userdata);
}

static void answer_due(void *userdata)
{
	output_silence(userdata);
}

/* ---- the operations ---- */

static int add_listeners(struct fieldway_session *s, const struct fieldway_driver *const *drivers, size_t n)
{
	size_t longest = 0;

	s->listeners = calloc(n + 1, sizeof(*s->listeners));
	if (!s->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		s->listeners[i].driver = drivers[i];
		if (framer_new(&drivers[i]->frame, &s->listeners[i].framer) < 0)
			return -ENOMEM;
		s->n++;
		longest = drivers[i]->frame.max > longest ? drivers[i]->frame.max : longest;
		s->max_samples = drivers[i]->n_points > s->max_samples ? drivers[i]->n_points : s->max_samples;
	}
	s->text_size = STREAM_TEXT_FRAMES * longest;
	s->samples = calloc(s->max_samples + 1, sizeof(*s->samples));
	s->text = malloc(s->text_size + 1);
	return s->samples && s->text ? 0 : -ENOMEM;
}

static int add_timers(struct fieldway_session *s)
{
	int r = s->host->timer_new(s->host, retry_due, s, &s->retry);

	if (r >= 0)
		r = s->host->timer_new(s->host, idle_due, s, &s->idle);
	return r < 0 ? r : s->host->timer_new(s->host, answer_due, s, &s->answer);
}

static void session_free(struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n; i++)
		framer_free(s->listeners[i].framer);
	s->host->timer_free(s->retry);
	s->host->timer_free(s->idle);
	s->host->timer_free(s->answer);
	parse_done(&s->parse);
	free(s->listeners);
	free(s->samples);
	free(s->text);
	free(s);
}

int stream_start(const struct fieldway_bus *bus, const struct fieldway_driver *const *drivers,
		 size_t n_drivers, const struct fieldway_host *host, struct fieldway_session **ret)
{
	struct fieldway_session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->host = host;
	s->fd = -1;
	s->bus = drivers[0]->bus;
	s->retry_usec = RETRY_FIRST_USEC;
	r = add_listeners(s, drivers, n_drivers);
	if (r >= 0)
		r = add_timers(s);
	if (r < 0) {
		session_free(s);
		return r;
	}
	open_port(s);
	*ret = s;
	return 0;
}

void stream_stop(struct fieldway_session *session)
{
	if (!session)
		return;
	output_fail(session, -EIO, "the bus was stopped");
	close_port(session);
	session_free(session);
}

void stream_release(struct fieldway_session *session, bool released)
{
	if (released == session->released)
		return;
	session->released = released;
	session->host->timer_set(session->retry, UINT64_MAX);
	if (!released) {
		session->retry_usec = RETRY_FIRST_USEC;
		open_port(session);
		return;
	}
	close_port(session);
	tell_all(session, FIELDWAY_DEVICE_FAILED, "the port has been given away");
	output_fail(session, -EBUSY, "the port has been given away");
}
