/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/plugin.h"
#include "base/yaml.h"
#include "model/definition.h"
#include "model/path.h"
#include "model/unit.h"
#include "model/value.h"

/*
 * The files of a configuration folder as plain structs, everything merged,
 * expanded and checked (../shared contract: fieldwayd(8), the key tables).
 * Reading has no side effect. All memory belongs to struct config.
 */

/* A plugin's key table as its host described it. */
struct config_plugin {
	char *name, *version;
	uint64_t capabilities;
	const struct fieldway_key *keys;
	size_t n_keys;
	bool unchecked; /* could not be asked: no keys, and buses and devices without settings */
};

/* `plugin: local`, which is the agent's own: a program of this machine gives its devices' values. */
extern const struct config_plugin config_plugin_local;
struct config_point;
/* The type of a point of such a device, FIELDWAY_NONE where it has none of these; and how YAML calls a type. */
enum fieldway_type config_local_type(const struct config_point *point);
const char *config_local_type_name(enum fieldway_type type);

enum config_stale_read {
	CONFIG_STALE_ERROR,
	CONFIG_STALE_LAST,
};

/* `stale:`; exactly one of times and after_usec is not 0 (after: 3x or after: 10s). */
struct config_stale {
	unsigned times;
	uint64_t after_usec;
	enum config_stale_read read;
};

enum config_register_wait {
	CONFIG_WAIT_NONE,
	CONFIG_WAIT_FIRST_READ,
	CONFIG_WAIT_SEEN,
};

/* `gateway: {modbus_objects: {access: }}`: objects 10374 and 10375 of the host. */
enum config_modbus_access {
	CONFIG_MODBUS_OFF, /* they do not exist */
	CONFIG_MODBUS_READ,
	CONFIG_MODBUS_CHANGE,
};

struct config_gateway {
	enum config_modbus_access modbus_access;
	char **modbus_buses; /* globs over names of buses: those that they show */
	size_t n_modbus_buses;
	char *name;
	char *endpoint;          /* endpoint client name of the host, placeholders resolved */
	char *endpoint_template; /* {name} is left */
};

/* `host:` */
struct config_host {
	/* What servers may do to the machine; polkit has the last word. */
	bool may_reboot, may_set_time, may_set_timezone, may_factory_reset;
};

enum config_security {
	CONFIG_SECURITY_NONE,
	CONFIG_SECURITY_PSK,
};

enum config_protocol {
	CONFIG_PROTOCOL_AUTO = 0,
	CONFIG_PROTOCOL_1_0 = LWM2M_1_0,
	CONFIG_PROTOCOL_1_1 = LWM2M_1_1,
	CONFIG_PROTOCOL_1_2 = LWM2M_1_2,
};

/* `servers[].access:`: what a server may do with instances of objects. */
enum config_right {
	CONFIG_RIGHT_ALL,
	CONFIG_RIGHT_READ,
	CONFIG_RIGHT_NONE,
};
struct config_object_right {
	uint16_t object;
	enum config_right right;
};

struct config_server {
	struct yaml_mark mark;
	char *name;
	uint16_t short_id;
	char *uri;
	enum config_protocol protocol;
	uint32_t lifetime_s;
	int64_t pmin_s, pmax_s; /* -1: not set, and so for those of the next two lines */
	int64_t priority, initial_delay_s;
	int64_t retry_count, retry_timer_s, sequence_delay_s, sequence_count;
	uint32_t disable_timeout_s;
	bool send;              /* not muted, /1/x/23 */
	bool storing, confirmable;
	bool failure_block, bootstrap_on_failure;
	bool queue_mode;
	char **formats;         /* content format names in order of preference; none: the version's own */
	size_t n_formats;
	char *profile_id;       /* NULL: none, "auto", or the text as it is sent */
	char *profile_list;     /* beside a text: NULL, "all" or links */
	uint64_t liveness_usec;
	enum config_security security;
	char *psk_identity;     /* {endpoint} is left */
	char *psk_key;          /* reference, see secret/ */
	char **endpoints;       /* globs over YAML names */
	size_t n_endpoints;
	struct config_object_right *rights; /* `access:` by object */
	size_t n_rights;
	enum config_right other_right;	    /* to all others */
};

