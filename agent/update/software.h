/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "install/protocol.h"
#include "update/delivery.h"
#include "update/software_machine.h"

struct sd_event;
struct state;
struct timers;

/*
 * One software of this machine, as an instance of object 9 tells of it: what its
 * state machines say is done here. State, result and package survive restarts of the
 * daemon and of the machine; what its handler has begun goes on without the daemon.
 */
struct software;

struct software_config {
	const struct delivery_source *source;
	void *source_userdata;
	struct sd_event *event;
	struct timers *timers;
	struct state *state;
	const char *folder;  /* of packages */
	const char *socket;  /* of fieldway-install */
	const char *name;    /* install_name_is_valid(): what is kept, and the handler, know it by that */
	const char *handler; /* name of a file that root vouches for */
	uint64_t max_size;   /* of a package */
};

struct software_view {
	struct software_status status;
	/* Of the package that was delivered, else of what is installed; may be empty. */
	char name[INSTALL_TEXT_MAX], version[INSTALL_TEXT_MAX];
};

/* End of an Execute; error as backing_done of store/backing.h. */
typedef void (*software_done)(void *userdata, int error, const char *reason);

/* Strings are copied. Takes up what was kept; nothing begins before software_start(). errno. */
int software_new(const struct software_config *config, struct software **ret);
/* software_free() will not wait for the disk. */
void software_detach(struct software *s);
struct software *software_free(struct software *s);
DEFINE_FREEP(struct software *, software_free)
/* What changed is in software_view(). */
void software_set_watch(struct software *s, void (*watch)(void *userdata), void *userdata);
/* Nobody watches any more, and who waits for a Package, an Execute or the disk is told -EBUSY. */
void software_end_watch(struct software *s);
/* Goes on with what a restart has interrupted. */
void software_start(struct software *s);
/* From another configuration: name, folder and socket stay. -ENOMEM. */
int software_reload(struct software *s, const char *handler, uint64_t max_size);

/* software_status_text(), and why it is so, or why nothing comes; may be "". */
const char *software_note(const struct software *s);
/* What to answer to -EPERM and -EBUSY. */
const char *software_refusal(const struct software *s, int error);
struct software_view software_view(const struct software *s);
const char *software_name(const struct software *s);
/* How its package gets here; it is for servers to push to. */
struct delivery *software_delivery(const struct software *s);

/* -EPERM, -EBUSY. What is wrong with a URI the result says. */
int software_write_uri(struct software *s, const char *uri);
/*
 * SOFTWARE_INSTALL, UNINSTALL, FOR_UPDATE, ACTIVATE or DEACTIVATE. -EPERM, -EBUSY:
 * done is not called. How the first three end is in state and result, so done
 * comes at once where the handler has something to do, else when the disk has what
 * was asked for; of the others it says whether they succeeded, -EIO, but comes
 * after DELIVERY_ANSWER_USEC at the latest.
 */
int software_execute(struct software *s, enum software_event event, software_done done, void *userdata);
