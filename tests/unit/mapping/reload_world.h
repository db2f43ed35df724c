/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/difference.h"
#include "tests/unit/mapping/meter.h"

/* A configuration takes the place of another one while values and requests go on. */

/* The points of a meter. */
enum { P_VOLTS, P_POWER, P_RUN, P_FAULT, P_SERIAL, P_COUNT, P_ASKED, P_MAX };
extern const struct config_point world_points[P_MAX];
#define RW (CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE)

/* One configuration in memory of its own, which is wiped when the next one is in force. */
struct world {
	struct config config;
	struct config_bus bus;
	struct config_device devices[RIG_MAX];
	struct config_endpoint endpoints[RIG_MAX];
	struct config_type types[RIG_MAX], *type_list[RIG_MAX];
	struct config_point points[RIG_MAX][P_MAX];
	struct config_map maps[RIG_MAX][16];
};

/* The one in force, and an empty one for what is to come. */
extern struct world *now, *then;
/* Stores of endpoints that went with the last reload, by their former numbers. */
extern struct store *gone[RIG_MAX];

uint32_t world_add_type(struct world *w);
uint32_t world_add_device(struct world *w, char *name, uint32_t type);
uint32_t world_add_endpoint(struct world *w, char *name, uint32_t device);
void world_add_row(struct world *w, uint32_t endpoint, struct config_map map);
void world_add_point(struct world *w, uint32_t endpoint, const char *path, uint32_t point);
void world_add_constant(struct world *w, uint32_t endpoint, const char *path, int64_t number);
/* Two meters; the first one's endpoint shows something of each kind. */
void world_fill(struct world *w);

/* Fixtures: `now` is in force, as filled; with world_fill(). */
void world_start(void (*fill)(struct world *w));
void world_set_up(void);
void world_tear_down(void);
struct store *world_new_store(void);
void world_on_seen(void *userdata, uint32_t endpoint, bool complete);

/* `then` comes into force; nothing may look at what was `now`. */
void world_reload(void);
/* With the next reload: the definitions that are shipped, and text's, or NULL. */
void world_redefine(const char *text);

/* Samples of the first meter, and what they make of its endpoint. */
void world_feed(void);
void world_expect_fed(void);
void world_count(uint32_t device, uint32_t point, uint64_t n);
void world_expect_gone(uint32_t endpoint, const char *text);
