/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "install/protocol.h"

/*
 * What is known of the last installation by a handler, or of what was last done
 * with a software: FOLDER/HANDLER.result, FOLDER/HANDLER@SOFTWARE.result, replaced whole and on the disk before the call returns, so that it is there
 * after a power cut and says so.
 */
#define INSTALL_BOOT_MAX 64u
#define INSTALL_SUBJECT_MAX (2 * INSTALL_NAME_MAX)

enum install_stage {
	INSTALL_RUNNING,   /* it has begun; when nobody works on it any more, it was broken off */
	INSTALL_REBOOTING, /* done, and in force once the machine has started anew */
	INSTALL_ENDED,
};

struct install_record {
	char id[INSTALL_NAME_MAX];
	enum install_stage stage;
	uint8_t code;		     /* of INSTALL_ENDED */
	char boot[INSTALL_BOOT_MAX]; /* under which it was written */
};

/* folder: a descriptor; subject: HANDLER or HANDLER@SOFTWARE. -ENOENT, -EBADMSG, errno. */
int install_record_read(int folder, const char *subject, struct install_record *ret);
int install_record_write(int folder, const char *subject, const struct install_record *record);
