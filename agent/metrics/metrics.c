/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "base/timer.h"
#include "metrics/internal.h"

/*
 * Who may read at the same time, how long a silent one and anyone may stay, and
 * how much is written in one go.
 */
#define CONNECTIONS_MAX 8u
#define SILENCE_S 10u
#define STAY_USEC USEC_PER_MINUTE
#define PIECE_BYTES 16384u

#define CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics {
	struct metrics_config config;
	struct metrics_ports ports;
	void *userdata;
	uint64_t generation; /* of the configuration */
	struct MHD_Daemon *daemon; /* NULL: not open */
	struct sd_event_source *source;
	struct timer run;   /* what libmicrohttpd wants to do by itself */
	struct timer again; /* opening */
	struct list visitors; /* who came first is first */
	struct timer stay;    /* of the first of them */
	struct backoff backoff;
	bool told; /* that it cannot be opened */
};

/* ---- who is connected ---- */

struct visitor {
	struct list list;
	struct MHD_Connection *connection;
	uint64_t since_usec;
};

static void watch_stay(struct metrics *m)
{
	if (list_is_empty(&m->visitors))
		timer_disarm(&m->stay);
	else
		timer_arm(&m->stay,
			  usec_add(list_entry(m->visitors.next, struct visitor, list)->since_usec, STAY_USEC));
}

static void visitor_new(struct metrics *m, struct MHD_Connection *connection, void **ret)
{
	struct visitor *v = calloc(1, sizeof(*v));

	/* Without memory it has no page to read either. */
	if (!v)
		return;
	v->connection = connection;
	v->since_usec = clock_monotonic_usec();
	list_append(&m->visitors, &v->list);
	*ret = v;
}

static void visitor_free(struct visitor *v)
{
	if (v)
		list_remove(&v->list);
	free(v);
}

static void connected(void *userdata, struct MHD_Connection *connection, void **visitor,
		      enum MHD_ConnectionNotificationCode what)
{
	struct metrics *m = userdata;

	switch (what) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		visitor_new(m, connection, visitor);
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		visitor_free(*visitor);
		*visitor = NULL;
		break;
	}
	watch_stay(m);
}

/* How long it has been here. */
static uint64_t visit_usec(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const struct visitor *v = info ? info->socket_context : NULL;

	return v ? clock_monotonic_usec() - v->since_usec : USEC_INFINITY;
}

/* libmicrohttpd sees that it has gone, and ends it. */
static void send_away(struct visitor *v)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(v->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	list_remove(&v->list);
}

/* ---- a page that is being read ---- */

struct reading {
	struct metrics *metrics;
	uint64_t generation;
	struct page page;
	struct buf piece;
	size_t taken; /* of the piece */
	bool ended;   /* the piece is the last one */
};

static void reading_free(void *userdata)
{
	struct reading *r = userdata;

	page_done(&r->page);
	buf_done(&r->piece);
	free(r);
}

static ssize_t reading_take(void *userdata, uint64_t position, char *to, size_t size)
{
	struct reading *r = userdata;
	size_t n;
	int more;

	(void)position;
	/* What is left of it would be of another configuration. */
	if (r->generation != r->metrics->generation)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (r->taken == r->piece.size) {
		if (r->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		r->piece.size = 0;
		r->taken = 0;
		more = page_continue(&r->page, &r->piece, size);
		if (more < 0)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		r->ended = more == 0;
	}
	n = MIN(size, r->piece.size - r->taken);
	memcpy(to, r->piece.data + r->taken, n);
	r->taken += n;
	return (ssize_t)n;
}

static struct MHD_Response *page_response(struct metrics *m)
{
	struct MHD_Response *response;
	struct reading *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->metrics = m;
	r->generation = m->generation;
	if (page_init(&r->page, &m->config, &m->ports, m->userdata) < 0) {
		free(r);
		return NULL;
	}
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, reading_take, r,
						     reading_free);
	if (!response)
		reading_free(r);
	return response;
}

/* ---- requests ---- */

static struct MHD_Response *text_response(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	return copy ? MHD_create_response_from_buffer(strlen(copy), copy, MHD_RESPMEM_MUST_COPY) : NULL;
}

static struct MHD_Response *choose(struct metrics *m, const char *url, const char *method, unsigned *ret_status)
{
	if (!streq(url, "/metrics")) {
		*ret_status = MHD_HTTP_NOT_FOUND;
		return text_response("There is only /metrics.\n");
	}
	if (!streq(method, MHD_HTTP_METHOD_GET) && !streq(method, MHD_HTTP_METHOD_HEAD)) {
		*ret_status = MHD_HTTP_METHOD_NOT_ALLOWED;
		return text_response("It can only be read.\n");
	}
	*ret_status = MHD_HTTP_OK;
	return page_response(m);
}

static enum MHD_Result answer(void *userdata, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **request)
{
	unsigned status;
	struct MHD_Response *response;
	enum MHD_Result r;

