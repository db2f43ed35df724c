/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "--NAME VALUE" or "--NAME=VALUE"; of one letter also "-N VALUE". */
struct command_option {
	const char *name;
	const char *value; /* what is meant: "DURATION"; NULL: it takes none */
	const char *help;  /* one line */
};

struct given_option {
	const char *name, *value; /* value: "" of what takes none */
};

/* Options of one call, and settings of one address. */
#define GIVEN_OPTIONS_MAX 64u

/* What the user asked for; all of it belongs to argv. */
struct invocation {
	const char *bus; /* "system", "session", or an address */
	bool json;	 /* one JSON document instead of text (output/document.h) */
	char **arguments;
	int n;
	struct given_option options[GIVEN_OPTIONS_MAX]; /* of the command's own, in order */
	size_t n_options;
	struct given_option address[GIVEN_OPTIONS_MAX]; /* of `address: true` all others */
	size_t n_address;
};

/* A subcommand. */
struct command {
	const char *name, *arguments, *help; /* help: one line */
	const char *details; /* more lines for its --help, each with its newline; or NULL */
	int least, most;     /* arguments */
	bool bus;	     /* talks to the daemon, and takes --bus */
	const struct command_option *options; /* of its own, up to one without a name; or NULL */
	/*
	 * What its arguments are, for shells: "endpoint path", "=create,export server*" (words; the
	 * last for all that follow), "file"; kinds as complete/candidates.h has them. Or NULL.
	 */
	const char *completes;
	bool address; /* what is no option is a setting of a device's `address:` */
	int (*run)(const struct invocation *i); /* returns the exit status */
};

/* Exit status, beside EXIT_SUCCESS and EXIT_FAILURE; fieldwayctl(1). */
#define EXIT_USAGE 2
#define EXIT_ABSENT 3	 /* no such endpoint, device, bus, path, file; no good value */
#define EXIT_NO_DAEMON 4 /* or no bus: nothing was asked */
#define EXIT_DENIED 5
#define EXIT_STATUS_TEXT                                                                           \
	"Exit status: 0 done, 1 failed, 2 usage, 3 no such thing, 4 no daemon, 5 denied.\n"

extern const struct command command_status;
extern const struct command command_list;
extern const struct command command_show;
extern const struct command command_read;
extern const struct command command_write;
extern const struct command command_execute;
extern const struct command command_watch;
extern const struct command command_update;
extern const struct command command_send;
extern const struct command command_enable;
extern const struct command command_disable;
extern const struct command command_restart;
extern const struct command command_account;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_log_level;
extern const struct command command_why;
extern const struct command command_explain;
extern const struct command command_poll;
extern const struct command command_raw;
extern const struct command command_bus;
extern const struct command command_scan;
extern const struct command command_probe;
extern const struct command command_profile;
extern const struct command command_record;
extern const struct command command_replay;
extern const struct command command_check;
extern const struct command command_credentials;
extern const struct command command_new_device;
extern const struct command command_replace;
extern const struct command command_retire;
extern const struct command command_doctor;
extern const struct command command_backup;
extern const struct command command_restore;
extern const struct command command_diff;
extern const struct command command_objects;
extern const struct command command_migrate;
extern const struct command command_ports;
extern const struct command command_setup;
extern const struct command command_reload;
extern const struct command command_confirm;
extern const struct command command_import_object;

/*
 * Options and arguments behind the command's name; argv is put in order. Options
 * stand anywhere before "--"; what begins like a negative number is none. 0;
 * -EINVAL: wrong usage, said on standard error; -ECANCELED: --help was printed.
 */
int arguments_take(const struct command *c, int argc, char **argv, struct invocation *ret);
void command_print_help(FILE *to, const struct command *c);

/* The value of an option as it was given last, or NULL. */
const char *option_find(const struct invocation *i, const char *name);
/* A duration; the default when it is not given. 0, or -EINVAL after a line on standard error. */
int option_duration(const struct invocation *i, const char *name, uint64_t usec, uint64_t *ret);

/* Ends what was printed on standard output. The exit status: a full disk is no success. */
int output_finish(void);
/*
 * The same, and the exit status of what happened: 0 or more is success, -ENOENT is
 * EXIT_ABSENT, -EHOSTDOWN EXIT_NO_DAEMON, -EACCES and -EPERM EXIT_DENIED, -EDOM EXIT_USAGE,
 * all else EXIT_FAILURE. What went wrong was said already.
 */
int exit_status(int r);
