/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fieldbus/internal.h"
#include "fieldbus/local.h"

/* What local devices have beside struct device. */

struct local_point {
	uint64_t boottime_usec; /* of the last value */
	struct fieldbus_local_counters counters;
};

struct local {
	struct fieldbus *fieldbus;
	uint32_t device;
	struct timer silence;
	uint64_t heard_usec; /* last; or since when somebody listens */
	struct list writes;  /* in the order they were asked for */
	unsigned n_writes;
	/* How many more values are taken now. */
	uint64_t room, filled_usec;
	struct local_point *points;
	size_t n_points;
};

bool bus_is_local(const struct config *config, uint32_t bus);
int local_new(struct fieldbus *f, uint32_t device, const struct config_type *type, struct local **ret);
/* Its writes end with -ECANCELED. */
struct local *local_free(struct local *l);
/* To all enabled devices of a bus. */
int locals_attach(struct fieldbus *f, uint32_t bus);
/* Nothing has been heard of it yet. */
void local_begin(struct local *l);
void locals_begin(struct fieldbus *f);
void local_pause(struct local *l);
/* The bus is switched off or paused, or is not any more. */
void locals_switch(struct fieldbus *f, uint32_t bus);

/* local_write.c: as fieldbus_write(), which has checked the point and the state. */
int local_write(struct local *l, uint32_t point, const struct fieldway_value *value, fieldbus_done done,
		void *userdata);
void local_writes_end(struct local *l, int error, const char *why);
void local_writes_forget(struct local *l, const void *userdata);

/*
 * local_value.c: a value in the point's type; text is the same one. -EINVAL, -ERANGE: it does not fit without
 * loss, or is longer than LINK_SAMPLE_BYTES_MAX, which Publish has, too.
 */
int local_value_fit(const struct config_point *point, const struct fieldway_value *value,
		    struct fieldway_value *ret);
