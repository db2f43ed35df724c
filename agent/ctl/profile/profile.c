/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dbus/agent1.h"

static const char usage[] = "fieldwayctl: profile test FILE|NAME...,\n"
			    "             profile show FILE|NAME, or\n"
			    "             profile try FILE|NAME BUS --unit N\n"
			    "Try 'fieldwayctl profile --help'.\n";

static bool are_parameters(const struct invocation *i)
{
	for (size_t k = 0; k < i->n_options; k++)
		if (streq(i->options[k].name, "p") && !strchr(i->options[k].value, '=')) {
			fputs("fieldwayctl: -p NAME=VALUE\n", stderr);
			return false;
		}
	return true;
}

static int run(const struct invocation *i)
{
	if (!are_parameters(i))
		return EXIT_USAGE;
	if (streq(i->arguments[0], "test") && i->n_address == 0)
		return profile_test(i);
	if (streq(i->arguments[0], "show") && i->n == 2 && i->n_address == 0)
		return profile_show(i);
	if (streq(i->arguments[0], "try") && i->n == 3)
		return profile_try(i);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static const struct command_option options[] = {
	{ "p", "NAME=VALUE", "a parameter of the profile, such as -p ct=40" },
	{ "origin", NULL, "of show: every value with its file and line" },
	{ "config", "DIR", "folder of the own profiles (" SYSCONFDIR "/fieldway)" },
	{ "shared", "DIR", "folder of shipped profiles (" PKGDATADIR ")" },
	{ "objects", "DIR", "folder of shipped object definitions" },
	{ "plugins", "DIR", "folder of plugins" },
	{ "host-program", "FILE", "program that loads plugins" },
	{ 0 },
};

const struct command command_profile = {
	.name = "profile",
	.arguments = "test FILE|NAME... | show FILE|NAME | try FILE|NAME BUS",
	.help = "runs a device profile's samples, shows it whole, or reads a device by it",
	.details =
		"test needs no daemon: it reads the profile as fieldwayd does, lets its plugin decode\n"
		"the registers or lines of samples: and prints each value that is not as expected, with\n"
		"file, line and column.\n"
		"\n"
		"show needs no daemon either: it prints the profile as a device has it, with what it\n"
		"extends, its parameters (-p) and every repeated point.\n"
		"\n"
		"try reads every point once, through the daemon, of a device that need not be\n"
		"configured, and prints what a server would see; nothing is registered, nothing stays.\n"
		"That needs root or the group " AGENT1_GROUP ".\n",
	.least = 2,
	.most = 1000,
	.bus = true,
	.options = options,
	.address = true,
	.completes = "=test,show,try profile bus",
	.run = run,
};
