/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/backoff.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "config/config.h"
#include "dbus/agent1.h"
#include "dbus/dbus.h"

/* ---- items.c: what has one object each ---- */

/* An endpoint, a device or a bus; what sd-bus hands to its methods. Does not move. */
struct item {
	struct dbus *dbus;
	const struct items *items; /* that it is one of; NULL: none */
	uint32_t id; /* its number in the configuration */
	/* Since the last time that something was told: */
	bool changed;
	bool renewed; /* and so may be what else only another configuration changes */
	bool added;
	bool again; /* told while an answer was made that may not have it */
	bool gone; /* no configuration has it any more */
};

struct items {
	const char *path, *interface; /* above all of them */
	const char *(*name)(const struct config *c, uint32_t id);
	char **properties; /* those that change; NULL at the end */
	char **settled;	   /* those that only another configuration changes */
	struct dbus *dbus;
	struct item **items;
	uint32_t *order; /* by name */
	size_t n;
	size_t n_changed; /* changed or added */
	size_t next;	  /* to be looked at for changes */
};

int items_init(struct items *s, size_t n);
void items_done(struct items *s);
struct item *items_find(const struct items *s, const char *name); /* NULL */
/* The object of an item, malloc'd; NULL without memory. */
char *items_path(const struct items *s, const struct dbus *d, uint32_t id);
/* As YAML has it. */
const char *item_name(const struct item *item);
/* Puts the objects on the bus. */
int items_publish(struct items *s, sd_bus *bus, const sd_bus_vtable *vtable);
/* Appends (so): name and object. */
int items_append(const struct items *s, const struct dbus *d, sd_bus_message *m, uint32_t id);

/* ---- bus.c ---- */

/* The bus itself: its name, which is its interface, too, and its object. */
#define DBUS_SERVICE "org.freedesktop.DBus"
#define DBUS_OBJECT "/org/freedesktop/DBus"

struct dbus {
	struct dbus_config config;
	struct dbus_ports ports;
	void *userdata;
	struct items endpoints, devices, buses;
	sd_bus *bus; /* NULL: none at the moment */
	bool named;
	bool told; /* that there is no bus, or no name */
	struct backoff backoff;
	struct timer reconnect;
	/* What has changed since the last time, and goes out together. */
	struct timer tell;
	bool counts_changed, configuration_changed, paused_changed;
	struct list removed; /* struct removed: objects that are gone */
	/* Callers whose rights are being asked. */
	struct list orders;
	unsigned n_orders;    /* that wait for the bus */
	unsigned n_questions; /* that wait for polkit */
	struct item manager;  /* for methods of the Manager that need rights */
	/* Answers with all objects that are being made. */
	struct list snapshots;
	unsigned n_snapshots;
	struct timer snapshot_timer;
	/* Live values. */
	struct list watches, watchers;
	unsigned n_watches;
	struct timer watch_timer;
	struct list wishes; /* system.c */
	struct list programs; /* struct program, of local devices; who published last is the last one */
	struct list connections; /* presence.c: that something is kept for */
	gid_t group;
	bool has_group;
	struct log_budget refusals;
};

/* changes.c */
void changes_init(struct dbus *d);
void changes_forget(struct dbus *d);
/* Something waits to be told. */
void changes_settle(struct dbus *d);
/* What was told while an answer was made that is out now. */
void changes_tell_again(struct dbus *d);
struct removed {
	struct list list;
	const char *interface;
	char *path;
};
void removed_free(struct removed *r);

/*
 * room.c: what may wait for the bus to take it. Signals leave room, or they
 * alone would have calls refused.
 */
#define QUEUED_MAX 4u
#define SIGNALS_QUEUED_MAX 2u
bool has_room_for_signal(const struct dbus *d);
bool has_room_for_answer(const struct dbus *d);
/* From now on calls are refused while too many answers wait. */
int room_guard(struct dbus *d);

/* manager.c, endpoint.c, device.c, bus_item.c */
extern const sd_bus_vtable manager_vtable[], endpoint_vtable[], device_vtable[], bus_vtable[];
const char *endpoint_item_name(const struct config *c, uint32_t id);
const char *device_item_name(const struct config *c, uint32_t id);
const char *bus_item_name(const struct config *c, uint32_t id);
extern char *endpoint_changing[], *device_changing[], *bus_changing[], *manager_changing[];
extern char *endpoint_settled[], *device_settled[], *bus_settled[], *manager_configuration[];

