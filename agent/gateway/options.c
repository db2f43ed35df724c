/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const char usage[] =
	"Usage: fieldwayd [OPTION]...\n"
	"Shows field devices to LwM2M servers as endpoints of their own.\n"
	"\n"
	"  --check[=DIR]        read the configuration, print what is wrong with it, and end\n"
	"  --last-good          with --check: of the last configuration that was accepted instead, on which\n"
	"                       a start with wrong files would run\n"
	"  --config=DIR         folder of the configuration (" SYSCONFDIR "/fieldway)\n"
	"  --state=DIR          folder of what must survive (" LOCALSTATEDIR "/lib/fieldway)\n"
	"  --shared=DIR         folder of shipped profiles (" PKGDATADIR ")\n"
	"  --objects=DIR        folder of shipped object definitions (" PKGDATADIR "/objects)\n"
	"  --plugins=DIR        folder of plugins (" PLUGINDIR ")\n"
	"  --host-socket=PATH   socket behind which systemd starts hosts, instead of running the program:\n"
	"                       only so are plugins kept from keys and state (none)\n"
	"  --host-program=FILE  program that loads plugins (" PKGLIBEXECDIR "/fieldway-plugin-host)\n"
	"  --install-socket=PATH  socket behind which systemd starts who installs firmware\n"
	"                       (/run/fieldway-install.socket)\n"
	"  --bus=BUS            system, session, none, or a D-Bus address (system)\n"
	"  --log-level=LEVEL    debug, info, notice, warning or error; MODULE=LEVEL for one\n"
	"                       module, with commas between them\n"
	"  --version            print the version and end\n"
	"  --help               print this and end\n";

enum {
	OPTION_CHECK = 1,
	OPTION_LAST_GOOD,
	OPTION_CONFIG,
	OPTION_STATE,
	OPTION_SHARED,
	OPTION_OBJECTS,
	OPTION_PLUGINS,
	OPTION_HOST_SOCKET,
	OPTION_HOST,
	OPTION_INSTALL_SOCKET,
	OPTION_BUS,
	OPTION_LOG_LEVEL,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option options[] = {
	{ "check", optional_argument, NULL, OPTION_CHECK },
	{ "last-good", no_argument, NULL, OPTION_LAST_GOOD },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "state", required_argument, NULL, OPTION_STATE },
	{ "shared", required_argument, NULL, OPTION_SHARED },
	{ "objects", required_argument, NULL, OPTION_OBJECTS },
	{ "plugins", required_argument, NULL, OPTION_PLUGINS },
	{ "host-socket", required_argument, NULL, OPTION_HOST_SOCKET },
	{ "host-program", required_argument, NULL, OPTION_HOST },
	{ "install-socket", required_argument, NULL, OPTION_INSTALL_SOCKET },
	{ "bus", required_argument, NULL, OPTION_BUS },
	{ "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static int set_log_level(const char *text)
{
	int r = log_levels_take(text);

	if (r < 0)
		fprintf(stderr, "fieldwayd: --log-level: debug, info, notice, warning or error, for all or as "
				"MODULE=LEVEL, with commas between\n");
	return r;
}

static const struct gateway_options initial = {
	.config_folder = SYSCONFDIR "/fieldway",
	.shared_folder = PKGDATADIR,
	.objects_folder = PKGDATADIR "/objects",
	.state_folder = LOCALSTATEDIR "/lib/fieldway",
	.host_program = PKGLIBEXECDIR "/fieldway-plugin-host",
	.plugin_folder = PLUGINDIR,
	.install_socket = "/run/fieldway-install.socket",
	.bus = "system",
	.stop_fd = -1,
};

/* Options that only set a text. */
static const size_t texts[] = {
	[OPTION_CONFIG] = offsetof(struct gateway_options, config_folder),
	[OPTION_STATE] = offsetof(struct gateway_options, state_folder),
	[OPTION_SHARED] = offsetof(struct gateway_options, shared_folder),
	[OPTION_OBJECTS] = offsetof(struct gateway_options, objects_folder),
	[OPTION_PLUGINS] = offsetof(struct gateway_options, plugin_folder),
	[OPTION_HOST_SOCKET] = offsetof(struct gateway_options, host_socket),
	[OPTION_HOST] = offsetof(struct gateway_options, host_program),
	[OPTION_INSTALL_SOCKET] = offsetof(struct gateway_options, install_socket),
	[OPTION_BUS] = offsetof(struct gateway_options, bus),
};

static void set_text(struct gateway_options *o, int option, const char *text)
{
	memcpy((char *)o + texts[option], &text, sizeof(text));
}

/* `--check DIR` as well as `--check=DIR`. */
static void take_check(int argc, char **argv, struct gateway_options *ret)
{
	if (!optarg && optind < argc && argv[optind][0] != '-')
		optarg = argv[optind++];
	ret->config_folder = optarg ?: ret->config_folder;
}

/* A mode, or as options_take(). */
static int take(int option, int mode, int argc, char **argv, struct gateway_options *ret)
{
	switch (option) {
	case OPTION_CHECK:
		take_check(argc, argv, ret);
		return OPTIONS_CHECK;
	case OPTION_LAST_GOOD:
		ret->last_good = true;
		return mode;
	case OPTION_LOG_LEVEL:
		return set_log_level(optarg) < 0 ? -EINVAL : mode;
	case OPTION_VERSION:
		printf("fieldwayd %s\n", PACKAGE_VERSION);
		return -ECANCELED;
	case OPTION_HELP:
		fputs(usage, stdout);
		return -ECANCELED;
	case '?':
		fputs("Try 'fieldwayd --help'.\n", stderr);
		return -EINVAL;
	default:
		set_text(ret, option, optarg);
		return mode;
	}
}

int options_take(int argc, char **argv, struct gateway_options *ret)
{
	int option, mode = OPTIONS_RUN;

	*ret = initial;
	while (mode >= 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		mode = take(option, mode, argc, argv, ret);
	if (mode < 0)
		return mode;
	if (ret->last_good && mode != OPTIONS_CHECK) {
		fputs("fieldwayd: --last-good goes with --check\nTry 'fieldwayd --help'.\n", stderr);
		return -EINVAL;
	}
	if (optind < argc) {
		fprintf(stderr, "fieldwayd: %s: not an option\nTry 'fieldwayd --help'.\n", argv[optind]);
		return -EINVAL;
	}
	return mode;
}
