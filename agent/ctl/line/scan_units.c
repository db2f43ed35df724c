/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/line/numbers.h"
#include "ctl/line/scan.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

/* A gateway's word (exception 11) for a unit that is silent; dbus/field.c. */
static const char behind_gateway[] = "no answer behind the gateway";
/*
 * A plugin's, its host's and the daemon's words for a request that --within left
 * no time for: nothing is known of that unit.
 */
static const char *const no_time[] = { "before it could be sent", "before the deadline",
				       "its plugin host did not answer in time" };

static const char *const identification[] = { "vendor_name", "product_code", "product_name",
					      "model_name", "revision" };

struct units {
	struct client *client;
	const char *path;
	const struct invocation *invocation;
	const struct unit_scan *scan;
	struct given_option address[GIVEN_OPTIONS_MAX + 1];
	char unit[sizeof("4294967295")];
	struct progress progress;
	uint32_t address_unit, found, unsent;
	json_t *document; /* array of them */
	sd_bus_error last; /* of a unit that could not be reached */
};

static struct attempt attempt_of(struct units *u)
{
	return (struct attempt){
		.path = u->path,
		.address = u->address,
		.n_address = u->invocation->n_address + 1,
		.within_usec = u->scan->within_usec,
	};
}

/* What a unit that answers says of itself, behind its value; many have nothing to say. */
static void each_identification(struct units *u,
				void (*tell)(void *userdata, const char *name, const char *text),
				void *userdata)
{
	struct attempt_point points[ARRAY_SIZE(identification)];
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	const struct attempt attempt = attempt_of(u);
	struct reading *readings;
	const char *text;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		points[i] = (struct attempt_point){
			.name = identification[i],
			.settings = { { "area", "identification" },
				      { "object", identification[i] } },
			.n = 2,
		};
	if (attempt_points(u->client, &attempt, points, ARRAY_SIZE(points), &error, &reply) < 0 ||
	    readings_read(reply, &arena, &readings, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		text = reading_text(&arena, &readings[i].value);
		if (text && *text)
			tell(userdata, readings[i].name, text);
	}
}

static void print_identification(void *userdata, const char *name, const char *text)
{
	(void)userdata;
	(void)name;
	fputs("  ", stdout);
	text_print(stdout, text);
}

static void add_identification(void *userdata, const char *name, const char *text)
{
	json_t **object = userdata;

	if (*object && json_object_set_new(*object, name, document_any_text(text)) < 0) {
		json_decref(*object);
		*object = NULL;
	}
}

static int add_unit(struct units *u, const struct reading *reading)
{
	json_t *facts = json_object();

	each_identification(u, add_identification, &facts);
	document_add(&u->document,
		     json_pack("{s:I, s:o, s:s?, s:o}", "unit", (json_int_t)u->address_unit, "value",
			       document_value(&reading->value), "problem",
			       document_text(reading->problem), "identification", facts));
	u->found++;
	return u->document ? 0 : -ENOMEM;
}

static int print_unit(struct units *u, const struct reading *reading)
{
	_cleanup_arena_ struct arena arena = { 0 };
	const char *text = reading_text(&arena, &reading->value);

	if (!text)
		return -ENOMEM;
	progress_clear(&u->progress);
	printf("unit %-3s  ", u->unit);
	text_print(stdout, u->scan->area);
	putchar(' ');
	text_print(stdout, u->scan->address);
	fputs(*reading->problem ? ": " : " = ", stdout);
	text_print(stdout, *reading->problem ? reading->problem : text);
	each_identification(u, print_identification, NULL);
	putchar('\n');
	fflush(stdout);
	u->found++;
	return 0;
}

static int take_answer(struct units *u, sd_bus_message *reply)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct reading *readings;
	size_t n;
	int r = readings_read(reply, &arena, &readings, &n);

	if (r < 0 || n == 0 || streq(readings->problem, behind_gateway))
		return r;
	return u->invocation->json ? add_unit(u, readings) : print_unit(u, readings);
}

static bool is_unsent(const sd_bus_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_time); i++)
		if (error->message && strstr(error->message, no_time[i]))
			return true;
	return false;
}

/* A unit that does not answer, or at which connections break, is none; the rest ends the scan. */
static int take_error(struct units *u, sd_bus_error *error)
{
	if (sd_bus_error_has_name(error, AGENT1_ERROR_NO_ANSWER)) {
		u->unsent += is_unsent(error);
		return 0;
	}
	if (sd_bus_error_has_name(error, AGENT1_ERROR_FAILED) ||
	    sd_bus_error_has_name(error, AGENT1_ERROR_OFFLINE)) {
		sd_bus_error_free(&u->last);
		sd_bus_error_move(&u->last, error);
		return 0;
	}
	return client_complain(u->client, error);
}

static int ask_unit(struct units *u)
{
	const struct attempt_point point = {
		.name = "value",
		.settings = { { "area", u->scan->area }, { "address", u->scan->address } },
		.n = 2,
	};
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	const struct attempt attempt = attempt_of(u);
	int r = attempt_points(u->client, &attempt, &point, 1, &error, &reply);

	if (r < 0) {
		progress_clear(&u->progress);
		return take_error(u, &error);
	}
	r = take_answer(u, reply);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int ask_all(struct units *u)
{
	int r = 0;

	for (uint32_t unit = u->scan->first; unit <= u->scan->last && r >= 0; unit++) {
		progress_print(&u->progress, "unit %" PRIu32 " of %" PRIu32 ", %" PRIu32 " found",
			       unit, u->scan->last, u->found);
		u->address_unit = unit;
		sprintf(u->unit, "%" PRIu32, unit);
		r = ask_unit(u);
	}
	progress_clear(&u->progress);
	return r;
}

/* Nothing answers, and not for want of devices. */
static int explain_nothing(struct units *u)
{
	if (u->found > 0 || !sd_bus_error_is_set(&u->last))
		return 0;
	return client_complain(u->client, &u->last);
}

static uint32_t asked(const struct units *u)
{
	return u->scan->last - u->scan->first + 1 - u->unsent;
}

static int end_document(struct units *u, int r)
{
	sd_bus_error_free(&u->last);
	if (r >= 0)
		return document_print(json_pack("{s:o, s:I}", "units", u->document, "asked",
						(json_int_t)asked(u)));
	json_decref(u->document);
	return r;
}

static void print_end(const struct units *u)
{
	fprintf(stderr, "%" PRIu32 " of %" PRIu32 " units answer\n", u->found, asked(u));
	if (u->unsent > 0)
		fprintf(stderr, "%" PRIu32 " more could not be asked in time: --within is too short\n",
			u->unsent);
}

int scan_units(struct client *c, const char *path, const struct invocation *i,
	       const struct unit_scan *scan)
{
	struct units u = { .client = c, .path = path, .invocation = i, .scan = scan };
	int r;

	if (i->json)
		u.document = json_array();
	memcpy(u.address, i->address, i->n_address * sizeof(*u.address));
	u.address[i->n_address] = (struct given_option){ "unit", u.unit };
	r = ask_all(&u);
	if (r >= 0)
		r = explain_nothing(&u);
	if (i->json)
		return end_document(&u, r);
	if (r >= 0)
		print_end(&u);
	sd_bus_error_free(&u.last);
	return r;
}
