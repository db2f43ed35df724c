/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "line_state.h"
#include "plugins/lib/lookup.h"
#include "plugins/lib/moment.h"
#include "secure.h"
#include "wire.h"

/* A line that was quiet for so long is idle: adapters deliver in lumps up to 16 ms apart. */
#define QUIET_USEC UINT64_C(20000)
#define SHORTEST_TIMEOUT_USEC UINT64_C(1000)
/* A connection on which so many requests in a row heard nothing at all is made anew. */
#define UNHEARD_MAX 3u

/* ---- opening ---- */

static struct fieldway_line *line_new(const struct fieldway_driver *first)
{
	struct fieldway_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->bus = first->bus;
	line->port = first->port;
	line->host = first->host ? strdup(first->host) : NULL;
	line->lookup = first->lookup ? lookup_ref(first->lookup) : NULL;
	wire_init(line);
	if (first->host && !line->host) {
		line_close(line);
		return NULL;
	}
	return line;
}

int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
	      struct fieldway_line **ret, struct fieldway_result *result)
{
	struct fieldway_line *line = line_new(first);
	int r;

	if (!line) {
		error_translate(ENOMEM, result);
		return -ENOMEM;
	}
	r = wire_open(line, UINT64_MAX, result);
	if (r < 0) {
		line_close(line);
		return r;
	}
	/* Nobody knows what was asked before, of which the answer may still come. */
	if (line->bus.framing != FRAMING_MBAP)
		line->quiet_usec = moment_now_usec() + line->bus.timeout_usec;
	*ret = line;
	return 0;
}

void line_close(struct fieldway_line *line)
{
	if (!line)
		return;
	wire_close(line);
	lookup_unref(line->lookup);
	free(line->host);
	free(line);
}

/* Credentials are the settings' own. */
void line_follow(struct fieldway_line *line, const struct fieldway_bus *bus, const struct fieldway_driver *first)
{
	(void)bus;
	line->bus = first->bus;
}

void line_tap(struct fieldway_line *line, const struct fieldway_tap *tap)
{
	line->tap = tap;
}

/* ---- what was met ---- */

static size_t append_met(char *text, size_t size, size_t at, unsigned n, const char *what)
{
	int r;

	if (n == 0 || at >= size)
		return at;
	r = snprintf(text + at, size - at, "%s%u %s%s", at ? ", " : "", n, what, n == 1 ? "" : "s");
	return r < 0 ? at : at + (size_t)r;
}

/* "no answer (8 late bytes, 1 foreign frame)": what has been met since it was last told. */
static void tell_met(struct fieldway_line *line, struct fieldway_result *result)
{
	char text[72];
	size_t at = 0, used = strlen(result->detail);

	at = append_met(text, sizeof(text), at, line->met.late, "late byte");
	at = append_met(text, sizeof(text), at, line->met.foreign, "foreign frame");
	at = append_met(text, sizeof(text), at, line->met.garbled, "garbled byte");
	if (at)
		snprintf(result->detail + used, sizeof(result->detail) - used, " (%s)", text);
	line->met = (struct met){ 0 };
}

/* ---- before a request ---- */

/*
 * Throws away what arrives until then; once something has arrived, only until
 * the line is idle. Never longer than the deadline.
 */
static int drain(struct fieldway_line *line, uint64_t until_usec, uint64_t deadline_usec)
{
	for (;;) {
		uint64_t end = until_usec < deadline_usec ? until_usec : deadline_usec;
		ssize_t n = wire_receive(line, line->bytes, sizeof(line->bytes), end);

		if (n == -ETIMEDOUT)
			return end < until_usec ? -ETIMEDOUT : 0;
		if (n < 0)
			return (int)n;
		line->met.late += (unsigned)n;
		until_usec = moment_now_usec() + QUIET_USEC;
		if (moment_now_usec() >= deadline_usec)
			return -ETIMEDOUT;
	}
}

/* No transaction ids: what comes late can be told only by the time at which it comes. */
static int make_quiet(struct fieldway_line *line, uint8_t unit, uint64_t deadline_usec)
{
	uint64_t until = line->quiet_usec;
	int r;

	if (until < line->late_usec[unit])
		until = line->late_usec[unit];
	r = drain(line, until, deadline_usec);
	if (r < 0)
		return r;
	line->quiet_usec = 0;
	line->late_usec[unit] = 0;
	return 0;
}

/* With transaction ids the connection only has to be in step: nothing unread, not closed by the peer. */
static bool connection_is_clean(struct fieldway_line *line)
{
	return line->n_bytes == 0 && wire_receive(line, line->bytes, sizeof(line->bytes), 0) == -ETIMEDOUT;
}

static bool connection_was_idle(const struct fieldway_line *line)
{
	return line->bus.idle_usec && moment_now_usec() >= line->used_usec + line->bus.idle_usec;
}

uint64_t line_rest(struct fieldway_line *line)
{
	if (!line->bus.idle_usec || !wire_is_open(line))
		return UINT64_MAX;
	if (!connection_was_idle(line))
		return line->used_usec + line->bus.idle_usec;
	wire_close(line);
	return UINT64_MAX;
}

/* A device may close an idle connection at any time: nothing was sent, so that is no error. */
static int prepare_connection(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	if (wire_is_open(line) && (connection_was_idle(line) ||
				   (line->bus.framing == FRAMING_MBAP && !connection_is_clean(line))))
		wire_close(line);
	return wire_is_open(line) ? 0 : wire_open(line, deadline_usec, result);
}

