/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/complaint.h"
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

/* `fieldwayctl reload`, `fieldwayctl confirm`. */

/* A plugin may take half a minute to judge its buses, and there may be several. */
#define RELOAD_DEADLINE_USEC UINT64_C(300000000)
#define CONFIRM_USEC_MAX UINT64_C(86400000000)

/* As `fieldwayd --check` prints them: what is wrong, a line each. */
static void print_lines(const char *text)
{
	_cleanup_free_ char *lines = strdup(text);
	char *rest = lines;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		text_print(stderr, line);
		fputc('\n', stderr);
	}
	fputs("fieldwayctl reload: nothing has changed\n", stderr);
}

/* As `fieldwayd --check` prints them, too. */
static int print_warnings(const struct manager_record *m, struct arena *arena)
{
	for (size_t i = 0; i < m->n_warnings; i++) {
		const char *text = place_record_text(arena, &m->warnings[i]);

		if (!text)
			return -ENOMEM;
		text_print(stderr, text);
		fputs(" (warning)\n", stderr);
	}
	return 0;
}

/* Also what came of it: what stands in the files and does not reach all that it is about, say. */
static int print_done(const struct invocation *i, struct client *c, uint64_t confirm_usec)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct manager_record manager;
	char text[FORMAT_USEC_MAX];
	int r;

	/* It runs by now, whatever may be told of it. */
	if (confirm_usec > 0 && !i->json)
		printf("Without 'fieldwayctl confirm' within %s the former configuration runs again.\n",
		       format_usec(confirm_usec, text));
	r = client_properties(c, AGENT1_PATH, AGENT1_MANAGER, &reply);
	if (r < 0)
		return r;
	r = manager_record_read(reply, &arena, &manager);
	if (r < 0)
		return client_misunderstood(r);
	if (i->json)
		return document_print(json_pack("{s:o, s:o, s:o}", "reloaded", json_true(), "confirm_usec",
						confirm_usec > 0 ? document_u64(confirm_usec) : json_null(), "warnings",
						place_records_document(manager.warnings, manager.n_warnings)));
	return print_warnings(&manager, &arena);
}

static int reload(const struct invocation *i, uint64_t confirm_usec)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	int r = client_open(i->bus, &c);

	if (r < 0)
		return r;
	c.about = "reload";
	c.privileged = true;
	c.deadline_usec = RELOAD_DEADLINE_USEC;
	r = client_try(&c, AGENT1_PATH, AGENT1_MANAGER, "Reload", &error, &reply, "t", confirm_usec);
	if (r >= 0)
		return print_done(i, &c, confirm_usec);
	if (!error.name || !streq(error.name, AGENT1_ERROR_CONFIGURATION))
		return client_complain(&c, &error);
	print_lines(error.message);
	return -EIO;
}

static int run_reload(const struct invocation *i)
{
	const char *text = option_find(i, "confirm");
	uint64_t confirm_usec = 0;

	if (text && (parse_usec(text, &confirm_usec) < 0 || confirm_usec == 0 ||
		     confirm_usec > CONFIRM_USEC_MAX)) {
		fputs("fieldwayctl reload: --confirm takes a duration such as 5m, a day at most\n", stderr);
		return EXIT_USAGE;
	}
	return exit_status(reload(i, confirm_usec));
}

static int confirm(const struct invocation *i)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	int r = client_open(i->bus, &c);

	if (r < 0)
		return r;
	c.about = "confirm";
	c.privileged = true;
	r = client_call(&c, AGENT1_PATH, AGENT1_MANAGER, "Confirm", &reply, "");
	if (r < 0 || !i->json)
		return r;
	return document_print(json_pack("{s:o}", "confirmed", json_true()));
}

static int run_confirm(const struct invocation *i)
{
	return exit_status(confirm(i));
}

static const struct command_option reload_options[] = {
	{ "confirm", "DURATION", "take it back unless 'fieldwayctl confirm' comes in time" },
	{ 0 },
};

const struct command command_reload = {
	.name = "reload",
	.arguments = "",
	.help = "reads the configuration again, and goes over to it",
	.details =
		"What has not changed goes on: registrations, observations, sessions, polls. Prints\n"
		"what is wrong with the files, which then change nothing, else the same warnings as\n"
		"'fieldwayctl check': also what of `servers:` does not reach endpoints any more.\n"
		"Needs root or the group " AGENT1_GROUP ".\n"
		"\n"
		"With --confirm the former configuration runs again when nobody confirms in time,\n"
		"and after a restart: for changes that may cut off who makes them.\n",
	.least = 0,
	.most = 0,
	.bus = true,
	.options = reload_options,
	.run = run_reload,
};

const struct command command_confirm = {
	.name = "confirm",
	.arguments = "",
	.help = "keeps what 'fieldwayctl reload --confirm' has brought",
	.details = "Needs root or the group " AGENT1_GROUP ".\n",
	.least = 0,
	.most = 0,
	.bus = true,
	.run = run_confirm,
};