/* `bootstrap:`, when endpoints ask that server. */
enum config_bootstrap_use {
	CONFIG_BOOTSTRAP_FIRST,	   /* once, before they register anywhere */
	CONFIG_BOOTSTRAP_FALLBACK, /* when no server takes them */
	CONFIG_BOOTSTRAP_ALWAYS,   /* at each start */
};
struct config_bootstrap {
	struct config_server server; /* uri NULL: there is none; else mark, name, uri, security and endpoints */
	enum config_bootstrap_use use;
	bool pack;
	uint32_t hold_off_s;
};

/*
 * Where keys stand of which several places may say something: "unit" of a point,
 * "rates.fast", "parameters.ct", "stale.after" of a profile, bus or device.
 */
struct config_origin {
	const char *what;
	struct yaml_mark mark;
};
struct config_origins {
	struct config_origin *items;
	size_t n;
};

struct config_bus {
	struct yaml_mark mark;
	char *name;
	const struct config_plugin *plugin;
	struct fieldway_settings settings;
	uint64_t timeout_usec;
	unsigned retries;
	unsigned offline_after;
	uint64_t offline_first_usec, offline_last_usec; /* retry: 5s..5m */
	struct config_origins origins;
};

/* Rates: a period, or */
#define CONFIG_RATE_ONCE UINT64_C(0)
#define CONFIG_RATE_ON_DEMAND UINT64_MAX

enum config_access {
	CONFIG_ACCESS_READ = 1,
	CONFIG_ACCESS_WRITE = 2,
};

struct config_label {
	int64_t number;
	char *text;
};

struct config_verify {
	bool enabled;
	uint64_t within_usec;
	double tolerance;
	int32_t point; /* index of another point, or -1: itself */
};

/* `counter:`, in the point's unit; 0: not given. */
struct config_counter {
	bool enabled;
	double wrap;	 /* where it begins again at 0 */
	double max_step; /* the most that it counts from one reading to the next */
};

/* Which of the samples of one `sample: {every: }` counts; the names and order of enum link_keep. */
enum config_keep {
	CONFIG_KEEP_LAST,
	CONFIG_KEEP_MEAN,
	CONFIG_KEEP_MINIMUM,
	CONFIG_KEEP_MAXIMUM,
};

struct config_point {
	struct yaml_mark mark;
	char *name;
	struct fieldway_settings settings; /* the plugin's keys */
	const struct unit *unit;           /* or NULL */
	unsigned access;                   /* enum config_access, or'ed */
	double scale, offset, factor;      /* value = (raw * scale + offset) * factor */
	struct fieldway_value *invalid;    /* raw values that are none; NaN as FLOAT */
	size_t n_invalid;
	struct config_label *labels;       /* enum: */
	size_t n_labels;
	struct range range;                /* of the value in its unit */
	bool inexact_reject;               /* else: rounded to what the register can hold */
	struct config_verify verify;
	uint64_t period_usec;              /* or CONFIG_RATE_* */
	const char *rate;                  /* its class of `rates:`, or NULL */
	struct config_counter counter;
	double deadband;                   /* a value no further than this from the last one is no news; 0: none */
	uint64_t sample_usec;              /* of what comes by itself one sample in so long; 0: all */
	enum config_keep sample_keep;
	uint64_t silence_usec;             /* of what comes by itself: stale after so long without a word; 0: never */
	int32_t scale10;                   /* point whose value is a power of ten on top of scale, or -1 */
	struct config_stale stale;
	const char *parameter;             /* that `factor:` names, or NULL */
	struct config_origins origins;     /* of keys that are not the plugin's */
};

enum config_map_kind {
	CONFIG_MAP_POINT,
	CONFIG_MAP_CONSTANT,
	CONFIG_MAP_EXECUTE, /* Execute writes `constant` to the point */
	CONFIG_MAP_ALARM,   /* a point that adds error code `alarm` to /3/0/11, as a bit or by `condition` */
};

