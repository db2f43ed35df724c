/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What fieldway-install does with one connection. Folders and programs are root's to say, on its command line. */
struct serve_options {
	int fd;		      /* the connection */
	const char *handlers; /* folder of the handlers */
	const char *state;    /* folder of results, and of packages while they are installed */
	const char *reboot;   /* a program without arguments that restarts the machine; NULL: systemctl reboot */
	const char *boot;     /* what this start of the machine is called; NULL: as the kernel says */
};

/*
 * Takes the request, does it, answers. An installation goes on when nobody
 * listens any more: its result is in a file. 0, or what kept it from doing that.
 */
int serve(const struct serve_options *options);
