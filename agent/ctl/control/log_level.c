/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "dbus/agent1.h"

#define OTHERS "others" /* those that have no level of their own */

/* What the daemon says, in its order. */
struct levels {
	struct table table;
	json_t *object;
};

static void levels_done(struct levels *l)
{
	table_done(&l->table);
	json_decref(l->object);
}

static int take_level(sd_bus_message *m, void *userdata)
{
	struct levels *l = userdata;
	const char *module, *level;
	int r = sd_bus_message_read(m, "ss", &module, &level);

	if (r <= 0)
		return record_error(r);
	module = *module ? module : OTHERS;
	if (json_object_set_new(l->object, module, json_string(level)) < 0)
		return -ENOMEM;
	return table_add(&l->table, (const char *[]){ module, level });
}

static int show(struct client *c, bool json)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_(levels_done) struct levels l = { .table = { .columns = 2 },
						   .object = json_object() };
	int r = client_call(c, AGENT1_PATH, "org.freedesktop.DBus.Properties", "Get", &reply, "ss",
			    AGENT1_MANAGER, "LogLevels");

	if (r < 0)
		return r;
	r = l.object ? sd_bus_message_enter_container(reply, 'v', "a{ss}") : -ENOMEM;
	r = r > 0 ? record_entries_read(reply, "{ss}", take_level, &l) : record_error(r);
	if (r < 0)
		return client_misunderstood(r);
	if (json)
		return document_print(json_pack("{s:O}", "levels", l.object));
	table_print(stdout, &l.table, &(struct table_frame){ 0 });
	return 0;
}

/* One argument is a level, of two the first is a module. */
static int set(struct client *c, const struct invocation *i)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *module = i->n == 2 ? i->arguments[0] : OTHERS, *level = i->arguments[i->n - 1];
	int r;

	c->about = module;
	c->privileged = true;
	r = client_call(c, AGENT1_PATH, AGENT1_MANAGER, "SetLogLevel", &reply, "ss",
			streq(module, OTHERS) ? "" : module, streq(level, OTHERS) ? "" : level);
	if (r < 0 || !i->json)
		return r;
	return document_print(json_pack("{s:s, s:s}", "module", module, "level", level));
}

/* D-Bus carries nothing else. */
static bool is_text(const struct invocation *i)
{
	for (int k = 0; k < i->n; k++)
		if (!utf8_is_valid(i->arguments[k], strlen(i->arguments[k]))) {
			fputs("fieldwayctl log-level: neither a module nor a level\n", stderr);
			return false;
		}
	return true;
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	int r;

	if (!is_text(i))
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	if (r < 0)
		return exit_status(r);
	return exit_status(i->n == 0 ? show(&c, i->json) : set(&c, i));
}

const struct command command_log_level = {
	.name = "log-level",
	.arguments = "[[MODULE] LEVEL]",
	.help = "prints what fieldwayd logs, or changes it until it ends",
	.details =
		"LEVEL is debug, info, notice, warning or error, of one module or of all that have\n"
		"none of their own, which are called '" OTHERS "'; 'MODULE " OTHERS
		"' takes its own away.\n"
		"Changing it needs root or the group " AGENT1_GROUP ".\n",
	.least = 0,
	.most = 2,
	.bus = true,
	.run = run,
};
