/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "ctl/value/target.h"
#include "ctl/value/value.h"
#include "dbus/agent1.h"

/* Ends when this many values have come; 0: never. */
struct watching {
	struct client client;
	bool json;
	uint64_t left;
	int error; /* it ends, 1: all is told */
};

/* "2026-11-25 21:04:05", or "-" where nobody knows. */
#define TIME_MAX sizeof("2147483647-12-31 23:59:59")
static const char *format_time(uint64_t usec, char ret[TIME_MAX])
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm tm;

	if (usec == 0 || !localtime_r(&seconds, &tm) ||
	    strftime(ret, TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strcpy(ret, "-");
	return ret;
}

static json_t *document_of(const char *path, const struct value_lines *lines, const char *problem,
			   uint64_t usec)
{
	return json_pack("{s:s, s:o, s:s?, s:o}", "path", path, "values",
			 value_lines_document(lines), "problem", document_text(problem),
			 "time_usec", usec ? document_u64(usec) : json_null());
}

static int print_lines(const char *path, const struct value_lines *lines, const char *problem,
		       uint64_t usec)
{
	char when[TIME_MAX], text[PATH_TEXT_MAX];

	for (size_t k = 0; k < lines->n; k++) {
		printf("%s  ", format_time(usec, when));
		text_print(stdout, lines->tree ? path_format(&lines->items[k].path, text) : path);
		fputs("  ", stdout);
		text_print(stdout, lines->items[k].text);
		if (*problem) {
			fputs("  (", stdout);
			text_print(stdout, problem);
			fputc(')', stdout);
		}
		fputc('\n', stdout);
	}
	return fflush(stdout) < 0 ? -EIO : 0;
}

static int print_value(sd_bus_message *m, bool json)
{
	_cleanup_value_lines_ struct value_lines lines = { 0 };
	const char *text, *problem;
	struct path path;
	uint64_t usec;
	int r = sd_bus_message_read(m, "s", &text);

	if (r <= 0 || path_parse(text, strlen(text), &path) < 0)
		return -EBADMSG;
	r = value_lines_read(m, &path, &lines);
	if (r >= 0 && sd_bus_message_read(m, "st", &problem, &usec) <= 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	return json ? document_print_line(document_of(text, &lines, problem, usec)) :
		      print_lines(text, &lines, problem, usec);
}

static int on_value(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watching *w = userdata;
	int r;

	(void)error;
	if (w->error)
		return 0;
	r = print_value(m, w->json);
	if (r < 0)
		w->error = client_misunderstood(r);
	else if (w->left > 0 && --w->left == 0)
		w->error = 1;
	return 0;
}

/* Also when another one has its name at once: that one knows nothing of what is watched. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watching *w = userdata;

	(void)m;
	(void)error;
	if (w->error)
		return 0;
	fputs("fieldwayctl: fieldwayd has ended\n", stderr);
	w->error = -EHOSTDOWN;
	return 0;
}

static int match(struct watching *w)
{
	int r = sd_bus_match_signal(w->client.bus, NULL, AGENT1_NAME, NULL, AGENT1_ENDPOINT,
				    "ValueChanged", on_value, w);

	if (r >= 0)
		r = sd_bus_add_match(
			w->client.bus, NULL,
			"type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
			"member='NameOwnerChanged',arg0='" AGENT1_NAME "'",
			on_owner, w);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int watch_paths(struct watching *w, const char *endpoint, const struct invocation *i)
{
	_cleanup_free_ char *object = NULL;
	int r = find_endpoint(&w->client, endpoint, &object);

	for (int k = 1; r >= 0 && k < i->n; k++) {
		_cleanup_message_ sd_bus_message *reply = NULL;

		w->client.about = i->arguments[k];
		r = client_call(&w->client, object, AGENT1_ENDPOINT, "Watch", &reply, "s",
				i->arguments[k]);
	}
	return r;
}

static int loop(struct watching *w)
{
	int r = 0;

	while (r >= 0 && w->error == 0) {
		r = sd_bus_process(w->client.bus, NULL);
		if (r == 0)
			r = sd_bus_wait(w->client.bus, UINT64_MAX);
	}
	if (w->error != 0)
		return w->error < 0 ? w->error : 0;
	fprintf(stderr, "fieldwayctl: the bus has ended: %s\n", strerror(-r));
	return -EHOSTDOWN;
}

static int take_count(const struct invocation *i, uint64_t *ret)
{
	const char *text = option_find(i, "count");

	*ret = 0;
	if (!text || (parse_u64(text, ret) >= 0 && *ret > 0))
		return 0;
	fputs("fieldwayctl watch: --count takes a number from 1 on\n", stderr);
	return -EINVAL;
}

/* Each is a path by itself. */
static int check_paths(const struct invocation *i)
{
	int r = EXIT_SUCCESS;

	for (int k = 1; r == EXIT_SUCCESS && k < i->n; k++) {
		_cleanup_target_ struct target target = { 0 };
		char *pair[] = { i->arguments[0], i->arguments[k] };

		r = target_take(&(struct invocation){ .arguments = pair, .n = 2 }, &target);
	}
	return r;
}

static int run(const struct invocation *i)
{
	struct watching w = { .json = i->json };
	int r = check_paths(i);

	if (r != EXIT_SUCCESS || take_count(i, &w.left) < 0)
		return EXIT_USAGE;
	r = client_open(i->bus, &w.client);
	if (r < 0)
		return exit_status(r);
	r = match(&w);
	if (r >= 0)
		r = watch_paths(&w, i->arguments[0], i);
	if (r >= 0)
		r = loop(&w);
	client_done(&w.client);
	return exit_status(r);
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "EP PATH...",
	.help = "prints values as they change, until Ctrl-C",
	.details =
		"EP and PATH as for read; first comes all that is there. Each line has the time of\n"
		"the sample, the path and the value; where that is not good, what is wrong stands\n"
		"behind it. No device is asked.\n",
	.least = 2,
	.most = 64,
	.bus = true,
	.options =
		(const struct command_option[]){
			{ "count", "N", "ends behind so many" },
			{ 0 },
		},
	.completes = "endpoint path*",
	.run = run,
};