/* device_calls.c, bus_calls.c: methods */
int device_read(sd_bus_message *m, void *userdata, sd_bus_error *error);
int device_get_statistics(sd_bus_message *m, void *userdata, sd_bus_error *error);
int device_get_profile(sd_bus_message *m, void *userdata, sd_bus_error *error); /* device_profile.c */
int bus_attempt(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_raw(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_scan(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_release(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_record(sd_bus_message *m, void *userdata, sd_bus_error *error);
/* The answer a(ssv): points by name, what is wrong with them or "", values. */
struct fieldway_sample;
int readings_reply(sd_bus_message *call, const struct config_type *type,
		   const struct fieldway_sample *samples, size_t n);

/* describe.c */
int endpoint_describe(sd_bus_message *m, void *userdata, sd_bus_error *error);
/* Of enum operation, as "RW". Returns ret. */
#define OPERATIONS_TEXT_MAX sizeof("RWE")
const char *operations_format(uint8_t operations, char ret[OPERATIONS_TEXT_MAX]);

/* local.c: local devices */
int device_publish(sd_bus_message *m, void *userdata, sd_bus_error *error);
int device_complete_write(sd_bus_message *m, void *userdata, sd_bus_error *error);
void programs_init(struct dbus *d);
/* Programs of one device that are remembered; one that comes takes the place of the one that published first. */
#define PROGRAMS_OF_DEVICE_MAX 8u
/* The connection is gone, or (tell false) so is the field. */
void programs_forget(struct dbus *d, bool tell);
/* Of a device that is gone, or has another owner. */
void programs_drop(const struct item *item);

/* system.c: what other services are asked for */
void wishes_init(struct dbus *d);
/* The connection is gone. */
void wishes_forget(struct dbus *d);

/* explain.c */
int endpoint_explain(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* snapshot.c */
#define SNAPSHOTS_MAX 8u
#define SNAPSHOTS_OF_CALLER_MAX 2u
void snapshots_init(struct dbus *d);
/* Before room_guard(), which then comes first. */
int snapshots_publish(struct dbus *d);
/* The connection is gone. */
void snapshots_forget(struct dbus *d);
/* The objects are others now. */
void snapshots_restart(struct dbus *d);

/* watch.c */
#define WATCHES_MAX 1024u
#define WATCHES_OF_CALLER_MAX 64u
void watches_init(struct dbus *d);
/* Of nobody any more: the connection is gone. */
void watches_forget(struct dbus *d);
/* Of an endpoint that is gone. */
void watches_drop(struct item *item);
int endpoint_watch_values(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_unwatch_values(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* control.c */
/* NULL: it is not. */
const struct dbus_pause *item_paused(const struct item *item);
int item_pause(sd_bus_message *m, void *userdata, sd_bus_error *error);
int item_resume(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_reset_accounts(sd_bus_message *m, void *userdata, sd_bus_error *error);
int item_restart(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_get_credentials(sd_bus_message *m, void *userdata, sd_bus_error *error);
/* Who has it do what: "restarts"; the rest of the log says what became of that. */
void order_log(const struct item *item, uid_t uid, const char *what);
int endpoint_update(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_update_at(sd_bus_message *m, void *userdata, sd_bus_error *error);
/* Reads the name of one of its accounts' servers, which lives as long as m. */
int endpoint_take_server(const struct item *item, sd_bus_message *m, const char **ret, sd_bus_error *error);
int get_paused(sd_bus *bus, const char *path, const char *interface, const char *property,
	       sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_all_paused(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* send.c */
int endpoint_send(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_send_to(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* log_levels.c */
int manager_set_log_level(sd_bus_message *m, void *userdata, sd_bus_error *error);
int get_log_levels(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* configuration.c */
int manager_reload(sd_bus_message *m, void *userdata, sd_bus_error *error);
int manager_confirm(sd_bus_message *m, void *userdata, sd_bus_error *error);
int manager_check_config(sd_bus_message *m, void *userdata, sd_bus_error *error);
int get_configuration_state(sd_bus *bus, const char *path, const char *interface, const char *property,
			    sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_configuration_errors(sd_bus *bus, const char *path, const char *interface, const char *property,
			     sd_bus_message *reply, void *userdata, sd_bus_error *error);
int get_reload_warnings(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* write.c */
int endpoint_write(sd_bus_message *m, void *userdata, sd_bus_error *error);
int endpoint_execute(sd_bus_message *m, void *userdata, sd_bus_error *error);

/*
 * authorize.c: runs `allowed` with the message when its sender may change
 * things: root, the group, the daemon's own user, or whom polkit lets. Else
 * answers AccessDenied. allowed returns 0, or a negative errno that becomes the
 * answer; uid is the sender's.
 */
enum right {
	RIGHT_WRITE,	 /* values of endpoints */
	RIGHT_CONTROL,	 /* what runs, and what is logged */
	RIGHT_FIELD,	 /* bytes on the wires of a bus */
	RIGHT_CONFIGURE, /* the configuration in force */
	RIGHT_PUBLISH,	 /* values of a local device, which its owner may */
};
/* The action of packaging/polkit. */
const char *right_action(enum right right);
typedef int (*order_handler)(struct item *item, sd_bus_message *m, uid_t uid, sd_bus_error *error);
#define ORDERS_MAX 256u
#define QUESTIONS_MAX 128u	  /* to polkit, which may wait for a password */
#define QUESTIONS_OF_USER_MAX 16u
int order_authorize(struct item *item, sd_bus_message *m, enum right right, order_handler allowed,
		    sd_bus_error *error);
/* Does a call of this sender for this item still wait for its rights? Others would overtake it. */
bool orders_wait(const struct item *item, const char *sender);
/* Is it polkit that lets this one be carried out, in `allowed`? That is a word for one call alone. */
bool order_is_of_polkit(const struct item *item, const sd_bus_message *m);
void orders_forget(struct dbus *d);
/* The item goes: whoever waits for the right to order something of it is told so. */
void orders_refuse(const struct item *item);

/* polkit.c: may the sender of a message do this? Nobody waits. */
enum polkit_answer {
	POLKIT_NO, /* also where there is no polkit */
	POLKIT_CHALLENGE, /* only with a password, and nobody can be asked for it */
	POLKIT_YES,
};
struct polkit_question;
/* answered runs once, not before this call has returned; it may forget the question. */
int polkit_ask(sd_bus_message *m, const char *action,
	       void (*answered)(void *userdata, enum polkit_answer answer), void *userdata,
	       struct polkit_question **ret);
/* q may be NULL; it is not answered then. */
void polkit_forget(struct polkit_question *q);

/* errors.c: errno to a D-Bus error, with a text of its own or the given one. Returns a negative errno. */
int error_set(sd_bus_error *error, int r, const char *text);
/* The same as the answer to a call that waited; text "" counts as none. */
void call_fail(sd_bus_message *call, int error, const char *text);
/* The beginning of what a caller sent, which may be megabytes, to say it in an error. Returns ret. */
#define ECHO_MAX 128u
char *error_echo(const char *text, char ret[ECHO_MAX + 1]);
