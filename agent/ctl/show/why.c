/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "ctl/value/target.h"
#include "ctl/value/value.h"
#include "dbus/agent1.h"

#define LABEL_COLUMNS 12u

/* One of the answer: texts and bytes are the message's. */
struct fact {
	const char *key;
	char type; /* s, t, b or y (bytes); 0: it is not there */
	const char *text;
	uint64_t number;
	const void *bytes;
	size_t n;
};

enum {
	OBJECT,
	NAME,
	UNIT,
	TYPE,
	OPERATIONS,
	PROBLEM,
	TIME,
	SOURCE,
	MORE,
	DEVICE,
	BUS,
	DEVICE_STATE,
	DEVICE_REASON,
	POINT,
	DECODING,
	RATE,
	PERIOD,
	REQUEST,
	REQUEST_PROBLEM,
	ASKED,
	SENT,
	RECEIVED,
	CUT,
	FACTS,
};
static const struct fact known[FACTS] = {
	[OBJECT] = { .key = "Object" },
	[NAME] = { .key = "Name" },
	[UNIT] = { .key = "Unit" },
	[TYPE] = { .key = "Type" },
	[OPERATIONS] = { .key = "Operations" },
	[PROBLEM] = { .key = "Problem" },
	[TIME] = { .key = "Time" },
	[SOURCE] = { .key = "Source" },
	[MORE] = { .key = "MoreSources" },
	[DEVICE] = { .key = "Device" },
	[BUS] = { .key = "Bus" },
	[DEVICE_STATE] = { .key = "DeviceState" },
	[DEVICE_REASON] = { .key = "DeviceReason" },
	[POINT] = { .key = "Point" },
	[DECODING] = { .key = "Decoding" },
	[RATE] = { .key = "Rate" },
	[PERIOD] = { .key = "Period" },
	[REQUEST] = { .key = "Request" },
	[REQUEST_PROBLEM] = { .key = "RequestProblem" },
	[ASKED] = { .key = "Asked" },
	[SENT] = { .key = "Sent" },
	[RECEIVED] = { .key = "Received" },
	[CUT] = { .key = "Cut" },
};

struct observation {
	const char *server, *path;
	uint64_t notified_usec, minimum_usec, maximum_usec; /* 0: none */
	bool in_flight;
};

struct why {
	const struct target *target;
	struct fact facts[FACTS];
	struct value_lines value;
	struct observation *observations;
	size_t n_observations;
	struct arena arena;
};

static void why_done(struct why *w)
{
	value_lines_done(&w->value);
	arena_done(&w->arena);
}

/* ---- reading ---- */

static int read_bytes(sd_bus_message *m, struct fact *f)
{
	int r = sd_bus_message_enter_container(m, 'v', "ay");

	if (r > 0)
		r = sd_bus_message_read_array(m, 'y', &f->bytes, &f->n);
	return r > 0 ? sd_bus_message_exit_container(m) : r;
}

/* A variant of one of the types that facts have. */
static int read_fact(sd_bus_message *m, struct fact *f)
{
	const char *contents;
	int flag, r = sd_bus_message_peek_type(m, NULL, &contents);

	if (r <= 0)
		return r;
	f->type = streq(contents, "ay") ? 'y' : contents[0];
	if (f->type == 'y')
		return read_bytes(m, f);
	if (streq(contents, "s"))
		return sd_bus_message_read(m, "v", "s", &f->text);
	if (streq(contents, "t"))
		return sd_bus_message_read(m, "v", "t", &f->number);
	r = streq(contents, "b") ? sd_bus_message_read(m, "v", "b", &flag) : -EBADMSG;
	if (r > 0)
		f->number = flag;
	return r;
}

static int take_observed(sd_bus_message *m, void *userdata)
{
	struct observation *o = userdata;
	struct fact f = { .text = "" };
	const char *key;
	int r = sd_bus_message_read(m, "s", &key);

	if (r > 0)
		r = read_fact(m, &f);
	if (r <= 0)
		return record_error(r);
	if (streq(key, "Server"))
		o->server = f.text;
	else if (streq(key, "Path"))
		o->path = f.text;
	else if (streq(key, "Notified"))
		o->notified_usec = f.number;
	else if (streq(key, "MinimumPeriod"))
		o->minimum_usec = f.number;
	else if (streq(key, "MaximumPeriod"))
		o->maximum_usec = f.number;
	else if (streq(key, "InFlight"))
		o->in_flight = f.number;
	return 0;
}

static int read_observation(sd_bus_message *m, struct arena *arena, void *place)
{
	struct observation *o = place;

	o->server = o->path = "";
	return record_entries_read(m, "{sv}", take_observed, o);
}

static int read_observations(sd_bus_message *m, struct why *w)
{
	int r = sd_bus_message_enter_container(m, 'v', "aa{sv}");

	if (r <= 0)
		return record_error(r);
	r = record_array_read(m, "a{sv}", sizeof(*w->observations), read_observation, &w->arena,
			      &w->observations, &w->n_observations);
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(m) > 0 ? 0 : -EBADMSG;
}

