/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ctl/ctl.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "ctl/value/target.h"
#include "ctl/value/value.h"
#include "dbus/agent1.h"

static int print(const struct target *target, const struct value_lines *lines, bool json)
{
	int r = json ? document_print(json_pack("{s:s, s:o}", "endpoint", target->endpoint, "values",
						value_lines_document(lines))) :
		       value_lines_print(stdout, lines);

	if (r >= 0 && !json && lines->n == 0) {
		text_print(stderr, target->about);
		fputs(": nothing in it has a good value now\n", stderr);
	}
	return r;
}

static int read_path(struct client *c, const struct target *target, const char *object, bool json)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_value_lines_ struct value_lines lines = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = client_try(c, object, AGENT1_ENDPOINT, "Read", &error, &reply, "s", target->path_text);

	if (r < 0) {
		r = client_complain(c, &error);
		/* Nothing was asked of the device: its silence is a value that is missing. */
		return sd_bus_error_has_name(&error, AGENT1_ERROR_OFFLINE) ? -ENOENT : r;
	}
	r = value_lines_read(reply, &target->path, &lines);
	if (r >= 0)
		r = print(target, &lines, json);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int run(const struct invocation *i)
{
	return target_ask(i, read_path);
}

const struct command command_read = {
	.name = "read",
	.arguments = "EP PATH",
	.help = "prints the values that fieldwayd has of an endpoint; no device is asked",
	.details =
		"EP is a name of 'fieldwayctl list': host, a device or endpoint of the\n"
		"configuration, or an endpoint client name. PATH is /OBJECT, /OBJECT/INSTANCE\n"
		"and so on; / is everything.\n"
		"\n"
		"A single value comes bare, on one line; several come with their paths.\n"
		"Booleans are 1 and 0, times seconds since 1970 (date -d @SECONDS), bytes\n"
		"base64, object links 3:0. Control characters in texts come as \\n, \\t, \\r or\n"
		"\\xHH, a backslash as \\\\.\n"
		"\n"
		"What has no good value (never read, stale, device silent) is left out of\n"
		"several values; alone it is an error that says why.\n",
	.least = 2,
	.most = 2,
	.bus = true,
	.completes = "endpoint path",
	.run = run,
};
