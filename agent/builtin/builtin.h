/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "builtin/ports.h"
#include "store/store.h"

/* The objects that the agent backs itself, for one endpoint. */
struct builtin;

struct firmware;
struct software;
struct timers;

/* Values of /10374/x/8. */
enum builtin_connection_state {
	BUILTIN_CONNECTION_DISABLED = 0,
	BUILTIN_CONNECTION_CONNECTING = 1,
	BUILTIN_CONNECTION_CONNECTED = 2,
	BUILTIN_CONNECTION_INVALID = 3,
	BUILTIN_CONNECTION_ERROR = 4,
};

/* An instance of /10374: a serial line, or one TCP device. */
struct builtin_connection {
	uint16_t id;
	const char *address;
	uint8_t layer;		/* /10374/x/1 */
	bool serial;		/* has the next four */
	uint32_t baud;
	uint8_t stop_bits, parity, flow; /* as /10374/x/4 to 6 */
	bool enabled;
	bool shared; /* its bus has other connections, too: it cannot be switched off alone */
};

/* The objects 10374 and 10375. */
struct builtin_modbus {
	struct timers *timers;
	bool change; /* servers may write to devices, and switch buses off */
	const struct builtin_connection *connections;
	size_t n_connections;
};

/* Object 3 of the host: what belongs to this machine. */
struct builtin_host {
	struct timers *timers;
	bool network; /* has object 4 */
	struct builtin_clock clock; /* that was kept */
	bool may_reboot, may_set_time, may_set_timezone, may_factory_reset; /* servers */
};

/* What an account says in /1. */
struct builtin_settings {
	uint32_t lifetime_s, disable_timeout_s;
	bool storing;
	bool send;		     /* not muted */
	/* What is absent is -1 or, where its default is meant, false. */
	int64_t pmin_s, pmax_s;
	int64_t priority, initial_delay_s;
	bool failure_block;
	bool stays_on_failure;	     /* /1/x/16 is false */
	int64_t retry_count, retry_timer_s, sequence_delay_s, sequence_count;
	bool confirmable;
};

/* An account: an instance of /0 and one of /1. */
struct builtin_account {
	uint16_t instance; /* of /1 */
	uint16_t security; /* of /0 */
	const char *uri;
	bool secure;		  /* PSK, else NoSec */
	const char *identity;	  /* of the PSK; keys never enter a store */
	uint16_t short_id;
	const struct builtin_settings *settings;
	bool overlaid;		  /* what a server wrote to /1 of this one stands: builtin_reload() */
};

/* The account at a bootstrap server: an instance of /0. */
struct builtin_bootstrap {
	uint16_t security;
	const char *uri;
	bool secure;
	const char *identity;
	uint32_t hold_off_s, timeout_s; /* /0/x/11 and 12 */
};

/* An instance of object 9. */
struct builtin_software {
	uint16_t instance;
	struct software *software; /* behind it, and outlives builtin_leave() */
};

/* What they are filled with; texts are copied, NULL leaves a resource out. */
struct builtin_values {
	const struct builtin_account *accounts;
	size_t n_accounts;
	const struct builtin_bootstrap *bootstrap; /* NULL: there is none; else servers may ask for it, /1/x/9 */
	/* /3/0 */
	const char *manufacturer, *model, *serial, *firmware, *device_type, *hardware, *software;
	const struct builtin_host *host; /* NULL: another device than this machine */
	struct timers *timers; /* NULL: nothing is counted, there is no /7 */
	const struct builtin_modbus *modbus; /* NULL: the Modbus objects do not exist */
	struct firmware *update; /* behind object 5, and outlives builtin_leave(); NULL: that does not exist */
	const struct builtin_software *softwares; /* n_softwares, each once */
	size_t n_softwares;
};

/*
 * Adds /0 and /1 of the accounts and /3/0 to the store. endpoint is handed to
 * the ports. The builtin must outlive the store's requests.
 */
int builtin_new(struct store *store, const struct definitions *definitions,
		const struct builtin_values *values, const struct builtin_ports *ports, void *endpoint,
		struct builtin **ret);
/* Before the store goes: what is not of this endpoint, firmware and software, is let go, and who waits for it is told -EBUSY. */
void builtin_leave(struct builtin *b);
struct builtin *builtin_free(struct builtin *b);
/*
 * The same store under other definitions, with other values. What others stand
 * behind is theirs. Accounts that values do not have leave; one of another short
 * server id is made anew, and so is one where there was none. Where one is
 * overlaid, values do not go to its /1. Requests of Modbus objects that values do
 * not have any more have ended before. The first error; the rest is done all the
 * same.
 */
int builtin_reload(struct builtin *b, const struct definitions *definitions,
		   const struct builtin_values *values);

/* Addresses, links or routes of this machine may be others. */
void builtin_network_changed(struct builtin *b);
/* What servers wrote to /3/0/13 to 15 is forgotten. */
void builtin_forget_clock(struct builtin *b);
/* Error codes of what the host shows of devices; its own are beside them. */
void builtin_host_errors(struct builtin *b, const int64_t *codes, size_t n);
/* A connection's state has changed; nothing without the Modbus objects. */
void builtin_connection_state(struct builtin *b, uint16_t connection, enum builtin_connection_state state);
/* Register clusters (/10375) have been put into the store by somebody else than a server. */
int builtin_clusters_adopt(struct builtin *b);
