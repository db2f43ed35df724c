/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "dbus/agent1.h"

/* What servers wrote to the accounts of an endpoint. */

static int reset(const struct invocation *i, const char *name)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = client_open(i->bus, &c);

	if (r >= 0)
		r = find_endpoint(&c, name, &path);
	if (r < 0)
		return r;
	c.about = name;
	c.privileged = true;
	r = client_call(&c, path, AGENT1_ENDPOINT, "ResetAccounts", &reply, "");
	if (r < 0 || !i->json)
		return r;
	return document_print(json_pack("{s:s, s:s}", "endpoint", name, "done", "account reset"));
}

static int run_account(const struct invocation *i)
{
	if (!streq(i->arguments[0], "reset")) {
		fputs("fieldwayctl: account reset EP\n", stderr);
		return EXIT_USAGE;
	}
	return find_name("endpoint", i->arguments[1]) ? exit_status(reset(i, i->arguments[1])) : EXIT_USAGE;
}

const struct command command_account = {
	.name = "account",
	.arguments = "reset EP",
	.help = "has the accounts of an endpoint be as the configuration has them",
	.details =
		"What a bootstrap server has told the endpoint is forgotten, and so is what servers\n"
		"wrote to their settings (/1) and to access control (/2): it registers at 'servers',\n"
		"or asks the bootstrap server when it has to.\n"
		"\n"
		"Needs root or the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 2,
	.bus = true,
	.completes = "=reset endpoint",
	.run = run_account,
};
