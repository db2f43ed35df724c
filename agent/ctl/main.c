/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/str.h"
#include "ctl/complete/complete.h"
#include "ctl/ctl.h"
#include "ctl/output/text.h"

static const struct command *const commands[] = {
	&command_status, &command_list, &command_show, &command_read,
	&command_write, &command_execute, &command_watch, &command_update, &command_send,
	&command_enable, &command_disable, &command_restart, &command_account, &command_pause,
	&command_resume, &command_log_level, &command_why, &command_explain,
	&command_poll, &command_bus, &command_scan, &command_probe,
	&command_profile, &command_raw, &command_record, &command_replay,
	&command_check, &command_import_object, &command_setup, &command_new_device,
	&command_replace, &command_retire, &command_credentials, &command_diff,
	&command_objects, &command_ports, &command_doctor, &command_backup,
	&command_restore, &command_migrate, &command_reload, &command_confirm,
};

static void print_help(FILE *to)
{
	fputs("Usage: fieldwayctl COMMAND [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %s%s%s\n      %s\n", commands[i]->name,
			*commands[i]->arguments ? " " : "", commands[i]->arguments,
			commands[i]->help);
	fputs("\n'fieldwayctl COMMAND --help' says more.\n" EXIT_STATUS_TEXT, to);
}

static int complain(const char *name)
{
	const char *names[ARRAY_SIZE(commands)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = str_nearest(name, names, ARRAY_SIZE(names));
	fputs("fieldwayctl: unknown command '", stderr);
	text_print(stderr, name);
	fprintf(stderr, "'%s%s%s\n", near ? ", did you mean '" : "", near ?: "", near ? "'?" : "");
	if (*name == '-')
		fputs("Options stand behind the command.\n", stderr);
	else if (!near)
		fputs("Try 'fieldwayctl --help'.\n", stderr);
	return EXIT_USAGE;
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(name, commands[i]->name))
			return commands[i];
	return NULL;
}

static int print_help_of(const char *name)
{
	const struct command *c = command_find(name);

	if (!c)
		return complain(name);
	command_print_help(stdout, c);
	return output_finish();
}

static int run(const struct command *c, int argc, char **argv)
{
	struct invocation i;
	int r = arguments_take(c, argc, argv, &i);

	if (r < 0)
		return r == -ECANCELED ? output_finish() : EXIT_USAGE;
	return c->run(&i);
}

int main(int argc, char **argv)
{
	const struct command *c;

	log_set_name("fieldwayctl");
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (streq(argv[1], "help") && argc > 2)
		return print_help_of(argv[2]);
	if (streq(argv[1], "--help") || streq(argv[1], "help")) {
		print_help(stdout);
		return output_finish();
	}
	if (streq(argv[1], "--version")) {
		puts("fieldwayctl " PACKAGE_VERSION);
		return output_finish();
	}
	/* For shells alone: not among the commands that people are told of. */
	if (streq(argv[1], "complete"))
		return complete_words(commands, ARRAY_SIZE(commands), argc - 2, argv + 2);
	c = command_find(argv[1]);
	return c ? run(c, argc - 2, argv + 2) : complain(argv[1]);
}
