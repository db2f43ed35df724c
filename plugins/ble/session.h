/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "advert.h"
#include "api/plugin.h"
#include "bthome.h"
#include "driver.h"

/*
 * An adapter at work: one connection to the system bus, org.bluez on it, and a
 * `struct remote` for each configured device. All in the host's loop. Whatever
 * happens out there ends in session_turn(), which looks at what is to be done
 * next; it is the only place that arms the timer.
 */

/* Limits of what the other side can make grow. */
#define ADAPTERS_MAX 16u
#define SERVICES_MAX 64u	 /* of one device */
#define CHARACTERISTICS_MAX 256u /* of one device */
#define WRITES_MAX 32u		 /* of one device, waiting */
#define VALUE_MAX 512u		 /* bytes; Core Vol 3, Part F, 3.2.9 */
#define SCANNED_MAX 1024u	 /* devices told in one scan */
#define TROUBLE_MAX 128u	 /* texts for people */
#define REASON_MAX 256u

#define BLUEZ "org.bluez"
#define BLUEZ_ADAPTER "org.bluez.Adapter1"
#define BLUEZ_DEVICE "org.bluez.Device1"
#define BLUEZ_BATTERY "org.bluez.Battery1"
#define BLUEZ_SERVICE "org.bluez.GattService1"
#define BLUEZ_CHARACTERISTIC "org.bluez.GattCharacteristic1"
#define BLUEZ_MONITORS "org.bluez.AdvertisementMonitorManager1"

/* Times. */
#define CALL_USEC UINT64_C(15000000)	 /* what bluetoothd answers by itself */
#define CONNECT_USEC UINT64_C(20000000)
#define PAIR_USEC UINT64_C(60000000)	 /* somebody may have to press a button */
#define RESOLVE_USEC UINT64_C(30000000)	 /* from connected to services resolved */
#define LEAVE_USEC UINT64_C(10000000)
#define GATT_USEC_MIN UINT64_C(5000000)	 /* a sensor with long connection intervals is slow, not gone */
#define LINGER_USEC UINT64_C(5000000)	 /* a connection is kept so long after its use, and when it is needed again so soon */
#define UNSEEN_USEC UINT64_C(30000000) /* so long may it take to discover a device */
#define BUSY_USEC UINT64_C(500000)
#define SHARE_USEC UINT64_C(10000000)	 /* and given up for one that waits after so long */
#define RETRY_FIRST_USEC UINT64_C(1000000)
#define RETRY_LAST_USEC UINT64_C(60000000)
#define REFRESH_USEC UINT64_C(600000000) /* a device's cache is thrown away at most so often */
#define OFFLINE_AFTER 3u		 /* connections that fail in a row */
#define NEVER UINT64_MAX

/* What keeps the adapter from working; READY: nothing. */
enum condition {
	CONDITION_NO_BUS,
	CONDITION_NO_BLUEZ,
	CONDITION_LOOKING, /* asked for the objects */
	CONDITION_NO_ADAPTER,
	CONDITION_OFF,
	CONDITION_RELEASED,
	CONDITION_READY,
};

enum phase {
	PHASE_IDLE,
	PHASE_CONNECTING,
	PHASE_PAIRING,
	PHASE_RESOLVING,
	PHASE_READY,
	PHASE_LEAVING,
};

struct adapter {
	char *path, *address;
	bool powered, discovering, has_monitors;
};

struct service {
	char *path;
	struct uuid uuid;
};

struct characteristic {
	char *path;
	struct uuid uuid;
	bool can_read, can_notify, can_write, can_command;
	bool notifying, refused; /* by us, in this connection */
};

struct write {
	struct fieldway_ticket *ticket;
	uint32_t point;
	uint64_t deadline_usec;
	uint8_t bytes[VALUE_MAX];
	size_t size;
};

struct remote {
	struct fieldway_session *session;
	const struct fieldway_driver *driver;
	uint32_t index;
	bool fresh; /* it came while the adapter was at work: nobody has looked yet what is known of it */
	char *path; /* NULL: bluetoothd does not know it */
	bool connected, resolved, paired;

	struct advert advert;
	struct bthome_history history;

	enum phase phase;
	uint64_t deadline_usec; /* of the phase */
	uint64_t retry_usec, held_usec;
	uint64_t used_usec;    /* the connection was, last */
	uint64_t waiting_usec; /* for a connection, since then; 0: not */
	uint64_t refresh_usec; /* its cache was thrown away then; 0: never */
	unsigned failures;

	struct service services[SERVICES_MAX];
	size_t n_services;
	struct characteristic *characteristics; /* by path, which has the handle in it */
	size_t n_characteristics;

