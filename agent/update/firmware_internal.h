/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of object 5 only. */

#include "base/timer.h"
#include "state/state.h"
#include "update/firmware_record.h"
#include "update/handler_job.h"
#include "update/kept_answer.h"

#define FIRMWARE_NOTE_MAX (INSTALL_TEXT_MAX + 64) /* the longest result, and why */

struct firmware {
	struct firmware_config config; /* its strings are the caller's, and not looked at any more */
	struct firmware_kept kept;
	struct delivery *delivery;
	struct handler_job *job;
	struct state_commit *commit; /* that an installation begins */
	bool checks;	       /* that is what the job does; else it installs */
	struct timer deferral; /* its end */
	char why[INSTALL_TEXT_MAX];	 /* in words, what is behind a failure, or nothing comes; "": nobody has said */
	char note[FIRMWARE_NOTE_MAX];
	struct list answers;   /* kept_answer.h */
	void (*watch)(void *userdata);
	void *watch_userdata;
};

/* firmware.c: the only door; carries out what follows. -EPERM, or the action. */
int firmware_enter(struct firmware *f, enum firmware_event event, enum firmware_result result);
void firmware_keep(struct firmware *f);
/* Before a failure is entered: what is behind it. */
void firmware_say(struct firmware *f, const char *why);
/* done follows when the disk has it: state_commit(). */
int firmware_commit(struct firmware *f, state_done done);

/* firmware_install.c */
void firmware_check(struct firmware *f);   /* the package that is here */
void firmware_install(struct firmware *f); /* FIRMWARE_INSTALL */
void firmware_wait(struct firmware *f);	   /* how one ended that began before this process */
void firmware_defer(struct firmware *f);   /* FIRMWARE_DEFERRED, now or before a restart */
void firmware_job_done(void *userdata, const struct install_answer *answer); /* handler_job_done */
void firmware_deferral_over(struct timer *timer, void *userdata); /* timer_handler */
