/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "lwm2m/bootstrap/bootstrap.h"

struct client;
struct client_sending;
struct config;
struct fieldbus;
struct path;
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
	const char *server, *uri; /* name, as the operator calls it */
	uint16_t short_id;
	const char *security; /* "psk", "none" */
	const char *source;   /* "yaml", "bootstrap": whose word holds for it */
	const struct client *client;
	uint64_t history_waiting; /* recorded values that it has not got yet */
	bool started;
	bool queued; /* for other servers' sake it has not begun */
	bool paused;
};

/* What an endpoint has of its bootstrap server. */
struct dbus_bootstrap {
	bool started; /* the endpoint */
	bool asks;    /* an attempt is under way, or to come */
	bool works;   /* the server is at work: no other one is listened to */
	char trouble[BOOTSTRAP_TROUBLE_MAX]; /* why the last attempt failed, or "" */
};

enum dbus_kind {
	DBUS_ENDPOINT,
	DBUS_DEVICE, /* config.devices[] */
	DBUS_BUS,    /* config.buses[] */
};

/* What an account shows its server, and may be shown to people. */
#define DBUS_FINGERPRINT_MAX 64u
struct dbus_credential {
	const char *server, *kind; /* "psk", "none" */
	const char *identity, *reference; /* reference: where the key comes from; NULL: none */
	char fingerprint[DBUS_FINGERPRINT_MAX]; /* "": no key */
	char problem[256]; /* why there is none, or "" */
};

struct dbus_pause {
	uint64_t since_usec; /* since 1970 */
	uid_t uid; /* whose it is */
};

/* Recorded values that wait for servers. */
struct dbus_history {
	uint64_t waiting, bytes;
	uint64_t oldest_usec; /* since 1970; 0: none, or not known */
	uint64_t lost;	      /* since the start */
};

/* reason: for people, or NULL. */
typedef void (*dbus_done)(void *userdata, int error, const char *reason);

/* Firmware or a software, as AGENT1_PACKAGE has it; texts live until the loop turns. */
struct dbus_package {
	const char *kind, *name, *state, *note;
	uint64_t received, expected;
};

/* What this module asks of the rest. */
struct dbus_ports {
	struct store *(*store)(void *userdata, uint32_t endpoint);
	const char *(*client_name)(void *userdata, uint32_t endpoint);
	/* An endpoint's account of this index; false: it has not so many. */
	bool (*account)(void *userdata, uint32_t endpoint, unsigned index,
			struct dbus_account *ret);
	/* False: it has no bootstrap server. */
	bool (*bootstrap)(void *userdata, uint32_t endpoint, struct dbus_bootstrap *ret);
	/* Looks the key up as the next handshake does. False: no such account. Texts live until the loop goes on. */
	bool (*credential)(void *userdata, uint32_t endpoint, unsigned index, struct dbus_credential *ret);
	void (*counts)(void *userdata, uint32_t *ret_accounts, uint32_t *ret_registered);
	void (*history)(void *userdata, struct dbus_history *ret);
	/*
	 * An Update now, at the account's server of this name, or at all where it is
	 * registered. 0: done runs once, not before this has returned, when they have
	 * answered, with the first error. Else it does not run: -EHOSTDOWN it is not
	 * registered, -EBUSY too many wait for the answer, -ENOMEM.
	 */
	int (*update)(void *userdata, uint32_t endpoint, const char *server, dbus_done done, void *done_userdata);
	/* As client_send(), to the server of this name, or to all that take it. */
	int (*send)(void *userdata, uint32_t endpoint, const char *server, const struct path *paths, size_t n,
		    struct client_sending *ret, dbus_done done, void *done_userdata);
	/*
	 * Registers an endpoint anew, or begins a bus with a new host. -EPERM it is
	 * paused, -ENOENT the endpoint has no server, -ESHUTDOWN the agent ends.
	 */
	int (*restart)(void *userdata, enum dbus_kind kind, uint32_t id);
	/*
	 * Its accounts are as YAML has them again, whatever servers wrote. -ENODATA:
	 * nobody wrote anything, -ESHUTDOWN the agent ends.
	 */
	int (*reset)(void *userdata, uint32_t endpoint);
	/* A user, uid, has it left alone; over restarts. 0; -ENOSPC, -ESHUTDOWN, errno of keeping it. */
	int (*pause)(void *userdata, enum dbus_kind kind, uint32_t id, bool on, uid_t uid);
	/* The one with that number of what servers update this machine with; false: there are no more. */
	bool (*package)(void *userdata, size_t index, struct dbus_package *ret);
	/* NULL: it is not paused. */
	const struct dbus_pause *(*paused)(void *userdata, enum dbus_kind kind, uint32_t id);
};

