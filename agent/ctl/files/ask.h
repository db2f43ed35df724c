/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "ctl/ctl.h"

/*
 * Questions of commands that take flags as well: what is given as an option is not
 * asked; on a terminal the rest is, each with what an empty answer means; without a
 * terminal what has no default is missing.
 */
struct question {
	const char *option;  /* its name: "--server" */
	const char *text;    /* what is asked: "Address of the LwM2M server" */
	const char *initial; /* what an empty answer is; NULL: there must be one */
	/* NULL: it will do; else why not, for people. May be NULL. */
	const char *(*wrong)(const char *answer);
};

/*
 * *ret in arena memory, or that of the option. 0; -EDOM after a line on standard error: it
 * is missing, or wrong; -ECANCELED: the end of standard input.
 */
int question_ask(const struct invocation *i, const struct question *q, struct arena *arena,
		 const char **ret);
