/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/inventory.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "ctl/show/explain_more.h"
#include "dbus/agent1.h"

#define LABEL_COLUMNS 12u
#define MINUTE_USEC 60e6

/* ---- the answer ---- */

static int read_request(sd_bus_message *m, struct arena *arena, void *place)
{
	struct request_record *request = place;
	int r = sd_bus_message_read(m, AGENT1_REQUEST, &request->period_usec, &request->text,
				    &request->wire_bytes, &request->wire_usec);

	return r > 0 ? 0 : record_error(r);
}

/* The order within a period is the daemon's. */
static void sort(struct explanation *e)
{
	for (size_t i = 1; i < e->n; i++) {
		struct request_record request = e->requests[i];
		size_t k = i;

		for (; k > 0 && e->requests[k - 1].period_usec > request.period_usec; k--)
			e->requests[k] = e->requests[k - 1];
		e->requests[k] = request;
	}
}

int explanation_read(sd_bus_message *m, struct explanation *ret)
{
	struct explanation e = { 0 };
	int r = sd_bus_message_read_basic(m, 's', &e.line);

	r = r > 0 ? record_array_read(m, AGENT1_REQUEST, sizeof(*e.requests), read_request,
				      &e.arena, &e.requests, &e.n) :
		    record_error(r);
	if (r < 0) {
		explanation_done(&e);
		return r;
	}
	sort(&e);
	*ret = e;
	return 0;
}

void explanation_done(struct explanation *e)
{
	arena_done(&e->arena);
	*e = (struct explanation){ 0 };
}

/* ---- the page ---- */

static bool is_periodic(const struct request_record *request)
{
	return request->period_usec > 0 && request->period_usec < UINT64_MAX;
}

static const char *period_text(uint64_t usec, char ret[FORMAT_USEC_MAX + sizeof("every ")])
{
	if (usec == 0)
		return "once";
	if (usec == UINT64_MAX)
		return "on demand";
	memcpy(ret, "every ", sizeof("every ") - 1);
	format_usec(usec, ret + sizeof("every ") - 1);
	return ret;
}

static void print_field(FILE *to, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(to, "%-*s", (int)LABEL_COLUMNS, label);
	text_print(to, text);
	fputc('\n', to);
}

/* Requests of one period, from `first` on; *ret_next is the first of another one. */
static int print_period(FILE *to, const struct explanation *e, size_t first, size_t *ret_next)
{
	char title[FORMAT_USEC_MAX + sizeof("every ")], (*sizes)[sizeof("4294967295 bytes")];
	_cleanup_table_ struct table t = { .columns = 2 };
	size_t end = first;
	int r = 0;

	while (end < e->n && e->requests[end].period_usec == e->requests[first].period_usec)
		end++;
	sizes = calloc(end - first, sizeof(*sizes));
	if (!sizes)
		return -ENOMEM;
	for (size_t i = first; i < end && r >= 0; i++) {
		sprintf(sizes[i - first], "%" PRIu32 " bytes", e->requests[i].wire_bytes);
		r = table_add(&t, (const char *[]){ e->requests[i].text, sizes[i - first] });
	}
	if (r >= 0) {
		fprintf(to, "\n%s\n", period_text(e->requests[first].period_usec, title));
		table_print(to, &t, &(struct table_frame){ .indent = 2 });
	}
	free(sizes);
	*ret_next = end;
	return r;
}

static void print_total(FILE *to, const struct explanation *e)
{
	char requests_text[TEXT_NUMBER_MAX], bytes_text[TEXT_NUMBER_MAX];
	double requests = 0, bytes = 0;

	for (size_t i = 0; i < e->n; i++)
		if (is_periodic(&e->requests[i])) {
			requests += MINUTE_USEC / e->requests[i].period_usec;
			bytes += MINUTE_USEC / e->requests[i].period_usec *
				 e->requests[i].wire_bytes;
		}
	/* An hourly request alone is no 0. */
	if (requests > 0 && requests < 1)
		fprintf(to, "\nTogether %.2g requests, %.2g bytes a minute\n", requests, bytes);
	else
		fprintf(to, "\nTogether %s requests, %s bytes a minute\n",
			text_number(llround(requests), requests_text),
			text_number(llround(bytes), bytes_text));
}

