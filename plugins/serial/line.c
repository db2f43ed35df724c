/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode.h"
#include "plugins/lib/moment.h"
#include "port.h"

/* A line that was quiet for so long is idle: adapters deliver in lumps up to 16 ms apart. */
#define IDLE_USEC UINT64_C(20000)
/* How often it is looked whether the port has sent all: its queue is empty before its last byte is out. */
#define DRAIN_STEP_USEC UINT64_C(1000)
#define CHUNK 512u
/* Of one name: so many are tried. */
#define ADDRESSES_MAX 4u

struct fieldway_line {
	struct bus bus;
	int fd;
	uint32_t baud;
	uint64_t idle_usec; /* until then bytes may come that nobody waits for */
	const struct fieldway_tap *tap;
	struct conversation conversation;
};

static int fail(struct fieldway_result *result, int error, const char *detail)
{
	result->error = error;
	snprintf(result->detail, sizeof(result->detail), "%s", detail);
	return error;
}

static void tell(const struct fieldway_line *line, enum fieldway_direction direction, const void *bytes, size_t size)
{
	if (line->tap && size)
		line->tap->bytes(line->tap, direction, bytes, size);
}

void line_tap(struct fieldway_line *line, const struct fieldway_tap *tap)
{
	line->tap = tap;
}

/* ---- opening ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* 1: something is there to be done, 0: the time is over. */
static int wait_for(int fd, short events, uint64_t until_usec)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r = poll(&p, 1, moment_poll_msec(until_usec));

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r;
}

static int open_failed(const struct bus *bus, int r, const char *why, struct fieldway_result *result)
{
	result->error = r;
	snprintf(result->detail, sizeof(result->detail), "cannot open %.110s: %.48s", bus->name, why ? why : strerror(-r));
	return r;
}

static int wait_connected(const struct bus *bus, int fd, uint64_t end)
{
	int r = 0;

	if (!bus->tcp)
		return 0;
	while (r == 0 && moment_now_usec() < end)
		r = wait_for(fd, POLLOUT, end);
	if (r <= 0)
		return r < 0 ? r : -ETIMEDOUT;
	return port_connected(bus, fd);
}

/* One address after the other, within the bus's timeout. */
static int open_port(struct fieldway_line *line, const struct fieldway_driver *first, const char **ret_why)
{
	uint64_t end = moment_now_usec() + line->bus.timeout_usec;
	int r = -EHOSTUNREACH;

	for (unsigned attempt = 0; attempt < ADDRESSES_MAX; attempt++) {
		line->fd = port_open(&line->bus, first->lookup, attempt, end, ret_why);
		r = line->fd < 0 ? line->fd : wait_connected(&line->bus, line->fd, end);
		if (r >= 0 || !line->bus.tcp || *ret_why || moment_now_usec() >= end)
			break;
		port_close(line->fd);
		line->fd = -1;
	}
	return r == -EINPROGRESS ? -ETIMEDOUT : r;
}

void line_close(struct fieldway_line *line)
{
	if (!line)
		return;
	port_close(line->fd);
	free(line);
}

/* ---- bytes ---- */

