/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "host/check/check.h"
#include "host/setup/loader.h"

/* fieldway-plugin-check: loads a plugin as the host does, and holds it against api/plugin.h. Opens no device. */

#define EXIT_USAGE 2
/* Pure operations wait for nothing; all of them together are done in a second. */
#define DEADLINE_S 60
/* The child that has the plugin: what it does to its process does not reach who reports it. */
#define INSIDE "--inside"

static const char usage[] =
	"Usage: fieldway-plugin-check PLUGIN.so [--write] [SCOPE.KEY=VALUE]...\n"
	"Loads a plugin and holds it against the contract (fieldway-plugin(3)): its descriptor, symbols and keys;\n"
	"then, with these settings of one device with one point, drivers, plans and decoding, in threads too.\n"
	"SCOPE is bus, address, device (profiles' keys too) or point; --write has the point written, too.\n"
	"No device is opened.\n"
	"\n"
	"Exit status: 0 all of it holds, 1 something does not, 2 wrong usage, or settings that the plugin does not take.\n";

void check_part(const char *name)
{
	printf("%s\n", name);
}

void check_complain(struct check *c, const char *format, ...)
{
	va_list arguments;

	c->complaints++;
	fputs("  WRONG: ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static int inspect(struct check *c)
{
	if (check_symbols(c) < 0)
		check_complain(c, "it is no shared object of this machine");
	check_keys(c);
	if (check_settings(c) < 0)
		return EXIT_USAGE;
	if (check_pure(c))
		check_threads(c);
	if (c->complaints > 0)
		return EXIT_FAILURE;
	return c->refused ? EXIT_USAGE : EXIT_SUCCESS;
}

/* FOLDER/NAME.so is the plugin NAME of FOLDER. */
static int load(const char *path, struct loader **ret_loader, const struct fieldway_plugin **ret)
{
	char folder[PATH_MAX], file[PATH_MAX], text[256] = "";
	size_t n = strlen(path);
	char *name;
	int r;

	if (n < 4 || n >= sizeof(folder) || !streq(path + n - 3, ".so")) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	memcpy(folder, path, n + 1);
	memcpy(file, path, n - 3);
	file[n - 3] = '\0';
	name = basename(file);
	check_part("descriptor");
	r = loader_new(dirname(folder), ret_loader);
	if (r >= 0)
		r = loader_get(*ret_loader, name, ret, text, sizeof(text));
	if (r < 0)
		printf("  WRONG: %s\n", *text ? text : strerror(-r));
	return r;
}

static int run_inside(char *const *arguments)
{
	struct check c = { .path = arguments[0], .arguments = arguments + 1 };
	struct loader *loader = NULL;
	int r;

	setvbuf(stdout, NULL, _IONBF, 0);
	alarm(DEADLINE_S);
	r = load(c.path, &loader, &c.plugin);
	if (r >= 0)
		r = inspect(&c);
	else
		r = r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	arena_done(&c.arena);
	loader_free(loader);
	return r;
}

static int report(int status)
{
	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) == EXIT_SUCCESS)
			puts("All of it holds.");
		return WEXITSTATUS(status);
	}
	if (WTERMSIG(status) == SIGALRM)
		printf("  WRONG: it was not done after %d s\n", DEADLINE_S);
	else
		printf("  WRONG: it ended the program: %s\n", strsignal(WTERMSIG(status)));
	return EXIT_FAILURE;
}

static int run_apart(int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	int r, status;
	pid_t child;

	if (!arguments)
		return EXIT_FAILURE;
	arguments[0] = argv[0];
	arguments[1] = (char[]){ INSIDE };
	for (int i = 1; i < argc; i++)
		arguments[i + 1] = argv[i];
	r = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ);
	free(arguments);
	if (r != 0) {
		fprintf(stderr, "fieldway-plugin-check: %s\n", strerror(r));
		return EXIT_FAILURE;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILURE;
	return report(status);
}

int main(int argc, char **argv)
{
	if (argc > 2 && streq(argv[1], INSIDE))
		return run_inside(argv + 2);
	if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "--version"))) {
		fputs(argv[1][2] == 'h' ? usage : "fieldway-plugin-check " PACKAGE_VERSION "\n",
		      stdout);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || argv[1][0] == '-') {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run_apart(argc, argv);
}
