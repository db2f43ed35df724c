/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"
#include "model/path.h"

#define PATHS_MAX 64 /* Endpoint.Send's */
/* Longer than the daemon asks a server that does not answer (93 s). */
#define DEADLINE_USEC UINT64_C(100000000)

static int check_path(const char *text)
{
	struct path path;

	if (*text && path_parse(text, strlen(text), &path) >= 0)
		return EXIT_SUCCESS;
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, text);
	fputs(": no path: /OBJECT, /OBJECT/INSTANCE, /OBJECT/INSTANCE/RESOURCE or deeper\n", stderr);
	return EXIT_USAGE;
}

static int append_paths(sd_bus_message *call, const struct invocation *i)
{
	int r = sd_bus_message_open_container(call, 'a', "s");

	for (int k = 1; r >= 0 && k < i->n; k++)
		r = sd_bus_message_append(call, "s", i->arguments[k]);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int print(const struct invocation *i, uint32_t values, uint32_t left_out)
{
	json_t *paths;

	if (i->json) {
		paths = json_array();
		for (int k = 1; k < i->n; k++)
			document_add(&paths, json_string(i->arguments[k]));
		return document_print(json_pack("{s:s, s:o, s:I, s:I}", "endpoint", i->arguments[0], "paths", paths,
						"values", (json_int_t)values, "left_out", (json_int_t)left_out));
	}
	printf("%" PRIu32 " value%s sent", values, values == 1 ? "" : "s");
	if (left_out > 0)
		printf(", %" PRIu32 " left out: they are not good", left_out);
	putchar('\n');
	return 0;
}

static int send_values(const struct invocation *i)
{
	_cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *path = NULL;
	const char *server = option_find(i, "server");
	uint32_t values, left_out;
	int r = client_open(i->bus, &c);

	if (r >= 0)
		r = find_endpoint(&c, i->arguments[0], &path);
	if (r < 0)
		return r;
	c.about = i->arguments[0];
	c.privileged = true;
	r = client_call_new(&c, path, AGENT1_ENDPOINT, server ? "SendTo" : "Send", &call);
	if (r < 0)
		return r;
	r = server ? sd_bus_message_append(call, "s", server) : 0;
	if (r >= 0)
		r = append_paths(call, i);
	if (r < 0)
		return client_misunderstood(r);
	r = client_call_send(&c, call, DEADLINE_USEC, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "uu", &values, &left_out);
	return r < 0 ? client_misunderstood(r) : print(i, values, left_out);
}

static int run(const struct invocation *i)
{
	int r = find_name("endpoint", i->arguments[0]) ? EXIT_SUCCESS : EXIT_USAGE;

	for (int k = 1; r == EXIT_SUCCESS && k < i->n; k++)
		r = check_path(i->arguments[k]);
	return r == EXIT_SUCCESS ? exit_status(send_values(i)) : r;
}

static const struct command_option send_options[] = {
	{ "server", "NAME", "to this one only, as servers[] calls it" },
	{ 0 },
};

const struct command command_send = {
	.name = "send",
	.arguments = "EP PATH...",
	.help = "sends values to the server without it asking, and waits for its answer",
	.details = "LwM2M Send, of what is at or below the paths: what the daemon has; no device is\n"
		   "asked. Resources without a good value are left out. The server has to want it:\n"
		   "it, or 'fieldwayctl write EP /1/0/23 0', lets it through. Of several servers\n"
		   "all that want it get it.\n"
		   "\n"
		   "Needs root or the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 1 + PATHS_MAX,
	.bus = true,
	.completes = "endpoint path*",
	.options = send_options,
	.run = run,
};
