/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwm2m/registration/order.h"
#include "lwm2m/resolver.h"
#include "model/definition.h"
#include "store/store.h"
#include "transport/transport.h"

/*
 * The life of one account: an endpoint at one server. Registers, keeps the
 * registration alive, answers the server's operations, notifies. Settings that
 * a server may change are read from the store: /1/x of `server_instance`.
 */
struct client;
struct log_budget;
struct profile_memory;

enum client_state {
	CLIENT_STOPPED,	      /* not started, or de-registered */
	CLIENT_REGISTERING,   /* a Register is under way */
	CLIENT_REGISTERED,
	CLIENT_UPDATING,      /* registered, an Update is under way */
	CLIENT_WAITING,	      /* between two attempts to register, or for the first one */
	CLIENT_DISABLED,      /* away for /1/x/5 seconds */
	CLIENT_DEREGISTERING, /* a De-register is under way */
};
const char *client_state_name(enum client_state state);

struct client_config {
	struct transport *transport;
	struct governor *governor;
	struct timers *timers;
	const struct definitions *definitions;
	const struct resolver *resolver;
	struct store *store;	      /* the endpoint's own */
	const char *endpoint;	      /* endpoint client name, outlives the client */
	const char *server_name;      /* as the operator calls it, for logs; outlives the client */
	const struct uri *uri;
	enum session_security security;
	const char *psk_identity;
	session_psk_handler psk;      /* userdata is psk_userdata */
	void *psk_userdata;
	uint16_t short_id;
	uint16_t server_instance;     /* of /1 */
	bool version_fixed;	      /* never fall back from `version` */
	enum lwm2m_version version;
	/*
	 * What the server was found to speak, shared by all its accounts: begins
	 * with 0, unknown, and becomes the version that one of them fell back to.
	 * NULL: each finds out for itself. Outlives the client.
	 */
	enum lwm2m_version *server_version;
	const struct codec *const *formats; /* preference without Accept, outlives the client; multi-value ones */
	size_t n_formats;
	/*
	 * Profile ID towards a server of 1.2 (Core 6.2.1). NULL: none; PROFILE_AUTO:
	 * made of the list; else the text as it is, with profile_list beside it (NULL:
	 * nothing, PROFILE_LIST_ALL: the list, or links). Both outlive the client.
	 */
	const char *profile_id, *profile_list;
	/* What the server has seen; shared by all its accounts, outlives the client. NULL: no Profile ID. */
	struct profile_memory *profiles;
	bool queue_mode;	      /* the server keeps its requests while the client sleeps */
	uint64_t liveness_usec;	      /* not in queue mode */
	uint64_t first_value_usec;    /* an Observe waits this long for a first value */
	bool audit;		      /* log who wrote what */
	/*
	 * For what is said of the server itself and not of this account, shared
	 * by all its accounts: thousands need not tell that it is silent. NULL:
	 * the account's own. Outlives the client.
	 */
	struct log_budget *server_budget;
};

#define PROFILE_AUTO "auto"
#define PROFILE_LIST_ALL "all"

struct client_ops {
	/* error: negative errno of the last failure, 0. */
	void (*state)(void *userdata, enum client_state state, int error);
	/*
	 * The attempts that /1/x/17 to 20 allow are used up, or the server rejects the
	 * client and /1/x/16 says that this will do (Core 6.2.1.1): the turn of others,
	 * and of bootstrap. Unless it is stopped now or later it keeps trying, at the
	 * pace of /1/x/19, and says this each time.
	 */
	void (*failed)(void *userdata);
	/* The server's attributes changed: to be kept with the endpoint (client_save_attributes()). */
	void (*attributes)(void *userdata);
};

int client_new(const struct client_config *config, const struct client_ops *ops, void *userdata,
	       struct client **ret);
/* Without de-registering; requests in hand are forgotten. */
struct client *client_free(struct client *c);

/*
 * Goes on with what another configuration says of an account that is still the
 * same: definitions, formats, Profile ID, queue_mode, liveness_usec, first_value_usec and audit
 * are taken over, nothing else is looked at. The server hears nothing of it, unless the
 * account waits for its next attempt to register, which is made now, or queue_mode is
 * another one: it registers anew.
 */
