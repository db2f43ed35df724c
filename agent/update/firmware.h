/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "install/protocol.h"
#include "update/delivery.h"
#include "update/firmware_machine.h"

struct sd_event;
struct state;
struct timers;

/*
 * The firmware of this machine, as object 5 tells of it: what its state machine
 * says is done here. State, result and package survive restarts of the daemon
 * and of the machine; an installation goes on without the daemon, and its end is
 * asked for when it is back.
 */
struct firmware;

struct firmware_config {
	const struct delivery_source *source;
	void *source_userdata;
	struct sd_event *event;
	struct timers *timers;
	struct state *state;
	const char *folder;  /* of packages */
	const char *socket;  /* of fieldway-install */
	const char *handler; /* name of a file that root vouches for */
	uint64_t max_size;   /* of a package */
};

struct firmware_view {
	struct firmware_status status;
	char uri[DELIVERY_URI_MAX];
	char name[INSTALL_TEXT_MAX], version[INSTALL_TEXT_MAX]; /* of the package that is here */
	uint8_t severity;
	int64_t changed_s; /* since 1970, when the state changed; -1: never */
	uint32_t defer_s;
	bool automatic;
};

/* Strings are copied. Takes up what was kept; nothing begins before firmware_start(). errno. */
int firmware_new(const struct firmware_config *config, struct firmware **ret);
/* firmware_free() will not wait for the disk. */
void firmware_detach(struct firmware *f);
struct firmware *firmware_free(struct firmware *f);
DEFINE_FREEP(struct firmware *, firmware_free)
/* What changed is in firmware_view(). */
void firmware_set_watch(struct firmware *f, void (*watch)(void *userdata), void *userdata);
/* Nobody watches any more, and who waits for a Package, or for the disk, is told -EBUSY. */
void firmware_end_watch(struct firmware *f);
/* Goes on with what a restart has interrupted. */
void firmware_start(struct firmware *f);
/* From another configuration: folder and socket stay. -ENOMEM. */
int firmware_reload(struct firmware *f, const char *handler, uint64_t max_size);

/* "downloading"; what there is to say of the result, and why it is one, or why nothing comes, which may be "". */
const char *firmware_state_name(enum firmware_state state);
const char *firmware_note(const struct firmware *f);
/* What to answer to -EPERM. */
const char *firmware_refusal(const struct firmware *f);
const struct firmware_view *firmware_view(const struct firmware *f);
/* How its package gets here; it is for servers to push to. */
struct delivery *firmware_delivery(const struct firmware *f);
/* Values of /5/0/8, so many; 0: packages are only pushed. */
const uint8_t *firmware_protocols(const struct firmware *f, size_t *ret_n);
/* Would the state machine let that happen now? */
bool firmware_may(const struct firmware *f, enum firmware_event event);

/* "": reset. -EPERM. What is wrong with a URI the result says. */
int firmware_write_uri(struct firmware *f, const char *uri);
/* Each of them -EPERM where the state machine has it so. */
int firmware_reset(struct firmware *f);
int firmware_cancel(struct firmware *f);
int firmware_update(struct firmware *f);
/* done comes when what is so by now is on the disk: 0; -EIO: that cannot have it. Or at once with an errno. */
void firmware_when_kept(struct firmware *f, delivery_done done, void *userdata);

void firmware_set_severity(struct firmware *f, uint8_t severity);
void firmware_set_defer(struct firmware *f, uint32_t defer_s);
void firmware_set_automatic(struct firmware *f, bool automatic);