/* What makes a number an alarm, in the point's unit. */
enum config_comparison {
	CONFIG_ABOVE,
	CONFIG_BELOW,
	CONFIG_EQUALS,
};
struct config_condition {
	enum config_comparison comparison;
	double limit, hysteresis;
	uint64_t delay_usec; /* so long it has to hold */
};

struct config_map {
	struct yaml_mark mark;
	struct path path; /* resource, or resource instance */
	enum config_map_kind kind;
	uint32_t device;  /* index in config.devices; in a type's own map UINT32_MAX: the device itself */
	uint32_t point;   /* index in the device's type */
	struct value constant;
	uint16_t alarm;
	const struct config_condition *condition; /* of CONFIG_MAP_ALARM; NULL: the point is a bit */
	bool argument;    /* of CONFIG_MAP_EXECUTE: what the server says is written, not `constant` */
	const struct unit *unit; /* `unit:` of the entry, or NULL */
};

/* `identify:`: another model at the address is an error. */
struct config_identify {
	int32_t point;
	struct fieldway_value *values; /* one of them, in the point's unit; of the types that YAML has */
	size_t n_values; /* 0: nothing is checked */
};

/* What a type's points are made of: a class of `rates:`, a parameter. */
struct config_class {
	const char *name;
	uint64_t period_usec; /* or CONFIG_RATE_* */
};
struct config_parameter {
	const char *name;
	double value;
};

/* A profile with overrides, parameters and rates applied: shared by all devices where these are equal. */
/* `notify:`: attributes that every server starts with. */
struct config_attributes {
	struct path path; /* instance ID_NONE: each */
	const char *text; /* "pmin=10&st=1" */
};

struct config_type {
	char *profile;
	bool shared;	 /* of a profile that comes with the package */
	bool parametric; /* its settings depend on its parameters */
	unsigned revision;
	char *manufacturer, *model; /* info; may be NULL */
	const struct config_plugin *plugin;
	struct fieldway_settings settings; /* device and profile scope */
	struct config_point *points;
	size_t n_points;
	struct config_identify identify;
	struct config_map *map;
	size_t n_map;
	const struct config_attributes *attributes;
	size_t n_attributes;
	const uint32_t *recorded; /* `history:`, points whose values servers get with their times */
	size_t n_recorded;
	uint64_t record_usec;	  /* a value in so long; 0: each change */
	struct config_class *rates;
	size_t n_rates;
	struct config_parameter *parameters;
	size_t n_parameters;
	struct config_origins origins; /* of the profile */
};

struct config_device {
	struct yaml_mark mark;
	char *name;
	uint32_t bus; /* index in config.buses */
	const struct config_type *type;
	struct fieldway_settings address;
	const char *owner; /* of a local device: user or group, for people; else NULL */
	uint32_t owner_uid, owner_gid; /* who may publish for a local device, by `address:`; UINT32_MAX: nobody */
	bool enabled;
	char *note;
	struct config_origins origins[2]; /* of its override, of its row */
};

/* Objects, by their ids. */
struct config_objects {
	const uint16_t *ids;
	size_t n;
};

/* What a server sees: the host is not among config.endpoints, nor are devices that are not enabled. */
struct config_endpoint {
	struct yaml_mark mark;
	char *name;     /* YAML name */
	char *endpoint; /* endpoint client name */
	char *manufacturer, *model;
	uint32_t device; /* index of its only device, or UINT32_MAX for one of several */
	const struct config_map *map; /* a type's map, or its own */
	size_t n_map;
	struct config_objects create; /* whose instances servers may make and delete */
};

struct config_limits {
	uint32_t endpoints, sessions;
};

/* `metrics:`; path NULL and port 0: none. */
struct config_metrics {
	char *path; /* of a Unix socket */
	char *host; /* loopback, as text */
	uint16_t port;
};

