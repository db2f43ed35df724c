/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "install/protocol.h"

/*
 * What is known of the last installation by a handler: FOLDER/HANDLER.result,
 * replaced whole and on the disk before the call returns, so that it is there
 * after a power cut and says so.
 */
#define INSTALL_BOOT_MAX 64u

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

/* folder: a descriptor. -ENOENT, -EBADMSG, errno. */
int install_record_read(int folder, const char *handler, struct install_record *ret);
int install_record_write(int folder, const char *handler, const struct install_record *record);
