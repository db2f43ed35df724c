/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/timer.h"
#include "state/state.h"
#include "update/delivery.h"

/* A machine in a folder of its own: the handlers, of which "h" is one, are scripts, and fieldway-install is a thread of this process. */

extern char folder[64], place[100], handlers[80], results[80], packages[80], records[80];
extern sd_event *event;
extern struct timers *timers;
extern struct state *state;

extern struct installer {
	pthread_t thread;
	int fd;
	const char *boot;
	bool silent; /* takes requests, and goes away without a word */
	bool holds;  /* takes them, and begins with release_installer() */
	_Atomic unsigned requests;
	sem_t go;
} installer;

void start_installer(void);
void stop_installer(void);
void release_installer(void);

void machine_setup(void);
void machine_teardown(void);

/* "state/result " of each change since the test emptied it. */
extern char trail[256];
/* One that is no news is left out. */
void note_change(int now_state, int now_result);

/* What answered() has heard: how often, and the last. */
extern int answers, answer_error;
extern char answer_reason[100];
void answered(void *userdata, int error, const char *reason);
/* A whole package, until it is answered. */
void push_to(struct delivery *d, const char *text);

/* The script, in which $F is the folder. */
void handler(const char *script);
/* Of a script that has `read line <$F/go` in it: before, when it has got there, and on with it. */
void make_go(void);
int wait_for_go(void);
void go_on(int fd);
/* No record can be written from here on. */
void break_records(void);
/* A file of the folder has that text. */
bool has(const char *name, const char *text);

#define until(condition)                                                             \
	do {                                                                         \
		for (int turns_ = 0; !(condition); turns_++) {                       \
			ck_assert_int_lt(turns_, 200);                               \
			ck_assert_int_ge(sd_event_run(event, 100 * USEC_PER_MSEC), 0); \
		}                                                                    \
	} while (0)