/* `history:`, what is kept of values that wait for servers. */
struct config_history {
	uint64_t memory, disk; /* bytes; disk 0: nothing */
	uint64_t keep_usec;
	bool thin; /* over the bounds, each second value of the oldest goes; else all of the oldest */
};

/* `firmware:`; handler NULL: object 5 does not exist. */
struct config_firmware {
	struct yaml_mark mark; /* of handler */
	char *handler; /* of /etc/fieldway/install.d */
	uint64_t max_size;
	struct yaml_mark trust_mark;
	char *trust; /* PEM file; NULL: the system's authorities */
	struct config_server source; /* who this machine is to a coaps server at the host of its uri; NULL: there is none */
};

/* One of `software:`, an instance of object 9. */
struct config_software {
	struct yaml_mark mark;
	char *name;
	uint16_t instance;
	struct config_firmware package;
};

/* A point's value as a sample expects it: BOOL, INT, UINT, FLOAT or STRING, as YAML has it; NONE: `invalid`. */
struct config_expectation {
	struct yaml_mark mark;
	uint32_t point;
	struct fieldway_value value;
};

/* One of a profile's `samples:`. */
struct config_sample {
	struct yaml_mark mark;
	const struct config_type *type; /* the profile with default parameters */
	struct fieldway_cell *cells; /* either these */
	size_t n_cells;
	struct fieldway_input *inputs; /* or these */
	struct yaml_mark *input_marks;
	size_t n_inputs;
	struct config_expectation *expectations;
	size_t n_expectations;
};

struct config {
	struct config_gateway gateway;
	struct config_host host;
	struct config_server *servers;
	size_t n_servers;
	struct config_stale stale;
	enum config_register_wait register_wait;
	uint64_t register_at_most_usec;
	bool writes_audit, writes_allow;
	bool writes_strict; /* a request that needs several transactions with devices is refused */
	struct config_limits limits;
	struct config_metrics metrics;
	struct config_bootstrap bootstrap;
	struct config_firmware firmware;
	struct config_software *software;
	size_t n_software;
	struct config_history history;
	struct config_plugin **plugins; /* those that a bus or profile names */
	size_t n_plugins;
	struct config_bus *buses;
	size_t n_buses;
	struct config_type **types;
	size_t n_types;
	struct config_device *devices;
	size_t n_devices;
	struct config_endpoint *endpoints;
	size_t n_endpoints;
	struct config_endpoint host_endpoint; /* with the rows of `host: lwm2m:` */
	struct config_sample *samples;
	size_t n_samples;
	bool empty; /* no fieldway.yaml, or an empty one: "Not configured" */
	void *arena; /* owns all of the above */
};

/*
 * The files of a configuration as they were read, so that the same ones can be
 * kept as last-good and read again: fieldway.yaml, buses.d, devices.d,
 * profiles.d, objects.d (*.yaml, and the tables that `each: csv:` names) of
 * the folder; profiles.d, objects and objects.d of the shared one. Of one
 * place the shared ones come first, so that a later object definition wins.
 */
struct config_files;
enum config_place {
	CONFIG_PLACE_MAIN, /* fieldway.yaml */
	CONFIG_PLACE_BUSES,
	CONFIG_PLACE_DEVICES,
	CONFIG_PLACE_PROFILES,
	CONFIG_PLACE_OBJECTS,
	CONFIG_PLACE_TABLES, /* csv */
	CONFIG_PLACES,
};
struct config_file {
	enum config_place place;
	bool shared; /* of the shared folder: the same name in the other wins */
	char *name;  /* as messages show it: folder and all; *.yml has no text, config_read() only warns */
	char *text;
	size_t size;
};
#define CONFIG_FILES_MAX 10000u
/*
 * folder: /etc/fieldway; shared: /usr/share/fieldway, may be NULL. Missing
 * folders are no error. -EINVAL with entries in errors.
 */
int config_files_read(const char *folder, const char *shared, struct yaml_errors *errors,
		      struct config_files **ret);
