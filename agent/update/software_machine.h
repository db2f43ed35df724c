/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The state machines of object 9, LwM2M Software Management 1.0.2: of a package
 * and its installation (5.1.2), and of what is installed being active. Pure: it
 * says what follows, others do it.
 */

/* Values of /9/x/7. */
enum software_state {
	SOFTWARE_INITIAL = 0,
	SOFTWARE_DOWNLOAD_STARTED = 1,
	SOFTWARE_DOWNLOADED = 2,
	SOFTWARE_DELIVERED = 3,
	SOFTWARE_INSTALLED = 4,
};
#define SOFTWARE_STATES 5

/* Values of /9/x/9. */
enum software_result {
	SOFTWARE_NO_RESULT = 0,
	SOFTWARE_DOWNLOADING = 1,
	SOFTWARE_IS_INSTALLED = 2,
	SOFTWARE_VERIFIED = 3,
	SOFTWARE_NO_STORAGE = 50,
	SOFTWARE_NO_MEMORY = 51,
	SOFTWARE_CONNECTION_LOST = 52,
	SOFTWARE_NOT_INTACT = 53,
	SOFTWARE_PACKAGE_TYPE = 54,
	SOFTWARE_INVALID_URI = 56,
	SOFTWARE_DEVICE_ERROR = 57,
	SOFTWARE_INSTALL_FAILED = 58,
	SOFTWARE_UNINSTALL_FAILED = 59,
};

/* What its handler is doing, which the object has no states for. Nothing else is begun meanwhile. */
enum software_work {
	SOFTWARE_RESTS,
	SOFTWARE_INSTALLS,
	SOFTWARE_UNINSTALLS,
	SOFTWARE_ACTIVATES,
	SOFTWARE_DEACTIVATES,
};
#define SOFTWARE_WORKS 5

enum software_event {
	SOFTWARE_PUSH,	     /* a server begins to write the Package */
	SOFTWARE_PULL,	     /* a server wrote a Package URI that can be fetched */
	SOFTWARE_BAD_URI,    /* one that cannot */
	SOFTWARE_ARRIVED,    /* the package is here */
	SOFTWARE_CHECKED,    /* and its handler takes it */
	SOFTWARE_FAILED,     /* it will not be here, or the handler does not take it: the result says why */
	SOFTWARE_INSTALL,    /* Execute /9/x/4 */
	SOFTWARE_UNINSTALL,  /* Execute /9/x/6 without argument, or 0 */
	SOFTWARE_FOR_UPDATE, /* Execute /9/x/6 with argument 1 */
	SOFTWARE_ACTIVATE,   /* Execute /9/x/10 */
	SOFTWARE_DEACTIVATE, /* Execute /9/x/11 */
	SOFTWARE_DONE,	     /* the handler is through with its work */
	SOFTWARE_BROKE,	     /* it was not: of an installation the result says why */
};
#define SOFTWARE_EVENTS 13

enum software_action {
	SOFTWARE_NOTHING,
	SOFTWARE_STORE, /* what is written is kept */
	SOFTWARE_FETCH, /* the URI is fetched */
	SOFTWARE_CHECK, /* the handler looks at the package */
	SOFTWARE_DROP,	/* what there is of a package goes away, and so does who brings it */
	SOFTWARE_WORK,	/* the handler begins the work that status says */
};

struct software_status {
	enum software_state state;
	enum software_result result;
	enum software_work work;
	bool in_place; /* one is installed that waits for its update, in other states than INSTALLED */
	bool active;   /* what is installed is active; of which /9/x/12 tells in INSTALLED alone */
};

/*
 * One step. result belongs to SOFTWARE_FAILED and SOFTWARE_BROKE, and is otherwise not
 * looked at. The action; -EPERM: not in this state; -EBUSY: not while its handler works.
 * Then nothing has changed.
 */
int software_step(struct software_status *status, enum software_event event, enum software_result result);

/* In words: "downloading"; and what its handler is doing, or else what there is to say of the result, which may be "". */
const char *software_state_name(enum software_state state);
const char *software_status_text(const struct software_status *status);
