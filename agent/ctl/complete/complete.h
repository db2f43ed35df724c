/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/ctl.h"

/*
 * What shells complete (packaging/completions): words are those behind
 * "fieldwayctl", the last of them as far as it is typed. Candidates go to standard
 * output, one on a line; those that end in '/' go on; ":file" alone means names of
 * files. Never a word on standard error: somebody is typing there.
 */
int complete_words(const struct command *const *commands, size_t n, int argc, char **words);
