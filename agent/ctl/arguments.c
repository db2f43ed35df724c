/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/text.h"

static const char bus_option[] = "--bus";
static const char bus_help[] =
	"\n"
	"  --bus=BUS  where fieldwayd is: system (the default), session, or an address\n"
	"             such as unix:path=/run/bus\n"
	"  --help     print this and end\n";

static void print_usage(FILE *to, const struct command *c)
{
	fprintf(to, "Usage: fieldwayctl %s%s%s%s\n", c->name, *c->arguments ? " " : "",
		c->arguments, c->bus ? " [--bus=BUS]" : "");
}

void command_print_help(FILE *to, const struct command *c)
{
	print_usage(to, c);
	fprintf(to, "%c%s.\n", toupper((unsigned char)*c->help), c->help + 1);
	if (c->details)
		fprintf(to, "\n%s", c->details);
	if (c->bus)
		fputs(bus_help, to);
	fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", to);
}

static int refuse(const struct command *c, const char *argument, const char *why)
{
	fprintf(stderr, "fieldwayctl %s: ", c->name);
	text_print(stderr, argument ?: "");
	fprintf(stderr, "%s%s\nTry 'fieldwayctl %s --help'.\n", argument ? ": " : "", why, c->name);
	return -EINVAL;
}

/* "-5" and "-.5" are values to write, "-" is a text. */
static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] && text[1] != '.' && !isdigit((unsigned char)text[1]);
}

/* Addresses begin with their transport (D-Bus specification, "Server Addresses"). */
static bool is_bus(const char *text)
{
	return streq(text, "system") || streq(text, "session") || strchr(text, ':');
}

/* Takes the option at *i, and moves *i to its last word. */
static int take_option(const struct command *c, int argc, char **argv, int *i,
		       struct invocation *ret)
{
	const size_t size = sizeof(bus_option) - 1;
	const char *text = argv[*i];

	if (streq(text, "--help") || streq(text, "-h")) {
		command_print_help(stdout, c);
		return -ECANCELED;
	}
	if (c->bus && has_prefix(text, bus_option) && (text[size] == '=' || !text[size])) {
		ret->bus = text[size] ? text + size + 1 : ++*i < argc ? argv[*i] : "";
		return is_bus(ret->bus) ? 0 :
					  refuse(c, bus_option, "system, session, or an address");
	}
	return refuse(c, text, "no such option");
}

static int check_number(const struct command *c, const struct invocation *i)
{
	if (i->n < c->least) {
		print_usage(stderr, c);
		fprintf(stderr, "Try 'fieldwayctl %s --help'.\n", c->name);
		return -EINVAL;
	}
	return i->n > c->most ? refuse(c, i->arguments[c->most], "one argument too many") : 0;
}

int arguments_take(const struct command *c, int argc, char **argv, struct invocation *ret)
{
	struct invocation taken = { .bus = "system", .arguments = argv };
	bool options = true;
	int r;

	for (int i = 0; i < argc; i++) {
		if (options && streq(argv[i], "--")) {
			options = false;
		} else if (!options || !is_option(argv[i])) {
			argv[taken.n++] = argv[i];
		} else {
			r = take_option(c, argc, argv, &i, &taken);
			if (r < 0)
				return r;
		}
	}
	r = check_number(c, &taken);
	if (r < 0)
		return r;
	*ret = taken;
	return 0;
}

int output_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "fieldwayctl: standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}
