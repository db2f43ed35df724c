/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "tests/unit/observe/rig.h"

/*
 * Observations over /1000, multiple: resources 0 a float, 1 a string, 2 integers, 3 a
 * boolean, 4 booleans, 5518 and 6042 as everywhere. What happens is a script of words,
 * what is notified a log of "value@second":
 *   0=5 2/1=3   new values          +10   seconds go by
 *   ~0          goes stale          -2/1  a resource instance goes
 *   i1 -i1      an instance comes, goes
 *   a:/1000/0/0,pmin=5  attributes are attached
 */
#define NUMBER "/1000/0/0"
#define TEXT "/1000/0/1"
#define NUMBERS "/1000/0/2"
#define SWITCH "/1000/0/3"
#define SWITCHES "/1000/0/4"

extern struct attributes server_defaults;
extern struct buf told; /* the log */

/* What the next notifications meet with. */
extern enum outcome { SENT, FAILED, NOTHING, IN_FLIGHT, REMOVES_ALL } outcome;

/* Of the configuration of the observations: a test may have others with them. */
struct attributes script_defaults(void *userdata);
void script_gone(void *userdata, struct observation *o);

void script_set_up(void);
void script_tear_down(void);
/* What was notified since the last call; valid until the next one. */
const char *run(const char *script);
/* "/3/0 /1/0/1": several are a composite observation. As observations_add(). */
int observe_with(const char *paths, uint8_t token, const struct attributes *own);
int observe(const char *paths, uint8_t token);
/* /1000/0 with these values, these attributes, and an observation of token 1. */
void begin(const char *before, const char *attached, const char *path);
