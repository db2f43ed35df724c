/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"
#include "install/protocol.h"

struct delivery;
struct sd_event;
struct timers;

/*
 * What a handler is asked to do, one thing at a time, and how that ends: whether
 * fieldway-install is busy, answers late, or goes away with the machine and comes
 * back. What was begun goes on without this process; under its id it is asked for
 * after a restart (INSTALL_WAIT).
 */
struct handler_job;

/* Where handler_job_start() fails. */
#define HANDLER_UNREACHED "its handler cannot be reached"

/* The end of it, once, from the loop: never INSTALL_REBOOT or INSTALL_BUSY, which are waited for. */
typedef void (*handler_job_done)(void *userdata, const struct install_answer *answer);

struct handler_job_config {
	struct sd_event *event;
	struct timers *timers;
	const char *socket;   /* of fieldway-install */
	const char *handler;  /* name of a file that root vouches for */
	const char *software; /* for which it is asked, "": firmware */
	const char *label;    /* in messages, what it is for */
	const struct delivery *delivery; /* has the package */
	handler_job_done done;
	void *userdata;
};

/* Strings are copied. -ENOMEM. */
int handler_job_new(const struct handler_job_config *config, struct handler_job **ret);
/* Without done; what was asked for goes on. */
struct handler_job *handler_job_free(struct handler_job *j);
DEFINE_FREEP(struct handler_job *, handler_job_free)
/* -ENOMEM */
int handler_job_set_handler(struct handler_job *j, const char *handler);

/*
 * Asks for something new, or with INSTALL_WAIT for what has that id; id "" where
 * nobody asks later. INSTALL_CHECK and INSTALL_PACKAGE take the package with
 * them. errno: nobody can be asked, which is in the log, and done is not called;
 * to INSTALL_WAIT that does not happen.
 */
int handler_job_start(struct handler_job *j, enum install_action action, const char *id, uint32_t severity,
		      uint32_t defer_s);
/* Nobody waits for it any more; what was asked for goes on. */
void handler_job_stop(struct handler_job *j);
bool handler_job_runs(const struct handler_job *j);
/* Why that is not the end that was wanted; "" where it is. */
const char *handler_job_trouble(const struct install_answer *answer, char ret[INSTALL_TEXT_MAX]);