static void print_statistics(FILE *to, const struct device_record *d)
{
	char number[TEXT_NUMBER_MAX];

	if (d->n_statistics == 0)
		return;
	fputs("Since fieldwayd started: ", to);
	for (size_t i = 0; i < d->n_statistics; i++) {
		fprintf(to, "%s%s ", i > 0 ? ", " : "",
			text_number(d->statistics[i].count, number));
		text_print(to, d->statistics[i].name);
	}
	fputc('\n', to);
}

static void print_head(FILE *to, const struct device_record *d, const struct explanation *e)
{
	print_field(to, "Device", d->name);
	print_field(to, "Profile", d->profile);
	print_field(to, "Bus", d->bus);
	print_field(to, "Line", e ? e->line : "");
	print_field(to, "State", d->enabled ? d->state : "disabled");
	print_field(to, "Reason", device_record_reason(d));
}

/* 0 (once) as it is, on demand as null. */
static json_t *period_document(uint64_t usec)
{
	return usec == UINT64_MAX ? json_null() : document_u64(usec);
}

json_t *explanation_document(const struct explanation *e)
{
	json_t *array = json_array();

	for (size_t i = 0; i < e->n; i++)
		document_add(&array,
			     json_pack("{s:s, s:o, s:I, s:o}", "text", e->requests[i].text,
				       "period_usec", period_document(e->requests[i].period_usec),
				       "wire_bytes", (json_int_t)e->requests[i].wire_bytes,
				       "wire_usec", document_u64(e->requests[i].wire_usec)));
	return array;
}

int explain_print(FILE *to, const struct device_record *d, const struct explanation *e)
{
	int r = 0;

	print_head(to, d, e);
	for (size_t i = 0; e && i < e->n && r >= 0;)
		r = print_period(to, e, i, &i);
	/* Of a local device there are none. */
	if (r >= 0 && e && e->n > 0)
		print_total(to, e);
	if (r >= 0)
		print_statistics(to, d);
	return r;
}

/* ---- the command ---- */

/* One of them that cannot be asked takes no time of the line either. */
static int add_device(struct client *c, const struct device_record *d, struct line_load *load)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_explanation_ struct explanation e = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	if (sd_bus_path_encode(AGENT1_DEVICE_PATH, d->name, &path) < 0)
		return -ENOMEM;
	if (client_try(c, path, AGENT1_DEVICE, "Explain", &error, &reply, "") < 0)
		return 0;
	r = explanation_read(reply, &e);
	return r < 0 ? r : line_load_add(load, &e);
}

/* Whoever lies on the same line; not asked for where nobody can say how long requests take. */
static int add_line(struct client *c, const struct device_record *d, const struct explanation *e,
		    struct line_load *load)
{
	_cleanup_inventory_ struct inventory i = { 0 };
	bool known = false;
	int r;

	for (size_t k = 0; k < e->n; k++)
		known |= e->requests[k].wire_usec > 0;
	if (!known)
		return line_load_add(load, e);
	r = inventory_fetch(c, &i);
	for (size_t k = 0; k < i.n_devices && r >= 0; k++)
		if (streq(i.devices[k].bus, d->bus) && i.devices[k].enabled)
			r = add_device(c, &i.devices[k], load);
	return r;
}

static int print_line(struct client *c, const struct device_record *d, const struct explanation *e,
		      const struct profile_value *values, size_t n)
{
	struct line_load load = { .line = e->line };
	int r = add_line(c, d, e, &load);

	if (r >= 0)
		line_load_print(stdout, &load, e, values, n);
	line_load_done(&load);
	return r;
}

/* Only a host that runs has measured anything. */
static int print_measured(struct client *c, const char *path)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct measured_request *requests;
	size_t n;
	int r;

	if (client_try(c, path, AGENT1_DEVICE, "GetStatistics", &error, &reply, "") < 0)
		return 0;
	r = measured_read(reply, &arena, &requests, &n);
	return r < 0 ? r : measured_print(stdout, requests, n);
}

