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

static int check(const struct target *target, const char *value)
{
	const char *why = target->path.depth < PATH_RESOURCE ?
				  "write takes a resource: /OBJECT/INSTANCE/RESOURCE" :
			  !utf8_is_valid(value, strlen(value)) ? "VALUE is no UTF-8 text" :
								 NULL;

	if (!why)
		return EXIT_SUCCESS;
	fprintf(stderr, "fieldwayctl: %s: %s\n", target->path_text, why);
	return EXIT_USAGE;
}

static int write_value(const struct invocation *i, const struct target *target)
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
	r = client_call(&c, path, AGENT1_ENDPOINT, "Write", &reply, "sv", target->path_text, "s",
			i->arguments[2]);
	if (r < 0 || !i->json)
		return r;
	return document_print(json_pack("{s:s, s:s, s:s}", "endpoint", target->endpoint, "path",
					target->path_text, "written", i->arguments[2]));
}

static int run(const struct invocation *i)
{
	_cleanup_target_ struct target target = { 0 };
	int r = target_take(i, &target);

	if (r == EXIT_SUCCESS)
		r = check(&target, i->arguments[2]);
	return r == EXIT_SUCCESS ? exit_status(write_value(i, &target)) : r;
}

const struct command command_write = {
	.name = "write",
	.arguments = "EP PATH VALUE",
	.help = "writes a resource, and waits until the device has confirmed it",
	.details = "EP as for read. PATH is /OBJECT/INSTANCE/RESOURCE, or one instance of a\n"
		   "resource. VALUE is what read prints: 21.5, 1 or 0 for booleans, seconds\n"
		   "since 1970, base64, 3:0, text as it is. Negative numbers are written as they\n"
		   "are; a text that begins with '-' needs \"--\" before it.\n"
		   "\n"
		   "Prints nothing when it is done. Needs root or the group " AGENT1_GROUP ".\n",
	.least = 3,
	.most = 3,
	.bus = true,
	.completes = "endpoint path",
	.run = run,
};
