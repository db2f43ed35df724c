/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "link/host1.h"

struct sd_bus;
struct timers;

/*
 * What goes up the link by itself: samples in Values calls, of which at most
 * LINK_CREDIT are unanswered. What cannot go yet waits as the newest sample of
 * its point; the ones that it replaces are counted as conflated.
 */
struct values;

/* Samples that come close together share a message. */
#define VALUES_DELAY_USEC UINT64_C(10000)
/* Samples in one message: at least one device's, whatever it has. */
#define VALUES_BATCH_MAX 1000u
/* A daemon that has not answered for so long does not take values any more. */
#define VALUES_TIMEOUT_USEC UINT64_C(30000000)

/* Last sample of a point. Text and bytes are copied. */
struct values_slot {
	struct fieldway_sample sample;
	char *data;
	bool waits;
};

/* Lies inside the device. */
struct values_device {
	struct list node; /* in its group, while something waits */
	struct values_group *group;
	uint32_t id;
	struct link_counters counters;
	struct values_slot *slots;
	size_t n_slots;
};

/* The devices of one bus in one generation; lies inside the bus. */
struct values_group {
	struct list node; /* in values, while something waits */
	struct list devices;
	uint64_t generation;
};

/*
 * States are never conflated: more messages than this mean a daemon that does
 * not read, and -ENOBUFS.
 */
#define LINK_QUEUE_MAX 65536u
int link_check_queue(struct sd_bus *link);
/* Nothing can be sent because the link has closed, which ends the process by its own signal. */
bool link_is_gone(int r);

/* lost runs when the daemon no longer answers. */
typedef void (*values_lost_handler)(void *userdata);
int values_new(struct sd_bus *link, struct timers *timers, values_lost_handler lost, void *userdata,
	       struct values **ret);
/* Its groups must be gone. */
struct values *values_free(struct values *v);

void values_group_init(struct values_group *g, uint64_t generation);
/* Nothing of the group is sent any more. */
void values_group_remove(struct values_group *g);
int values_device_init(struct values_device *d, struct values_group *g, uint32_t id,
		       size_t n_points);
void values_device_done(struct values_device *d);
/* Nothing of the device is sent any more. */
void values_device_remove(struct values_device *d);

/* 0; -ENOMEM: the sample is lost. A point that the device has not is ignored. */
int values_put(struct values *v, struct values_device *d, const struct fieldway_sample *sample);
/* Whatever waits of this point is no longer true. */
void values_forget(struct values_device *d, uint32_t point);
/* The device's counters go up with the next message even when no sample does. */
void values_touch(struct values *v, struct values_device *d);
/* To be called after values_put(): sends now, or soon together with others. */
void values_flush(struct values *v);
