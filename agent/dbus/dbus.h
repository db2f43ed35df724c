/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct client;
struct config;
struct config_server;
struct fieldbus;
struct sd_event;
struct store;
struct timers;

/*
 * The agent on D-Bus, as agent1.h has it. Without a bus nothing is shown, and
 * it is tried again; the rest of the agent does not wait for it.
 */
struct dbus;

/* Endpoints are numbered: 0 the host, i + 1 config.endpoints[i]. */
#define DBUS_HOST 0u

struct dbus_account {
	const struct config_server *server;
	const struct client *client;
	bool started;
};

/* What this module asks of the rest. */
struct dbus_ports {
	struct store *(*store)(void *userdata, uint32_t endpoint);
	const char *(*client_name)(void *userdata, uint32_t endpoint);
	/* An endpoint's account of this index; false: it has not so many. */
	bool (*account)(void *userdata, uint32_t endpoint, unsigned index,
			struct dbus_account *ret);
	void (*counts)(void *userdata, uint32_t *ret_accounts, uint32_t *ret_registered);
};

struct dbus_config {
	struct sd_event *event;
	struct timers *timers;
	const char *address; /* "system", "session", or a D-Bus address */
	const struct config *config;
	struct fieldbus *fieldbus;
	bool last_good;
	struct span errors; /* of the configuration: lines file:line:column: text */
};

/* config and ports must outlive it. -ENOMEM. */
int dbus_new(const struct dbus_config *config, const struct dbus_ports *ports, void *userdata,
	     struct dbus **ret);
/* The caller frees the stores first or later: writes under way are answered to whoever is still there. */
struct dbus *dbus_free(struct dbus *d);

/* Something that clients see has changed; they are told soon. d may be NULL. */
void dbus_endpoint_changed(struct dbus *d, uint32_t endpoint);
void dbus_device_changed(struct dbus *d, uint32_t device);
void dbus_counts_changed(struct dbus *d);
