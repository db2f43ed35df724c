/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <systemd/sd-event.h>

#include "base/list.h"
#include "base/str.h"
#include "download/internal.h"

/* HTTP 1.1, by libcurl's multi interface in our loop: it says which sockets and times it waits for. */

#define CONNECT_S 30L
/* Less than a byte a second for so long: the connection is dead. */
#define SILENCE_S 60L
#define REDIRECTS_MAX 4L
/* Bytes that the disk has no room for in the queue are offered again. */
#define PAUSE_USEC UINT64_C(20000)

struct http {
	struct download *download;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct list sockets; /* struct socket */
	struct timer timer;  /* libcurl's */
	struct timer pause;
	char etag[DOWNLOAD_ETAG_MAX];
	uint64_t range;	     /* where what comes begins, as the server says */
	bool begun;
	int error;	     /* of whoever takes the bytes */
	char message[CURL_ERROR_SIZE];
};

struct socket {
	struct list node;
	struct http *http;
	int fd;
	sd_event_source *source;
};

/* ---- the loop ---- */

static void after(struct http *h);

static void act(struct http *h, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(h->multi, fd, events, &running);
	after(h);
}

static int on_socket_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct socket *s = userdata;
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

	(void)source;
	act(s->http, fd, what);
	return 0;
}

static void socket_free(struct socket *s)
{
	sd_event_source_disable_unref(s->source);
	list_remove(&s->node);
	free(s);
}

static uint32_t events_of(int what)
{
	switch (what) {
	case CURL_POLL_IN:
		return EPOLLIN;
	case CURL_POLL_OUT:
		return EPOLLOUT;
	default:
		return EPOLLIN | EPOLLOUT;
	}
}

static int socket_new(struct http *h, curl_socket_t fd, uint32_t events)
{
	struct socket *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	s->http = h;
	s->fd = fd;
	list_append(&h->sockets, &s->node);
	if (sd_event_add_io(h->download->config.event, &s->source, fd, events, on_socket_ready, s) < 0) {
		socket_free(s);
		return -1;
	}
	curl_multi_assign(h->multi, fd, s);
	return 0;
}

/* CURLMOPT_SOCKETFUNCTION */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *assigned)
{
	struct http *h = userdata;
	struct socket *s = assigned;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			socket_free(s);
		return 0;
	}
	if (!s)
		return socket_new(h, fd, events_of(what));
	return sd_event_source_set_io_events(s->source, events_of(what)) < 0 ? -1 : 0;
}

static void on_timer(struct timer *timer, void *userdata)
{
	(void)timer;
	act(userdata, CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timeout(CURLM *multi, long timeout_ms, void *userdata)
{
	struct http *h = userdata;

	(void)multi;
	if (timeout_ms < 0)
		timer_disarm(&h->timer);
	else
		timer_arm_in(&h->timer, (uint64_t)timeout_ms * 1000);
	return 0;
}

/* ---- what comes ---- */

static void take_etag(struct http *h, const char *value, size_t size)
{
	/* A weak one does not stand for the same bytes (RFC 9110 8.8.3.2). */
	if (size > 0 && size < sizeof(h->etag) && value[0] == '"') {
		memcpy(h->etag, value, size);
		h->etag[size] = '\0';
	}
}

static void take_range(struct http *h, const char *value, size_t size)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)size, value);
	if (sscanf(text, "bytes %" SCNu64 "-", &h->range) != 1)
		h->range = UINT64_MAX;
}

/* CURLOPT_HEADERFUNCTION; a redirection has headers of its own before those that count. */
static size_t on_header(char *line, size_t size, size_t n, void *userdata)
{
	struct http *h = userdata;
	const char *colon = memchr(line, ':', size * n), *value;
	size_t length;

	if (n >= 5 && strncmp(line, "HTTP/", 5) == 0) {
		h->etag[0] = '\0';
		h->range = UINT64_MAX;
	}
	if (!colon)
		return size * n;
	value = colon + 1 + strspn(colon + 1, " \t");
	length = strcspn(value, "\r\n");
	if (strncasecmp(line, "etag", (size_t)(colon - line)) == 0 && colon - line == 4)
		take_etag(h, value, length);
	else if (strncasecmp(line, "content-range", (size_t)(colon - line)) == 0 && colon - line == 13)
		take_range(h, value, length);
	return size * n;
}