enum dbus_configuration {
	DBUS_ACCEPTED,
	DBUS_LAST_GOOD,	  /* the files are wrong, or nobody confirmed them */
	DBUS_UNCONFIRMED, /* what runs is taken back soon, unless somebody does */
};

/* How it ended: errors and warnings of the files, a line each, live during the call. */
typedef void (*dbus_reload_done)(void *userdata, int error, struct span errors, struct span warnings);
struct dbus_reload_ports {
	/* 0: done runs once, later; else -EBUSY, -EINVAL (confirm_usec), -ENOMEM. confirm_usec 0: for good. */
	int (*reload)(void *userdata, uint64_t confirm_usec, dbus_reload_done done, void *done_userdata);
	/* The same without doing it. */
	int (*check)(void *userdata, dbus_reload_done done, void *done_userdata);
	int (*confirm)(void *userdata); /* -ENOENT: nothing to confirm */
};

struct dbus_config {
	struct sd_event *event;
	struct timers *timers;
	const char *address; /* "system", "session", or a D-Bus address */
	const struct config *config;
	struct fieldbus *fieldbus;
	enum dbus_configuration configuration;
	struct span errors; /* of the configuration: lines file:line:column: text */
	struct span warnings; /* of what the last reload read */
	const struct dbus_reload_ports *reload;
	void *reload_userdata;
};

/* config and ports must outlive it. -ENOMEM. */
int dbus_new(const struct dbus_config *config, const struct dbus_ports *ports, void *userdata,
	     struct dbus **ret);
/* The caller frees the stores first or later: writes under way are answered to whoever is still there. */
struct dbus *dbus_free(struct dbus *d);

/*
 * Another configuration. Prepared, nothing has happened yet: -ENOMEM. From
 * dbus_commit() on all is numbered as in the new one; clients are told from the
 * loop, when all others have followed. d and c may be NULL.
 */
struct dbus_change;
struct config_difference;
int dbus_prepare(struct dbus *d, const struct config_difference *difference, struct dbus_change **ret);
void dbus_commit(struct dbus_change *c);
struct dbus_change *dbus_change_free(struct dbus_change *c);

/*
 * Tells the program of a local device what to write, as fieldbus_ops.local_write
 * has it. -EBUSY: the bus takes no more. d may be NULL.
 */
struct fieldway_value;
int dbus_local_write(struct dbus *d, uint32_t device, uint64_t serial, uint32_t point,
		     const struct fieldway_value *value);

/*
 * What a server wants of this machine, from the services of systemd; polkit says
 * whether the agent may. done runs once, at once or later: 0, -EINVAL it takes no
 * such value, -EBUSY not now (the clock follows the network, or somebody holds the
 * machine), -ETIMEDOUT no answer, -EIO all else; reason is set then. d may be NULL.
 */
void dbus_reboot(struct dbus *d, dbus_done done, void *userdata);
void dbus_set_time(struct dbus *d, uint64_t since_1970_usec, dbus_done done, void *userdata);
void dbus_set_timezone(struct dbus *d, const char *timezone, dbus_done done, void *userdata);

/* Something that clients see has changed; they are told soon. d may be NULL. */
void dbus_endpoint_changed(struct dbus *d, uint32_t endpoint);
void dbus_device_changed(struct dbus *d, uint32_t device);
void dbus_counts_changed(struct dbus *d);
/* What store_watch says, of the store of an endpoint. */
void dbus_values_changed(struct dbus *d, uint32_t endpoint, const struct path *paths, size_t n);
/* Something is paused, or is not any more. */
void dbus_paused_changed(struct dbus *d, enum dbus_kind kind, uint32_t id);
/* errors and warnings live until the next call. */
void dbus_configuration_changed(struct dbus *d, enum dbus_configuration configuration, struct span errors,
				struct span warnings);
