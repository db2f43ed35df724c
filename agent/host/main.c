/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "host/host.h"
#include "host/setup/describe.h"

#define EXIT_USAGE 2

static void print_help(FILE *to)
{
	fputs("Usage: fieldway-plugin-host --fd N [--plugins DIR]\n"
	      "       fieldway-plugin-host --describe PLUGIN [--plugins DIR]\n\n"
	      "Started by fieldwayd to run protocol plugins; it ends with its socket.\n\n"
	      "  --fd N             the connected socket to the daemon\n"
	      "  --plugins DIR      folder of the plugins (" PLUGINDIR ")\n"
	      "  --describe PLUGIN  prints the keys that a plugin knows\n"
	      "  --help, --version\n\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
	      to);
}

static int describe(const char *folder, const char *name)
{
	const struct fieldway_plugin *plugin;
	struct loader *loader;
	char text[256] = "";
	int r;

	r = loader_new(folder, &loader);
	if (r < 0) {
		fprintf(stderr, "fieldway-plugin-host: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	r = loader_get(loader, name, &plugin, text, sizeof(text));
	if (r >= 0)
		describe_print(stdout, plugin);
	else
		fprintf(stderr, "fieldway-plugin-host: %s\n", *text ? text : strerror(-r));
	loader_free(loader);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Whatever a plugin executes gains nothing by set-uid files. A host whose main
 * thread is in a plugin does not see its socket close: then the parent's death
 * ends it. Process 1 starts services: they have one user, and each its devices'
 * keys, so none reads the memory of another, nor is there a core of it.
 */
static void confine(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getppid() > 1)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else if (!ADDRESS_SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * The daemon raises its limit for its sessions, and a host inherits that.
 * Libraries that wait with select() write beyond their sets, or abort, at a
 * descriptor of FD_SETSIZE: no more than that may come into being here.
 */
static void limit_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= FD_SETSIZE)
		return;
	limit.rlim_cur = FD_SETSIZE;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const char *folder, const char *fd_text)
{
	struct host_options options = { .plugins = folder };
	uint64_t fd;

	if (parse_u64(fd_text, &fd) < 0 || fd > INT_MAX) {
		fprintf(stderr, "fieldway-plugin-host: '%s' is no descriptor\n", fd_text);
		return EXIT_USAGE;
	}
	options.fd = (int)fd;
	/* Nor may what a plugin executes inherit the link. */
	if (fcntl(options.fd, F_SETFD, FD_CLOEXEC) < 0) {
		fprintf(stderr, "fieldway-plugin-host: descriptor %d: %s\n", options.fd,
			strerror(errno));
		return EXIT_FAILURE;
	}
	confine();
	limit_descriptors();
	return host_run(&options);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "plugins", required_argument, NULL, 'p' },
		{ "describe", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL },
	};
	const char *folder = PLUGINDIR, *fd = NULL, *plugin = NULL;
	int c;

	log_set_name("fieldway-plugin-host");
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 'f':
			fd = optarg;
			break;
		case 'p':
			folder = optarg;
			break;
		case 'd':
			plugin = optarg;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("fieldway-plugin-host " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (!fd == !plugin)) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return plugin ? describe(folder, plugin) : run(folder, fd);
}