/* e NULL: the host could not be asked; what the files say is known all the same. */
static int print_more(struct client *c, const char *path, const struct device_record *d,
		      const struct explanation *e, bool origins)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct profile_value *values;
	size_t n;
	int r = client_call(c, path, AGENT1_DEVICE, "GetProfile", &reply, "");

	if (r < 0)
		return r;
	r = profile_values_read(reply, &arena, &values, &n);
	if (r >= 0 && e)
		r = print_line(c, d, e, values, n);
	if (r >= 0 && e)
		r = print_measured(c, path);
	if (r >= 0) {
		fputc('\n', stdout);
		r = profile_values_print(stdout, values, n, origins);
	}
	return r < 0 ? client_misunderstood(r) : 0;
}

/* A device whose host cannot be asked still has a state, and a reason for it. */
static int explain(struct client *c, const char *path, const struct device_record *d, bool origins)
{
	_cleanup_explanation_ struct explanation e = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	int asked = client_call(c, path, AGENT1_DEVICE, "Explain", &reply, "");
	int r = asked < 0 ? 0 : explanation_read(reply, &e);

	if (r >= 0)
		r = explain_print(stdout, d, asked < 0 ? NULL : &e);
	if (r < 0)
		return client_misunderstood(r);
	r = print_more(c, path, d, asked < 0 ? NULL : &e, origins);
	return r < 0 ? r : asked;
}

/* ---- the same as a document ---- */

/* Statistics that a host which does not run has not: null. */
static json_t *measured_of(struct client *c, const char *path)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct measured_request *requests;
	size_t n;

	if (client_try(c, path, AGENT1_DEVICE, "GetStatistics", &error, &reply, "") < 0 ||
	    measured_read(reply, &arena, &requests, &n) < 0)
		return json_null();
	return measured_document(requests, n);
}

static int explain_json(struct client *c, const char *path, const struct device_record *d)
{
	_cleanup_message_ sd_bus_message *explained = NULL, *profile = NULL;
	_cleanup_explanation_ struct explanation e = { 0 };
	_cleanup_arena_ struct arena arena = { 0 };
	struct profile_value *values;
	size_t n;
	int asked = client_call(c, path, AGENT1_DEVICE, "Explain", &explained, ""),
	    r = asked < 0 ? 0 : explanation_read(explained, &e);

	if (r < 0)
		return client_misunderstood(r);
	r = client_call(c, path, AGENT1_DEVICE, "GetProfile", &profile, "");
	if (r < 0)
		return r;
	r = profile_values_read(profile, &arena, &values, &n);
	if (r < 0)
		return client_misunderstood(r);
	r = document_print(json_pack("{s:o, s:s?, s:o, s:o, s:o}", "device",
				     device_record_document(d), "line", document_text(e.line),
				     "requests",
				     asked < 0 ? json_null() : explanation_document(&e), "measured",
				     measured_of(c, path), "profile",
				     profile_values_document(values, n)));
	return r < 0 ? r : asked;
}

static int explain_device(struct client *c, const char *name, const struct invocation *i)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	_cleanup_free_ char *path = NULL;
	struct device_record d;
	int r = find_device(c, name, &path);

	if (r < 0)
		return r;
	c->about = name;
	r = client_properties(c, path, AGENT1_DEVICE, &reply);
	if (r < 0)
		return r;
	r = device_record_read(reply, &arena, &d);
	if (r < 0)
		return client_misunderstood(r);
	return i->json ? explain_json(c, path, &d) :
			 explain(c, path, &d, option_find(i, "origin") != NULL);
}

static int run(const struct invocation *i)
{
	const char *name = i->arguments[0];
	_cleanup_client_ struct client c = { 0 };
	int r;

	if (!find_name("device", name))
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : explain_device(&c, name, i));
}

static const struct command_option options[] = {
	{ "origin", NULL, "every value of the merged profile with its file and line" },
	{ 0 },
};

const struct command command_explain = {
	.name = "explain",
	.arguments = "DEVICE",
	.help = "prints how a device is read, how it is, and why",
	.details = "DEVICE is a name of 'fieldwayctl list devices'. Bytes are those of request\n"
		   "and answer on the wire. What is read once or on demand does not count in the\n"
		   "total. Then whether the line that it shares has the time for all of its\n"
		   "devices, what was measured, and its points as all files together have them.\n",
	.least = 1,
	.most = 1,
	.bus = true,
	.options = options,
	.completes = "device",
	.run = run,
};
