/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * What a host gives up for good once its plugin is loaded, and before anything
 * from a field wire is looked at: capabilities, system calls that no plugin
 * needs (calls.c), other processes and their abstract sockets, and the
 * sight of files but for the system's libraries, names and devices. Whoever takes a host over finds neither a
 * program to run nor the daemon's keys.
 */
struct sandbox {
	bool capabilities; /* all sets are empty */
	bool calls;	   /* seccomp */
	int files;	   /* the ABI of Landlock; 0: the kernel has none */
};

/*
 * plugins: the folder that they are loaded from stays readable. Must run before
 * there are threads. What the kernel lacks is left out, and *ret says so; what
 * fails is logged.
 */
void sandbox_enter(const char *plugins, struct sandbox *ret);

/* calls.c: -errno. */
int sandbox_limit_calls(void);
/* Is this a build with the address sanitizer, which needs more of everything? */
bool sandbox_is_sanitized(void);
/* files.c: the ABI, or -errno; -EOPNOTSUPP: the kernel has no Landlock. */
int sandbox_limit_files(const char *plugins);
