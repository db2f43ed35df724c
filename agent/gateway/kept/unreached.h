/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/yaml.h"
#include "config/difference.h"

/*
 * What `servers:` of a configuration do not reach: endpoints that a bootstrap
 * server has told where to register, and what servers wrote to /1 and /2 of an
 * endpoint before what YAML says of it was changed (design: State). A warning for
 * each server and kind, at the server's place in its file, with the number of
 * endpoints and the first of them.
 *
 * Told by the records of a state folder as they lie on the disk, which another
 * process may have open; what cannot be read is not told of. d: what is to be
 * replaced, under whose names they may still lie, or NULL. Any thread may ask.
 * -ENOMEM; -ECANCELED by stop_fd, as load_sources has it: thousands of records take a slow disk its time.
 */
int unreached_tell(const char *state_folder, const struct config *config, const struct config_difference *d,
		   const int *stop_fd, struct yaml_errors *warnings);
