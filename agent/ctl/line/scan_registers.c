/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/line/numbers.h"
#include "ctl/line/scan.h"
#include "ctl/output/document.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

/* Modbus Application Protocol V1.1b3, 6.1 to 6.4 and 7. */
#define EXCEPTION 0x80
#define ILLEGAL_FUNCTION 1
#define ILLEGAL_ADDRESS 2
#define ILLEGAL_VALUE 3
#define SILENT_MAX 3u /* requests in a row without an answer: then the device is away */

uint8_t area_function(const char *area, uint32_t *ret_most)
{
	static const struct {
		const char *name;
		uint8_t function;
		uint32_t most;
	} areas[] = {
		{ "coil", 1, 2000 },
		{ "discrete", 2, 2000 },
		{ "holding", 3, 125 },
		{ "input", 4, 125 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
		if (streq(areas[i].name, area)) {
			*ret_most = areas[i].most;
			return areas[i].function;
		}
	return 0;
}

struct registers {
	struct client *client;
	const char *path;
	const struct invocation *invocation;
	const struct register_scan *scan;
	struct progress progress;
	uint8_t function;
	unsigned silent;
	uint32_t requests, there; /* registers that exist */
	json_t *ranges, *exceptions; /* of the document */
	uint32_t begin, end;	  /* the range that grows; end exclusive; begin = end: none */
};

static void add_to_document(struct registers *s)
{
	if (s->end > s->begin)
		document_add(&s->ranges, json_pack("{s:I, s:I}", "first", (json_int_t)s->begin,
						   "last", (json_int_t)s->end - 1));
	s->begin = s->end = 0;
}

static void end_range(struct registers *s)
{
	progress_clear(&s->progress);
	if (s->invocation->json) {
		add_to_document(s);
		return;
	}
	if (s->end > s->begin + 1)
		printf("%s %" PRIu32 "-%" PRIu32 "\n", s->scan->area, s->begin, s->end - 1);
	else if (s->end > s->begin)
		printf("%s %" PRIu32 "\n", s->scan->area, s->begin);
	fflush(stdout);
	s->begin = s->end = 0;
}

static void add_range(struct registers *s, uint32_t first, uint32_t n)
{
	s->there += n;
	if (s->end != first || s->end == s->begin) {
		end_range(s);
		s->begin = first;
	}
	s->end = first + n;
}

static int send_request(struct registers *s, uint32_t first, uint32_t n, sd_bus_error *error,
			sd_bus_message **ret)
{
	const uint8_t request[] = { s->function, (uint8_t)(first >> 8), (uint8_t)first,
				    (uint8_t)(n >> 8), (uint8_t)n };
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = client_call_new(s->client, s->path, AGENT1_BUS, "Raw", &call);

	if (r >= 0)
		r = settings_append(call, s->invocation->address, s->invocation->n_address);
	if (r >= 0)
		r = sd_bus_message_append_array(call, 'y', request, sizeof(request));
	if (r >= 0)
		r = sd_bus_message_append(call, "t", s->scan->within_usec);
	if (r < 0)
		return sd_bus_error_set_errno(error, r);
	s->requests++;
	return sd_bus_call(s->client->bus, call, FIELDBUS_RAW_USEC + CLIENT_DEADLINE_USEC, error,
			   ret);
}

/* 0: there; an exception's number; negative after a line on standard error. */
static int ask(struct registers *s, uint32_t first, uint32_t n)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	const uint8_t *bytes;
	size_t size;
	int r = send_request(s, first, n, &error, &reply);

	if (r < 0) {
		progress_clear(&s->progress);
		if (sd_bus_error_has_name(&error, AGENT1_ERROR_NO_ANSWER) &&
		    ++s->silent < SILENT_MAX)
			return ask(s, first, n);
		return client_complain(s->client, &error);
	}
	s->silent = 0;
	r = sd_bus_message_read_array(reply, 'y', (const void **)&bytes, &size);
	if (r <= 0 || size < 2)
		return client_misunderstood(-EBADMSG);
	return bytes[0] & EXCEPTION ? MAX(bytes[1], (uint8_t)1) : 0;
}

/* Halves what is refused for its address or its length until it is not, or is a single one. */
static int look(struct registers *s, uint32_t first, uint32_t n)
{
	int r;

	progress_print(&s->progress, "%s %" PRIu32 ", %" PRIu32 " found", s->scan->area, first,
		       s->there);
	r = ask(s, first, n);
	if (r == 0) {
		add_range(s, first, n);
		return 0;
	}
	if (r == ILLEGAL_FUNCTION) {
		end_range(s);
		fprintf(stderr, "fieldwayctl: the device does not have function %u (exception 1)\n",
			s->function);
		return -EOPNOTSUPP;
	}
	if (r > 0 && r != ILLEGAL_ADDRESS && r != ILLEGAL_VALUE && n == 1) {
		end_range(s);
		if (s->invocation->json)
			return document_add(&s->exceptions,
					    json_pack("{s:I, s:i}", "address", (json_int_t)first,
						      "exception", r)),
			       0;
		printf("%s %" PRIu32 ": exception %d\n", s->scan->area, first, r);
		return 0;
	}
	if (r < 0 || n == 1)
		return r < 0 ? r : 0;
	r = look(s, first, n / 2);
	return r < 0 ? r : look(s, first + n / 2, n - n / 2);
}

static int end_document(struct registers *s, int r)
{
	json_t *document = json_pack("{s:s, s:o, s:o, s:I, s:I}", "area", s->scan->area, "ranges",
				     s->ranges, "exceptions", s->exceptions, "exist",
				     (json_int_t)s->there, "requests", (json_int_t)s->requests);

	if (r >= 0)
		return document_print(document);
	json_decref(document);
	return r;
}

int scan_registers(struct client *c, const char *path, const struct invocation *i,
		   const struct register_scan *scan)
{
	struct registers s = { .client = c, .path = path, .invocation = i, .scan = scan };
	uint32_t most = 1, n;
	int r = 0;

	if (i->json) {
		s.ranges = json_array();
		s.exceptions = json_array();
	}
	s.function = area_function(scan->area, &most);
	for (uint32_t at = scan->first; at <= scan->last && r >= 0; at += n) {
		n = MIN(most, scan->last - at + 1);
		r = look(&s, at, n);
	}
	end_range(&s);
	if (i->json)
		return end_document(&s, r);
	if (r >= 0)
		fprintf(stderr, "%" PRIu32 " of %" PRIu32 " exist, %" PRIu32 " request%s\n", s.there,
			scan->last - scan->first + 1, s.requests, s.requests == 1 ? "" : "s");
	return r;
}