/* What can be read now; 0: nothing. -ENODEV: the port is gone. */
static ssize_t receive(struct fieldway_line *line, uint8_t *bytes, size_t size)
{
	ssize_t n = read(line->fd, bytes, size);

	if (n > 0) {
		tell(line, FIELDWAY_RECEIVED, bytes, (size_t)n);
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return line->bus.tcp ? -ECONNRESET : -ENODEV;
}

/* Throws away what comes until then, and as long as something comes. */
static int drain(struct fieldway_line *line, uint64_t until_usec, uint64_t deadline_usec)
{
	uint8_t bytes[CHUNK];

	for (;;) {
		uint64_t now = moment_now_usec();
		int r = wait_for(line->fd, POLLIN, earlier(until_usec, deadline_usec));
		ssize_t n;

		if (r < 0)
			return r;
		if (r > 0) {
			n = receive(line, bytes, sizeof(bytes));
			if (n < 0)
				return (int)n;
			until_usec = now + IDLE_USEC > until_usec ? now + IDLE_USEC : until_usec;
		}
		now = moment_now_usec();
		if (now >= deadline_usec)
			return -ETIMEDOUT;
		if (r == 0 && now >= until_usec)
			return 0;
	}
}

static int send_all(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	tell(line, FIELDWAY_SENT, bytes, size);
	for (size_t at = 0; at < size;) {
		ssize_t n = write(line->fd, bytes + at, size - at);

		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return line->bus.tcp ? -ECONNRESET : -ENODEV;
		if (moment_now_usec() >= deadline_usec || wait_for(line->fd, POLLOUT, deadline_usec) < 0)
			return -EIO;
	}
	return 0;
}

/* What somebody else sends meanwhile spoils both: nobody can tell what arrived. */
static int take_echo(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	uint64_t until = moment_now_usec() + bus_wire_usec(&line->bus, line->baud, (uint32_t)size) + line->bus.timeout_usec;
	uint8_t back[CHUNK];

	for (size_t at = 0; at < size;) {
		int r = wait_for(line->fd, POLLIN, earlier(until, deadline_usec));
		size_t left = size - at < sizeof(back) ? size - at : sizeof(back);
		ssize_t n = r > 0 ? receive(line, back, left) : r;

		if (n < 0)
			return (int)n;
		if (memcmp(bytes + at, back, (size_t)n) != 0 || moment_now_usec() >= earlier(until, deadline_usec))
			return -ECOMM;
		at += (size_t)n;
	}
	return 0;
}

/* A frame, on a line with two wires too. *ret_sent: something may have reached it. */
static int send_frame(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec,
		      bool *ret_sent)
{
	const struct rs485 *rs485 = &line->bus.rs485;
	int r = rs485_begin(line->fd, rs485), end;

	if (r < 0)
		return r;
	*ret_sent = true;
	r = send_all(line, bytes, size, deadline_usec);
	end = rs485_end(line->fd, rs485, r >= 0, deadline_usec);
	if (r >= 0)
		r = end;
	return r >= 0 && rs485->echo ? take_echo(line, bytes, size, deadline_usec) : r;
}

/* Until the last bit has left the port, as it must have before the rate changes. */
static int wait_sent(struct fieldway_line *line, uint64_t deadline_usec)
{
	int left;

	while ((left = port_pending(&line->bus, line->fd)) > 0) {
		if (moment_now_usec() >= deadline_usec)
			return -ETIMEDOUT;
		moment_wait_until(moment_now_usec() + DRAIN_STEP_USEC);
	}
	if (left < 0)
		return left;
	moment_wait_until(earlier(moment_now_usec() + bus_wire_usec(&line->bus, line->baud, 2), deadline_usec));
	return 0;
}

static int set_baud(struct fieldway_line *line, uint32_t baud)
{
	int r;

	if (!baud || baud == line->baud || line->bus.tcp)
		return 0;
	r = port_set_baud(&line->bus, line->fd, baud);
	if (r >= 0)
		line->baud = baud;
	return r;
}

static int send_hello(struct fieldway_line *line, const struct fieldway_driver *driver, uint64_t end_usec)
{
	struct template_fill fill = { .find = driver_text, .userdata = driver };
	uint8_t bytes[TEMPLATE_BYTES_MAX];
	bool sent = false;
	char why[96];
	size_t size;
	int r;

	if (!driver->hello)
		return 0;
	r = template_fill(driver->hello, &fill, bytes, sizeof(bytes), &size, why, sizeof(why));
	return r < 0 ? r : send_frame(line, bytes, size, end_usec, &sent);
}

int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
	      struct fieldway_line **ret, struct fieldway_result *result)
{
	struct fieldway_line *line = calloc(1, sizeof(*line));
	const char *why = NULL;
	int r;

