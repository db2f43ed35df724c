/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "dbus/agent1.h"

struct property {
	const char *name, *type;
	int (*read)(sd_bus_message *m, struct arena *arena, void *place);
	size_t place; /* in the record */
};

int record_error(int r)
{
	return r == -ENOMEM ? r : -EBADMSG;
}

/* ---- arrays ---- */

int record_entries_read(sd_bus_message *m, const char *entry,
			int (*take)(sd_bus_message *m, void *userdata), void *userdata)
{
	_cleanup_free_ char *contents = strndup(entry + 1, strlen(entry) - 2);
	int r;

	if (!contents)
		return -ENOMEM;
	r = sd_bus_message_enter_container(m, 'a', entry);
	if (r <= 0)
		return record_error(r);
	while ((r = sd_bus_message_enter_container(m, 'e', contents)) > 0) {
		r = take(m, userdata);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r <= 0)
			return record_error(r);
	}
	if (r == 0)
		r = sd_bus_message_exit_container(m);
	return r > 0 ? 0 : record_error(r);
}

static int append_item(sd_bus_message *m, record_reader reader, struct arena *arena, size_t size,
		       struct buf *items)
{
	int r = buf_reserve(items, size);

	if (r < 0)
		return r;
	memset(items->data + items->size, 0, size);
	r = reader(m, arena, items->data + items->size);
	if (r >= 0)
		items->size += size;
	return r;
}

int record_array_read(sd_bus_message *m, const char *contents, size_t item_size,
		      record_reader reader, struct arena *arena, void *ret_items, size_t *ret_n)
{
	_cleanup_buf_ struct buf items = { 0 };
	void *copy;
	int r = sd_bus_message_enter_container(m, 'a', contents);

	if (r <= 0)
		return record_error(r);
	while ((r = sd_bus_message_at_end(m, 0)) == 0) {
		r = append_item(m, reader, arena, item_size, &items);
		if (r < 0)
			return r;
	}
	if (r > 0)
		r = sd_bus_message_exit_container(m);
	if (r <= 0)
		return record_error(r);
	copy = arena_new(arena, items.size);
	if (!copy)
		return -ENOMEM;
	if (items.size > 0)
		memcpy(copy, items.data, items.size);
	*(void **)ret_items = copy;
	*ret_n = items.size / item_size;
	return 0;
}

/* ---- single ones ---- */

static int read_text(sd_bus_message *m, struct arena *arena, void *place)
{
	int r = sd_bus_message_read_basic(m, 's', place);

	return r > 0 ? 0 : record_error(r);
}

static int read_flag(sd_bus_message *m, struct arena *arena, void *place)
{
	int value, r = sd_bus_message_read_basic(m, 'b', &value);

	if (r <= 0)
		return record_error(r);
	*(bool *)place = value;
	return 0;
}

/* ---- a{sv} ---- */

static const struct property *property_find(const struct property *table, const char *name)
{
	for (; table->name; table++)
		if (streq(table->name, name))
			return table;
	return NULL;
}

static int read_property(sd_bus_message *m, const struct property *p, struct arena *arena,
			 void *record)
{
	int r = sd_bus_message_enter_container(m, 'v', p->type);

	if (r <= 0)
		return record_error(r);
	r = p->read(m, arena, (char *)record + p->place);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r > 0 ? 0 : record_error(r);
}

/* A record, and what its properties are. */
struct reader {
	const struct property *table; /* ends with a NULL name */
	struct arena *arena;
	void *record;
};

static int read_entry(sd_bus_message *m, void *userdata)
{
	const struct reader *reader = userdata;
	const struct property *p;
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r <= 0)
		return record_error(r);
	p = property_find(reader->table, name);
	if (p)
		return read_property(m, p, reader->arena, reader->record);
	r = sd_bus_message_skip(m, "v");
	return r >= 0 ? 0 : record_error(r);
}

static int read_properties(sd_bus_message *m, const struct property *table, struct arena *arena,
			   void *record)
{
	return record_entries_read(m, "{sv}", read_entry, &(struct reader){ table, arena, record });
}

/* ---- endpoints ---- */

static int read_account(sd_bus_message *m, struct arena *arena, void *place)
{
	static const struct property properties[] = {
		{ "Server", "s", read_text, offsetof(struct account_record, server) },
		{ "Uri", "s", read_text, offsetof(struct account_record, uri) },
		{ "State", "s", read_text, offsetof(struct account_record, state) },
		{ "Security", "s", read_text, offsetof(struct account_record, security) },
		{ "Source", "s", read_text, offsetof(struct account_record, source) },
		{ "Version", "s", read_text, offsetof(struct account_record, version) },
		{ "LastError", "s", read_text, offsetof(struct account_record, last_error) },
		{ 0 },
	};
	struct account_record *account = place;

	*account = (struct account_record){
		.server = "", .uri = "", .state = "", .security = "", .source = "", .version = "", .last_error = ""
	};
	return read_properties(m, properties, arena, account);
}