static long status_of(const struct http *h)
{
	long status = 0;

	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static int begin(struct http *h)
{
	struct download *d = h->download;
	uint64_t offset = status_of(h) == 206 ? h->range : 0;
	curl_off_t size = 0;

	if (offset != 0 && offset != d->offset)
		return -EPROTO;
	/* If-Range was not looked at: that is the rest of another file. */
	if (offset != 0 && *h->etag && !streq(h->etag, d->etag)) {
		attempt_anew(d);
		return -EAGAIN;
	}
	curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
	h->begun = true;
	return attempt_begin(d, offset, size > 0 ? (uint64_t)size + offset : 0, h->etag);
}

/* CURLOPT_WRITEFUNCTION */
static size_t on_data(char *data, size_t size, size_t n, void *userdata)
{
	struct http *h = userdata;
	int r = 0;

	/* The page of an error. */
	if (status_of(h) / 100 != 2)
		return size * n;
	if (!h->begun)
		r = begin(h);
	if (r >= 0)
		r = attempt_take(h->download, data, size * n);
	if (r == -EBUSY) {
		timer_arm_in(&h->pause, PAUSE_USEC);
		return CURL_WRITEFUNC_PAUSE;
	}
	h->error = r;
	return r < 0 ? 0 : size * n;
}

static void on_pause_over(struct timer *timer, void *userdata)
{
	struct http *h = userdata;

	(void)timer;
	curl_easy_pause(h->easy, CURLPAUSE_CONT);
	after(h);
}

/* ---- how it ends ---- */

static int error_of_status(struct http *h, long status)
{
	struct download *d = h->download;

	if (status / 100 == 2)
		return h->begun ? 0 : -EINVAL;
	/* It has less than is here: another file. */
	if (status == 416 && d->offset > 0) {
		attempt_anew(d);
		return -EAGAIN;
	}
	attempt_trouble(d, "HTTP status %ld", status);
	return status / 100 == 5 || status == 408 || status == 429 ? -EAGAIN : -EINVAL;
}

static int error_of(struct http *h, CURLcode code)
{
	if (h->error < 0)
		return h->error;
	if (code == CURLE_OK)
		return error_of_status(h, status_of(h));
	attempt_trouble(h->download, "%s", *h->message ? h->message : curl_easy_strerror(code));
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_TOO_MANY_REDIRECTS:
		return -EINVAL;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return -EACCES;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

static void http_stop(struct download *d)
{
	struct http *h = d->attempt;
	struct socket *s;

	d->attempt = NULL;
	timer_disarm(&h->timer);
	timer_disarm(&h->pause);
	if (h->easy)
		curl_multi_remove_handle(h->multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(h->multi);
	timer_disarm(&h->timer);
	list_for_each(s, &h->sockets, node)
		socket_free(s);
	curl_slist_free_all(h->headers);
	free(h);
}

/* Behind everything that has libcurl work: is it through? */
static void after(struct http *h)
{
	struct download *d = h->download;
	CURLMsg *message;
	int left, r;

	while ((message = curl_multi_info_read(h->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		r = error_of(h, message->data.result);
		http_stop(d);
		attempt_end(d, r);
		return;
	}
}

/* ---- how it begins ---- */

static int set_range(struct http *h)
{
	const struct download *d = h->download;
	char range[32], condition[DOWNLOAD_ETAG_MAX + 16];

	if (d->offset == 0)
		return 0;
	snprintf(range, sizeof(range), "%" PRIu64 "-", d->offset);
	snprintf(condition, sizeof(condition), "If-Range: %s", d->etag);
	h->headers = curl_slist_append(NULL, condition);
	if (!h->headers || curl_easy_setopt(h->easy, CURLOPT_RANGE, range) != CURLE_OK)
		return -ENOMEM;
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	return 0;
}

static int set_easy(struct http *h)
{
	const struct download *d = h->download;
	CURL *e = h->easy;

	if (curl_easy_setopt(e, CURLOPT_URL, d->uri) != CURLE_OK)
		return -ENOMEM;
	if (d->trust && curl_easy_setopt(e, CURLOPT_CAINFO, d->trust) != CURLE_OK)
		return -ENOMEM;
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR,
			 strncasecmp(d->uri, "https:", 6) == 0 ? "https" : "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* The end of a transfer does not wait for the thread that looks up its host's name. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	/* Nobody's proxy but that of the configuration, which has none. */
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_USERAGENT, "fieldway/" PACKAGE_VERSION);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, SILENCE_S);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->message);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
	return set_range(h);
}

static int http_start(struct download *d)
{
	struct http *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->download = d;
	list_init(&h->sockets);
	timer_init(&h->timer, d->config.timers, on_timer, h);
	timer_init(&h->pause, d->config.timers, on_pause_over, h);
	d->attempt = h;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	r = h->multi && h->easy ? set_easy(h) : -ENOMEM;
	if (r < 0) {
		http_stop(d);
		return r;
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	/* The rest follows from its timer. */
	curl_multi_add_handle(h->multi, h->easy);
	return 0;
}

static const char *const schemes[] = { "http", "https", NULL };

const struct attempt_kind attempt_http = { schemes, http_start, http_stop };