	uint64_t *due_usec;    /* by point; NEVER: not wanted */
	bool *seen;	       /* by point: has it ever been there? */
	struct fieldway_sample *samples; /* room for each point */
	sd_bus_slot *connect;  /* Connect, Pair or Disconnect */
	sd_bus_slot *call;     /* of GATT: one thing at a time */
	size_t busy;	       /* which characteristic the call is about */
	bool writing;	       /* it is writes[0] */
	struct write *writes[WRITES_MAX];
	size_t n_writes;

	bool told;
	enum fieldway_device_state state;
	char reason[REASON_MAX];
};

struct fieldway_session {
	const struct fieldway_bus *bus;
	const struct fieldway_host *host;
	struct bus settings;

	sd_bus *link;
	char *owner; /* bluetoothd's own name on the bus */
	struct fieldway_watch *watch;
	struct fieldway_timer *link_timer, *timer;
	enum condition condition;
	char trouble[TROUBLE_MAX]; /* why, beyond the condition; "": nothing to add */
	uint64_t retry_usec;
	unsigned failures;
	bool turning;

	struct adapter adapters[ADAPTERS_MAX];
	size_t n_adapters;
	struct adapter *adapter; /* ours; NULL: none */
	sd_bus_slot *setup; /* a call that changes the adapter; one at a time */
	bool filtered, active, passive, no_monitors, agent;
	uint64_t quiet_usec; /* since when it does not discover, though it should; NEVER: it does */
	sd_bus_slot *agent_slot, *monitor_slots[2];

	uint64_t scan_usec; /* until then everything is told; 0: no scan */
	char **scanned;
	size_t n_scanned;

	struct remote **remotes;
	size_t n_remotes;
};

/* ---- session.c ---- */

int session_start(const struct fieldway_bus *bus, const struct fieldway_driver *const *drivers, size_t n_drivers,
		  const struct fieldway_host *host, struct fieldway_session **ret);
void session_stop(struct fieldway_session *s);
void session_read(struct fieldway_session *s, uint32_t device, const uint32_t *points, size_t n);
void session_release(struct fieldway_session *s, bool released);
int session_change(struct fieldway_session *s, const struct fieldway_bus *bus,
		   const struct fieldway_driver *const *drivers, size_t n_drivers, const uint32_t *before);
/* Looks at everything once, and arms the timers. */
void session_turn(struct fieldway_session *s);
/* The only door to condition: what was known under the old one is forgotten, and the devices are told. */
void session_enter(struct fieldway_session *s, enum condition condition, const char *trouble);
/* Devices that do not know it yet are told what is wrong with the bus, if something is. */
void session_tell(struct fieldway_session *s);
/* Does the message come from bluetoothd? Others on the bus can call us, too, and send signals right at us. */
bool session_is_bluez(const struct fieldway_session *s, sd_bus_message *m);
/* Doubles from RETRY_FIRST_USEC to RETRY_LAST_USEC. */
uint64_t retry_delay(unsigned failures);
/* The earlier of the two. */
void earliest(uint64_t *at, uint64_t other);

/* ---- link.c: the connection to the bus ---- */

void link_turn(struct fieldway_session *s, uint64_t now, uint64_t *next);
/* A timer's handler; the timer is link_timer. */
void link_timeout(void *userdata);
void link_close(struct fieldway_session *s);
/* After calls: what sd-bus waits for, to the loop. */
void link_arm(struct fieldway_session *s);
/* A call without arguments yet, to org.bluez. */
int link_call(struct fieldway_session *s, const char *path, const char *interface, const char *member,
	      sd_bus_message **ret);
/* Sends it. slot NULL: nobody waits for the end. */
int link_send(struct fieldway_session *s, sd_bus_slot **slot, sd_bus_message *m, sd_bus_message_handler_t handler,
	      void *userdata, uint64_t timeout_usec);

/* ---- tree.c: the objects of org.bluez ---- */

/* Asks for all of them; ends in CONDITION_LOOKING's successor. */
int tree_ask(struct fieldway_session *s);
/* Asks again where that has failed. */
void tree_turn(struct fieldway_session *s, uint64_t now, uint64_t *next);
/* Asks once more, for a scan: the devices that are known already. */
int tree_scan(struct fieldway_session *s);
/* Asks once more, for devices that have come since. */
int tree_look(struct fieldway_session *s);
int tree_added(sd_bus_message *m, void *userdata, sd_bus_error *error);
int tree_removed(sd_bus_message *m, void *userdata, sd_bus_error *error);
int tree_changed(sd_bus_message *m, void *userdata, sd_bus_error *error);
void tree_forget(struct fieldway_session *s);

/* ---- adapter.c ---- */