static int read_accounts(sd_bus_message *m, struct arena *arena, void *place)
{
	struct endpoint_record *e = place;

	return record_array_read(m, AGENT1_ACCOUNT, sizeof(*e->accounts), read_account, arena,
				 &e->accounts, &e->n_accounts);
}

/* A name and its object path, which is not kept. */
static int read_object(sd_bus_message *m, struct arena *arena, void *place)
{
	int r = sd_bus_message_read(m, AGENT1_OBJECT, place, NULL);

	return r > 0 ? 0 : record_error(r);
}

static int read_shown_devices(sd_bus_message *m, struct arena *arena, void *place)
{
	struct endpoint_record *e = place;

	return record_array_read(m, AGENT1_OBJECT, sizeof(*e->devices), read_object, arena,
				 &e->devices, &e->n_devices);
}

int endpoint_record_read(sd_bus_message *m, struct arena *arena, struct endpoint_record *ret)
{
	static const struct property properties[] = {
		{ "Name", "s", read_text, offsetof(struct endpoint_record, name) },
		{ "ClientName", "s", read_text, offsetof(struct endpoint_record, client_name) },
		{ "State", "s", read_text, offsetof(struct endpoint_record, state) },
		{ "LastError", "s", read_text, offsetof(struct endpoint_record, last_error) },
		{ "Paused", "b", read_flag, offsetof(struct endpoint_record, paused) },
		{ "Accounts", "a" AGENT1_ACCOUNT, read_accounts, 0 },
		{ "Devices", "a" AGENT1_OBJECT, read_shown_devices, 0 },
		{ 0 },
	};
	struct endpoint_record e = { .name = "", .client_name = "", .state = "", .last_error = "" };
	int r = read_properties(m, properties, arena, &e);

	if (r >= 0)
		*ret = e;
	return r;
}

/* ---- devices ---- */

static int read_statistic(sd_bus_message *m, struct arena *arena, void *place)
{
	struct statistic_record *s = place;
	int r = sd_bus_message_read(m, "{st}", &s->name, &s->count);

	return r > 0 ? 0 : record_error(r);
}

static int read_statistics(sd_bus_message *m, struct arena *arena, void *place)
{
	struct device_record *d = place;

	return record_array_read(m, "{st}", sizeof(*d->statistics), read_statistic, arena,
				 &d->statistics, &d->n_statistics);
}

int device_record_read(sd_bus_message *m, struct arena *arena, struct device_record *ret)
{
	static const struct property properties[] = {
		{ "Name", "s", read_text, offsetof(struct device_record, name) },
		{ "Bus", "s", read_text, offsetof(struct device_record, bus) },
		{ "Profile", "s", read_text, offsetof(struct device_record, profile) },
		{ "State", "s", read_text, offsetof(struct device_record, state) },
		{ "Reason", "s", read_text, offsetof(struct device_record, reason) },
		{ "Enabled", "b", read_flag, offsetof(struct device_record, enabled) },
		{ "Paused", "b", read_flag, offsetof(struct device_record, paused) },
		{ "Statistics", "a{st}", read_statistics, 0 },
		{ 0 },
	};
	struct device_record d = {
		.name = "", .bus = "", .profile = "", .state = "", .reason = ""
	};
	int r = read_properties(m, properties, arena, &d);

	if (r >= 0)
		*ret = d;
	return r;
}

/* ---- buses ---- */

static int read_count(sd_bus_message *m, struct arena *arena, void *place)
{
	int r = sd_bus_message_read_basic(m, 'u', place);

	return r > 0 ? 0 : record_error(r);
}

static int read_bus_statistics(sd_bus_message *m, struct arena *arena, void *place)
{
	struct bus_record *b = place;

	return record_array_read(m, "{st}", sizeof(*b->statistics), read_statistic, arena,
				 &b->statistics, &b->n_statistics);
}

int bus_record_read(sd_bus_message *m, struct arena *arena, struct bus_record *ret)
{
	static const struct property properties[] = {
		{ "Name", "s", read_text, offsetof(struct bus_record, name) },
		{ "Plugin", "s", read_text, offsetof(struct bus_record, plugin) },
		{ "State", "s", read_text, offsetof(struct bus_record, state) },
		{ "Devices", "u", read_count, offsetof(struct bus_record, devices) },
		{ "Online", "u", read_count, offsetof(struct bus_record, online) },
		{ "Paused", "b", read_flag, offsetof(struct bus_record, paused) },
		{ "Statistics", "a{st}", read_bus_statistics, 0 },
		{ 0 },
	};
	struct bus_record b = { .name = "", .plugin = "", .state = "" };
	int r = read_properties(m, properties, arena, &b);

	if (r >= 0)
		*ret = b;
	return r;
}

/* ---- why a device is not online ---- */

/* text behind "WHAT NAME: ", or text itself. */
static const char *skip_name(const char *text, const char *what, const char *name)
{
	size_t size = strlen(what) + strlen(name);

	if (!has_prefix(text, what) || !has_prefix(text + strlen(what), name) ||
	    !has_prefix(text + size, ": "))
		return text;
	return text + size + 2;
}