void client_adopt(struct client *c, const struct client_config *config);
/* Of those the definitions and formats alone: also one that leaves has requests in hand that want them. */
void client_redefine(struct client *c, const struct client_config *config);

/* Registers as soon as possible. Harmless when already started. */
void client_start(struct client *c);
/* The same at a time on the monotonic clock; CLIENT_WAITING until then. */
void client_start_at(struct client *c, uint64_t when_usec);
/* What /1 says of its place among the accounts of its endpoint; all but state and ended_usec. */
void client_order_settings(const struct client *c, struct order_account *ret);
/* De-registers, then CLIENT_STOPPED; also reached when the server does not answer. */
void client_stop(struct client *c);
/* What the store watch said; forwarded to Update and to the observations. */
void client_changed(struct client *c, enum store_change change, const struct path *paths, size_t n);
/* Update without parameters: trigger /1/x/8, liveness. */
void client_update(struct client *c);
/*
 * What a server executes; both happen a second later, when it has its answer.
 * Disable /1/x/4: De-register, away for /1/x/5, then Register.
 */
void client_disable(struct client *c);
/* Registers anew: restart of a virtual endpoint (/3/0/4). */
void client_restart(struct client *c);

/*
 * Send (Core 6.4.6): the good values that are readable at or below the paths, in
 * one message. 0: done runs once, not before this has returned, when the server
 * has answered: error 0; -EREMOTE: by anything but 2.xx, which reason tells, -EAGAIN: by
 * 5.xx or 4.29 (RFC 8516), likewise; -ECANCELED; or what ended the session. Else it does not run: -EINVAL none or more than
 * SEND_PATHS_MAX paths, -EHOSTDOWN not registered, -EOPNOTSUPP registered as 1.0,
 * which has no Send, -EACCES muted by /1/x/23, -EBUSY SENDINGS_MAX wait, or an Update that tells of new instances, -ENOENT
 * ret->at is not there, -EPERM it cannot be read, or not by this server, -ENODATA nothing of it is good,
 * -E2BIG -EFBIG too much, -ENOMEM.
 */
#define SEND_PATHS_MAX 64u
#define SENDINGS_MAX 16u
struct client_sending {
	struct path at;
	size_t values;	   /* that go out */
	unsigned left_out; /* resources that are not good */
};
typedef void (*client_sent)(void *userdata, int error, const char *reason);
int client_send(struct client *c, const struct path *paths, size_t n, client_sent done, void *userdata,
		struct client_sending *ret);

/*
 * The same of values that were recorded, with their times: those that are not there
 * any more, or not the server's to read, are taken out. Returns as client_send(), of
 * records that have no values left -ENODATA.
 */
int client_send_records(struct client *c, struct records *records, client_sent done, void *userdata);
/* Not muted, and of a version that has Send. */
bool client_takes_send(const struct client *c);

/* Requests of its server are dropped: somebody else has its say (Core 6.1.1). */
void client_hush(struct client *c, bool hush);

enum client_state client_state(const struct client *c);
bool client_is_registered(const struct client *c);
enum lwm2m_version client_version(const struct client *c);
/* Why its last attempt failed, for people: "it answered 4.03 Forbidden: ..."; "" while all is well. */
#define CLIENT_TROUBLE_MAX 192u
const char *client_trouble(const struct client *c, char ret[CLIENT_TROUBLE_MAX]);
const struct session_counters *client_counters(const struct client *c);
/* The largest datagram is looked for anew. */
void client_forget_largest(struct client *c);
/* Does its server observe the path, or what is above or below it? */
bool client_observes(const struct client *c, const struct path *path);
/* What its server observes that overlaps a path. */
struct client_observation {
	struct path path;
	uint64_t sent_usec; /* last notification, or the answer to the Observe; monotonic */
	bool in_flight;	    /* one is on its way */
	bool has_pmin, has_pmax; /* in force */
	uint32_t pmin_s, pmax_s;
};
void client_each_observation(const struct client *c, const struct path *path,
			     void (*f)(void *userdata, const struct client_observation *o), void *userdata);
/* Attributes as text for the state folder, and back (before client_start()). */
int client_save_attributes(const struct client *c, struct buf *ret);
int client_load_attributes(struct client *c, struct span text);
