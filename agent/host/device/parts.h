/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/log.h"
#include "base/timer.h"
#include "host/device/exchange.h"
#include "host/device/tap.h"
#include "host/line/schedule.h"
#include "host/line/worker.h"
#include "host/setup/setup.h"
#include "host/value/values.h"

struct sd_bus;
struct sd_bus_message;
struct sd_event;

/*
 * A configured bus at work, in the main thread: its lines, each with a worker,
 * and its devices. Internal to the host; shared by bus.c, line.c, write.c, device.c, events.c.
 */

/* Writes of one line that have not ended. One more is NOT_SENT with -EBUSY. */
#define LINE_WRITES_MAX 64u
/*
 * After its deadline a worker has so long until it counts as stuck: opening a
 * serial port can wait for its driver, which knows no deadline.
 */
#define LINE_GRACE_USEC UINT64_C(30000000)

/* What buses need of the host. */
struct host_services {
	struct sd_event *event;
	struct sd_bus *link;
	struct timers *timers;
	struct workers *workers;
	struct values *values;
	struct log_budget *log_budget; /* of all devices */
	uint64_t grace_usec;
	/* A worker is stuck: the process must be replaced. */
	void (*stuck)(void *userdata);
	void *userdata;
};

struct line;
struct events;
struct events_device;
struct lesson;
struct errand;

/* What was met by a request, and what the log knows of it. */
struct poll_health {
	int told; /* the error that was logged; 0: none since it was answered */
	uint8_t silences;
	uint8_t owed;  /* good answers that have to come before its time, after a write */
	uint8_t again; /* tries of that in vain */
};

/*
 * What a write may have changed is read until it is known: at once, and as long
 * as that fails after this time, doubled each time up to 64 s. Where nobody
 * knows what became of the write it is read once more after this time: a slow
 * device may carry it out only now.
 */
#define POLL_AGAIN_USEC UINT64_C(1000000)
#define POLL_AGAIN_DOUBLED 6u

/* What has become of it; see link_request_statistics. */
struct poll_counts {
	uint64_t begun_usec; /* its last turn */
	uint32_t requests, errors, timeouts, exceptions;
	uint32_t effective_msec;
	uint32_t last_usec, mean_usec, max_usec;
	int error; /* the last one, or 0 */
};

/* A request that is asked again and again. */
struct poll {
	const struct fieldway_request *request;
	uint64_t period_usec; /* as link_point has it */
	struct poll_health health;
	struct poll_counts counts;
	char *detail;	       /* what counts.error says, or NULL */
	struct kept_exchange *exchange; /* its last one, or NULL */
	struct lesson *lesson; /* NULL: none is under way */
	uint64_t learned_usec;
	bool learned; /* no other lesson for now */
	bool refused; /* one point that is not readable, while others of its request are */
};

/* What a point has met since its device was configured: a host may have a hundred thousand of them. */
#define POINT_COUNTS_BYTES_MAX 40u
struct point_counts {
	uint32_t good, invalid, failed;
	uint32_t unchanged; /* good ones within the deadband of the last told */
	uint32_t conflated;
	int16_t error; /* the last one, or 0 */
};
_Static_assert(sizeof(struct point_counts) <= POINT_COUNTS_BYTES_MAX, "too much for each point");

struct device {
	struct host_bus *bus;
	struct line *line;	     /* NULL: it is event-driven */
	struct events_device *event; /* the other way round */
	bool gone; /* from the configuration: it only lives until its line's job comes back */
	struct setup *held; /* what it is out of until then; the job may be out of an earlier one */
	const void *mark; /* of the change under way that it stays in */
	const struct setup_device *setup;
	uint32_t index; /* in its line, or as the plugin counts event-driven ones */
	enum link_state state;
	char *reason;	 /* of its state, as told last; NULL: none */
	bool identified; /* since it came online */
	struct values_device values;
	/* By point, when its last write came: the line's n_writes, or (event-driven) the boot-time clock. */
	uint64_t *written;
	struct point_counts *counts; /* by point */
	struct poll *polls;	     /* the first one is its probe */
	size_t n_polls;
	struct fieldway_plan *learned; /* what some of them are out of */
	size_t n_learned;
	struct exponents *exponents; /* NULL: no point has one */
	struct log_budget log_budget;
};

enum line_work {
	LINE_IDLE,
	LINE_ATTEMPT,
	LINE_IDENTIFY,	     /* in place of a poll's turn */
	LINE_IDENTIFY_FIRST, /* a write waits for it */
	LINE_POLL,
	LINE_READ,
	LINE_VERIFY,
	LINE_WRITE,
	LINE_ERRAND,
	LINE_CLOSE,  /* its bus is lent */
	LINE_FOLLOW, /* another configuration */
};

struct line {
	struct host_bus *bus;
	char *name;
	size_t place; /* of its first entry among those of the bus */
	struct device **devices;
	size_t n_devices;
	struct schedule schedule;
	struct worker *worker; /* NULL: not started, or ended */
	struct timer due, watch;
	struct job job;
	size_t n_samples;		      /* that the job has room for */
	struct fieldway_sample *more_samples; /* room for more, from the next job on; or NULL */
	struct setup *known;		      /* what the thread has its bus and first device of */
	struct setup *busy;		      /* what the job at work is out of */
	bool follow;			      /* the thread is to be told of another one */
	bool failed;			      /* there is no thread for it */
	struct list queued, verifying;	      /* struct write */
	unsigned n_pending;
	struct list reads; /* struct read */
	unsigned n_reads;
	struct list attempts; /* struct attempt */
	uint64_t n_writes;
	struct list errands;
	struct line_tap tap;
	struct exchange exchange; /* of the job at work */
	bool closed;   /* while its bus is lent */
	bool favoured; /* the last job went ahead of what was due */
	/* A guest has no devices; it is opened for an errand. */
	struct list node;    /* in the bus's guests, or among those that leave */
	struct setup *setup; /* of a guest: its own, else NULL */
	bool leaving;	     /* its thread is to end, and the line with it */

	/* The job at work. */
	enum line_work work;
	struct schedule_turn turn; /* poll */
	struct device *device;
	struct poll *poll;   /* poll, verify */
	struct write *write; /* write, verify */
	struct read *read;   /* read */
	struct errand *errand;
	struct attempt *attempt;
	uint64_t deadline_usec; /* the kernel's clock */
	uint64_t begun_usec, begun_writes;
};

struct host_bus {
	struct list node;
	const struct host_services *services;
	struct setup *setup;
	struct values_group group;
	struct device **devices;
	size_t n_devices;
	struct line **lines;
	size_t n_lines;
	struct events *events;	     /* NULL: all of its devices are polled */
	struct list guests, leaving; /* struct line */
	unsigned n_errands;
	struct recorder recorder;
	uint64_t lend_usec; /* from its start; 0: it is not */
	/* While it is lent to another program. */
	uint64_t lent_usec; /* until then; 0: it is not */
	struct timer lent_timer;
	struct sd_bus_message *lent_call; /* until all is closed */
	size_t n_entries;
	size_t n_workers; /* whose threads have not ended */
	bool started, retired;
	void (*ended)(struct host_bus *bus, void *userdata);
	void *userdata;
};

/* Nothing of the job at work is of use to anybody but who asked for it. */
static inline bool line_is_over(const struct line *l)
{
	return l->bus->retired || (l->device && l->device->gone);
}

static inline const char *bus_name(const struct host_bus *b)
{
	return b->setup->bus.name;
}
