/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "ctl/ctl.h"

/* Text of the command line as YAML: plain where it reads back as the same, else in quotes. */
int scalar_append(struct buf *b, const char *text); /* 0 or -ENOMEM */
/* "{KEY: VALUE, ...}" of settings. Keys are names. */
int settings_append_yaml(struct buf *b, const struct given_option *settings, size_t n);
/* Is it what YAML keys look like: letters, digits, '_', '.', '-'? */
bool key_is_plain(const char *text);