const char *device_record_reason(const struct device_record *d)
{
	const char *reason = skip_name(skip_name(d->reason, "bus ", d->bus), "device ", d->name);

	if (!*reason && streq(d->state, "unknown"))
		return "nothing was heard of it yet";
	/* "paused" is all that there is to say. */
	return streq(reason, d->state) ? "" : reason;
}

/* ---- the manager ---- */

static int read_place(sd_bus_message *m, struct arena *arena, void *place)
{
	struct place_record *p = place;
	int r = sd_bus_message_read(m, AGENT1_CONFIGURATION_ERROR, &p->file, &p->line, &p->column,
				    &p->text);

	return r > 0 ? 0 : record_error(r);
}

static int read_errors(sd_bus_message *m, struct arena *arena, void *place)
{
	struct manager_record *manager = place;

	return record_array_read(m, AGENT1_CONFIGURATION_ERROR, sizeof(*manager->errors),
				 read_place, arena, &manager->errors, &manager->n_errors);
}

static int read_warnings(sd_bus_message *m, struct arena *arena, void *place)
{
	struct manager_record *manager = place;

	return record_array_read(m, AGENT1_CONFIGURATION_ERROR, sizeof(*manager->warnings),
				 read_place, arena, &manager->warnings, &manager->n_warnings);
}

const char *place_record_text(struct arena *arena, const struct place_record *p)
{
	char place[sizeof(":4294967295:4294967295")] = "";
	_cleanup_free_ char *text = NULL;
	int n;

	if (!*p->file)
		return p->text;
	if (p->line > 0 && p->column > 0)
		sprintf(place, ":%" PRIu32 ":%" PRIu32, p->line, p->column);
	else if (p->line > 0)
		sprintf(place, ":%" PRIu32, p->line);
	n = asprintf(&text, "%s%s: %s", p->file, place, p->text);
	return n < 0 ? NULL : arena_text(arena, text, (size_t)n);
}

static int read_pause(sd_bus_message *m, struct arena *arena, void *place)
{
	struct pause_record *p = place;
	int r = sd_bus_message_read(m, AGENT1_PAUSED, &p->kind, &p->name, &p->since_usec, &p->uid);

	return r > 0 ? 0 : record_error(r);
}

static int read_pauses(sd_bus_message *m, struct arena *arena, void *place)
{
	struct manager_record *manager = place;

	return record_array_read(m, AGENT1_PAUSED, sizeof(*manager->paused), read_pause, arena,
				 &manager->paused, &manager->n_paused);
}

static int read_package(sd_bus_message *m, struct arena *arena, void *place)
{
	struct package_record *p = place;
	int r = sd_bus_message_read(m, AGENT1_PACKAGE, &p->kind, &p->name, &p->state, &p->note, &p->received, &p->expected);

	return r > 0 ? 0 : record_error(r);
}

static int read_packages(sd_bus_message *m, struct arena *arena, void *place)
{
	struct manager_record *manager = place;

	return record_array_read(m, AGENT1_PACKAGE, sizeof(*manager->packages), read_package, arena,
				 &manager->packages, &manager->n_packages);
}

static int take_figure(sd_bus_message *m, void *userdata)
{
	struct history_record *h = userdata;
	const struct {
		const char *name;
		uint64_t *place;
	} figures[] = {
		{ "waiting", &h->waiting }, { "bytes", &h->bytes }, { "oldest", &h->oldest_usec }, { "lost", &h->lost }
	};
	const char *name;
	uint64_t value;
	int r = sd_bus_message_read(m, "st", &name, &value);

	if (r <= 0)
		return record_error(r);
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (streq(figures[i].name, name))
			*figures[i].place = value;
	return 0;
}

static int read_history(sd_bus_message *m, struct arena *arena, void *place)
{
	struct manager_record *manager = place;

	return record_entries_read(m, "{st}", take_figure, &manager->history);
}

int manager_record_read(sd_bus_message *m, struct arena *arena, struct manager_record *ret)
{
	static const struct property properties[] = {
		{ "Version", "s", read_text, offsetof(struct manager_record, version) },
		{ "ConfigurationState", "s", read_text, offsetof(struct manager_record, state) },
		{ "ConfigurationErrors", "a" AGENT1_CONFIGURATION_ERROR, read_errors, 0 },
		{ "ReloadWarnings", "a" AGENT1_CONFIGURATION_ERROR, read_warnings, 0 },
		{ "Paused", "a" AGENT1_PAUSED, read_pauses, 0 },
		{ "Packages", "a" AGENT1_PACKAGE, read_packages, 0 },
		{ "History", "a{st}", read_history, 0 },
		{ 0 },
	};
	struct manager_record manager = { .version = "", .state = "" };
	int r = read_properties(m, properties, arena, &manager);

	if (r >= 0)
		*ret = manager;
	return r;
}
