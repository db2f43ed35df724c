/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Between fieldwayd and fieldway-install: one request and one answer on a
 * connection of type SOCK_SEQPACKET, each of them lines "name=value". With a
 * request may come one descriptor, the package. Nothing in it says what is run:
 * the name of a handler leads to a file that only root writes.
 */
#define INSTALL_MESSAGE_MAX 2048u
#define INSTALL_NAME_MAX 64u /* with its NUL, of a handler and of an id */
#define INSTALL_TEXT_MAX 256u /* with its NUL: resources 6 and 7 of object 5 have 255 bytes */

enum install_action {
	INSTALL_CHECK,	    /* would the handler take the package? Nothing is changed */
	INSTALL_PACKAGE,    /* checks and installs it */
	INSTALL_WAIT,	    /* how the installation with that id has ended, when it has */
	INSTALL_UNINSTALL,  /* of software: what was installed goes away */
	INSTALL_ACTIVATE,   /* runs */
	INSTALL_DEACTIVATE, /* does not */
};

struct install_request {
	enum install_action action;
	char handler[INSTALL_NAME_MAX]; /* [a-z0-9][a-z0-9._-]* */
	char id[INSTALL_NAME_MAX];	/* likewise; tells one installation from another */
	char software[INSTALL_NAME_MAX]; /* likewise; what it is, where a handler has several; "": firmware */
	uint32_t severity;		/* /5/0/11 */
	uint32_t defer_s;		/* how long a user may still defer it; 0: not at all */
};

enum install_end {
	INSTALL_EXITED,	 /* the handler's exit status is known */
	INSTALL_REBOOT,	 /* it is in force after a restart of the machine, which is under way */
	INSTALL_BROKEN,	 /* it began, and was ended from outside */
	INSTALL_UNKNOWN, /* it never began */
	INSTALL_BUSY,	 /* the handler has other work */
	INSTALL_REFUSED, /* no such handler, or not one that root vouches for: reason */
};

/*
 * Exit statuses of handlers. 80 and more are what Update Result says (Core E.6),
 * shifted away from what shells and package managers exit with.
 */
enum install_code {
	INSTALL_CODE_DONE = 0,
	INSTALL_CODE_NO_STORAGE = 82,
	INSTALL_CODE_NO_MEMORY = 83,
	INSTALL_CODE_NOT_INTACT = 85,
	INSTALL_CODE_PACKAGE_TYPE = 86,
	INSTALL_CODE_FAILED = 88, /* and all others */
	INSTALL_CODE_DEFERRED = 91,
	INSTALL_CODE_REBOOT = 100,
};

struct install_answer {
	enum install_end end;
	uint8_t code;			/* of INSTALL_EXITED */
	char name[INSTALL_TEXT_MAX];	/* of the package, as `check` printed it; may be empty */
	char version[INSTALL_TEXT_MAX]; /* likewise */
	char reason[INSTALL_TEXT_MAX];	/* for people; may be empty */
};

bool install_name_is_valid(const char *name);
const char *install_action_name(enum install_action action);

/* Bytes written, or -ENOBUFS: ret is too small. */
int install_request_encode(const struct install_request *request, char *ret, size_t size);
int install_answer_encode(const struct install_answer *answer, char *ret, size_t size);
/* size bytes of a message. -EBADMSG. What a later version adds is passed over. */
int install_request_decode(const char *message, size_t size, struct install_request *ret);
int install_answer_decode(const char *message, size_t size, struct install_answer *ret);

/*
 * The value of the last line "name=value" in a text, cut to what fits without a broken character;
 * control characters become blanks. Whether there is one.
 */
bool install_line(const char *text, size_t size, const char *name, char *ret, size_t ret_size);
