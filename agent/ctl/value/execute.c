/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "ctl/value/target.h"
#include "dbus/agent1.h"

static const char *check(const struct target *target, const char *arguments)
{
	return target->path.depth != PATH_RESOURCE ?
		       "execute takes a resource: /OBJECT/INSTANCE/RESOURCE" :
	       !utf8_is_valid(arguments, strlen(arguments)) ? "ARGUMENTS are no UTF-8 text" :
							      NULL;
}

static int execute(const struct invocation *i, const struct target *target, const char *arguments)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = client_open(i->bus, &c);

	if (r < 0)
		return r;
	c.about = target->about;
	r = find_endpoint(&c, target->endpoint, &path);
	if (r < 0)
		return r;
	c.write = true;
	r = client_call(&c, path, AGENT1_ENDPOINT, "Execute", &reply, "ss", target->path_text,
			arguments);
	if (r < 0 || !i->json)
		return r;
	return document_print(json_pack("{s:s, s:s, s:s?}", "endpoint", target->endpoint, "path",
					target->path_text, "executed", document_text(arguments)));
}

static int run(const struct invocation *i)
{
	const char *arguments = i->n > 2 ? i->arguments[2] : "", *why;
	_cleanup_target_ struct target target = { 0 };
	int r = target_take(i, &target);

	if (r != EXIT_SUCCESS)
		return r;
	why = check(&target, arguments);
	if (!why)
		return exit_status(execute(i, &target, arguments));
	fprintf(stderr, "fieldwayctl: %s: %s\n", target.path_text, why);
	return EXIT_USAGE;
}

const struct command command_execute = {
	.name = "execute",
	.arguments = "EP PATH [ARGUMENTS]",
	.help = "executes a resource, and waits until the device has confirmed it",
	.details = "EP as for read. ARGUMENTS are as in LwM2M: 0, or 0='text',1.\n"
		   "\n"
		   "Prints nothing when it is done. Needs root or the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 3,
	.bus = true,
	.completes = "endpoint path",
	.run = run,
};
