/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "plain_plugin.h"

/*
 * An event-driven plugin for tests, which does what a test tells it: one
 * command in each datagram of the inherited descriptor `fd`. It tells there,
 * too, what is asked of it.
 */

struct fieldway_driver {
	char line[32];
	bool polled;
};

struct fieldway_session {
	const struct fieldway_host *host;
	struct fieldway_watch *watch;
	struct fieldway_timer *timer;
	int fd;
	enum fieldway_outcome
		mode; /* of writes; NOT_SENT, REFUSED: they wait for the test's word */
	struct fieldway_ticket *last;
	uint32_t last_device;
};

struct fieldway_line {
	const struct fieldway_tap *tap;
};

static const struct fieldway_key keys[] = {
	{ .name = "fd",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_INT,
	  .initial = "-1",
	  .help = "commands" },
	{ .name = "line",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .type = FIELDWAY_STRING,
	  .initial = "",
	  .help = "where" },
	{ .name = "polled",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .type = FIELDWAY_BOOL,
	  .initial = "false",
	  .help = "how" },
};

/* ---- pure ---- */

static int bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	return 0;
}

static int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
		      struct fieldway_driver **ret, struct fieldway_error *error)
{
	const struct fieldway_value *line = plain_find(&device->settings, "line");
	struct fieldway_driver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (line)
		snprintf(d->line, sizeof(d->line), "%.*s", (int)line->size, line->data);
	d->polled = plain_find(&device->settings, "polled") && plain_find(&device->settings, "polled")->boolean;
	*ret = d;
	return 0;
}

static enum fieldway_io driver_io(const struct fieldway_driver *driver)
{
	return driver->polled ? FIELDWAY_IO_POLLED : FIELDWAY_IO_EVENTS;
}

static int line_name(const struct fieldway_driver *driver, char *ret, size_t size)
{
	return snprintf(ret, size, "%s", driver->line) < (int)size ? 0 : -ENAMETOOLONG;
}

static int decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	plain_samples(request, 1, samples);
	return 0;
}

static int write_check(const struct fieldway_driver *driver, uint32_t point,
		       const struct fieldway_value *value, struct fieldway_error *error)
{
	return 0;
}

/* ---- polled ---- */

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
		     struct fieldway_line **ret, struct fieldway_result *result)
{
	return (*ret = calloc(1, sizeof(**ret))) ? 0 : -ENOMEM;
}

static void line_close(struct fieldway_line *line)
{
	free(line);
}

static int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
		     const struct fieldway_request *request, uint64_t deadline_usec,
		     struct fieldway_sample *samples, char *text, size_t text_size,
		     struct fieldway_result *result, bool *ret_broken)
{
	if (line->tap)
		line->tap->bytes(line->tap, FIELDWAY_SENT, "\x01\xab", 2);
	return decode(driver, request, NULL, 0, samples, text, text_size);
}

static void line_tap(struct fieldway_line *line, const struct fieldway_tap *tap)
{
	line->tap = tap;
}

/* The request back to front; "!" is an exception. */
static int line_raw(struct fieldway_line *line, const struct fieldway_driver *driver, const void *request,
		    size_t size, uint64_t deadline_usec, void *ret_answer, size_t answer_size,
		    size_t *ret_size, struct fieldway_result *result, bool *ret_broken)
{
	const char *from = request;
	char *to = ret_answer;

	if (*from == '!') {
		snprintf(result->detail, sizeof(result->detail), "it says no");
		return -EREMOTEIO;
	}
	for (size_t i = 0; i < size; i++)
		to[i] = from[size - 1 - i];
	*ret_size = size;
	return 0;
}

static enum fieldway_outcome line_write(struct fieldway_line *line,
					const struct fieldway_driver *driver, uint32_t point,
					const struct fieldway_value *value, uint64_t deadline_usec,
					struct fieldway_result *result, bool *ret_broken)
{
	return FIELDWAY_ACCEPTED;
}

/* ---- by events ---- */

