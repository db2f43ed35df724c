/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/reading.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

static int ask(struct client *c, const struct invocation *i, const char *path, sd_bus_message **ret)
{
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = client_call_new(c, path, AGENT1_DEVICE, "Read", &call);

	if (r < 0)
		return r;
	r = sd_bus_message_open_container(call, 'a', "s");
	for (int k = 1; r >= 0 && k < i->n; k++)
		r = sd_bus_message_append(call, "s", i->arguments[k]);
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	/* Behind whatever the line is doing. */
	return r < 0 ? client_misunderstood(r) :
		       client_call_send(c, call, FIELDBUS_READ_USEC + CLIENT_DEADLINE_USEC, ret);
}

/* One point alone, for scripts; false when it has no value. */
static bool print_one(const struct reading *reading, struct arena *arena)
{
	const char *text = reading_text(arena, &reading->value);

	if (*reading->problem || !text) {
		fprintf(stderr, "fieldwayctl: ");
		text_print(stderr, reading->name);
		fprintf(stderr, ": %s\n", text ? reading->problem : "out of memory");
		return false;
	}
	text_print(stdout, text);
	putchar('\n');
	return true;
}

static int print(const struct invocation *i, sd_bus_message *reply)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct reading *readings;
	size_t n;
	int r = readings_read(reply, &arena, &readings, &n);

	if (r < 0)
		return client_misunderstood(r);
	if (i->json)
		return document_print(json_pack("{s:s, s:o}", "device", i->arguments[0], "points",
						readings_document(readings, n)));
	if (i->n == 2 && n == 1)
		return print_one(readings, &arena) ? 0 : -EIO;
	r = readings_print(stdout, readings, n);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int poll_device(struct client *c, const struct invocation *i)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *path = NULL;
	int r = find_device(c, i->arguments[0], &path);

	if (r < 0)
		return r;
	c->about = i->arguments[0];
	c->privileged = true;
	r = ask(c, i, path, &reply);
	return r < 0 ? r : print(i, reply);
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	int r;

	for (int k = 0; k < i->n; k++)
		if (!find_name(k == 0 ? "device" : "point", i->arguments[k]))
			return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : poll_device(&c, i));
}

const struct command command_poll = {
	.name = "poll",
	.arguments = "DEVICE [POINT...]",
	.help = "reads points of a device now, ahead of its polls",
	.details =
		"DEVICE is a name of 'fieldwayctl list devices', POINT one of its profile; without\n"
		"any all that can be read. Values are in the points' units; the endpoints get\n"
		"them too. One point comes bare, on one line. Needs root or the group\n" AGENT1_GROUP
		".\n",
	.least = 1,
	.most = 1000,
	.bus = true,
	.completes = "device point*",
	.run = run,
};
