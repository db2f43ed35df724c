/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "mapping/mapping.h"
#include "state/state.h"

/*
 * A mapping over a configuration made by hand, the stores of its endpoints,
 * and a field that does what the test says: rig.c has fieldbus_write(),
 * fieldbus_forget() and fieldbus_point_text() of its own.
 */
#define RIG_MAX 4

/* A write that has reached the field. */
struct rig_write {
	uint32_t device, point;
	struct fieldway_value value;
	char text[32]; /* of a STRING */
	fieldbus_done done;
	void *userdata;
	bool forgotten;
};

/* A read that was asked for; done NULL: forgotten. */
struct rig_read {
	uint32_t device, points[8];
	size_t n;
	fieldbus_read_done done;
	void *userdata;
};

struct rig {
	struct config config;
	struct config_bus bus;
	struct config_device devices[RIG_MAX];
	struct config_endpoint endpoints[RIG_MAX];
	struct definitions *definitions;
	struct timers *timers;
	struct state *state; /* NULL unless a test sets it before rig_start() */
	struct mapping *mapping;
	struct store *stores[RIG_MAX];
	/* What the owner hears. */
	unsigned n_seen[RIG_MAX], n_complete[RIG_MAX];
	/* The field. */
	int write_error; /* of the next fieldbus_write() */
	struct rig_write writes[16];
	unsigned n_writes;
	struct rig_read read; /* the last one */
	unsigned n_reads;
	/* The end of a Write or Execute. */
	unsigned n_done;
	int error;
	char reason[200];
	/* Changes of the first store, as "/3303/0/5700 " ... */
	char changes[512];
};
extern struct rig rig;

void rig_set_up(void);
void rig_tear_down(void);
uint32_t rig_device(char *name, const struct config_type *type);
/* device UINT32_MAX: rows name their own. Objects and /3/0 with 11 as builtin leaves them. */
uint32_t rig_endpoint(char *name, uint32_t device, const struct config_map *map, size_t n);
/* Makes the mapping and attaches all endpoints. */
void rig_start(void);
void rig_advance(uint64_t usec);

struct path path_of(const char *text);
/* One good sample of now, or as given. */
void rig_number(uint32_t device, uint32_t point, double v);
void rig_sample(uint32_t device, uint32_t point, struct fieldway_value v);
void rig_bad_sample(uint32_t device, uint32_t point, enum fieldway_quality quality, int error);

/* The value as text, or what store_read() says. */
void rig_expect(uint32_t endpoint, const char *path, const char *text);
void rig_expect_error(uint32_t endpoint, const char *path, int error);
/* Payload of the 5.03. */
void rig_expect_explanation(uint32_t endpoint, const char *path, const char *text);
void rig_write(uint32_t endpoint, const char *path, struct value v);
void rig_write_all(uint32_t endpoint, const char *path, enum store_write_mode mode,
		   const struct record *records, size_t n);
void rig_execute(uint32_t endpoint, const char *path);
void rig_execute_with(uint32_t endpoint, const char *path, const char *argument);
/* The field answers a write. */
void rig_answer(unsigned i, enum fieldway_outcome outcome, int error, const char *detail);