static int take_entry(sd_bus_message *m, void *userdata)
{
	struct why *w = userdata;
	const char *key;
	int r = sd_bus_message_read(m, "s", &key);

	if (r <= 0)
		return record_error(r);
	if (streq(key, "Value"))
		return value_lines_read(m, &w->target->path, &w->value);
	if (streq(key, "Observations"))
		return read_observations(m, w);
	for (size_t i = 0; i < FACTS; i++)
		if (streq(key, w->facts[i].key)) {
			r = read_fact(m, &w->facts[i]);
			return r > 0 ? 0 : record_error(r);
		}
	r = sd_bus_message_skip(m, "v");
	return r >= 0 ? 0 : record_error(r);
}

static const char *text_of(const struct why *w, unsigned fact)
{
	return w->facts[fact].text ?: "";
}

/* ---- the screen ---- */

static void print_label(const char *label)
{
	printf("%-*s", (int)LABEL_COLUMNS, label);
}

static void print_line(const char *label, const char *text)
{
	if (!*text)
		return;
	print_label(label);
	text_print(stdout, text);
	putchar('\n');
}

/* "3s ago" of an instant since 1970. */
static void print_ago(uint64_t usec)
{
	uint64_t now = clock_realtime_usec();
	char text[FORMAT_USEC_MAX];

	if (usec == 0 || usec > now)
		fputs(usec == 0 ? "nobody knows when" : "now", stdout);
	else
		printf("%s ago",
		       format_usec_rough((now - usec) / USEC_PER_MSEC * USEC_PER_MSEC, text));
}

static void print_resource(const struct why *w)
{
	print_label("Path");
	text_print(stdout, w->target->path_text);
	printf("  ");
	text_print(stdout, text_of(w, NAME));
	printf(", ");
	text_print(stdout, text_of(w, TYPE));
	printf("%s", *text_of(w, UNIT) ? " in " : "");
	text_print(stdout, text_of(w, UNIT));
	printf(" (object ");
	text_print(stdout, text_of(w, OBJECT));
	puts(")");
	if (w->value.n > 0)
		print_line("Value", w->value.items[0].text);
	print_line("Problem", text_of(w, PROBLEM));
	if (w->facts[TIME].type) {
		print_label("Sampled");
		print_ago(w->facts[TIME].number);
		putchar('\n');
	}
}

static const char *source_text(const char *source)
{
	static const char *const texts[][2] = {
		{ "constant", "a constant of the configuration" },
		{ "agent", "fieldwayd itself, or a server that wrote it" },
		{ "alarm", "an alarm: the point adds its code while it is set" },
		{ "execute", "an Execute writes the point" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(texts[i][0], source))
			return texts[i][1];
	return "";
}

static void print_period(const struct why *w)
{
	uint64_t usec = w->facts[PERIOD].number;
	char text[FORMAT_USEC_MAX];

	/* Of a local device: its program says what it likes. */
	if (!w->facts[PERIOD].type)
		return;
	print_label("Polled");
	if (usec == 0)
		printf("once");
	else if (usec == UINT64_MAX)
		printf("when somebody asks, or as the device sends it");
	else
		printf("every %s", format_usec(usec, text));
	if (*text_of(w, RATE)) {
		printf(" (");
		text_print(stdout, text_of(w, RATE));
		putchar(')');
	}
	if (*text_of(w, REQUEST)) {
		printf(" by ");
		text_print(stdout, text_of(w, REQUEST));
	}
	putchar('\n');
}

static void print_point(const struct why *w)
{
	print_line("Comes from", source_text(text_of(w, SOURCE)));
	if (!*text_of(w, DEVICE))
		return;
	print_label("Device");
	text_print(stdout, text_of(w, DEVICE));
	printf(" on bus ");
	text_print(stdout, text_of(w, BUS));
	printf(": ");
	text_print(stdout, text_of(w, DEVICE_STATE));
	printf("%s", *text_of(w, DEVICE_REASON) ? ", " : "");
	text_print(stdout, text_of(w, DEVICE_REASON));
	putchar('\n');
	print_line("Point", text_of(w, POINT));
	print_line("Decoded", text_of(w, DECODING));
	print_period(w);
	if (w->facts[MORE].number > 0)
		printf("%-*sand %" PRIu64 " more points of the same path\n", (int)LABEL_COLUMNS, "",
		       w->facts[MORE].number);
}

static void print_bytes(const char *label, const struct fact *f, bool cut)
{
	const uint8_t *bytes = f->bytes;

	if (f->n == 0)
		return;
	print_label(label);
	for (size_t i = 0; i < f->n; i++)
		printf("%s%02x", i > 0 ? " " : "", bytes[i]);
	puts(cut ? " ..." : "");
}

static void print_exchange(const struct why *w)
{
	print_line("Last asked", text_of(w, REQUEST_PROBLEM));
	if (!w->facts[ASKED].type)
		return;
	print_label("Last asked");
	print_ago(w->facts[ASKED].number);
	putchar('\n');
	print_bytes("Sent", &w->facts[SENT], w->facts[CUT].number);
	print_bytes("Received", &w->facts[RECEIVED], w->facts[CUT].number);
}

static void print_limit(const char *name, uint64_t usec)
{
	char text[FORMAT_USEC_MAX];

	if (usec > 0)
		printf(", %s %s", name, format_usec(usec, text));
}

static void print_observations(const struct why *w)
{
	if (w->n_observations == 0)
		print_line("Observed", "by nobody");
	for (size_t i = 0; i < w->n_observations; i++) {
		const struct observation *o = &w->observations[i];

		print_label(i == 0 ? "Observed" : "");
		printf("by ");
		text_print(stdout, o->server);
		printf(" at ");
		text_print(stdout, o->path);
		printf(": last told ");
		print_ago(o->notified_usec);
		print_limit("pmin", o->minimum_usec);
		print_limit("pmax", o->maximum_usec);
		puts(o->in_flight ? ", and waits for the acknowledgement" : "");
	}
}

/* ---- the document ---- */

static json_t *number_document(const struct fact *f)
{
	return f->type ? document_u64(f->number) : json_null();
}

static json_t *bytes_document(const struct fact *f)
{
	_cleanup_free_ char *hex = f->type ? hex_encode(f->bytes, f->n) : NULL;

	return f->type ? (hex ? json_string(hex) : NULL) : json_null();
}

static json_t *observations_document(const struct why *w)
{
	json_t *array = json_array();

	for (size_t i = 0; i < w->n_observations; i++) {
		const struct observation *o = &w->observations[i];

		document_add(&array,
			     json_pack("{s:s, s:s, s:o, s:b, s:o, s:o}", "server", o->server,
				       "path", o->path, "notified_usec",
				       document_u64(o->notified_usec), "in_flight", o->in_flight,
				       "minimum_usec", document_u64(o->minimum_usec),
				       "maximum_usec", document_u64(o->maximum_usec)));
	}
	return array;
}

static json_t *resource_document(const struct why *w)
{
	return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:o}", "endpoint",
			 w->target->endpoint, "path", w->target->path_text, "object",
			 w->facts[OBJECT].text, "name", w->facts[NAME].text, "type",
			 w->facts[TYPE].text, "unit", w->facts[UNIT].text, "operations",
			 w->facts[OPERATIONS].text, "values", value_lines_document(&w->value),
			 "problem", w->facts[PROBLEM].text, "time_usec",
			 number_document(&w->facts[TIME]));
}