/* The same by hand: none, one more (copied; -E2BIG: too many, too large), one more that is read as above. */
int config_files_new(struct config_files **ret);
int config_files_add(struct config_files *f, const struct config_file *file);
int config_files_add_path(struct config_files *f, enum config_place place, const char *path,
			  struct yaml_errors *errors);
struct config_files *config_files_free(struct config_files *f);
size_t config_files_count(const struct config_files *f);
const struct config_file *config_files_item(const struct config_files *f, size_t i);
/* The revision that a profile has in them: 0, or -ENOENT. */
int config_files_revision(const struct config_files *f, const char *profile, uint64_t *ret);
/* All of them as one record, and back: -ENOMEM, -EBADMSG. */
int config_files_save(const struct config_files *f, struct buf *ret);
int config_files_load(struct span record, struct config_files **ret);

/* The host counts behind all others, where it shows something of devices. */
static inline uint32_t config_host(const struct config *c)
{
	return (uint32_t)c->n_endpoints;
}
static inline const struct config_endpoint *config_endpoint_at(const struct config *c, uint32_t i)
{
	return i == config_host(c) ? &c->host_endpoint : &c->endpoints[i];
}
/* The device of a row of its map: an index, or UINT32_MAX: none, as of a constant one of several devices. */
static inline uint32_t config_row_device(const struct config_endpoint *e, const struct config_map *row)
{
	return row->device == UINT32_MAX ? e->device : row->device;
}

enum config_account {
	CONFIG_USER,
	CONFIG_GROUP,
};

/*
 * Where config gets what it cannot know alone. plugin: fills *ret with the key
 * table of a plugin (the caller of config_read() keeps it alive as long as the
 * config); -ENOENT when there is no such plugin.
 */
struct config_sources {
	const struct config_files *files; /* may be freed after config_read() */
	const struct definitions *definitions; /* objects.d of the files already read */
	int (*plugin)(void *userdata, const char *name, const struct config_plugin **ret);
	/*
	 * The number of a user or group of the system; -ENOENT there is none, or the errno of
	 * what knows them, as of a network. NULL: owners of local devices stay unknown.
	 */
	int (*account)(void *userdata, enum config_account kind, const char *name, uint32_t *ret);
	void *userdata;
	const char *host_name, *machine_id; /* {gateway} default, {machine_id} */
	/*
	 * A plugin that cannot be asked is a warning, and its keys are not
	 * checked: it costs its buses, not the configuration (design: Boot).
	 * False: an error.
	 */
	bool plugins_optional;
	bool addresses_optional; /* a device without `address:` is to be looked at only */
};

/*
 * Reads everything. 0; -EINVAL with file:line:column messages in errors;
 * warnings (also file:line:column) in warnings. Mapping is checked too: the
 * resource exists in the object's newest version, operations, type and unit
 * fit, mandatory resources are there.
 */
int config_read(const struct config_sources *sources, struct yaml_errors *errors,
		struct yaml_errors *warnings, struct config **ret);
struct config *config_free(struct config *c);

/* Does what has this name in YAML register there? */
bool config_server_wants(const struct config_server *server, const char *name);
/* psk_identity of an endpoint, by its client name; NULL is "{endpoint}". Yours to free, NULL without memory. */
char *config_identity(const char *psk_identity, const char *endpoint);
/* NULL when there is none of this name. */
const struct config_device *config_device_find(const struct config *c, const char *name);
/* A setting's value by key, or NULL. */
const struct fieldway_value *settings_find(const struct fieldway_settings *s, const char *key);
/*
 * Where a key of settings stands in the files; the mark of the point, device
 * or bus that they belong to when the key is a default or unknown.
 */
struct yaml_mark config_setting_mark(const struct config *c, const struct fieldway_settings *s,
				     const char *key);
/* Where one of them stands; file NULL: nowhere, it is the plugin's default. */
struct yaml_mark config_setting_origin(const struct fieldway_settings *s, size_t i);
/* NULL: this place says nothing of it. */
const struct yaml_mark *config_origin(const struct config_origins *o, const char *what);