	if (!line)
		return fail(result, -ENOMEM, "out of memory");
	line->bus = first->bus;
	line->baud = line->bus.baud;
	r = open_port(line, first, &why);
	if (r >= 0)
		r = send_hello(line, first, moment_now_usec() + line->bus.timeout_usec);
	if (r < 0) {
		open_failed(&line->bus, r, why, result);
		line_close(line);
		return r;
	}
	*ret = line;
	return 0;
}

/* ---- conversations ---- */

static int send_step(struct fieldway_line *line, uint64_t deadline_usec)
{
	struct conversation *c = &line->conversation;
	const struct step *s = conversation_step(c);
	uint32_t answer_baud;
	int r;

	if (s->pause_usec)
		moment_wait_until(earlier(moment_now_usec() + s->pause_usec, deadline_usec));
	if (moment_now_usec() >= deadline_usec)
		return -ETIMEDOUT;
	r = set_baud(line, s->baud);
	if (r >= 0)
		r = drain(line, c->tries ? 0 : line->idle_usec, deadline_usec);
	if (r < 0)
		return r;
	answer_baud = conversation_answer_baud(c);
	r = send_frame(line, c->bytes, c->size, deadline_usec, &c->sent);
	if (r >= 0 && answer_baud)
		r = wait_sent(line, deadline_usec);
	if (r >= 0)
		r = set_baud(line, answer_baud);
	if (r >= 0)
		conversation_sent(c);
	return r;
}

static bool feed(struct conversation *c, struct framer *f)
{
	const struct step *before = conversation_step(c);
	uint64_t now = moment_boottime_usec();
	struct frame frame;

	while (framer_next(f, &frame)) {
		if (!conversation_frame(c, &frame, now)) {
			framer_reject(f);
			continue;
		}
		return true;
	}
	return c->state != CONVERSATION_LISTEN || conversation_step(c) != before;
}

/* Bytes until the step is over, or nothing comes for too long. */
static int listen_frames(struct fieldway_line *line, struct framer *f, uint64_t deadline_usec)
{
	struct conversation *c = &line->conversation;
	uint64_t timeout = conversation_timeout_usec(c), idle = conversation_step(c)->frame.idle_usec;
	/* What was sent may still be on its way. */
	uint64_t last = moment_now_usec() + bus_wire_usec(&line->bus, line->baud, (uint32_t)c->size);
	uint8_t bytes[CHUNK];

	for (;;) {
		bool waiting = idle && framer_is_waiting(f);
		int r = wait_for(line->fd, POLLIN, earlier(last + (waiting ? earlier(idle, timeout) : timeout), deadline_usec));
		ssize_t n = r > 0 ? receive(line, bytes, sizeof(bytes)) : 0;

		if (r < 0 || n < 0)
			return r < 0 ? r : (int)n;
		for (size_t at = 0; at < (size_t)n;) {
			at += framer_push(f, bytes + at, (size_t)n - at);
			if (feed(c, f))
				return 0;
		}
		if (n > 0) {
			last = moment_now_usec();
			continue;
		}
		if (waiting && moment_now_usec() >= last + idle) {
			framer_idle(f);
			if (feed(c, f))
				return 0;
		}
		if (moment_now_usec() >= earlier(last + timeout, deadline_usec))
			return -ETIMEDOUT;
	}
}

static int listen_step(struct fieldway_line *line, uint64_t deadline_usec)
{
	struct framer *f;
	int r = framer_new(&conversation_step(&line->conversation)->frame, &f);

	if (r < 0)
		return r;
	r = listen_frames(line, f, deadline_usec);
	if (r == -ETIMEDOUT && (framer_is_waiting(f) || framer_counters(f)->noise || framer_counters(f)->oversize ||
				framer_counters(f)->halves))
		conversation_noise(&line->conversation);
	framer_free(f);
	if (r == -ETIMEDOUT) {
		conversation_silence(&line->conversation);
		line->idle_usec = moment_now_usec() + conversation_timeout_usec(&line->conversation);
		return 0;
	}
	return r;
}

static const char *line_text(int r)
{
	if (r == -EIO)
		return "the port does not take what is to be sent";
	if (r == -ECOMM)
		return "no echo of what was sent, or another, as echo: true expects: a collision?";
	return r == -ENODEV ? "the port is gone" : r == -ECONNRESET ? "the connection was closed" : strerror(-r);
}