static json_t *point_document(const struct why *w)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o}", "source",
			 w->facts[SOURCE].text, "device", w->facts[DEVICE].text, "bus",
			 w->facts[BUS].text, "device_state", w->facts[DEVICE_STATE].text,
			 "device_reason", w->facts[DEVICE_REASON].text, "point",
			 w->facts[POINT].text, "decoding", w->facts[DECODING].text, "rate",
			 w->facts[RATE].text, "period_usec", number_document(&w->facts[PERIOD]));
}

static json_t *exchange_document(const struct why *w)
{
	return json_pack("{s:s?, s:s?, s:o, s:o, s:o, s:b}", "request", w->facts[REQUEST].text,
			 "problem", w->facts[REQUEST_PROBLEM].text, "asked_usec",
			 number_document(&w->facts[ASKED]), "sent", bytes_document(&w->facts[SENT]),
			 "received", bytes_document(&w->facts[RECEIVED]), "cut",
			 w->facts[CUT].number != 0);
}

/* ---- the command ---- */

static int print(const struct why *w, bool json)
{
	if (json)
		return document_print(json_pack("{s:o, s:o, s:o, s:o}", "resource",
						resource_document(w), "point", point_document(w),
						"exchange", exchange_document(w), "observations",
						observations_document(w)));
	print_resource(w);
	print_point(w);
	print_exchange(w);
	print_observations(w);
	return 0;
}

static int explain(struct client *c, const struct target *target, const char *object, bool json)
{
	_cleanup_(why_done) struct why w = { .target = target };
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = client_call(c, object, AGENT1_ENDPOINT, "Explain", &reply, "s", target->path_text);

	if (r < 0)
		return r;
	memcpy(w.facts, known, sizeof(known));
	r = record_entries_read(reply, "{sv}", take_entry, &w);
	return r < 0 ? client_misunderstood(r) : print(&w, json);
}

static int run(const struct invocation *i)
{
	return target_ask(i, explain);
}

const struct command command_why = {
	.name = "why",
	.arguments = "EP PATH",
	.help = "prints on one screen why a resource is what it is",
	.details =
		"EP and PATH as for read, of one resource: its value and when it was sampled, the\n"
		"point of the device, its bytes as they went over the wire the last time and what\n"
		"they are taken for, how often it is asked for, and who observes it and was told\n"
		"when. No device is asked.\n",
	.least = 2,
	.most = 2,
	.bus = true,
	.completes = "endpoint path",
	.run = run,
};
