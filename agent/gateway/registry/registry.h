/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dbus/dbus.h"

struct config;
struct definitions;
struct fieldbus;
struct pauses;
struct sd_event;
struct secret_store;
struct state;
struct store;
struct timers;
struct transport;

/*
 * All endpoints and their accounts. An endpoint is a name, a store and what
 * backs it; an account is an endpoint at one server. The host is an endpoint
 * like any other.
 */
struct registry;

/* What a server may ask of the machine; dbus/dbus.h has it, and how it ends. */
struct registry_system {
	void (*reboot)(void *userdata, dbus_done done, void *done_userdata);
	void (*set_time)(void *userdata, uint64_t since_1970_usec, dbus_done done, void *done_userdata);
	void (*set_timezone)(void *userdata, const char *timezone, dbus_done done, void *done_userdata);
};

struct registry_config {
	struct sd_event *event;
	struct timers *timers;
	struct transport *transport;
	const struct definitions *definitions;
	const struct config *config; /* outlives the registry, as all others do */
	struct secret_store *secrets;
	struct state *state;	     /* keeps what servers changed */
	const struct registry_system *system;
	void *system_userdata;
	const char *state_folder;    /* whose storage is /3/0/10 and 21 of the host */
	const char *install_socket;  /* of fieldway-install */
	struct pauses *pauses;	     /* what users have paused */
	struct fieldbus *fieldbus;   /* behind the host's Modbus objects; may go first, at the end */
};

/* Endpoints with their stores and objects of their own; nothing is sent yet. */
int registry_new(const struct registry_config *config, struct registry **ret);
/* Without de-registering: registry_stop() comes first. */
struct registry *registry_free(struct registry *r);

/* The store of config.endpoints[i], or of the host (config_host()), for mapping_attach(). */
struct store *registry_store(const struct registry *r, uint32_t endpoint);

/* mapping_ops.host_errors leads here. */
void registry_host_errors(struct registry *r, const int64_t *codes, size_t n);

/* Registers the host now, the others as `register:` says. */
void registry_start(struct registry *r);
/* mapping_ops.seen leads here: an endpoint got its first sample, or has one of each point. */
void registry_seen(struct registry *r, uint32_t endpoint, bool complete);
/* De-registers everywhere; stopped is called once, from the loop or at once when there is nothing to do. */
void registry_stop(struct registry *r, void (*stopped)(void *userdata), void *userdata);

/*
 * From one configuration to another, in one turn of the loop (gateway/configuration/reload.c
 * has the order). Prepared, nothing has happened yet: -ENOMEM, or what made an
 * endpoint or server impossible, which is logged. d and what it compares live
 * until the change is freed, definitions as long as the registry or until the
 * next change.
 */
struct registry_change;
struct config_difference;
int registry_prepare(struct registry *r, const struct config_difference *d,
		     const struct definitions *definitions, struct registry_change **ret);
/*
 * From here on endpoints and servers are numbered as in the new configuration.
 * Stores of those that are kept collect their changes until registry_renew().
 */
void registry_commit(struct registry_change *c);
/* Endpoints that are kept have their own objects, and the accounts that go on, as the new configuration says. */
void registry_renew(struct registry_change *c);
/* When all others have followed: accounts that are new begin, those that are gone de-register. */
void registry_settle(struct registry_change *c);
/* Not committed: as if it had not been prepared. */
struct registry_change *registry_change_free(struct registry_change *c);

/* fieldbus_start() has been called. */
void registry_field_started(struct registry *r);
/* fieldbus_ops.state leads here. */
void registry_device_changed(struct registry *r, uint32_t device);

/* What waits for servers of recorded values. */
struct history_counts;
void registry_history(const struct registry *r, struct history_counts *ret);

struct registry_counts {
	uint32_t accounts, registered;
};
void registry_counts(const struct registry *r, struct registry_counts *ret);
struct registry_watch {
	void (*counts)(void *userdata);
	/* An account's state or error; 0 is the host, i + 1 config.endpoints[i]. */
	void (*endpoint)(void *userdata, uint32_t endpoint);
	/* What store_watch says of an endpoint's store. */
	void (*values)(void *userdata, uint32_t endpoint, const struct path *paths, size_t n);
	/* Something is paused, or is not any more. */
	void (*paused)(void *userdata, enum dbus_kind kind, uint32_t id);
};
/* What people ask, as dbus_ports has it. */
int registry_update(struct registry *r, uint32_t endpoint, const char *server, dbus_done done, void *userdata);
int registry_send(struct registry *r, uint32_t endpoint, const char *server, const struct path *paths, size_t n,
		  struct client_sending *ret, dbus_done done, void *userdata);
/* update/software.c: as struct dbus_ports has it. */
bool registry_package(const struct registry *r, size_t index, struct dbus_package *ret);
/* As bootstrapping_reset(); -ESHUTDOWN. */
int registry_reset(struct registry *r, uint32_t endpoint);
int registry_restart(struct registry *r, enum dbus_kind kind, uint32_t id);
int registry_pause(struct registry *r, enum dbus_kind kind, uint32_t id, bool on, uid_t uid);
const struct dbus_pause *registry_paused(struct registry *r, enum dbus_kind kind, uint32_t id);
/* What is paused of the configuration; another one may have more. */
uint32_t registry_count_paused(struct registry *r);
/* Devices and buses that are paused, to a fieldbus that has begun with its configuration. */
void registry_pause_field(struct registry *r);
void registry_set_watch(struct registry *r, const struct registry_watch *watch, void *userdata);
