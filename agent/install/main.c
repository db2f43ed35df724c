/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/str.h"
#include "install/serve.h"

#define EXIT_USAGE 2

static void print_help(FILE *to)
{
	fputs("Usage: fieldway-install --fd N [--handlers DIR] [--state DIR]\n\n"
	      "Started by systemd for fieldwayd, as root: has one package checked or installed by\n"
	      "a handler, a program that root put into a folder of its own.\n\n"
	      "  --fd N             the connected socket to the daemon\n"
	      "  --handlers DIR     folder of the handlers (" SYSCONFDIR "/fieldway/install.d)\n"
	      "  --state DIR        folder of results (" LOCALSTATEDIR "/lib/fieldway-install)\n"
	      "  --reboot PROGRAM   restarts the machine (systemctl reboot)\n"
	      "  --boot-id TEXT     what this start of the machine is called (as the kernel does)\n"
	      "  --help, --version\n\n"
	      "Exit status: 0 answered, 1 not, 2 wrong usage.\n",
	      to);
}

static int run(struct serve_options *options, const char *fd_text)
{
	uint64_t fd;

	if (parse_u64(fd_text, &fd) < 0 || fd > INT_MAX) {
		fprintf(stderr, "fieldway-install: '%s' is no descriptor\n", fd_text);
		return EXIT_USAGE;
	}
	options->fd = (int)fd;
	if (fcntl(options->fd, F_SETFD, FD_CLOEXEC) < 0) {
		fprintf(stderr, "fieldway-install: descriptor %d: %s\n", options->fd, strerror(errno));
		return EXIT_FAILURE;
	}
	/* At a shutdown what a handler has begun is brought to its end, as long as the unit's time allows. */
	signal(SIGTERM, SIG_IGN);
	umask(022);
	return serve(options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "handlers", required_argument, NULL, 'p' },
		{ "state", required_argument, NULL, 's' },
		{ "reboot", required_argument, NULL, 'r' },
		{ "boot-id", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL },
	};
	struct serve_options options = { .handlers = SYSCONFDIR "/fieldway/install.d",
					 .state = LOCALSTATEDIR "/lib/fieldway-install" };
	const char *fd = NULL;
	int c;

	log_set_name("fieldway-install");
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		switch (c) {
		case 'f':
			fd = optarg;
			break;
		case 'p':
			options.handlers = optarg;
			break;
		case 's':
			options.state = optarg;
			break;
		case 'r':
			options.reboot = optarg;
			break;
		case 'b':
			options.boot = optarg;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("fieldway-install " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc || !fd) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run(&options, fd);
}
