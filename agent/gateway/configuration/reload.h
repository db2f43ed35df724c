/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "gateway/configuration/reader.h"

struct gateway;

/*
 * Another configuration while the agent runs. It is read and checked in the
 * background; what is wrong with it changes nothing. Then all modules go over to
 * it in one turn of the loop, and what it leaves alone notices nothing. One that
 * is to be confirmed is taken back in time, and no restart takes it for accepted.
 */

enum reload_kind {
	RELOAD_FILES,  /* the folders, to be in force */
	RELOAD_CHECK,  /* the folders, only looked at */
	RELOAD_FORMER, /* back to the last ones that were accepted */
};

/* How it ended: errors and warnings, a line each, live during the call. */
typedef void (*reload_done)(void *userdata, int error, struct span errors, struct span warnings);

/* Lies inside the gateway. */
struct reload {
	struct reader *reader; /* NULL: nothing is under way */
	enum reload_kind kind;
	uint64_t confirm_usec; /* that it has to be confirmed in; 0: it needs nobody */
	reload_done done;      /* or NULL */
	void *userdata;
	bool again; /* somebody asked meanwhile, who waits for no answer */
	struct config_files *unconfirmed; /* those that run and are to be confirmed, or NULL */
	struct timer confirm;
	uint64_t trial_usec; /* that it is armed for */
	bool from_nothing; /* what ran before them was no configuration */
	bool taken_back;   /* since then nothing else was accepted */
};
void reload_init(struct gateway *g);
/* Whoever waits gets -ECANCELED. */
void reload_finish(struct gateway *g);

#define RELOAD_CONFIRM_USEC_MAX UINT64_C(86400000000)
/*
 * 0: done runs once, later. -EBUSY: one is under way; -EINVAL: more than
 * RELOAD_CONFIRM_USEC_MAX; -ESHUTDOWN: the agent ends; -ENOMEM, -EAGAIN.
 */
int reload_begin(struct gateway *g, enum reload_kind kind, uint64_t confirm_usec, reload_done done,
		 void *userdata);
/*
 * By a signal, which cannot say whether what is on trial is accepted: its files
 * stay that, from now on, and those that were taken back are refused. As above.
 */
int reload_signalled(struct gateway *g);
/* What runs is accepted. -ENOENT: nothing waits to be confirmed. */
int reload_confirm(struct gateway *g);
