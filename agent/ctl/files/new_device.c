/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/config.h"
#include "ctl/files/ask.h"
#include "ctl/files/edit.h"
#include "ctl/files/scalar.h"
#include "ctl/output/text.h"

struct new_device {
	const char *name, *profile, *bus, *file;
	struct given_option address[GIVEN_OPTIONS_MAX];
	size_t n;
};

/* ---- what is asked ---- */

static const char *name_is_wrong(const char *answer)
{
	return strpbrk(answer, "/*?\"'{}[],:#&!|>%@`\\") || *answer == '-' || *answer == '.' ?
		       "a name has letters, digits, '-', '_' and '.'" :
		       NULL;
}

static const char blanks[] = " \t";

static const char *words_are_wrong(const char *answer)
{
	size_t n = 0;

	for (const char *word = answer + strspn(answer, blanks); *word; word += strspn(word, blanks)) {
		size_t size = strcspn(word, blanks);

		if (!memchr(word, '=', size) || *word == '=' || ++n > GIVEN_OPTIONS_MAX)
			return "an address is KEY=VALUE..., such as unit=1 or host=10.0.0.7 unit=1";
		word += size;
	}
	return NULL;
}

/* "unit=1 host=10.0.0.7", as asked; none of words_are_wrong(). */
static int take_words(struct new_device *d, const char *answer, struct arena *arena)
{
	char *words = arena_text(arena, answer, strlen(answer)), *word;

	if (!words)
		return -ENOMEM;
	while ((word = strsep(&words, blanks))) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = '\0';
		d->address[d->n++] = (struct given_option){ word, equals + 1 };
	}
	return 0;
}

static int take_address(const struct invocation *i, struct new_device *d, struct arena *arena)
{
	const struct question q = {
		.option = "unit, --host, --mac or the like",
		.text = "Its address on the bus (unit=1, or host=10.0.0.7 unit=1, or mac=...)",
		.wrong = words_are_wrong,
	};
	const char *answer;
	int r;

	if (i->n_address > 0) {
		memcpy(d->address, i->address, i->n_address * sizeof(*d->address));
		d->n = i->n_address;
		return 0;
	}
	r = question_ask(i, &q, arena, &answer);
	return r < 0 ? r : take_words(d, answer, arena);
}

static int check_keys(const struct new_device *d)
{
	for (size_t k = 0; k < d->n; k++) {
		if (key_is_plain(d->address[k].name))
			continue;
		fputs("fieldwayctl: --", stderr);
		text_print(stderr, d->address[k].name);
		fputs(": no key of an address\n", stderr);
		return -EDOM;
	}
	return 0;
}

static int ask(const struct invocation *i, struct new_device *d, struct arena *arena)
{
	static const struct question profile = { "profile", "Its profile (one of profiles.d, such as eastron-sdm630)",
						 NULL, name_is_wrong },
				     bus = { "on", "The bus that it is on (one of buses.d)", NULL, name_is_wrong },
				     name = { "name", "Name of the device", NULL, name_is_wrong };
	int r = 0;

	if (i->n > 0)
		d->name = i->arguments[0];
	else
		r = question_ask(i, &name, arena, &d->name);
	if (r >= 0 && i->n > 0 && (!*d->name || name_is_wrong(d->name))) {
		fprintf(stderr, "fieldwayctl: %s\n", name_is_wrong("*"));
		return -EDOM;
	}
	if (r >= 0)
		r = question_ask(i, &profile, arena, &d->profile);
	if (r >= 0)
		r = question_ask(i, &bus, arena, &d->bus);
	if (r >= 0)
		r = take_address(i, d, arena);
	return r < 0 ? r : check_keys(d);
}

/* ---- what is written ---- */

static int append_parameters(struct buf *b, const struct invocation *i)
{
	struct given_option parameters[GIVEN_OPTIONS_MAX];
	size_t n = 0;
	int r;

	for (size_t k = 0; k < i->n_options; k++) {
		char *equals = strchr(i->options[k].value, '=');

		if (!streq(i->options[k].name, "p"))
			continue;
		if (!equals || equals == i->options[k].value) {
			fputs("fieldwayctl: -p NAME=VALUE\n", stderr);
			return -EDOM;
		}
		/* argv is ours. */
		*equals = '\0';
		parameters[n++] = (struct given_option){ i->options[k].value, equals + 1 };
	}
	if (n == 0)
		return 0;
	r = buf_append_text(b, ", parameters: ");
	return r < 0 ? r : settings_append_yaml(b, parameters, n);
}

static int append_bus(struct buf *b, const struct new_device *d)
{
	int r = buf_append_text(b, ", bus: ");

	return r < 0 ? r : scalar_append(b, d->bus);
}

static int append_row(struct buf *b, const struct invocation *i, const struct new_device *d)
{
	int r = buf_append_text(b, "  - {name: ");

	if (r >= 0)
		r = scalar_append(b, d->name);
	if (r >= 0)
		r = buf_append_text(b, ", profile: ");
	if (r >= 0)
		r = scalar_append(b, d->profile);
	/* That of local devices is in no file. */
	if (r >= 0 && !streq(d->bus, config_plugin_local.name))
		r = append_bus(b, d);
	if (r >= 0)
		r = buf_append_text(b, ", address: ");
	if (r >= 0)
		r = settings_append_yaml(b, d->address, d->n);
	if (r >= 0)
		r = append_parameters(b, i);
	return r < 0 ? r : buf_append_text(b, "}\n");
}

static int write_device(const struct invocation *i, const struct new_device *d)
{
	_cleanup_edits_ struct edits e = { 0 };
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_free_ char *path = NULL;
	size_t size;
	int r = buf_append_text(&text, "schema: 1\ndevices:\n");

	if (r >= 0)
		r = append_row(&text, i, d);
	if (r < 0)
		return r;
	if (asprintf(&path, "devices.d/%s.yaml", d->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	size = text.size;
	r = edits_add(&e, path, buf_take_text(&text), size, true);
	if (r >= 0)
		r = edits_commit(&e, i);
	return r < 0 ? r : edits_tell(&e, i);
}

static int run(const struct invocation *i)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct new_device d = { 0 };
	int r = ask(i, &d, &arena);

	if (r >= 0)
		r = write_device(i, &d);
	if (r == -ENOMEM)
		fputs("fieldwayctl: out of memory\n", stderr);
	return exit_status(r);
}

static const struct command_option options[] = {
	{ "profile", "NAME", "its profile" },
	{ "on", "BUS", "the bus that it is on; local for a program of this machine" },
	{ "name", "NAME", "instead of the argument" },
	{ "p", "NAME=VALUE", "a parameter of the profile, such as -p ct=40" },
	EDIT_OPTIONS,
	CONFIG_OPTION,
	CHECKER_OPTIONS,
	{ 0 },
};

const struct command command_new_device = {
	.name = "new-device",
	.arguments = "[NAME]",
	.help = "writes a device into devices.d, checked before it is there",
	.details =
		"Asks for what is not given, where somebody is there to be asked. It goes into a file\n"
		"of its own, devices.d/NAME.yaml; what fieldwayd --check refuses is not written. A\n"
		"range of devices is written by hand: 'fieldwayctl new-device ... --print' gives a\n"
		"line to start from.\n",
	.most = 1,
	.options = options,
	.address = true,
	.run = run,
};
