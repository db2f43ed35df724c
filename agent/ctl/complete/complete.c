/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complete/candidates.h"

/* What was typed before the word that is to be completed. */
struct typed {
	const struct command *command;
	const struct command_option *waiting; /* its value is what is typed */
	bool bus_waits;			      /* likewise */
	const char *first;		      /* argument */
	int arguments;
	struct completion completion;
};

/* ---- what stands before ---- */

static const struct command_option *find_option(const struct command *c, const char *word,
						size_t size)
{
	for (const struct command_option *o = c->options; o && o->name; o++)
		if (strlen(o->name) == size && strncmp(o->name, word, size) == 0)
			return o;
	return NULL;
}

static void take_value(struct typed *t, const char *name, size_t size, const char *value)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{ "bus", offsetof(struct completion, bus) },
		{ "config", offsetof(struct completion, config) },
		{ "shared", offsetof(struct completion, shared) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == size && strncmp(known[i].name, name, size) == 0)
			*(const char **)((char *)&t->completion + known[i].offset) = value;
}

/* An option of a device's address has a value, too. */
static void take_option(struct typed *t, const char *word)
{
	static const struct command_option any = { .name = "", .value = "VALUE" };
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t size = strcspn(name, "=");
	const struct command_option *o = find_option(t->command, name, size);
	bool common = streq(word, "--json") || streq(word, "--help") || streq(word, "-h");

	if (name[size] == '=')
		take_value(t, name, size, name + size + 1);
	else if (t->command->bus && streq(name, "bus"))
		t->bus_waits = true;
	else if (o)
		t->waiting = o->value ? o : NULL;
	else if (t->command->address && !common)
		t->waiting = &any;
}

static void take_word(struct typed *t, const char *word)
{
	if (t->bus_waits) {
		t->completion.bus = word;
		t->bus_waits = false;
	} else if (t->waiting) {
		take_value(t, t->waiting->name, strlen(t->waiting->name), word);
		t->waiting = NULL;
	} else if (*word == '-' && word[1]) {
		take_option(t, word);
	} else {
		t->first = t->first ?: word;
		t->arguments++;
	}
}

/* ---- what may come ---- */

static void add_option(struct candidates *to, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s", name[1] ? "--" : "-", name);
	candidates_add(to, text);
}

static void add_options(const struct command *c, struct candidates *to)
{
	for (const struct command_option *o = c->options; o && o->name; o++)
		add_option(to, o->name);
	if (c->bus)
		add_option(to, "bus");
	add_option(to, "json");
	add_option(to, "help");
}

static void add_words(struct candidates *to, const char *words, size_t size)
{
	_cleanup_free_ char *copy = strndup(words, size);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		candidates_add(to, word);
}

/* "endpoint path", "=create,export server*", "bus file": the kind of the argument at this place. */
static const char *kind_of(const char *kinds, int place, size_t *ret_size)
{
	const char *at = kinds;
	size_t size = 0;

	while (at && *at) {
		size = strcspn(at, " ");
		if (place-- == 0 || at[size - 1] == '*')
			break;
		at += size + (at[size] == ' ');
	}
	if (!at || !*at)
		return NULL;
	*ret_size = at[size - 1] == '*' ? size - 1 : size;
	return at;
}

static void add_kind(struct typed *t, const char *kind, size_t size)
{
	_cleanup_free_ char *name = strndup(kind, size);

	t->completion.first = t->first;
	if (*kind == '=')
		add_words(t->completion.to, kind + 1, size - 1);
	else if (name && streq(name, "file"))
		puts(":file");
	else if (name)
		completion_find(&t->completion, name);
}

static void add_arguments(struct typed *t)
{
	size_t size;
	const char *kind = kind_of(t->command->completes, t->arguments, &size);

	if (kind)
		add_kind(t, kind, size);
}

/* By what the value is called. */
static void add_values(struct typed *t)
{
	static const char *const files[] = { "FILE", "DIR", "LINK" };
	const char *value = t->waiting->value;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (streq(files[i], value)) {
			puts(":file");
			return;
		}
	if (streq(value, "BUS"))
		completion_find(&t->completion, "bus");
	else if (streq(t->waiting->name, "profile"))
		completion_find(&t->completion, "profile");
	else if (streq(t->waiting->name, "template"))
		add_words(t->completion.to, "leshan,csv", strlen("leshan,csv"));
}

static void complete_of(struct typed *t, const char *typed)
{
	if (t->bus_waits)
		add_words(t->completion.to, "system,session", strlen("system,session"));
	else if (t->waiting)
		add_values(t);
	else if (*typed == '-')
		add_options(t->command, t->completion.to);
	else
		add_arguments(t);
}

static const struct command *find_command(const struct command *const *commands, size_t n,
					  const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void add_commands(const struct command *const *commands, size_t n, struct candidates *to)
{
	for (size_t i = 0; i < n; i++)
		candidates_add(to, commands[i]->name);
	candidates_add(to, "help");
	candidates_add(to, "--help");
	candidates_add(to, "--version");
}

int complete_words(const struct command *const *commands, size_t n, int argc, char **words)
{
	struct candidates to = { .typed = argc > 0 ? words[argc - 1] : "" };
	struct typed t = { .completion = { .bus = "system",
					   .config = SYSCONFDIR "/fieldway",
					   .shared = PKGDATADIR,
					   .to = &to } };

	/* Lines about a daemon that does not run would stand in somebody's command line. */
	if (!freopen("/dev/null", "w", stderr))
		return EXIT_FAILURE;
	t.command = argc > 1 ? find_command(commands, n, words[0]) : NULL;
	if (argc <= 1 || (argc == 2 && streq(words[0], "help")))
		add_commands(commands, n, &to);
	for (int i = 1; t.command && i + 1 < argc; i++)
		take_word(&t, words[i]);
	if (t.command)
		complete_of(&t, to.typed);
	candidates_print(&to);
	candidates_done(&to);
	return output_finish();
}