static int deadline_passed(struct fieldway_result *result)
{
	error_translate(ETIMEDOUT, result);
	snprintf(result->detail, sizeof(result->detail), "deadline passed before it could be sent");
	return result->error;
}

/* Opens what is closed, and makes it quiet; once more where that shows that the peer has closed it. */
static int prepare_wire(struct fieldway_line *line, uint8_t unit, uint64_t deadline_usec,
			struct fieldway_result *result)
{
	int r;

	for (int try = 0; try < 2; try++) {
		if (!line->bus.serial) {
			r = prepare_connection(line, deadline_usec, result);
			if (r < 0 || line->bus.framing == FRAMING_MBAP)
				return r;
		}
		r = wire_is_open(line) ? make_quiet(line, unit, deadline_usec) : -ENODEV;
		if (r == 0 || r == -ETIMEDOUT || line->bus.serial)
			break;
		wire_close(line);
	}
	if (r < 0)
		error_translate(-r, result);
	return r;
}

static int set_timeout(struct fieldway_line *line, uint32_t wire_bytes, uint64_t deadline_usec,
		       struct fieldway_result *result)
{
	uint64_t now = moment_now_usec();

	if (now + SHORTEST_TIMEOUT_USEC > deadline_usec)
		return deadline_passed(result);
	line->answer_usec = now + line->bus.timeout_usec + bus_wire_usec(&line->bus, wire_bytes) +
			    line->bus.line.rs485.before_usec + line->bus.line.rs485.after_usec;
	if (line->answer_usec > deadline_usec)
		line->answer_usec = deadline_usec;
	return 0;
}

static void wait_pause(const struct fieldway_line *line, uint64_t deadline_usec)
{
	if (line->resume_usec > moment_now_usec())
		moment_wait_until(line->resume_usec < deadline_usec ? line->resume_usec : deadline_usec);
}

int line_prepare(struct fieldway_line *line, uint8_t unit, uint32_t wire_bytes, uint64_t deadline_usec,
		 struct fieldway_result *result, bool *ret_broken)
{
	int r;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	wait_pause(line, deadline_usec);
	r = prepare_wire(line, unit, deadline_usec, result);
	if (r == -ETIMEDOUT && (wire_is_open(line) || wire_rests(line))) {
		deadline_passed(result);
		tell_met(line, result); /* what keeps it from being quiet */
		return result->error;
	}
	if (r < 0) {
		*ret_broken = true;
		return result->error;
	}
	wait_pause(line, deadline_usec); /* a connection made just now has one of its own */
	return set_timeout(line, wire_bytes, deadline_usec, result);
}

/* ---- after a request ---- */

/* The answer that did not come in time may come as late again; then it is thrown away. */
static void settle_wire(struct fieldway_line *line, uint8_t unit, enum fault fault)
{
	uint64_t now = moment_now_usec();

	switch (fault) {
	case FAULT_NONE:
	case FAULT_EXCEPTION:
		return;
	case FAULT_SILENCE:
	case FAULT_FOREIGN:
		line->late_usec[unit] = now + line->bus.timeout_usec;
		line->quiet_usec = now + QUIET_USEC;
		return;
	case FAULT_GARBLED:
		/* What came was no answer, so that may be on its way. */
		if (now >= line->answer_usec)
			line->late_usec[unit] = now + line->bus.timeout_usec;
		line->quiet_usec = now + QUIET_USEC;
		return;
	case FAULT_LINE:
		/* A gateway may hand the answer to whoever is connected next. */
		line->late_usec[unit] = now + line->bus.timeout_usec;
		return;
	}
}

/*
 * With transaction ids a late answer dies with its connection; the next request
 * makes a new one. Without, it would come through the new one too: a gateway
 * hands on what its serial line says to whoever is connected.
 */
static void settle_connection(struct fieldway_line *line, enum fault fault)
{
	bool in_order = fault == FAULT_NONE || fault == FAULT_EXCEPTION;

	if (fault == FAULT_LINE || line->unheard >= UNHEARD_MAX ||
	    (!in_order && line->bus.framing == FRAMING_MBAP))
		wire_close(line);
}

void line_settle(struct fieldway_line *line, uint8_t unit, int error, struct fieldway_result *result,
		 bool *ret_broken)
{
	enum fault fault = error ? error_translate(error, result) : FAULT_NONE;
	const char *why = secure_why(line->secure);

	*ret_broken = false;
	line->used_usec = moment_now_usec();
	line->resume_usec = line->used_usec + line->bus.pause_usec;
	if (fault != FAULT_SILENCE)
		line->unheard = 0;
	if (line->bus.framing != FRAMING_MBAP)
		settle_wire(line, unit, fault);
	if (error == EMBBADSLAVE)
		snprintf(result->detail, sizeof(result->detail), "answer of another unit, %u", line->met.unit);
	if (fault == FAULT_LINE && why)
		snprintf(result->detail, sizeof(result->detail), "TLS: %.160s", why);
	else if (fault == FAULT_SILENCE || fault == FAULT_FOREIGN || fault == FAULT_GARBLED)
		tell_met(line, result);
	if (!line->bus.serial) {
		settle_connection(line, fault);
	} else if (fault == FAULT_LINE) {
		*ret_broken = true;
		result->error = -ENODEV;
	}
}
