/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/output/text.h"

#define ANSWER_MAX 512u

static int refuse(const struct question *q, const char *answer, const char *why)
{
	fprintf(stderr, "fieldwayctl: --%s: ", q->option);
	text_print(stderr, answer);
	fprintf(stderr, "%s%s\n", *answer ? ": " : "", why);
	return -EDOM;
}

static const char *what_is_wrong(const struct question *q, const char *answer)
{
	if (!*answer)
		return "there must be an answer";
	if (!utf8_is_valid(answer, strlen(answer)))
		return "no UTF-8 text";
	return q->wrong ? q->wrong(answer) : NULL;
}

/* A line without its end and the blanks around it. */
static char *read_line(char line[ANSWER_MAX])
{
	char *begin;
	size_t n;

	if (!fgets(line, ANSWER_MAX, stdin))
		return NULL;
	begin = line + strspn(line, " \t");
	for (n = strlen(begin); n > 0 && strchr(" \t\r\n", begin[n - 1]); n--)
		begin[n - 1] = '\0';
	return begin;
}

static int ask(const struct question *q, struct arena *arena, const char **ret)
{
	char line[ANSWER_MAX];
	const char *answer, *wrong;

	for (;;) {
		fprintf(stderr, q->initial ? "%s [%s]: " : "%s: ", q->text, q->initial);
		answer = read_line(line);
		if (!answer)
			return fputc('\n', stderr), -ECANCELED;
		if (!*answer && q->initial)
			answer = q->initial;
		wrong = what_is_wrong(q, answer);
		if (!wrong)
			break;
		fprintf(stderr, "  %s\n", wrong);
	}
	*ret = arena_text(arena, answer, strlen(answer));
	return *ret ? 0 : -ENOMEM;
}

int question_ask(const struct invocation *i, const struct question *q, struct arena *arena,
		 const char **ret)
{
	const char *given = option_find(i, q->option), *wrong;

	if (!given && isatty(STDIN_FILENO))
		return ask(q, arena, ret);
	given = given ?: q->initial;
	if (!given)
		return refuse(q, "", "is missing, and nobody is there to be asked");
	wrong = what_is_wrong(q, given);
	if (wrong)
		return refuse(q, given, wrong);
	*ret = given;
	return 0;
}
