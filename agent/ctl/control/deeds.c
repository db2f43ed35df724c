/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "dbus/agent1.h"

/* What endpoints, devices and buses are told by a word. */

static const struct thing {
	const char *name, *interface;
	int (*find)(struct client *c, const char *name, char **ret_path);
} things[] = {
	{ "endpoint", AGENT1_ENDPOINT, find_endpoint },
	{ "device", AGENT1_DEVICE, find_device },
	{ "bus", AGENT1_BUS, find_bus },
};

/* The method for each of these; NULL: not of this one. The initial one is what a name alone means. */
static const struct deed {
	const char *command;
	size_t initial;
	const char *methods[ARRAY_SIZE(things)];
} deeds[] = {
	{ "update", 0, { "Update", NULL, NULL } },
	{ "disable", 0, { "Disable", NULL, "Disable" } },
	{ "enable", 0, { "Enable", NULL, "Enable" } },
	{ "restart", 0, { "Restart", NULL, "Restart" } },
	{ "pause", 1, { "Disable", "Pause", "Pause" } },
	{ "resume", 1, { "Enable", "Resume", "Resume" } },
};

static const struct deed *deed_find(const char *command)
{
	const struct deed *deed = deeds;

	while (!streq(deed->command, command))
		deed++;
	return deed;
}

static int complain(const struct deed *deed)
{
	const char *separator = "";

	fprintf(stderr, "fieldwayctl: %s NAME, or %s ", deed->command, deed->command);
	for (size_t k = 0; k < ARRAY_SIZE(things); k++)
		if (deed->methods[k]) {
			fprintf(stderr, "%s%s", separator, things[k].name);
			separator = "|";
		}
	fputs(" NAME\n", stderr);
	return EXIT_USAGE;
}

/* EXIT_SUCCESS, or EXIT_USAGE after a line on standard error. */
static int take(const struct invocation *i, const struct deed *deed, size_t *ret_thing)
{
	*ret_thing = deed->initial;
	if (i->n == 1)
		return find_name(things[deed->initial].name, i->arguments[0]) ? EXIT_SUCCESS :
										EXIT_USAGE;
	for (size_t k = 0; k < ARRAY_SIZE(things); k++) {
		if (!deed->methods[k] || !streq(i->arguments[0], things[k].name))
			continue;
		*ret_thing = k;
		return find_name(things[k].name, i->arguments[1]) ? EXIT_SUCCESS : EXIT_USAGE;
	}
	return complain(deed);
}

static int tell(const struct invocation *i, const struct deed *deed, size_t thing)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *name = i->arguments[i->n - 1], *server = option_find(i, "server");
	int r = client_open(i->bus, &c);

	if (r >= 0)
		r = things[thing].find(&c, name, &path);
	if (r < 0)
		return r;
	c.about = name;
	c.privileged = true;
	if (server)
		r = client_call(&c, path, AGENT1_ENDPOINT, "UpdateAt", &reply, "s", server);
	else
		r = client_call(&c, path, things[thing].interface, deed->methods[thing], &reply, "");
	if (r < 0 || !i->json)
		return r;
	return document_print(
		json_pack("{s:s, s:s}", things[thing].name, name, "done", deed->command));
}

static int run(const struct invocation *i, const char *command)
{
	const struct deed *deed = deed_find(command);
	size_t thing;
	int r = take(i, deed, &thing);

	return r == EXIT_SUCCESS ? exit_status(tell(i, deed, thing)) : r;
}

#define RIGHTS "Needs root or the group " AGENT1_GROUP ".\n"

static int run_update(const struct invocation *i)
{
	return run(i, "update");
}

static const struct command_option update_options[] = {
	{ "server", "NAME", "at this one only, as servers[] calls it" },
	{ 0 },
};

const struct command command_update = {
	.name = "update",
	.arguments = "EP",
	.help = "has an endpoint update its registration now, and waits for the server's answer",
	.details = "At all of its servers. Says why when one refuses it or does not answer.\n" RIGHTS,
	.options = update_options,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "endpoint",
	.run = run_update,
};

static int run_disable(const struct invocation *i)
{
	return run(i, "disable");
}

const struct command command_disable = {
	.name = "disable",
	.arguments = "[endpoint|bus] NAME",
	.help = "has an endpoint de-register, or a bus close, until 'enable'",
	.details =
		"It stays so over restarts, and 'fieldwayctl status' says so at its top. A name\n"
		"alone is that of an endpoint, which is paused then (see 'pause'); its devices are\n"
		"polled all the same.\n"
		"\n" RIGHTS,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "endpoint",
	.run = run_disable,
};

static int run_enable(const struct invocation *i)
{
	return run(i, "enable");
}

const struct command command_enable = {
	.name = "enable",
	.arguments = "[endpoint|bus] NAME",
	.help = "ends 'disable' and 'pause': an endpoint registers, a bus opens",
	.details = RIGHTS,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "endpoint",
	.run = run_enable,
};

static int run_restart(const struct invocation *i)
{
	return run(i, "restart");
}

const struct command command_restart = {
	.name = "restart",
	.arguments = "[endpoint|bus] NAME",
	.help = "has an endpoint register anew, or a bus begin with a new plugin host",
	.details = "At once, whatever it waits for. A name alone is that of an endpoint.\n" RIGHTS,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "endpoint",
	.run = run_restart,
};

static int run_pause(const struct invocation *i)
{
	return run(i, "pause");
}

const struct command command_pause = {
	.name = "pause",
	.arguments = "[device|bus|endpoint] NAME",
	.help = "leaves a device, a bus or an endpoint alone, until 'resume'",
	.details =
		"A device is neither polled nor written, and that is no trouble; a bus closes its\n"
		"port or connections, with all its devices; an endpoint stays away from its\n"
		"server. It stays so over restarts, and 'fieldwayctl status' says so at its top. A\n"
		"name alone is that of a device.\n"
		"\n" RIGHTS,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "device",
	.run = run_pause,
};

static int run_resume(const struct invocation *i)
{
	return run(i, "resume");
}

const struct command command_resume = {
	.name = "resume",
	.arguments = "[device|bus|endpoint] NAME",
	.help = "ends 'pause'",
	.details = RIGHTS,
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "device",
	.run = run_resume,
};
