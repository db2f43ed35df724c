/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The state machine of object 5, Core appendix E.6 with its figure E.6.1, of
 * version 1.2. Pure: it says what follows, others do it.
 */

/* Values of /5/0/3. */
enum firmware_state {
	FIRMWARE_IDLE = 0,
	FIRMWARE_DOWNLOADING = 1,
	FIRMWARE_DOWNLOADED = 2,
	FIRMWARE_UPDATING = 3,
};
#define FIRMWARE_STATES 4

/* Values of /5/0/5. */
enum firmware_result {
	FIRMWARE_INITIAL = 0,
	FIRMWARE_UPDATED = 1,
	FIRMWARE_NO_STORAGE = 2,
	FIRMWARE_NO_MEMORY = 3,
	FIRMWARE_CONNECTION_LOST = 4,
	FIRMWARE_NOT_INTACT = 5,
	FIRMWARE_PACKAGE_TYPE = 6,
	FIRMWARE_INVALID_URI = 7,
	FIRMWARE_UPDATE_FAILED = 8,
	FIRMWARE_PROTOCOL = 9,
	FIRMWARE_CANCELLED = 10,
	FIRMWARE_DEFERRED = 11,
};
#define FIRMWARE_RESULTS 12

enum firmware_event {
	FIRMWARE_PUSH,	   /* a server begins to write the Package */
	FIRMWARE_PULL,	   /* a server wrote a Package URI that can be fetched */
	FIRMWARE_BAD_URI,  /* one that cannot: FIRMWARE_INVALID_URI or FIRMWARE_PROTOCOL */
	FIRMWARE_RESET,	   /* an empty Package URI, or a Package of one NUL */
	FIRMWARE_CANCEL,   /* Execute /5/0/10 */
	FIRMWARE_UPDATE,   /* Execute /5/0/2, or what does that by itself */
	FIRMWARE_RECEIVED, /* the package is here, and its handler takes it */
	FIRMWARE_FAILED,   /* it is not, or the handler does not take it: the result says why */
	FIRMWARE_ENDED,	   /* the handler is through: FIRMWARE_UPDATED, or what went wrong */
};
#define FIRMWARE_EVENTS 9

enum firmware_action {
	FIRMWARE_NOTHING,
	FIRMWARE_STORE,	  /* what is written is kept */
	FIRMWARE_FETCH,	  /* the URI is fetched */
	FIRMWARE_DROP,	  /* what there is of a package goes away, and so does who brings it */
	FIRMWARE_INSTALL, /* the handler installs it */
};

struct firmware_status {
	enum firmware_state state;
	enum firmware_result result;
};

/*
 * One step. result belongs to the last kinds of event, and is otherwise not looked at.
 * The action, or -EPERM: not in this state, and nothing has changed.
 */
int firmware_step(struct firmware_status *status, enum firmware_event event, enum firmware_result result);