/* From the first byte to the last answer. */
static void converse(struct fieldway_line *line, uint64_t deadline_usec, bool *ret_broken)
{
	struct conversation *c = &line->conversation;
	int r = set_baud(line, line->bus.baud);

	if (r >= 0)
		r = drain(line, line->idle_usec, deadline_usec);
	line->idle_usec = 0;
	while (r >= 0 && (c->state == CONVERSATION_SEND || c->state == CONVERSATION_LISTEN))
		r = c->state == CONVERSATION_SEND ? send_step(line, deadline_usec) : listen_step(line, deadline_usec);
	if ((r == -ETIMEDOUT || r == -ECOMM) && c->sent && !line->idle_usec)
		line->idle_usec = moment_now_usec() + conversation_timeout_usec(c);
	if (r == -ETIMEDOUT)
		conversation_fail(c, r, c->sent ? "deadline passed" : "deadline passed before it could be sent");
	else if (r < 0)
		conversation_fail(c, r == -ECOMM ? -EBADMSG : r, line_text(r));
	*ret_broken = r < 0 && r != -ETIMEDOUT && r != -ENOMEM && r != -ECOMM;
}

int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
	      const struct fieldway_request *request, uint64_t deadline_usec,
	      struct fieldway_sample *samples, char *text, size_t text_size,
	      struct fieldway_result *result, bool *ret_broken)
{
	struct conversation *c = &line->conversation;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	conversation_read(c, driver, (uint32_t)request->token);
	converse(line, deadline_usec, ret_broken);
	if (c->state == CONVERSATION_DONE)
		conversation_samples(c, request, samples, text, text_size);
	else
		*result = c->result;
	conversation_done(c);
	return result->error;
}

enum fieldway_outcome line_write(struct fieldway_line *line, const struct fieldway_driver *driver,
				 uint32_t point, const struct fieldway_value *value,
				 uint64_t deadline_usec, struct fieldway_result *result, bool *ret_broken)
{
	struct conversation *c = &line->conversation;
	struct fieldway_value encoded;
	enum fieldway_outcome outcome;
	char why[96] = "";

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	if (point_encode(&driver->points[point], value, &encoded, why, sizeof(why)) < 0) {
		fail(result, -EINVAL, why);
		return FIELDWAY_NOT_SENT;
	}
	conversation_write(c, driver, point, &encoded);
	converse(line, deadline_usec, ret_broken);
	outcome = conversation_outcome(c);
	*result = c->result;
	conversation_done(c);
	return outcome;
}

/* ---- raw ---- */

struct raw {
	struct message any;
	struct step step;
};

int line_raw(struct fieldway_line *line, const struct fieldway_driver *driver, const void *request,
	     size_t size, uint64_t deadline_usec, void *ret_answer, size_t answer_size, size_t *ret_size,
	     struct fieldway_result *result, bool *ret_broken)
{
	const struct frame_spec *frame = driver->frame.max ? &driver->frame : &driver->requests[0].steps[0].frame;
	struct raw raw = { .step = { .expect = &raw.any, .frame = *frame, .checksum = driver->checksum } };
	struct conversation *c = &line->conversation;
	const struct parse *answer = &c->answers[0];

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	if (size > sizeof(c->bytes))
		return fail(result, -EINVAL, "too long");
	*c = (struct conversation){ .driver = driver, .steps = &raw.step, .n_steps = 1, .size = size };
	memcpy(c->bytes, request, size);
	converse(line, deadline_usec, ret_broken);
	if (c->state == CONVERSATION_DONE && answer->size > answer_size)
		conversation_fail(c, -EMSGSIZE, "the answer is too long to be shown");
	if (c->state == CONVERSATION_DONE) {
		memcpy(ret_answer, answer->text, answer->size);
		*ret_size = answer->size;
	} else {
		*result = c->result;
	}
	conversation_done(c);
	return result->error;
}
