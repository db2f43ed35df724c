/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/path.h"
#include "store/backing.h"

/*
 * The end of a Modbus request. error as backing_done's, reason text for people
 * or ""; answer: a PDU, exceptions too. All live during the call.
 */
typedef void (*builtin_modbus_done)(void *userdata, int error, const char *reason,
				    const uint8_t *answer, size_t size);

/* /3/0/6: what a power source is. */
enum builtin_source {
	BUILTIN_SOURCE_DC = 0,
	BUILTIN_SOURCE_INTERNAL_BATTERY = 1,
	BUILTIN_SOURCE_EXTERNAL_BATTERY = 2,
	BUILTIN_SOURCE_FUEL_CELL = 3,
	BUILTIN_SOURCE_POE = 4,
	BUILTIN_SOURCE_USB = 5,
	BUILTIN_SOURCE_AC = 6,
	BUILTIN_SOURCE_SOLAR = 7,
};

/* /3/0/20 */
enum builtin_battery {
	BUILTIN_BATTERY_NORMAL = 0,
	BUILTIN_BATTERY_CHARGING = 1,
	BUILTIN_BATTERY_FULL = 2,
	BUILTIN_BATTERY_DAMAGED = 3,
	BUILTIN_BATTERY_LOW = 4,
	BUILTIN_BATTERY_MISSING = 5,
	BUILTIN_BATTERY_UNKNOWN = 6,
};

/* What the kernel knows of this machine's power. */
#define BUILTIN_SUPPLIES_MAX 8u
struct builtin_supply {
	enum builtin_source source;
	bool has_voltage, has_current;
	int64_t mv, ma;
};
struct builtin_power {
	struct builtin_supply supplies[BUILTIN_SUPPLIES_MAX];
	unsigned n;
	bool has_battery;     /* has the next two */
	int level;	      /* 0 to 100; -1: it does not say */
	enum builtin_battery status;
	bool external_off;    /* it has a supply from outside, which gives nothing */
};

struct builtin_facts {
	struct builtin_power power;
	bool has_storage; /* has the next two, of where state and firmware go */
	uint64_t free_kb, total_kb;
};

/* /4/0/0: what this machine can know. */
enum builtin_bearer {
	BUILTIN_BEARER_LTE = 6, /* stands for all that a mobile network is */
	BUILTIN_BEARER_WLAN = 21,
	BUILTIN_BEARER_BLUETOOTH = 22,
	BUILTIN_BEARER_802_15_4 = 23,
	BUILTIN_BEARER_ETHERNET = 41,
};
#define BUILTIN_BEARERS_MAX 8u
#define BUILTIN_ADDRESSES_MAX 16u
#define BUILTIN_ADDRESS_MAX 46u /* text of an IPv6 address */
struct builtin_network {
	enum builtin_bearer bearer; /* of the route that most goes by */
	enum builtin_bearer available[BUILTIN_BEARERS_MAX];
	unsigned n_available;
	int signal_dbm; /* 0: it has none */
	bool has_quality;
	int quality;
	char addresses[BUILTIN_ADDRESSES_MAX][BUILTIN_ADDRESS_MAX];
	unsigned n_addresses;
	char routers[BUILTIN_ADDRESSES_MAX][BUILTIN_ADDRESS_MAX];
	unsigned n_routers;
};

/* Of an endpoint's accounts, since they are there; /7 */
struct builtin_traffic {
	uint64_t sent_bytes, received_bytes; /* with headers up to that of IP */
	uint64_t payload_bytes, datagrams;   /* both ways */
	uint32_t largest;		     /* datagram, since forget_largest() */
};

/* What of /3/0/13 to 15 servers wrote, and the machine does not follow. */
#define BUILTIN_UTC_OFFSET_MAX sizeof("+14:00")
#define BUILTIN_TIMEZONE_MAX 64u
struct builtin_clock {
	int64_t offset_s;
	char utc_offset[BUILTIN_UTC_OFFSET_MAX]; /* "": as the machine has it */
	char timezone[BUILTIN_TIMEZONE_MAX];	 /* likewise */
};

/* What the objects that the agent backs itself ask of the rest; implemented in gateway/. The first three run after the answer was sent. */
struct builtin_ports {
	/* Execute /1/x/8: Update without parameters. */
	void (*update)(void *endpoint, uint16_t server_instance);
	/* Execute /1/x/4: De-register, away for /1/x/5 seconds. */
	void (*disable)(void *endpoint, uint16_t server_instance);
	/* Execute /1/x/9: client-initiated bootstrap, at once. */
	void (*bootstrap)(void *endpoint);
	/* Execute /3/0/4 without a mapping: the endpoint registers anew; it never touches device or host. */
	void (*restart)(void *endpoint);
	/* What follows is asked by the Modbus objects only; connection: an instance of /10374. */
	/*
	 * Sends a PDU to a unit. 0: done runs exactly once, and not before this
	 * call has returned; else it does not run, and the error is as backing_done's.
	 */
	int (*modbus_request)(void *endpoint, uint16_t connection, uint8_t unit, const uint8_t *pdu,
			      size_t size, builtin_modbus_done done, void *userdata);
	/* Switches its bus on or off, also over restarts. */
	int (*modbus_enable)(void *endpoint, uint16_t connection, bool enable);
	/* Names serial ports that a bus could have, each once. */
	void (*serial_ports)(void *endpoint, void (*found)(void *userdata, const char *port),
			     void *userdata);
	/* Does a server observe it, or what is above it? */
	bool (*is_observed)(void *endpoint, const struct path *path);
	/* /7 */
	void (*traffic)(void *endpoint, struct builtin_traffic *ret);
	void (*forget_largest)(void *endpoint);
	/* What follows is asked for the host only. */
	void (*network)(void *endpoint, struct builtin_network *ret);
	void (*facts)(void *endpoint, struct builtin_facts *ret);
	/* The machine's own: utc_offset, and timezone where it has a name. */
	void (*zone)(void *endpoint, struct builtin_clock *ret);
	/*
	 * Asked where `host: allow:` has it. The first reboots the machine, or
	 * where that fails registers anew; done of the others as backing_done, at
	 * once or later.
	 */
	void (*reboot)(void *endpoint);
	/* /3/0/5, where YAML allows it: what servers wrote is dropped, and it registers anew; a second after the answer. */
	void (*factory_reset)(void *endpoint);
	void (*set_time)(void *endpoint, int64_t since_1970_s, backing_done done, void *userdata);
	void (*set_timezone)(void *endpoint, const char *timezone, backing_done done, void *userdata);
	/* To be there at the next start. */
	void (*keep_clock)(void *endpoint, const struct builtin_clock *clock);
};
