/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "config/difference.h"
#include "mapping/alarm.h"
#include "mapping/counter.h"
#include "mapping/mapping.h"
#include "mapping/transform.h"
#include "state/state.h"

/* Room for fieldbus_point_text(). */
#define POINT_TEXT_MAX 256u

/* One row of an endpoint's mapping at work; its index is that of config_endpoint.map. */
struct mapped_row {
	struct mapped_endpoint *endpoint;
	uint64_t sampled_usec; /* monotonic time of the last good sample; 0: none yet */
	int failure;	       /* why the last sample was no value; 0: it was one */
	bool seen;	       /* it was read, a value or `invalid` */
	struct alarm alarm;    /* CONFIG_MAP_ALARM */
	bool torn;	       /* it was not to have its value, and could not be given the old one back */
	bool made_instance;    /* the instance is the mapping's, and this is a row of it */
	uint8_t code;	       /* how the device's protocol numbers the failure; 0: it does not */
};

/* What a row does to values, decided once at load. */
struct row_plan {
	struct transform transform;
	bool fits;		/* the transform is valid */
	bool units;		/* 5701 says its unit */
	bool stamps;		/* its samples' time goes to 5518 */
	bool minimum, maximum;	/* the agent keeps its extremes */
	bool resets;		/* and 5605 resets them */
};

/* Of a map, whichever endpoints have it. */
struct plan {
	struct list list; /* mapping.plans */
	const struct config_map *map;
	struct row_plan rows[];
};

struct mapped_endpoint {
	struct mapping *mapping;
	const struct config_endpoint *config;
	const struct row_plan *plan;
	uint32_t index;
	struct store *store; /* NULL: not attached */
	struct mapped_row *rows; /* config->n_map */
	uint32_t unseen;     /* rows that wait for a first sample */
	bool shown;	     /* this batch holds something for it */
	bool any_seen;	     /* and that was told */
	struct list writes;  /* on their way to the field */
	struct list asking;  /* reads that wait for it */
	struct timer stale;
	struct timer alarms;
};

/* Endpoints that show points of a device. */
struct mapped_device {
	uint32_t *endpoints;
	uint32_t n;
	enum fieldbus_state state;
	char *reason; /* of a state that is not online; may be NULL */
	bool owes;     /* points that are read once, and have to be again */
	bool catching; /* it is asked for them */
	bool failed;   /* it was asked for them in vain: again later */
	struct log_budget log_budget;
	struct counters *counters; /* NULL: it has none */
	struct kept *kept;	   /* NULL: no value of it is kept */
};

struct mapping {
	const struct config *config;
	const struct definitions *definitions;
	struct fieldbus *fieldbus;
	struct timers *timers;
	struct state *state; /* NULL: nothing is kept */
	struct timer save; /* of counters */
	struct timer keep; /* of values */
	const struct mapping_ops *ops;
	void *userdata;
	struct mapped_endpoint **endpoints; /* config->n_endpoints; stores and timers hold them */
	struct mapped_device *devices;
	struct list plans;
	struct list catching; /* of once.c */
	struct timer again;   /* the same */
};

/* row.c */
bool device_is_gone(const struct mapped_device *d);
const struct config_map *row_map(const struct mapped_row *row);
uint32_t row_device(const struct mapped_row *row);
const struct config_point *row_point(const struct mapped_row *row);
const struct row_plan *row_plan(const struct mapped_row *row);
bool row_has_point(const struct mapped_row *row);
/* What is executed only writes, also where the point can be read. */
bool row_shows_point(const struct mapped_row *row);
/* Readable, and read without being asked, would its device be enabled. */
bool row_has_rate(const struct mapped_row *row);
/* And it is. */
bool row_is_polled(const struct mapped_row *row);
/* How many of them wait for a first sample. */
uint32_t rows_unseen(const struct mapped_endpoint *e);

/* mapping.c */
/*
 * Beside `from`, of which d is the successor, what its configuration makes: all
 * that takes memory. NULL: beside nothing. The fields that come from outside are set.
 */
int mapping_init(struct mapping *m, const struct mapping *from, const struct config_difference *d);
void mapped_endpoint_free(struct mapped_endpoint *e);
void mapped_devices_free(struct mapped_device *devices, size_t n);

/* outcome.c: what became of a write, as an errno of backing.h (configuration.md "Writes"). */
int outcome_error(enum fieldway_outcome outcome, int error);

/* backing.c: who stands behind the mapped resources */
extern const struct backing_ops point_backing, constant_backing, execute_backing;
/* The store goes away: it has ended its writes itself. */
void mapped_writes_forget(struct mapped_endpoint *e);
/* Ends those of rows that have no successor, by row; NULL: all. */
void mapped_writes_end(struct mapped_endpoint *e, const uint32_t *successors);
/* The others are now of these rows. */
void mapped_writes_follow(struct mapped_endpoint *e, const struct mapped_row *former, const uint32_t *successors);

/* demand.c: backing_ops.refresh of points */
void point_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
		   void *done_userdata);
/* The store goes away: whoever waits is told so. */
void asking_forget(struct mapped_endpoint *e);
/* Ends what waits for devices that are not the same any more; NULL: all. */
void asking_end(struct mapped_endpoint *e, const struct config_difference *d);
/* The rest waits for their successors. */
void asking_follow(struct mapped_endpoint *e, const struct config_difference *d);

