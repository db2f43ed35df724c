/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "host/setup/loader.h"
#include "host/setup/refusals.h"

/* A configuration that its plugin accepts, compiled: drivers, lines, requests. Opens nothing. */

#define SETUP_LINE_NAME_MAX 512u
#define SETUP_TIMEOUT_MAX_USEC UINT64_C(600000000)
#define SETUP_RETRIES_MAX 100u
/* Room for the texts among the samples of one answer. */
#define SETUP_TEXT_BYTES LINK_SAMPLE_BYTES_MAX

/* One request and how often its device is asked it. */
struct setup_poll {
	const struct fieldway_request *request;
	uint64_t period_usec; /* as link_point has it */
};

struct setup_device {
	const struct link_device *link;
	const struct link_type *type;
	struct fieldway_device device;
	struct fieldway_driver *driver;
	enum fieldway_io io;
	const char *line; /* NULL without a bus */
	struct fieldway_plan *plans;
	size_t n_plans;
	struct setup_poll *polls; /* shortest period first, then once, then on demand */
	size_t n_polls;
	struct fieldway_plan identify_plan;
	const struct fieldway_request *identify; /* NULL: any model will do */
};

struct setup {
	unsigned n_refs;
	struct setup *parent; /* that parts of its configuration are out of, or NULL */
	struct link_configuration *configuration;
	const struct fieldway_plugin *plugin;
	struct fieldway_bus bus;
	struct setup_device *devices;
	size_t n_devices;
	struct arena arena;
};

enum setup_kind {
	SETUP_BUS,
	SETUP_SAMPLE, /* devices without address and bus: no lines, no requests beforehand */
};

/*
 * Takes the configuration over, also on failure. 0, -EINVAL with at least one
 * refusal, -ENOMEM.
 */
int setup_new(struct loader *loader, struct link_configuration *configuration, enum setup_kind kind,
	      struct refusals *refusals, struct setup **ret);
/* For one more that needs it. */
struct setup *setup_ref(struct setup *s);
/* The last one to give it up frees it. Takes NULL. */
struct setup *setup_free(struct setup *s);

/* NULL when there is none of this id. */
const struct setup_device *setup_find(const struct setup *s, uint32_t id);
