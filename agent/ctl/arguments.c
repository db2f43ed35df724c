/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/output/text.h"

static const char bus_option[] = "--bus";
static const char bus_help[] =
	"  --bus=BUS  where fieldwayd is: system (the default), session, or an address\n"
	"             such as unix:path=/run/bus\n";
static const char common_help[] =
	"  --json     print JSON instead of text\n"
	"  --help     print this and end\n";
static const char address_help[] =
	"\n"
	"Other options are settings of the device's address, as in devices.d: --unit 5,\n"
	"--host 10.0.1.7, --mac A4:C1:38:00:11:01.\n";

static void print_usage(FILE *to, const struct command *c)
{
	fprintf(to, "Usage: fieldwayctl %s%s%s%s%s%s\n", c->name, *c->arguments ? " " : "",
		c->arguments, c->address ? " [--KEY VALUE]..." : "",
		c->options ? " [OPTION]..." : "", c->bus ? " [--json] [--bus=BUS]" : " [--json]");
}

static const char *dashes(const char *name)
{
	return name[1] ? "--" : "-";
}

static void print_options(FILE *to, const struct command *c)
{
	int width = 0, n;

	for (const struct command_option *o = c->options; o->name; o++) {
		n = snprintf(NULL, 0, "%s%s %s", dashes(o->name), o->name, o->value ?: "");
		width = n > width ? n : width;
	}
	fputc('\n', to);
	for (const struct command_option *o = c->options; o->name; o++) {
		n = fprintf(to, "  %s%s %s", dashes(o->name), o->name, o->value ?: "");
		fprintf(to, "%*s  %s\n", width + 2 - n, "", o->help);
	}
}

void command_print_help(FILE *to, const struct command *c)
{
	print_usage(to, c);
	fprintf(to, "%c%s.\n", toupper((unsigned char)*c->help), c->help + 1);
	if (c->details)
		fprintf(to, "\n%s", c->details);
	if (c->options)
		print_options(to, c);
	if (c->address)
		fputs(address_help, to);
	fprintf(to, "\n%s%s\n" EXIT_STATUS_TEXT, c->bus ? bus_help : "", common_help);
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

/* The option's name without dashes; *ret_value is behind its '=', or NULL. */
static const char *split(char *text, const char **ret_value)
{
	char *name = text + (text[1] == '-' ? 2 : 1), *equals = strchr(name, '=');

	if (equals)
		*equals = '\0';
	*ret_value = equals ? equals + 1 : NULL;
	return name;
}

static const struct command_option *own_option(const struct command *c, const char *name,
					       bool is_long)
{
	for (const struct command_option *o = c->options; o && o->name; o++)
		if (streq(o->name, name) && is_long == (o->name[1] != '\0'))
			return o;
	return NULL;
}

static int keep_option(const struct command *c, const struct given_option *given,
		       struct given_option *place, size_t *n)
{
	if (*n == GIVEN_OPTIONS_MAX)
		return refuse(c, given->name, "there are too many of them");
	if (!utf8_is_valid(given->name, strlen(given->name)) ||
	    !utf8_is_valid(given->value, strlen(given->value)))
		return refuse(c, given->name, "is no UTF-8 text");
	place[(*n)++] = *given;
	return 0;
}

static int take_bus(const struct command *c, const char *value, struct invocation *ret)
{
	if (!value || !is_bus(value))
		return refuse(c, bus_option, "system, session, or an address");
	ret->bus = value;
	return 0;
}

/* The value of what takes one: behind '=', or the next word. */
static const char *value_of(int argc, char **argv, int *i, const char *value)
{
	return value ? value : *i + 1 < argc && argv[*i + 1] ? argv[++*i] : NULL;
}

/* word: as it stands on the command line, less its value. */
static int take_own(const struct command *c, const struct command_option *o, const char *word,
		    struct given_option *given, struct invocation *ret)
{
	if (o->value && !given->value)
		return refuse(c, word, "its value is missing");
	if (!o->value && given->value)
		return refuse(c, word, "takes no value");
	given->value = given->value ?: "";
	return keep_option(c, given, ret->options, &ret->n_options);
}

/* Takes the option at *i, and moves *i to its last word. */
static int take_option(const struct command *c, int argc, char **argv, int *i,
		       struct invocation *ret)
{
	const bool is_long = argv[*i][1] == '-';
	const struct command_option *o;
	const char *word = argv[*i];
	struct given_option given;

	if (streq(argv[*i], "--help") || streq(argv[*i], "-h")) {
		command_print_help(stdout, c);
		return -ECANCELED;
	}
	given.name = split(argv[*i], &given.value);
	if (is_long && streq(given.name, "json"))
		return given.value ? refuse(c, word, "takes no value") : (ret->json = true, 0);
	if (c->bus && is_long && streq(given.name, bus_option + 2))
		return take_bus(c, value_of(argc, argv, i, given.value), ret);
	o = own_option(c, given.name, is_long);
	if (o) {
		given.value = o->value ? value_of(argc, argv, i, given.value) : given.value;
		return take_own(c, o, word, &given, ret);
	}
	if (!c->address || !is_long || !*given.name)
		return refuse(c, word, "no such option");
	given.value = value_of(argc, argv, i, given.value);
	if (!given.value)
		return refuse(c, word, "its value is missing");
	return keep_option(c, &given, ret->address, &ret->n_address);
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

const char *option_find(const struct invocation *i, const char *name)
{
	for (size_t k = i->n_options; k > 0; k--)
		if (streq(i->options[k - 1].name, name))
			return i->options[k - 1].value;
	return NULL;
}

int option_duration(const struct invocation *i, const char *name, uint64_t usec, uint64_t *ret)
{
	const char *text = option_find(i, name);

	if (text && (parse_usec(text, &usec) < 0 || usec == 0)) {
		fprintf(stderr, "fieldwayctl: --%s: ", name);
		text_print(stderr, text);
		fputs(": a duration, such as 500ms, 30s or 10m\n", stderr);
		return -EINVAL;
	}
	*ret = usec;
	return 0;
}

int exit_status(int r)
{
	static const struct {
		int error, status;
	} statuses[] = {
		{ -ENOENT, EXIT_ABSENT },
		{ -EHOSTDOWN, EXIT_NO_DAEMON },
		{ -EACCES, EXIT_DENIED },
		{ -EPERM, EXIT_DENIED },
		{ -EDOM, EXIT_USAGE },
	};
	int finished = output_finish();

	if (r >= 0)
		return finished;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].error == r)
			return statuses[i].status;
	return EXIT_FAILURE;
}

int output_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "fieldwayctl: standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}
