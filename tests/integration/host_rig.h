/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/arena.h"
#include "base/macro.h"
#include "link/marshal.h"

/* The real fieldway-plugin-host at the other end of a socketpair, and all that it says. */

#define RIG_DEVICES 8
#define RIG_POINTS 16
#define RIG_WAIT_USEC UINT64_C(20000000)

struct rig_point {
	struct fieldway_sample sample; /* the newest */
	char text[64];		       /* of a string */
	unsigned n, n_good;	       /* samples so far */
};

struct rig_device {
	struct rig_point points[RIG_POINTS];
	struct link_counters counters;
	enum link_state state;
	unsigned n_states;
	char reason[512];
};

struct rig {
	sd_event *event;
	sd_bus *link;
	pid_t pid;
	int status; /* of the program, once it has ended */
	bool ended;
	struct rig_device devices[RIG_DEVICES];
	uint64_t generation; /* of the last Values or State */
	bool hold;	     /* Values are not answered */
	uint64_t lend_usec;  /* of Configure */
	sd_bus_message *held[64];
	unsigned n_held, n_values;
};

void rig_start(struct rig *r);
/* Closes the link and waits for the program; checks that it has ended well. */
void rig_stop(struct rig *r);

/* Runs the loop until the condition holds; false after RIG_WAIT_USEC. */
#define rig_wait(r, condition)                                                                     \
	({                                                                                         \
		uint64_t _end = rig_now() + RIG_WAIT_USEC;                                         \
		while (!(condition) && rig_now() < _end)                                           \
			rig_turn(r);                                                               \
		(condition);                                                                       \
	})
#define rig_expect(r, condition) ck_assert_msg(rig_wait(r, condition), "%s", #condition)
uint64_t rig_now(void);
void rig_turn(struct rig *r);
/* Runs the loop for so long. */
void rig_run(struct rig *r, uint64_t usec);
/* Answers what was held back. */
void rig_release(struct rig *r);

/* A call and its answer; values and states go on being taken meanwhile. */
sd_bus_message *rig_call_new(struct rig *r, const char *member);
sd_bus_message *rig_call(struct rig *r, sd_bus_message *call);
/* Configure; what is refused lies in arena memory. */
size_t rig_configure(struct rig *r, const struct link_configuration *c, struct arena *arena,
		     struct link_refusal **ret);

struct rig_outcome {
	uint8_t outcome;
	int error;
	char text[512];
	bool done;
};
void rig_write_start(struct rig *r, uint64_t generation, uint32_t device, uint32_t point,
		     uint64_t within_usec, const struct fieldway_value *value,
		     struct rig_outcome *ret);
struct rig_outcome rig_write(struct rig *r, uint64_t generation, uint32_t device, uint32_t point,
			     const struct fieldway_value *value);
