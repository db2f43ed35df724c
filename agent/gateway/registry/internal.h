/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of gateway/ that make up the registry, in this room and others. */

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "builtin/builtin.h"
#include "config/config.h"
#include "download/download.h"
#include "gateway/history/recording.h"
#include "gateway/modbus/modbus.h"
#include "gateway/pauses.h"
#include "gateway/registry/registry.h"
#include "gateway/registry/terms.h"
#include "lwm2m/bootstrap/bootstrap.h"
#include "lwm2m/client.h"
#include "lwm2m/registration/profile_id.h"
#include "secret/secret.h"
#include "state/state.h"
#include "store/store.h"
#include "transport/transport.h"
#include "transport/uri.h"
#include "update/firmware.h"
#include "update/software.h"

/* One server, as all accounts at it share it. */
struct server {
	unsigned refs;
	uint32_t index; /* of config.servers; CONFIG_NONE: it is in no file any more, and the last accounts leave it */
	struct account_terms terms;
	struct uri uri;
	struct governor *governor;
	enum lwm2m_version version; /* that it was found to speak; 0: unknown */
	struct profile_memory profiles; /* that it has seen */
	struct log_budget failures; /* of all its accounts, where they all say the same */
};

/* An endpoint at a server. */
struct account {
	struct account *next; /* of its endpoint */
	struct list leaving; /* registry.leaving: it is its endpoint's no more */
	struct registry *registry;
	struct endpoint *endpoint;
	struct server *server;
	struct client *client;
	char *name;	/* endpoint client name */
	char *identity; /* of the PSK; NULL without */
	uint16_t instance; /* of /1 */
	uint16_t security; /* of /0: the same, unless a bootstrap server has numbered them */
	bool counted;	/* among registry.registered */
	bool stays;	/* the reload under way leaves it to its endpoint */
	bool overlaid;	/* a server has written to its /1, and that is kept */
	bool succeeded; /* it has registered once */
	uint8_t turn;	/* enum order_state */
	uint64_t ended_usec; /* see there */
	uint32_t sum;	/* of what YAML says of it, to see when that changes */
	int error;	/* of its last attempt, 0 while all is well */
	enum client_state told; /* to the watch, which does not hear of Updates */
	struct log_budget no_key;
	struct list updates; /* struct waiting_update: callers who want to know how an Update ends */
	unsigned n_updates;
	struct outbox *outbox; /* of recorded values; NULL: none yet */
};

struct endpoint {
	struct registry *registry;
	const struct config_endpoint *config; /* NULL: the host */
	uint32_t number; /* as dbus/dbus.h counts them */
	struct store *store;
	struct builtin *builtin;
	struct account *accounts; /* by their instances; NULL: registers nowhere */
	struct bootstrapping *bootstrapping; /* NULL: YAML has no bootstrap server for it */
	struct recording *recording; /* NULL: nothing of it is recorded */
	bool started;
	uint64_t waits_usec; /* since then for what `register:` wants, on the monotonic clock */
	bool told_unseen;    /* that it does not register before it is seen */
	bool held;     /* endpoint_hold() */
	bool following; /* /2 is being brought up to date: no server's word */
	uint32_t access_sum; /* of `access:` in YAML, to see when that changes */
	bool wanted;		 /* it may start when the reload under way is through */
	bool nameless;		 /* what is kept under its YAML name is still another one's */
	bool gone;		 /* no configuration has it; it waits for those accounts: */
	uint32_t n_leaving;	 /* that were its own and de-register */
	struct log_budget not_kept;
};

/* Fetches one package at a time by its URI. */
struct fetcher {
	struct registry *registry;
	const struct config_firmware *package;
	struct delivery *delivery;
	struct download *download; /* NULL: nothing is fetched */
	char *identity; /* of this machine at the server of that */
};

/* update/fetcher.c: what userdata, a fetcher, brings. */
extern const struct delivery_source fetcher_source;

struct registry {
	struct registry_config config;
	struct resolver resolver;
	struct server **servers; /* config.n_servers */
	size_t n_servers;
	struct server *bootstrap_server; /* NULL: there is none */
	struct endpoint host;
	struct modbus_field *modbus; /* NULL: the host has no Modbus objects */
	struct firmware *firmware;   /* NULL: the host has no object 5 */
	struct fetcher fetcher;	     /* of a package of it */
	bool firmware_begins;	     /* it is new, and has not gone on yet with what was interrupted */
	struct host_software *softwares; /* of object 9, a list */
	struct endpoint **endpoints; /* config.n_endpoints */
	uint32_t n_accounts, n_registered, n_stopping;
	struct recordings recordings;
	struct list leaving; /* struct account */
	struct timer bury;   /* frees those of them that have left */
	bool changing;	     /* between registry_commit() and registry_settle(): nobody starts */
	struct timer at_most; /* register.at_most */
	void (*stopped)(void *userdata);
	void *stopped_userdata;
	struct registry_watch watch;
	void *watch_userdata;
};

