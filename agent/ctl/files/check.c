/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/output/text.h"

#define WORDS_MAX (GIVEN_OPTIONS_MAX + 4)

/* "--shared=DIR" and the like are handed on. */
static int add_options(const struct invocation *i, struct arena *arena, char **words, size_t *n)
{
	char *word;
	size_t size;

	for (size_t k = 0; k < i->n_options; k++) {
		const struct given_option *o = &i->options[k];

		if (streq(o->name, "daemon"))
			continue;
		size = strlen(o->name) + strlen(o->value) + sizeof("--=");
		word = arena_new(arena, size);
		if (!word)
			return -ENOMEM;
		snprintf(word, size, "--%s=%s", o->name, o->value);
		words[(*n)++] = word;
	}
	return 0;
}

/* fieldwayd itself says what is wrong: one program reads the files. */
static int run(const struct invocation *i)
{
	const char *program = option_find(i, "daemon") ?: SBINDIR "/fieldwayd";
	_cleanup_arena_ struct arena arena = { 0 };
	char *words[WORDS_MAX] = { arena_text(&arena, program, strlen(program)) };
	size_t n = 1;

	if (add_options(i, &arena, words, &n) < 0 || !words[0]) {
		fputs("fieldwayctl: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	words[n++] = (char[]){ "--check" };
	if (i->n > 0)
		words[n++] = i->arguments[0];
	execv(program, words);
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, program);
	fprintf(stderr, ": %s\n", strerror(errno));
	return EXIT_FAILURE;
}

static const struct command_option options[] = {
	{ "daemon", "FILE", "the program that checks (" SBINDIR "/fieldwayd)" },
	{ "shared", "DIR", "folder of shipped profiles" },
	{ "objects", "DIR", "folder of shipped object definitions" },
	{ "plugins", "DIR", "folder of plugins" },
	{ "host-program", "FILE", "program that loads plugins" },
	{ 0 },
};

const struct command command_check = {
	.name = "check",
	.arguments = "[DIR]",
	.help = "reads a configuration and prints what is wrong with it, as fieldwayd --check",
	.details = "DIR is " SYSCONFDIR
		   "/fieldway unless it is said. What is wrong is said as\n"
		   "file:line:column: text; the exit status is fieldwayd's.\n",
	.most = 1,
	.options = options,
	.run = run,
};