	(void)version;
	(void)upload;
	/* The first call has only read the head; what a body says does not matter. */
	if (!*request) {
		*request = userdata;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	response = choose(userdata, url, method, &status);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				status == MHD_HTTP_OK ? CONTENT_TYPE : "text/plain; charset=utf-8");
	/* Who comes again and again begins anew in time: no page is cut short. */
	if (visit_usec(connection) >= STAY_USEC / 2)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

/* ---- in the loop ---- */

static void run(struct metrics *m)
{
	MHD_UNSIGNED_LONG_LONG msec;

	MHD_run(m->daemon);
	if (MHD_get_timeout(m->daemon, &msec) == MHD_YES)
		timer_arm_in(&m->run, msec * USEC_PER_MSEC);
	else
		timer_disarm(&m->run);
}

static void run_timer(struct timer *timer, void *userdata)
{
	(void)timer;
	run(userdata);
}

static void stay_over(struct timer *timer, void *userdata)
{
	struct metrics *m = userdata;
	const uint64_t now = clock_monotonic_usec();
	struct visitor *v;

	(void)timer;
	list_for_each(v, &m->visitors, list)
		if (now - v->since_usec >= STAY_USEC)
			send_away(v);
	watch_stay(m);
	run(m);
}

static int run_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	run(userdata);
	return 0;
}

static int serve(struct metrics *m, int fd)
{
	const union MHD_DaemonInfo *info;

	m->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, m, MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, MHD_OPTION_NOTIFY_CONNECTION,
				     connected, m, MHD_OPTION_END);
	if (!m->daemon)
		return -EIO;
	info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return info ? sd_event_add_io(m->config.event, &m->source, info->epoll_fd, EPOLLIN, run_event, m) :
		      -EIO;
}

static const char *address_text(const struct metrics *m, char *ret, size_t size)
{
	const struct config_metrics *c = &m->config.config->metrics;

	if (c->path)
		return c->path;
	snprintf(ret, size, strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, c->port);
	return ret;
}

static void close_page(struct metrics *m)
{
	timer_disarm(&m->run);
	timer_disarm(&m->again);
	m->source = sd_event_source_disable_unref(m->source);
	if (m->daemon) /* closes the socket, too */
		MHD_stop_daemon(m->daemon);
	m->daemon = NULL;
	timer_disarm(&m->stay);
}

static void open_page(struct metrics *m)
{
	const struct config_metrics *c = &m->config.config->metrics;
	char text[64];
	int fd, r;

	if (!c->path && c->port == 0)
		return;
	r = metrics_listen(c, &fd);
	/* The socket is libmicrohttpd's, whether it can use it or not. */
	if (r >= 0)
		r = serve(m, fd);
	if (r >= 0) {
		backoff_reset(&m->backoff);
		if (m->told)
			log_notice(NULL, "metrics: listening on %s now", address_text(m, text, sizeof(text)));
		m->told = false;
		return;
	}
	close_page(m);
	if (!m->told)
		log_warning(NULL, "metrics: cannot listen on %s: %s; trying again",
			    address_text(m, text, sizeof(text)), strerror(-r));
	m->told = true;
	timer_arm_in(&m->again, backoff_next(&m->backoff, random_u64()));
}

static void open_again(struct timer *timer, void *userdata)
{
	(void)timer;
	open_page(userdata);
}

/* ---- from outside ---- */

int metrics_new(const struct metrics_config *config, const struct metrics_ports *ports, void *userdata,
		struct metrics **ret)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->config = *config;
	m->ports = *ports;
	m->userdata = userdata;
	m->backoff = (struct backoff){ .first_usec = USEC_PER_SEC, .last_usec = USEC_PER_MINUTE };
	timer_init(&m->run, config->timers, run_timer, m);
	timer_init(&m->again, config->timers, open_again, m);
	timer_init(&m->stay, config->timers, stay_over, m);
	list_init(&m->visitors);
	open_page(m);
	*ret = m;
	return 0;
}

/* The path goes with whoever listens there. */
static void close_for_good(struct metrics *m)
{
	if (m->daemon && m->config.config->metrics.path)
		unlink(m->config.config->metrics.path);
	close_page(m);
}

struct metrics *metrics_free(struct metrics *m)
{
	if (!m)
		return NULL;
	close_for_good(m);
	free(m);
	return NULL;
}

static bool same_place(const struct config_metrics *a, const struct config_metrics *b)
{
	return streq_null(a->path, b->path) && streq_null(a->host, b->host) && a->port == b->port;
}

void metrics_reload(struct metrics *m, const struct config *config, bool last_good)
{
	bool stays = same_place(&m->config.config->metrics, &config->metrics);

	m->generation++;
	if (!stays)
		close_for_good(m);
	m->config.config = config;
	m->config.last_good = last_good;
	if (stays)
		return;
	m->told = false;
	backoff_reset(&m->backoff);
	open_page(m);
}
