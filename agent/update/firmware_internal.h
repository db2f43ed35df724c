/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of object 5 only. */

#include "base/backoff.h"
#include "base/timer.h"
#include "update/firmware_record.h"
#include "update/handler_call.h"
#include "update/package.h"

struct firmware {
	struct firmware_config config; /* its strings are ours */
	char *folder, *socket, *handler;
	struct firmware_kept kept;
	struct package *package;
	bool pushed;		  /* a Package comes that way */
	int refused;		  /* why that does not any more */
	struct handler_call *call;
	enum install_action asked; /* by that call */
	struct timer retry;	  /* asks again, or ends a deferral */
	struct backoff backoff;
	uint64_t unheard_usec;	  /* since then nobody answers who has to */
	struct timer answer;	  /* FIRMWARE_ANSWER_USEC */
	firmware_done done;	  /* who waits for a Package to be taken */
	void *done_userdata;
	void (*watch)(void *userdata);
	void *watch_userdata;
};

/* firmware.c: the only door; carries out what follows. -EPERM, or the action. */
int firmware_enter(struct firmware *f, enum firmware_event event, enum firmware_result result);
/* Whoever wrote a Package is told; nothing where nobody waits. */
void firmware_answer(struct firmware *f, int error, const char *reason);
void firmware_keep(struct firmware *f);

/* firmware_install.c */
void firmware_check(struct firmware *f);   /* the package that is here */
void firmware_install(struct firmware *f); /* FIRMWARE_INSTALL */
void firmware_wait(struct firmware *f);	   /* how one ended that began before this process */
void firmware_defer(struct firmware *f);   /* FIRMWARE_DEFERRED, now or before a restart */
void firmware_retry(struct timer *timer, void *userdata); /* timer_handler of retry */