/* After all of them have been told: which is ours. */
void adapter_choose(struct fieldway_session *s);
int adapter_properties(struct fieldway_session *s, const char *path, sd_bus_message *m);
void adapter_monitors(struct fieldway_session *s, const char *path, bool there);
void adapter_removed(struct fieldway_session *s, const char *path);
void adapter_turn(struct fieldway_session *s, uint64_t now, uint64_t *next);
/* What we have asked of the adapter is over, because it is gone or off. */
void adapter_forget(struct fieldway_session *s);
/* What we have asked of the adapter is taken back. */
void adapter_leave(struct fieldway_session *s);
/* Its devices are others now: patterns, and (agent) how a passkey is asked for, are told anew. */
void adapter_change(struct fieldway_session *s, bool agent);

/* ---- monitor.c: passive scanning ---- */

#define MONITOR_ROOT "/org/fieldway/ble"

/* Can what the devices send be told by patterns? Otherwise only active scanning finds them. */
bool monitor_fits(const struct fieldway_session *s);
int monitor_start(struct fieldway_session *s, sd_bus_message_handler_t done);
void monitor_stop(struct fieldway_session *s);

/* ---- remote.c: what is known of a device ---- */

struct remote *remote_find(struct fieldway_session *s, const char *path);
/* The device that path lies below. */
struct remote *remote_above(struct fieldway_session *s, const char *path);
struct remote *remote_by_mac(struct fieldway_session *s, const char *mac);
/* live: heard just now, not remembered by bluetoothd. */
int remote_properties(struct fieldway_session *s, const char *path, sd_bus_message *m, bool live);
int remote_battery(struct remote *r, sd_bus_message *m);
void remote_invalidated(struct remote *r, const char *name);
void remote_removed(struct remote *r);
void remote_tell(struct remote *r, enum fieldway_device_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void remote_samples(struct remote *r, const struct fieldway_sample *samples, size_t n);
void remote_forget(struct remote *r);
int remote_new(struct fieldway_session *s, const struct fieldway_driver *driver, uint32_t index,
	       struct remote **ret);
struct remote *remote_free(struct remote *r); /* takes NULL */
/* A connection of ours is given up, and nobody waits for its end. */
void remote_leave(struct remote *r);

/* ---- connection.c: whose turn it is ---- */

bool remote_needs_connection(const struct remote *r);
void connections_turn(struct fieldway_session *s, uint64_t now, uint64_t *next);
/* Connected, ServicesResolved or Paired has changed, or the object is gone. */
void connection_changed(struct remote *r);
void connection_failed(struct remote *r, const char *reason);
/* The same of a connection that still stands, and is of no use. */
void connection_drop(struct remote *r, const char *reason);

/* ---- gatt.c ---- */

int gatt_service_added(struct remote *r, const char *path, sd_bus_message *m);
int gatt_characteristic_properties(struct remote *r, const char *path, sd_bus_message *m, bool changed);
void gatt_removed(struct remote *r, const char *path);
void gatt_forget(struct remote *r);
/* A new connection: nothing is notified yet. */
void gatt_begin(struct remote *r);
/* Starts the next thing to do. False: there is none. */
bool gatt_turn(struct remote *r, uint64_t now);
/* When the next read of the device is due. */
uint64_t gatt_next(const struct remote *r);
/* What was read is no longer good: all of it again, what is read once, too. */
void gatt_want_all(struct remote *r);
/* The call under way is given up: the connection is gone. */
void gatt_abort(struct remote *r);
/* The characteristic of a point; NULL: the device has none such. */
struct characteristic *gatt_find(struct remote *r, const struct point *p);
uint64_t gatt_timeout(const struct remote *r);

/* ---- write.c ---- */

void session_write(struct fieldway_session *s, uint32_t device, uint32_t point, const struct fieldway_value *value,
		   uint64_t deadline_usec, struct fieldway_ticket *ticket);
bool write_next(struct remote *r);
/* What has become of a write that ends with an error; trouble: as trouble_of() has it. Pure. */
enum fieldway_outcome write_outcome(int trouble, const sd_bus_error *error);
void write_expire(struct remote *r, uint64_t now, uint64_t *next);
/* All that wait end: as UNKNOWN the one that was sent, the others as NOT_SENT. */
void write_abort(struct remote *r, int error, const char *reason);
/* The one that was sent. */
void write_lost(struct remote *r, const char *reason);

/* ---- pairing.c ---- */

#define AGENT_PATH "/org/fieldway/ble/agent"
/* As RegisterAgent takes it. */
const char *agent_capability(const struct fieldway_session *s);
int agent_start(struct fieldway_session *s);
void agent_stop(struct fieldway_session *s);

/* ---- scan.c ---- */

int session_scan(struct fieldway_session *s, uint64_t until_usec);
void scan_seen(struct fieldway_session *s, const char *path, const char *address, const struct advert *a);
void scan_turn(struct fieldway_session *s, uint64_t now, uint64_t *next);
void scan_forget(struct fieldway_session *s);

/* ---- trouble.c: errors of D-Bus and BlueZ for people ---- */

/* ret: a text. Returns a negative errno of plugin.h's list. */
int trouble_of(const sd_bus_error *error, char *ret, size_t size);
