/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by wire.c, which builds the agent, and configuration/, which gives it another one. */

#include "dbus/dbus.h"
#include "fieldbus/fieldbus.h"
#include "gateway/configuration/accepted.h"
#include "gateway/configuration/reload.h"
#include "gateway/registry/registry.h"
#include "gateway/status.h"
#include "gateway/trim.h"
#include "gateway/wire.h"
#include "mapping/mapping.h"
#include "metrics/metrics.h"
#include "secret/secret.h"
#include "state/identity.h"
#include "state/state.h"
#include "transport/transport.h"

struct gateway {
	struct gateway_options options;
	struct sd_event *event;
	struct timers *timers;
	struct state *state;
	struct timer state_retry; /* armed while records could not be written */
	int state_error;	  /* of the last attempt, if that failed */
	bool state_retried;	  /* by the timer: nobody has saved anything since */
	struct pauses *pauses;
	struct secret_store *secrets;
	struct fieldbus *fieldbus;
	struct transport *transport;
	struct identity identity;
	struct loaded loaded;
	enum accepted_from from;
	struct buf errors; /* lines of what is wrong with the files, where others run */
	struct buf warnings; /* what the last reload said of those that run */
	struct reload reload;
	bool stopping;
	struct registry *registry;
	struct mapping *mapping;
	struct status *status;
	struct trim trim;
	struct dbus *dbus; /* NULL: --bus=none */
	struct metrics *metrics;
};

/* A plugin that is missing is an error of --check only: a package that was taken away must not stop the rest. */
struct load_sources load_sources(const struct gateway *g, bool plugins_optional);
/* Each account has a socket of its own; what is allowed must also be possible. */
void raise_descriptors(const struct config *config);