static void tell(const struct fieldway_session *s, const char *format, ...)
{
	char text[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (s->fd >= 0)
		(void)!send(s->fd, text, strlen(text), MSG_DONTWAIT);
}

static uint64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void give(struct fieldway_session *s, uint32_t device, uint32_t point, double value,
		 uint64_t time)
{
	const struct fieldway_sample sample = { .point = point,
						.boottime_usec = time,
						.value = { .type = FIELDWAY_FLOAT,
							   .real = value } };

	s->host->samples(s->host, device, &sample, 1);
}

static void give_text(struct fieldway_session *s, uint32_t device, uint32_t point, size_t size)
{
	struct fieldway_sample sample = { .point = point,
					  .boottime_usec = now(CLOCK_BOOTTIME),
					  .value = { .type = FIELDWAY_STRING, .size = size } };
	char *text = malloc(size + 1);

	if (!text)
		return;
	memset(text, 'x', size);
	sample.value.data = text;
	s->host->samples(s->host, device, &sample, 1);
	free(text);
}

static void take_timers(struct fieldway_session *s, unsigned n)
{
	struct fieldway_timer *t;
	unsigned got = 0;

	while (got < n && s->host->timer_new(s->host, NULL, NULL, &t) == 0)
		got++;
	tell(s, "timers %u", got);
}

static void set_mode(struct fieldway_session *s, enum fieldway_outcome mode)
{
	s->mode = mode;
	tell(s, "mode");
}

static void obey_state(struct fieldway_session *s, const char *command)
{
	unsigned device, state;
	char reason[64] = "";

	if (sscanf(command, "state %u %u %63[^\n]", &device, &state, reason) >= 2)
		s->host->state(s->host, device, (enum fieldway_device_state)state, reason);
}

static void obey_written(struct fieldway_session *s, const char *command)
{
	struct fieldway_result result = { .detail = "as told" };
	unsigned outcome;

	if (sscanf(command, "written %u %d", &outcome, &result.error) == 2)
		s->host->written(s->host, s->last, (enum fieldway_outcome)outcome, &result);
}

static void obey_sample(struct fieldway_session *s, const char *command)
{
	unsigned device, point, n;
	double value;
	int error;

	if (sscanf(command, "sample %u %u %lf", &device, &point, &value) == 3)
		give(s, device, point, value, now(CLOCK_BOOTTIME));
	else if (sscanf(command, "old %u %u %lf", &device, &point, &value) == 3)
		give(s, device, point, value, 1);
	else if (sscanf(command, "text %u %u %u", &device, &point, &n) == 3)
		give_text(s, device, point, n);
	else if (sscanf(command, "failed %u %u %d", &device, &point, &error) == 3)
		s->host->samples(s->host, device,
				 &(struct fieldway_sample){ .point = point,
							    .quality = FIELDWAY_FAILED,
							    .error = error },
				 1);
	else if (sscanf(command, "flood %u %u %u", &device, &point, &n) == 3)
		for (unsigned i = 1; i <= n; i++)
			give(s, device, point, i, now(CLOCK_BOOTTIME));
}

static void obey(struct fieldway_session *s, const char *command)
{
	unsigned a, b, c, d;

	obey_sample(s, command);
	obey_state(s, command);
	obey_written(s, command);
	if (sscanf(command, "found %u", &a) == 1)
		while (a-- > 0)
			s->host->found(s->host, "c0:ff:ee", "{rssi: -60}");
	if (strcmp(command, "bytes") == 0)
		s->host->bytes(s->host, FIELDWAY_RECEIVED, "\x7f", 1);
	if (sscanf(command, "count %u %u %u %u", &a, &b, &c, &d) == 4)
		s->host->count(s->host, a, b, c, d);
	else if (sscanf(command, "mode %u", &a) == 1)
		set_mode(s, (enum fieldway_outcome)a);
	else if (sscanf(command, "timer %u", &a) == 1)
		s->host->timer_set(s->timer, now(CLOCK_MONOTONIC) + a);
	else if (sscanf(command, "timers %u", &a) == 1)
		take_timers(s, a);
}

static void on_command(void *userdata, uint32_t events)
{
	struct fieldway_session *s = userdata;
	char command[128];
	ssize_t n = recv(s->fd, command, sizeof(command) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return;
	command[n] = '\0';
	obey(s, command);
}

static void on_timer(void *userdata)
{
	tell(userdata, "timer");
}

static int session_start(const struct fieldway_bus *bus,
			 const struct fieldway_driver *const *drivers, size_t n,
			 const struct fieldway_host *host, struct fieldway_session **ret)
{
	struct fieldway_session *s;
	int fd = (int)plain_find(&bus->settings, "fd")->integer;

	if (fd < -1)
		return -ENOMEM;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->host = host;
	s->fd = fd;
	s->mode = FIELDWAY_NOT_SENT;
	if ((fd >= 0 && host->watch_new(host, fd, EPOLLIN, on_command, s, &s->watch) < 0) ||
	    host->timer_new(host, on_timer, s, &s->timer) < 0) {
		free(s);
		return -ENOMEM;
	}
	tell(s, "start %zu %s", n, n > 0 ? drivers[0]->line : "");
	*ret = s;
	return 0;
}

/* What was lent is left to the host to take back. */
static void session_stop(struct fieldway_session *s)
{
	tell(s, "stop");
	if (s->mode == FIELDWAY_REFUSED)
		s->host->written(
			s->host, s->last, FIELDWAY_NOT_SENT,
			&(struct fieldway_result){ .error = -ECANCELED, .detail = "stopped" });
	free(s);
}

static void session_write(struct fieldway_session *s, uint32_t device, uint32_t point,
			  const struct fieldway_value *value, uint64_t deadline_usec,
			  struct fieldway_ticket *ticket)
{
	s->last = ticket;
	s->last_device = device;
	tell(s, "write %u %u %" PRId64, device, point,
	     value->type == FIELDWAY_FLOAT ? (int64_t)value->real : value->integer);
	if (s->mode == FIELDWAY_ACCEPTED)
		s->host->written(s->host, ticket, s->mode, NULL);
}

static void session_read(struct fieldway_session *s, uint32_t device, const uint32_t *points,
			 size_t n)
{
	tell(s, "read %u %u", device, n > 0 ? points[0] : 0);
}

/* What each was before, "-": nothing. A write that waits goes with its device. */
static int session_change(struct fieldway_session *s, const struct fieldway_bus *bus,
			  const struct fieldway_driver *const *drivers, size_t n, const uint32_t *before)
{
	char text[64] = "";
	bool stays = false;

	for (size_t i = 0; i < n; i++) {
		size_t end = strlen(text);

		stays |= before[i] == s->last_device;
		if (before[i] == UINT32_MAX)
			snprintf(text + end, sizeof(text) - end, " -%s", drivers[i]->line);
		else
			snprintf(text + end, sizeof(text) - end, " %u%s", before[i], drivers[i]->line);
	}
	tell(s, "change%s", text);
	if (s->mode == FIELDWAY_REFUSED && !stays)
		s->host->written(s->host, s->last, FIELDWAY_NOT_SENT,
				 &(struct fieldway_result){ .error = -ECANCELED, .detail = "gone" });
	return 0;
}

static int session_scan(struct fieldway_session *s, uint64_t until_usec)
{
	tell(s, until_usec > 0 ? "scan" : "scan ends");
	return 0;
}

static void session_release(struct fieldway_session *s, bool released)
{
	tell(s, released ? "released" : "taken back");
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE | FIELDWAY_CAN_LISTEN,
	.name = "eventful",
	.version = "1",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = bus_check,
	.driver_new = driver_new,
	.driver_free = plain_driver_free,
	.line_name = line_name,
	.plan_new = plain_plan_new,
	.plan_free = plain_plan_free,
	.decode = decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.write = line_write,
	.write_check = write_check,
	.driver_io = driver_io,
	.line_tap = line_tap,
	.raw = line_raw,
	.bus_start = session_start,
	.bus_stop = session_stop,
	.bus_write = session_write,
	.bus_read = session_read,
	.bus_scan = session_scan,
	.bus_release = session_release,
	.bus_change = session_change,
};
