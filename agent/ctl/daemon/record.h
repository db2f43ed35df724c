/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct json_t;
struct sd_bus_message;

/*
 * The objects of dbus/agent1.h as their properties say. Texts belong to the
 * message that they were read from, arrays to the arena. Properties that this
 * version does not know are passed over; one that is missing is "" or 0.
 */

struct account_record {
	const char *server, *uri, *state, *security, *source, *version, *last_error;
};

struct endpoint_record {
	const char *name, *client_name, *state, *last_error;
	struct account_record *accounts;
	const char **devices; /* names */
	size_t n_accounts, n_devices;
	bool paused; /* by a user, as everywhere */
};

struct statistic_record {
	const char *name;
	uint64_t count;
};

struct device_record {
	const char *name, *bus, *profile, *state, *reason;
	bool enabled, paused;
	struct statistic_record *statistics;
	size_t n_statistics;
};

struct bus_record {
	const char *name, *plugin, *state;
	uint32_t devices, online; /* enabled ones, and those of them that answer */
	bool paused;
	struct statistic_record *statistics;
	size_t n_statistics;
};

struct place_record {
	const char *file, *text;
	uint32_t line, column; /* 0: none */
};

struct pause_record {
	const char *kind, *name;
	uint64_t since_usec; /* since 1970 */
	uint32_t uid;
};

struct package_record {
	const char *kind, *name, *state, *note;
	uint64_t received, expected; /* bytes; expected 0: not known */
};

/* Recorded values that wait for servers. */
struct history_record {
	uint64_t waiting, bytes, oldest_usec, lost; /* oldest_usec: since 1970; 0: none, or not known */
};

struct manager_record {
	const char *version, *state; /* state: of the configuration */
	struct place_record *errors;
	struct place_record *warnings; /* of the last reload */
	struct pause_record *paused;
	struct package_record *packages;
	size_t n_errors, n_warnings, n_paused, n_packages;
	struct history_record history;
};

/* Each reads a{sv}. 0; -EBADMSG: not as agent1.h says; -ENOMEM. */
int endpoint_record_read(struct sd_bus_message *m, struct arena *arena,
			 struct endpoint_record *ret);
int device_record_read(struct sd_bus_message *m, struct arena *arena, struct device_record *ret);
int bus_record_read(struct sd_bus_message *m, struct arena *arena, struct bus_record *ret);
int manager_record_read(struct sd_bus_message *m, struct arena *arena, struct manager_record *ret);

/* "FILE:LINE:COLUMN: TEXT", in the arena or the record's; NULL without memory. */
const char *place_record_text(struct arena *arena, const struct place_record *p);

/* For --json: what is said above, and lists of names. NULL without memory. */
struct json_t *endpoint_record_document(const struct endpoint_record *e);
struct json_t *device_record_document(const struct device_record *d);
struct json_t *bus_record_document(const struct bus_record *b);
struct json_t *place_records_document(const struct place_record *places, size_t n);

/* Why a device is not online, without the names of bus and device that the reason begins with; "": it says nothing. */
const char *device_record_reason(const struct device_record *d);

/*
 * Reads an array whose items are `contents` into arena memory; reader is called
 * for each with its zeroed place, and reads one item, container and all. 0,
 * -EBADMSG, -ENOMEM, or what the reader returns.
 */
typedef int (*record_reader)(struct sd_bus_message *m, struct arena *arena, void *place);
int record_array_read(struct sd_bus_message *m, const char *contents, size_t item_size,
		      record_reader reader, struct arena *arena, void *ret_items, size_t *ret_n);
/*
 * Reads an array of dictionary entries, "{sv}"; take is called inside each of
 * them. Returns as record_array_read().
 */
int record_entries_read(struct sd_bus_message *m, const char *entry,
			int (*take)(struct sd_bus_message *m, void *userdata), void *userdata);
/* What sd_bus_message_*() returned: -ENOMEM stays; 0, an early end, and the rest is -EBADMSG. */
int record_error(int r);
