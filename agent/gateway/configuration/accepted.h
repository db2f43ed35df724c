/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/configuration/load.h"

struct state;

enum accepted_from {
	ACCEPTED_FILES,
	ACCEPTED_LAST_GOOD, /* the files are wrong */
	ACCEPTED_FORMER,    /* nobody has confirmed them */
};

/*
 * The configuration to run on: that of the folders, or, where its files are
 * wrong or were reloaded and never confirmed, the last one that was accepted
 * (design: Boot). Where that one cannot be used any more, what was never confirmed is;
 * and where there is nothing else, the accepted one also without the keys of its servers.
 * What is accepted is kept. Errors and warnings are logged. -EBADMSG: none is usable;
 * -ENOMEM; -ECANCELED by stop_fd. ret_errors: those of the files, a line each; empty when
 * they are good.
 */
int accepted_load(const struct load_sources *sources, const char *config_folder,
		  const char *shared_folder, struct state *state, struct loaded *ret,
		  enum accepted_from *ret_from, struct buf *ret_errors);

/* These files are accepted: kept as last-good, confirmed from now on. */
void accepted_keep(struct state *state, const struct config_files *files, const struct config *config);
/* They run, but are not accepted: a start before they are does not take them. */
void accepted_keep_unconfirmed(struct state *state, const struct config_files *files);
/* Are they what nobody has confirmed? Whatever packages have made of device types since then. */
bool accepted_is_unconfirmed(struct state *state, const struct config_files *files);
/* The last ones that were accepted. -ENOENT: there never were any; -EBADMSG, -ENOMEM. */
int accepted_files(struct state *state, struct config_files **ret);
/* The same for whoever is not the agent; also -EPERM and the like. */
int accepted_peek(const char *state_folder, struct config_files **ret);

/* One message a line, so that each is a journal entry with its own position. */
void accepted_log(int level, const struct yaml_errors *errors);
/* In place of the files' errors, where nobody confirmed them. */
int accepted_unconfirmed_text(const char *config_folder, struct buf *ret);
