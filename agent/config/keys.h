/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Every key of the configuration, a table for each place in YAML: reading,
 * the manual, --check, `explain` and the schema for editors are made from it.
 * Plugins' keys stand in tables of their own (api/plugin.h).
 */

enum key_kind {
	KEY_BOOL,     /* bool */
	KEY_UINT,     /* uint32_t */
	KEY_NUMBER,   /* double */
	KEY_DURATION, /* uint64_t, microseconds */
	KEY_SECONDS,  /* int64_t, from a duration */
	KEY_TEXT,     /* char *, not empty */
	KEY_SIZE,     /* char *, for size_parse(): bytes as a number, or text such as 8MiB */
	KEY_NAME,     /* char *, what names are made of; may hold placeholders */
	KEY_CHOICE,   /* int, place among choices */
	KEY_ONLY,     /* nothing: the one value of this version is `initial`, others come later */
	KEY_NODE,     /* const struct yaml_node *: has a shape of its own, see help */
	KEY_LATER,    /* nothing: not in this version */
};

/* What a change of the value costs when a running daemon takes it up. */
enum key_reload {
	RELOAD_LIVE,	 /* nothing is interrupted */
	RELOAD_ENDPOINT, /* the endpoints concerned come, go or register again */
	RELOAD_BUS,	 /* lines of the bus, or plans of the devices concerned, are made anew */
};

struct key {
	const char *name;
	enum key_kind kind;
	bool required;
	enum key_reload reload;
	size_t offset;		 /* in the struct that is read into */
	double minimum, maximum; /* of numbers, of durations in seconds; both 0: no limit */
	const char *const *choices;
	const char *initial; /* as text in YAML, or NULL */
	const char *help;
};

struct key_table {
	const char *place; /* "gateway", "servers[]", "profile" ... */
	const struct key *keys;
	size_t n;
};

/* keys.c */
extern const struct key_table keys_main, keys_gateway, keys_modbus_objects, keys_server, keys_notify, keys_retry,
	keys_security, keys_stale, keys_register, keys_writes, keys_limits, keys_metrics, keys_host,
	keys_bootstrap, keys_firmware, keys_source, keys_software, keys_history;
/* keys_field.c */
extern const struct key_table keys_bus, keys_offline, keys_devices, keys_device, keys_address,
	keys_override, keys_endpoint;
/* keys_profile.c */
extern const struct key_table keys_profile, keys_info, keys_parameter, keys_point, keys_defaults,
	keys_verify, keys_counter, keys_thinning, keys_identify, keys_attributes, keys_map, keys_alarm, keys_sample,
	keys_recording;

/* All of them, ended by NULL: for the manual and `explain`. */
extern const struct key_table *const key_tables[];
