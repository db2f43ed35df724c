/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

#define WORDS_MAX 16u
#define WARNING " (warning)"
extern char **environ;

const char *config_folder(const struct invocation *i)
{
	return option_find(i, "config") ?: SYSCONFDIR "/fieldway";
}

/* ---- running it ---- */

static char *word(struct arena *arena, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + sizeof("--=");
	char *text = arena_new(arena, size);

	if (text)
		snprintf(text, size, "--%s=%s", name, value);
	return text;
}

static int collect_words(const struct invocation *i, const char *folder, struct arena *arena,
			 char **words)
{
	static const char *const handed_on[] = { "shared", "objects", "plugins", "host-program", "state" };
	const char *program = option_find(i, "daemon") ?: SBINDIR "/fieldwayd", *value;
	size_t n = 0;

	words[n++] = arena_text(arena, program, strlen(program));
	for (size_t k = 0; k < ARRAY_SIZE(handed_on); k++) {
		value = option_find(i, handed_on[k]);
		if (value)
			words[n++] = word(arena, handed_on[k], value);
	}
	words[n++] = word(arena, "check", folder);
	for (size_t k = 0; k < n; k++)
		if (!words[k])
			return -ENOMEM;
	words[n] = NULL;
	return 0;
}

static int start(char **words, int output, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r > 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int read_all(int fd, struct buf *to)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (buf_append(to, part, (size_t)n) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Of what died of a signal, or could not read the folder at all, too: it has not accepted it. */
static int wait_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}

static int run(char **words, struct buf *lines)
{
	int pipes[2], r, ended;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	r = start(words, pipes[1], &pid);
	close(pipes[1]);
	if (r >= 0) {
		r = read_all(pipes[0], lines);
		ended = wait_end(pid);
		r = r < 0 ? r : ended;
	}
	close(pipes[0]);
	return r;
}

int checker_run(const struct invocation *i, const char *folder, struct buf *ret_lines)
{
	struct buf lines = { .limit = CHECKER_BYTES_MAX };
	_cleanup_arena_ struct arena arena = { 0 };
	char *words[WORDS_MAX];
	int r = collect_words(i, folder, &arena, words);

	if (r >= 0)
		r = run(words, &lines);
	if (r < 0 && r != -EINVAL) {
		fputs("fieldwayctl: ", stderr);
		text_print(stderr, words[0] ?: "fieldwayd");
		fprintf(stderr, ": %s\n", strerror(-r));
		buf_done(&lines);
		/* Not a name that the user asked about: no "no such thing" for scripts. */
		return r == -ENOENT ? -ENOEXEC : r;
	}
	*ret_lines = lines;
	return r;
}

/* ---- what it said ---- */

int checker_rename(struct buf *lines, const char *from, const char *to)
{
	struct buf named = { 0 };
	const char *at = (const char *)lines->data, *end, *found;
	int r = 0;

	if (lines->size == 0)
		return 0;
	end = at + lines->size;
	while (r >= 0 && at < end) {
		found = memmem(at, (size_t)(end - at), from, strlen(from));
		r = buf_append(&named, at, (size_t)((found ?: end) - at));
		if (r >= 0 && found)
			r = buf_append_text(&named, to);
		at = found ? found + strlen(from) : end;
	}
	if (r < 0) {
		buf_done(&named);
		return r;
	}
	buf_done(lines);
	*lines = named;
	return 0;
}

static void each_line(const struct buf *lines, void (*f)(void *userdata, char *line),
		      void *userdata)
{
	for (size_t at = 0, end; at < lines->size; at = end + 1) {
		_cleanup_free_ char *line = NULL;

		for (end = at; end < lines->size && lines->data[end] != '\n'; end++)
			;
		line = strndup((const char *)lines->data + at, end - at);
		if (line)
			f(userdata, line);
	}
}

static void print_line(void *userdata, char *line)
{
	(void)userdata;
	text_print(stderr, line);
	fputc('\n', stderr);
}

void checker_print(const struct buf *lines)
{
	each_line(lines, print_line, NULL);
}

/* A number and its colon at *p, which goes behind them. */
static bool take_number(char **p, uint64_t *ret)
{
	char *colon = strchr(*p, ':');

	if (!colon || colon == *p)
		return false;
	*colon = '\0';
	if (parse_u64(*p, ret) < 0) {
		*colon = ':';
		return false;
	}
	*p = colon + 1;
	return true;
}

/* "FILE:LINE:COLUMN: TEXT", or with less of it in front; file NULL: only text. */
static char *split(char *line, char **ret_file, uint64_t *ret_line, uint64_t *ret_column)
{
	for (char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
		char *at = colon + 1;

		if (!take_number(&at, ret_line))
			continue;
		if (!take_number(&at, ret_column))
			*ret_column = 0;
		*colon = '\0';
		*ret_file = line;
		return *at == ' ' ? at + 1 : at;
	}
	*ret_file = NULL;
	*ret_line = *ret_column = 0;
	return line;
}

static void add_line(void *userdata, char *line)
{
	size_t n = strlen(line), suffix = strlen(WARNING);
	bool warning = n > suffix && streq(line + n - suffix, WARNING);
	uint64_t row, column;
	char *file, *text;

	if (warning)
		line[n - suffix] = '\0';
	text = split(line, &file, &row, &column);
	document_add(userdata, json_pack("{s:o, s:o, s:o, s:o, s:b}", "file",
					 file ? document_any_text(file) : json_null(), "line",
					 document_u64(row), "column", document_u64(column), "text",
					 document_any_text(text), "warning", warning));
}

json_t *checker_document(const struct buf *lines)
{
	json_t *array = json_array();

	each_line(lines, add_line, &array);
	return array;
}
