/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output/colour.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

static const struct {
	const char *name;
	enum colour colour;
} states[] = {
	{ "registered", COLOUR_GOOD },	{ "online", COLOUR_GOOD },	 { "accepted", COLOUR_GOOD },
	{ "ok", COLOUR_GOOD },		{ "waiting", COLOUR_WAITING },	 { "registering", COLOUR_WAITING },
	{ "queued", COLOUR_WAITING },	{ "bootstrapping", COLOUR_WAITING },
	{ "unread", COLOUR_WAITING },	{ "unknown", COLOUR_WAITING },	 { "disabled", COLOUR_WAITING },
	{ "paused", COLOUR_WAITING },	{ "warning", COLOUR_WAITING },	 { "deregistering", COLOUR_WAITING },
	{ "offline", COLOUR_BAD },	{ "failed", COLOUR_BAD },	 { "no-server", COLOUR_BAD },
	{ "last-good", COLOUR_BAD },	{ "error", COLOUR_BAD },
};

bool colour_is_on(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && !(term && streq(term, "dumb")) && isatty(fileno(to));
}

/* ECMA-48, 8.3.117 (SGR). */
void colour_begin(FILE *to, enum colour colour)
{
	static const char *const begin[] = {
		[COLOUR_NONE] = "",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_WAITING] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
	};

	if (colour != COLOUR_NONE && colour_is_on(to))
		fputs(begin[colour], to);
}

void colour_end(FILE *to, enum colour colour)
{
	if (colour != COLOUR_NONE && colour_is_on(to))
		fputs("\033[0m", to);
}

enum colour colour_of_state(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (streq(states[i].name, state))
			return states[i].colour;
	return COLOUR_NONE;
}
