/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct sd_event;

/*
 * A package on its way to the disk: FOLDER/NAME.part while it comes,
 * FOLDER/NAME once it is whole. What comes waits in a bounded queue for a
 * thread that writes it and brings it to the disk: no call here waits for one.
 * Only for the thread of the loop.
 */
struct package;

/* Bytes that wait for the disk; more than a body that was held whole. */
#define PACKAGE_QUEUE_MAX (16u << 20)
/* The file system keeps so much for others. */
#define PACKAGE_SPARE (16u << 20)

/*
 * The end of a package that comes, from the loop: 0 it is whole and on the disk;
 * -ENOSPC, -EDQUOT, or another errno of the file system, and no more is taken.
 */
typedef void (*package_handler)(void *userdata, int error);

struct package_config {
	struct sd_event *event;
	const char *folder; /* made with mode 0700 */
	const char *name;
	package_handler done;
	void *userdata;
};

/* Strings are copied. errno of the file system. */
int package_new(const struct package_config *config, struct package **ret);
/* package_free() will not wait: the thread brings to the disk what has come, and frees it. Nothing may begin any more. */
void package_detach(struct package *p);
/* Waits for the thread, which then leaves what there is. */
struct package *package_free(struct package *p);
DEFINE_FREEP(struct package *, package_free)

/*
 * A package begins. size: what it will have, 0: not known. Above max_size none
 * is taken. offset: what is kept of the part that is there (package_part_size()), 0:
 * nothing. -EFBIG, -ENOSPC: it would not fit; -ENOMEM.
 */
int package_begin(struct package *p, uint64_t offset, uint64_t size, uint64_t max_size);
/* -EBUSY: the queue is full, later; -EFBIG: above max_size; or what done said, or will. Nothing of it was taken then. */
int package_take(struct package *p, const void *data, size_t size);
/* That was all: done follows. -ENOMEM. */
int package_finish(struct package *p);
/* Of the one that comes or is there nothing remains; done is not called any more. */
void package_drop(struct package *p);
/* No more comes for now: the part stays, without what still waits in the queue if the disk fails. */
void package_stop(struct package *p);

/* Bytes that have come of it. */
uint64_t package_size(const struct package *p);
/* Bytes of a part that lies there. */
uint64_t package_part_size(const struct package *p);
/* The whole one, read-only: a descriptor, or -ENOENT. */
int package_open(const struct package *p);
