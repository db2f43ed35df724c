/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "fieldbus/internal.h"

/* What a host may take to end after it was asked to. */
#define SESSION_END_USEC USEC_PER_SEC

/* One answer, waited for. */
struct answer {
	struct session *session;
	sd_bus_message *message;
};

/* Nobody calls the daemon here, and a host that does is not collected in memory. */
static int session_stray(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct session *s = userdata;

	(void)m;
	(void)error;
	s->strayed = true;
	return 1;
}

int session_open(const struct fieldbus_config *config, struct session *ret)
{
	int fd, r;

	*ret = (struct session){ .stop_fd = config->stop_fd };
	r = process_launch(config, &ret->process, &fd);
	if (r < 0)
		return r;
	r = link_new(NULL, fd, false, &ret->link);
	if (r >= 0)
		r = sd_bus_add_filter(ret->link, NULL, session_stray, ret);
	if (r < 0)
		session_done(ret);
	return r;
}

void session_done(struct session *s)
{
	char how[64];

	s->link = link_free(s->link);
	process_signal(&s->process, s->stopped ? SIGKILL : SIGTERM);
	if (!process_wait(&s->process, SESSION_END_USEC)) {
		process_signal(&s->process, SIGKILL);
		process_wait_killed(&s->process, SESSION_END_USEC);
	}
	process_reap(&s->process, how, sizeof(how));
}

int session_call_new(struct session *s, const char *member, sd_bus_message **ret)
{
	return link_call_new(s->link, member, ret);
}

static int session_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct answer *a = userdata;

	(void)error;
	a->message = sd_bus_message_ref(m);
	return 1;
}

/* Until the host says something, or somebody that nobody wants to know. */
static int session_poll(struct session *s, uint64_t usec)
{
	struct pollfd fds[] = {
		{ .fd = sd_bus_get_fd(s->link), .events = (short)sd_bus_get_events(s->link) },
		{ .fd = s->stop_fd ? *s->stop_fd : -1, .events = POLLIN },
	};
	struct timespec timeout = { (time_t)(usec / USEC_PER_SEC), (long)(usec % USEC_PER_SEC) * 1000 };

	if (ppoll(fds, ARRAY_SIZE(fds), &timeout, NULL) < 0)
		return errno == EINTR ? 0 : -errno;
	s->stopped |= fds[1].revents != 0;
	return s->stopped ? -ECANCELED : 0;
}

/* Message by message, so that no more than one of them is in memory. */
static int session_wait(struct answer *a, uint64_t deadline_usec)
{
	struct session *s = a->session;
	uint64_t now;
	int r;

	while (!a->message) {
		r = sd_bus_process(s->link, NULL);
		if (a->message)
			break;
		if (r < 0)
			return r == -ENOMEM ? r : -EPIPE;
		if (s->strayed)
			return -EBADMSG;
		now = clock_monotonic_usec();
		if (now >= deadline_usec)
			return -ETIMEDOUT;
		if (r > 0)
			continue;
		r = session_poll(s, deadline_usec - now);
		if (r < 0)
			return r == -ENOMEM || r == -ECANCELED ? r : -EPIPE;
	}
	return 0;
}

/* sd-bus answers by itself when the link closes. */
static int error_errno(const sd_bus_error *e)
{
	int error = sd_bus_error_get_errno(e);

	if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		return -EPIPE;
	return error > 0 ? -error : -EIO;
}

int session_call(struct session *s, sd_bus_message *m, uint64_t deadline_usec, sd_bus_message **ret,
		 char *ret_text, size_t text_size)
{
	struct answer a = { .session = s };
	sd_bus_slot *slot = NULL;
	const sd_bus_error *e;
	int r;

	r = sd_bus_call_async(s->link, &slot, m, session_answered, &a, UINT64_MAX);
	sd_bus_message_unref(m);
	if (r >= 0)
		r = session_wait(&a, deadline_usec);
	sd_bus_slot_unref(slot);
	if (ret_text)
		*ret_text = '\0';
	if (r < 0)
		return r == -ENOTCONN || r == -ECONNRESET ? -EPIPE : r;
	e = sd_bus_message_get_error(a.message);
	if (!e) {
		*ret = a.message;
		return 0;
	}
	r = error_errno(e);
	if (ret_text && e->message)
		snprintf(ret_text, text_size, "%s", e->message);
	sd_bus_message_unref(a.message);
	return r;
}
