/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"

/* What the key tables are read into: values, and the nodes that have a shape of their own. */

struct main_section {
	const struct yaml_node *gateway, *servers, *stale, *registering, *writes, *limits,
		*metrics, *host, *bootstrap, *firmware, *software, *history;
};

struct host_section {
	const struct yaml_node *allow, *lwm2m, *create;
};

struct gateway_section {
	char *name, *endpoint, *endpoint_template;
	const struct yaml_node *modbus_objects;
};

struct modbus_objects_section {
	int access;
	const struct yaml_node *buses;
};

struct server_section {
	char *name, *uri, *profile_id, *profile_list;
	uint32_t short_id;
	int protocol;
	int64_t lifetime_s;
	uint64_t liveness_usec;
	bool send, queue_mode, failure_block, bootstrap_on_failure;
	uint32_t priority;
	int64_t initial_delay_s, disable_timeout_s;
	const struct yaml_node *notify, *formats, *security, *access, *endpoints, *retry;
};

struct notify_section {
	int64_t pmin_s, pmax_s;
	bool storing, confirmable;
};

struct retry_section {
	uint32_t count, sequence_count; /* 0: not set */
	int64_t timer_s, sequence_delay_s;
};

struct security_section {
	int mode;
	char *identity, *key;
};

struct bootstrap_section {
	char *uri;
	int use;
	bool pack;
	int64_t hold_off_s;
	const struct yaml_node *security, *endpoints;
};

struct stale_section {
	const struct yaml_node *after, *read;
};

struct register_section {
	int wait;
	uint64_t at_most_usec;
};

struct writes_section {
	bool audit, allow;
	int atomic; /* 1: strict */
};

struct history_section {
	char *memory, *disk;
	uint64_t keep_usec;
	int full; /* 1: drop-oldest */
};

struct recording_section {
	const struct yaml_node *points;
	uint64_t every_usec; /* 0: not given */
};

struct metrics_section {
	char *listen;
};

/* `firmware:`, and what `software[]` has of it. */
struct package_keys {
	char *handler, *max_size, *trust;
	const struct yaml_node *source;
};

struct source_section {
	char *uri;
	const struct yaml_node *security;
};

struct software_section {
	char *name;
	uint32_t instance;
	struct package_keys package;
};

struct bus_section {
	char *bus, *plugin;
	uint64_t timeout_usec;
	uint32_t retries;
	const struct yaml_node *offline, *rates, *stale;
};

struct offline_section {
	uint32_t after;
	const struct yaml_node *retry;
};

struct profile_section {
	char *profile, *plugin, *extends;
	uint32_t revision;
	uint64_t silence_usec;
	const struct yaml_node *identify, *source, *info, *parameters, *rates, *stale, *defaults, *points,
		*lwm2m, *samples, *notify, *history;
};

struct attributes_section {
	int64_t pmin_s, pmax_s, epmin_s, epmax_s; /* -1: absent */
	double gt, lt, st;			   /* NaN: absent */
	uint32_t edge, con, hqmax;		   /* UINT32_MAX: absent */
};

struct info_section {
	char *manufacturer, *model;
};

struct parameter_section {
	int type;
	const struct yaml_node *initial, *range, *help;
};

struct point_section {
	const struct yaml_node *repeat, *step, *rate, *stale, *unit, *access, *factor, *invalid,
		*labels, *range, *verify, *counter, *scale10, *sample;
	double scale, offset, deadband;
	uint64_t silence_usec;
	int inexact;
};

struct counter_section {
	double wrap, max_step;
};

struct verify_section {
	uint64_t within_usec;
	double tolerance;
	const struct yaml_node *point;
};

struct thinning_section {
	uint64_t every_usec;
	int keep;
};

struct identify_section {
	char *point;
	const struct yaml_node *equals;
};

struct map_section {
	const struct yaml_node *repeat, *point, *value, *unit, *alarms, *execute;
	bool argument;
};

struct alarm_section {
	const struct yaml_node *point, *above, *below, *equals;
	uint32_t code;
	double hysteresis;
	uint64_t delay_usec;
};

struct sample_section {
	const struct yaml_node *registers, *bytes, *text, *message, *advertisement, *gatt, *expect;
};

struct devices_section {
	const struct yaml_node *devices, *endpoints;
};

/* What a device row and an override of it have in common. */
struct level_section {
	const struct yaml_node *enabled, *note, *parameters, *rates, *stale, *lwm2m, *endpoint, *create;
};

struct device_section {
	char *name, *profile, *bus;
	const struct yaml_node *each, *address, *overrides;
	struct level_section level;
};

struct endpoint_section {
	char *name;
	const struct yaml_node *each, *info, *lwm2m, *endpoint, *create;
};
