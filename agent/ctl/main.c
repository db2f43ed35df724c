/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/str.h"
#include "ctl/ctl.h"

static const struct command commands[] = {
	{ "import-object", "FILE.xml...", "turns OMA registry XML into an object file, on standard output",
	  import_object_main },
};

static void print_help(FILE *to)
{
	fputs("Usage: fieldwayctl COMMAND [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %s %s\n      %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", to);
}

int main(int argc, char **argv)
{
	const char *names[ARRAY_SIZE(commands)], *near;

	log_set_name("fieldwayctl");
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (streq(argv[1], "--help") || streq(argv[1], "help")) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (streq(argv[1], "--version")) {
		puts("fieldwayctl " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (streq(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
		names[i] = commands[i].name;
	}
	near = str_nearest(argv[1], names, ARRAY_SIZE(names));
	fprintf(stderr, "fieldwayctl: unknown command '%s'%s%s%s\n", argv[1], near ? ", did you mean '" : "",
		near ?: "", near ? "'?" : "");
	return EXIT_USAGE;
}
