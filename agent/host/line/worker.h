/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/plugin.h"
#include "base/list.h"
#include "host/setup/setup.h"

struct sd_event;

/*
 * The thread of a line. It does one job at a time, all of whose waiting it
 * does; what is next is decided in the main thread, which alone touches a job
 * before worker_submit() and after it has come back.
 */

/* Stacks are touched as far as they are used; a resolver's NSS modules are the deepest. */
#define WORKER_STACK_BYTES (256u << 10)
#define WORKER_ANSWER_BYTES 4096u

enum job_kind {
	JOB_READ,
	JOB_WRITE,
	JOB_RAW,
	JOB_CLOSE,  /* the line, until the next job */
	JOB_FOLLOW, /* bus and first stand for those of worker_config from now on */
};

struct job {
	/* The order. */
	enum job_kind kind;
	const struct fieldway_driver *driver;	/* follow: the first one */
	const struct fieldway_request *request; /* read */
	uint32_t point;				/* write */
	struct fieldway_value value;		/* write, raw; data outlives the job */
	const struct fieldway_bus *bus;		/* follow */
	const void *raw;			/* the request of that kind */
	size_t raw_size;
	unsigned tries;			/* at least 1 */
	uint64_t deadline_usec;		/* CLOCK_MONOTONIC as the kernel has it */
	const struct fieldway_tap *tap; /* of the line, or NULL; outlives the worker */

	/* The result. */
	enum fieldway_outcome outcome; /* write */
	struct fieldway_result result;
	struct fieldway_sample *samples;     /* read: room for the line's longest request */
	char *text;			     /* of SETUP_TEXT_BYTES */
	unsigned requests, errors, timeouts; /* tries, and what became of them */
	uint64_t usec;			     /* what the last read took */
	void *answer;			     /* of a raw request: room for WORKER_ANSWER_BYTES */
	size_t answer_size;
	bool restored; /* the line has been opened, and before could not be */
};

struct worker;

/* Where all workers of a process hand their jobs back; done runs in the loop. */
struct workers;
int workers_new(struct sd_event *event, struct workers **ret);
/* Outside of the loop: waits so long for one to come back, and runs its done. */
void workers_wait(struct workers *w, int msec);
/* Only when no worker is left. */
struct workers *workers_free(struct workers *w);

/* job: NULL when the thread has ended, after worker_stop(). */
typedef void (*worker_handler)(struct worker *worker, struct job *job, void *userdata);

struct worker_config {
	const struct fieldway_plugin *plugin;
	const struct fieldway_bus *bus;
	const struct fieldway_driver *first; /* opens the line */
	worker_handler done;
	void *userdata;
};
/* 0, -ENOMEM, -EAGAIN. */
int worker_new(struct workers *workers, const struct worker_config *config, struct worker **ret);
/* One at a time. */
void worker_submit(struct worker *w, struct job *job);
/* Ends the thread after its job, which still comes back. */
void worker_stop(struct worker *w);
/* After done(NULL), or one that worker_stop() was never called for. */
struct worker *worker_free(struct worker *w);
