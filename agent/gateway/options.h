/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/wire.h"

enum options_mode {
	OPTIONS_RUN,
	OPTIONS_CHECK, /* --check */
};

/*
 * The command line. The mode; -EINVAL: a message was printed; -ECANCELED:
 * what was asked for (--help, --version) is done. The log level is set here.
 */
int options_take(int argc, char **argv, struct gateway_options *ret);
