/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Why a server is not to be had, for people. Decisions are made by the errno alone. */
struct failure {
	int error;    /* negative errno */
	uint8_t code; /* CoAP code of the answer that the errno stands for, 0: there was none */
	int alert;    /* TLS alert that came with it, -1: none */
};

#define FAILURE_TEXT_MAX 192u
/* "it answered 4.03 Forbidden: does it ...?": what happened, and what to look at. */
const char *failure_format(const struct failure *f, char ret[FAILURE_TEXT_MAX]);