/* The YAML name; NULL is the host. */
static inline const char *config_label(const struct config_endpoint *config)
{
	return config ? config->name : "host";
}
static inline const char *endpoint_label(const struct endpoint *e)
{
	return config_label(e->config);
}

/* What servers see. */
static inline const char *endpoint_client_name(const struct endpoint *e)
{
	return e->config ? e->config->endpoint : e->registry->config.config->gateway.endpoint;
}

/*
 * endpoint.c: the store with its builtin objects, and its accounts at those of the
 * registry configuration's servers that want it.
 */
int endpoint_init(struct endpoint *e, struct registry *r, const struct config_endpoint *config,
		  struct server *const *servers);
/* With its accounts. */
void endpoint_done(struct endpoint *e);
/* registry.c: arms registry.at_most for the first endpoint that waits for it; it may have waited so long already. */
void registry_wait(struct registry *r);
/* One of config.endpoints, at this place of it; nameless: see there. */
int endpoint_new(struct registry *r, uint32_t index, struct server *const *servers, bool nameless,
		 struct endpoint **ret);
struct endpoint *endpoint_free(struct endpoint *e);
/* `register:` lets it begin. */
void endpoint_start(struct endpoint *e);
/* Its accounts, which may be others than before, register; unless it has not been started, or a user has paused it. */
void endpoint_run(struct endpoint *e);
/*
 * Around all that a reload does to its store, which is one change, and nothing
 * that a server wrote.
 */
void endpoint_hold(struct endpoint *e);
void endpoint_release(struct endpoint *e);
/*
 * Its own objects as the configuration and the definitions have them that are in
 * the registry by now, with the accounts that it has by now. What a server wrote
 * to those that stay stands (design: State). Behind mapping_reload(), and before
 * modbus_field_started(). The first error is logged; the rest is done all the same.
 */
int endpoint_reload(struct endpoint *e, const struct config_endpoint *config);
/* Tells its store's changes to the accounts, and keeps what has to survive. */
void endpoint_watch(struct endpoint *e);

/* account.c */
int account_new(struct endpoint *e, const struct config_endpoint *config, struct server *server, uint16_t instance,
		struct account **ret);
struct account *account_free(struct account *a);
/* Its server has other terms now, in which nothing differs that it would have to say. */
void account_adopt(struct account *a);
/* It leaves, and has requests in hand, when definitions and its server's formats are others. */
void account_redefine(struct account *a);

/* accounts.c: those of an endpoint, in a list by their instances */
void accounts_add(struct account **list, struct account *a);
void accounts_free(struct account **list);
size_t accounts_count(const struct account *list);
/* NULL: there is none. */
struct account *accounts_at(struct account *list, uint16_t instance);
struct account *accounts_nth(struct account *list, unsigned index);
/*
 * Those that the endpoint, as config has it (NULL: the host), lacks at servers that want it; they
 * are numbered as others that they replace, or on. Accounts that it keeps are
 * marked. True: some come or go. -ENOMEM, ...; what has been made is in *list.
 */
int accounts_make(struct endpoint *e, const struct config_endpoint *config, struct server *const *servers,
		  struct account **list);
/* Makes them the endpoint's; *list: those that it has no more. */
void accounts_exchange(struct endpoint *e, struct account **list);

/* turns.c: those whose turn it is begin; endpoint_run() has seen to it that they may. */
void turns_take(struct endpoint *e);
/* It has come to an end, behind which others may begin. */
void turns_registered(struct account *a);
void turns_failed(struct account *a);
/* Nobody of them has registered, or can. */
bool turns_want_bootstrap(const struct endpoint *e);

/* leave.c: a is its endpoint's no more: it de-registers, and is freed when it has. */
void account_leave(struct account *a);
/* timer_handler of registry.bury */
void registry_bury(struct timer *timer, void *userdata);
/* Frees them all as they are. */
void registry_forget_leaving(struct registry *r);
/* No configuration has it any more; freed now or when its accounts have left. */
void endpoint_leave(struct endpoint *e);