/* once.c: mapping_catch_up() */
void once_init(struct mapping *m);
/* What it owes still is asked for. */
void once_online(struct mapping *m, uint32_t device);
/* Of devices that go on, their successors are asked; the others are forgotten. NULL: all. */
void once_leave(struct mapping *m, const struct config_difference *d);

/* attach.c */
/* Who stands behind its resource: the first of all that have the same one. */
bool row_is_first(const struct mapped_endpoint *e, struct mapped_row *row, struct backing *ret);
/* What a row shows, with its instance and what the agent gives beside it. */
int row_add(struct mapped_endpoint *e, struct mapped_row *row);
int row_add_instance(struct mapped_endpoint *e, struct mapped_row *row);
/* What the agent gives beside it, where it is not there yet. */
int row_add_given(struct mapped_endpoint *e, const struct mapped_row *row);
/* Its store goes on for a while without it: it shows what it showed, and takes nothing. */
void mapped_endpoint_leave(struct mapped_endpoint *e);

/* quality.c */
void quality_start(struct mapped_endpoint *e);
/* Rows or devices are others: what is known of the devices goes for them. */
void quality_follow(struct mapped_endpoint *e);
/* first: something was sampled that had never been. */
void quality_sampled(struct mapped_endpoint *e, bool first);
/* Was what it shows sampled so long ago that it is stale? */
bool row_is_due(const struct mapped_row *row, uint64_t now_usec);
/* Such a sample has come just now: inside the bracket that shows it. */
void quality_late(struct mapped_endpoint *e);
/* The device confirmed a write: as good as a sample. */
void quality_written(struct mapped_row *row);
/* It was read, and is no value. */
void quality_invalid(struct mapped_row *row);
void quality_device(struct mapped_endpoint *e, uint32_t device);
/* Nobody vouches for its good values any more; all: also for those that grow stale by themselves. Inside a bracket. */
void quality_doubt(struct mapped_endpoint *e, uint32_t device, bool all);

/*
 * counters.c: points that are counters; what they are read as goes on over wraps,
 * resets, restarts. from and d as of mapping_init().
 */
int counters_init(struct mapping *m, const struct mapping *from, const struct config_difference *d);
/* Keeps those of devices that go, and what is lost where points are others. */
void counters_leave(struct mapping *m, const struct config_difference *d);
void counters_done(struct mapping *m);
size_t counters_count(const struct mapping *m, uint32_t device);
/* Puts the totals, which lie in counters_count() samples of the caller, in the place of the readings. */
void counters_take(struct mapping *m, uint32_t device, const struct fieldway_sample **sample_of,
		   struct fieldway_sample *totals);
/* Nobody knows what they do until they are read again. */
void counters_pause(struct mapping *m, uint32_t device);

/* kept.c: `persist: true` of local devices: the last good value of a point, over restarts. As counters_...() */
int kept_init(struct mapping *m, const struct mapping *from, const struct config_difference *d);
void kept_leave(struct mapping *m, const struct config_difference *d);
void kept_done(struct mapping *m);
struct kept *kept_free(struct kept *k);
void kept_take(struct mapping *m, uint32_t device, const struct fieldway_sample *samples, size_t n);
/* To an endpoint that is new, what there is; or to the rows of one that are CONFIG_NONE in `from`. Inside a bracket. */
void kept_show(struct mapped_endpoint *e, const uint32_t *from);

/* values.c: what was said of a device before the endpoint, or the rows that kept_show() names, were there. */
void values_show(struct mapped_endpoint *e, uint32_t device, const struct fieldway_sample *samples, size_t n,
		 const uint32_t *from);

/* alarms.c: those that begin by themselves, some time after a value */
void alarms_start(struct mapped_endpoint *e);
/* Values have come, or rows are others. */
void alarms_follow(struct mapped_endpoint *e);

/* errors.c: /3/0/11, one instance per cause */
void errors_update(struct mapped_endpoint *e);

/* plan.c */
#define TIMESTAMP 5518
#define SENSOR_UNITS 5701
/* Is the path mapped, or anything below it? */
bool map_covers(const struct config_endpoint *e, const struct path *path);
/* *ret lives until plans_free(). */
int plan_get(struct mapping *m, const struct config_endpoint *e, const struct row_plan **ret);
void plans_free(struct list *plans);
/* The resources beside a row that the agent fills for it. */
#define GIVEN_MAX 5u
struct given {
	struct path path;
	bool measured; /* comes from the row's values */
};
size_t plan_given(const struct config_map *map, const struct row_plan *plan, struct given ret[GIVEN_MAX]);

/* extremes.c: minimum and maximum measured values, their reset */
struct extreme {
	uint16_t object; /* ID_NONE: any */
	uint16_t value, minimum, maximum, reset;
};
/* Where the extremes of a value are kept; NULL: it has none. */
const struct extreme *extreme_find(const struct path *value);
/* The Execute that resets those of a row. */
int extremes_add_reset(struct mapped_endpoint *e, const struct mapped_row *row);
int extremes_update(struct mapped_row *row, const struct value *value, struct records *out);
