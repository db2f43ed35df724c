/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "checksum.h"
#include "frame.h"
#include "message.h"

/*
 * Sections of a configuration that come under several names: PREFIX is "" or
 * ends with a dot ("requests.read."). error->key is the setting as it is named.
 */
#define SPEC_KEY_MAX 256u

/* PREFIX NAME, or NULL. */
const struct fieldway_setting *spec_find(const struct fieldway_settings *s, const char *prefix, const char *name);
/* Its text; data NULL: not set. */
struct slice spec_text(const struct fieldway_settings *s, const char *prefix, const char *name);
uint64_t spec_uint(const struct fieldway_settings *s, const char *prefix, const char *name, uint64_t fallback);
/* Is anything set whose name begins so? */
bool spec_has(const struct fieldway_settings *s, const char *prefix);

/* `PREFIX.frame`, or fallback where there is none of it; fallback NULL: there has to be. */
int spec_frame(const struct fieldway_settings *s, const char *prefix, const struct frame_spec *fallback,
	       struct frame_spec *ret, struct fieldway_error *error);
/* `PREFIX.checksum`, or fallback (NULL: none) where there is none of it. */
int spec_checksum(const struct fieldway_settings *s, const char *prefix, const struct checksum *fallback,
		  struct checksum *ret, struct fieldway_error *error);

/*
 * The name behind a prefix, up to the next dot, when the setting is below it:
 * "requests.read.send" with "requests." gives "read". False: it is not.
 */
bool spec_name(const char *key, const char *prefix, struct slice *ret);