/* gateway/orders.c: what people ask of endpoints and buses */
#define UPDATES_WAITING_MAX 16u /* of one account */
/* How an Update ends may be known in this state. */
void updates_state(struct account *a, enum client_state state, int error);
/* All of them end with -ECANCELED. */
void updates_cancel(struct account *a);
bool endpoint_is_paused(const struct endpoint *e);

/* server.c */
int server_new(const struct config_server *config, struct transport *transport, struct server **ret);
/* The same on these terms, which are taken over, also when it fails. */
int server_new_on(struct account_terms *t, struct transport *transport, struct server **ret);
/* The same server, on other terms; *t: the former ones. */
void server_adopt(struct server *s, struct account_terms *t);
struct server *server_ref(struct server *s);
struct server *server_unref(struct server *s);

/* kept/persist.c: what servers wrote, over restarts */
void persist_restore(struct endpoint *e);
/* Had the endpoint register clusters before the reload of its objects? */
bool persist_has_clusters(const struct endpoint *e);
/* Behind it: accounts that stay follow YAML, those that are new have what was kept. */
void persist_reload(struct endpoint *e, bool had_clusters);
/* And of objects that only now are the servers' to make: before is what `create:` named. */
void persist_restore_made(struct endpoint *e, const struct config_objects *before);
void persist_changed(struct endpoint *e, enum store_change change, const struct path *paths, size_t n);
/* All that is kept of it, but for its accounts at other servers than those of now. */
void persist_forget(struct endpoint *e);
void persist_attributes(struct account *a);
/* What was kept of an account of this short id was another one's: its settings, and its attributes, too. */
void persist_forget_account(struct endpoint *e, uint16_t short_id, bool attributes);
/* config: of its endpoint, in the configuration that the registry has by now. */
void persist_restore_attributes(struct account *a, const struct config_endpoint *config);

#define PERSIST_KIND_MAX 32

/* kept/access.c: /2, where there are several servers */
/* What came or left is controlled; renew: so is all else, as YAML has it now. */
void access_follow(struct endpoint *e, bool renew);
/* Of these alone, from the store's watch: a server's Create need not cost what all instances do. */
void access_follow_these(struct endpoint *e, const struct path *paths, size_t n);
/* What the store's watch said: servers' words are kept. */
void access_changed(struct endpoint *e, const struct path *paths, size_t n);

/* update/firmware.c: `firmware:` of the configuration; taken up, or followed to another one. -ENOMEM, errno of the file system. */
int firmware_follow(struct registry *r);
/* Behind the host's objects: it begins, or goes where YAML does not have it any more. */
void firmware_settle(struct registry *r);
/* Where packages lie; malloc'd, NULL: -ENOMEM. */
char *packages_folder(const struct registry *r);

/* update/software.c: likewise `software:`. */
int softwares_follow(struct registry *r);
/* malloc'd, of what the configuration has. -ENOMEM. */
int softwares_values(const struct registry *r, struct builtin_software **ret, size_t *ret_n);
void softwares_settle(struct registry *r);
void softwares_free(struct registry *r);

/* machine/facts.c: what /3 of the host says of this machine; NULL where it is not known */
struct host_facts {
	char *manufacturer, *model, *serial, *firmware, *hardware;
};
void host_facts_read(struct host_facts *ret);
void host_facts_done(struct host_facts *f);

/* endpoint.c, of builtin_ports */
void port_register_anew(void *endpoint);

/* kept/factory_reset.c */
void host_factory_reset(struct endpoint *e);

#define HOST_CLOCK_KIND "device-clock"

/* machine/host.c: what object 3 of the host asks for, as builtin_ports has it */
void port_facts(void *endpoint, struct builtin_facts *ret);
void port_network(void *endpoint, struct builtin_network *ret);
/* Tells e when it has changed. */
void host_watch_network(struct endpoint *e, bool watch);
void port_zone(void *endpoint, struct builtin_clock *ret);
void port_reboot(void *endpoint);
void port_factory_reset(void *endpoint);
void port_set_time(void *endpoint, int64_t since_1970_s, backing_done done, void *userdata);
void port_set_timezone(void *endpoint, const char *timezone, backing_done done, void *userdata);
void port_keep_clock(void *endpoint, const struct builtin_clock *clock);
void host_values(struct endpoint *e, struct builtin_host *ret);
