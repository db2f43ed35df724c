/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_bluez.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 24

struct command {
	const char *name;
	int words; /* behind the name, at least */
	int (*run)(struct fake *f, char **words, int n);
};

static int parse_hex(const char *text, uint8_t *ret, size_t max, size_t *ret_size)
{
	size_t size = strlen(text) / 2;

	if (strlen(text) % 2 || size > max)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		ret[i] = (uint8_t)byte;
	}
	*ret_size = size;
	return 0;
}

static void full_uuid(const char *text, char *ret, size_t size)
{
	if (strlen(text) == 4)
		snprintf(ret, size, "0000%s-0000-1000-8000-00805f9b34fb", text);
	else
		snprintf(ret, size, "%s", text);
}

static struct fake_device *find(struct fake *f, const char *address)
{
	for (size_t i = 0; i < f->n_devices; i++)
		if (strcmp(f->devices[i].address, address) == 0)
			return &f->devices[i];
	return NULL;
}

static bool hears(const struct fake *f)
{
	return f->present && f->adapter && f->powered && (f->discovering || f->monitored);
}

/* ADDRESS [NAME]: known to the test, and not yet in reach. */
static int run_device(struct fake *f, char **words, int n)
{
	struct fake_device *d = &f->devices[f->n_devices];

	if (f->n_devices == FAKE_DEVICES || find(f, words[0]))
		return -EEXIST;
	*d = (struct fake_device){ .battery = -1 };
	snprintf(d->address, sizeof(d->address), "%s", words[0]);
	if (n > 1)
		snprintf(d->name, sizeof(d->name), "%s", words[1]);
	snprintf(d->path, sizeof(d->path), FAKE_ADAPTER_PATH "/dev_%s", words[0]);
	for (char *c = d->path; *c; c++)
		if (*c == ':')
			*c = '_';
	f->n_devices++;
	return 0;
}

/* ADDRESS [RSSI]: discovered. */
static int run_appear(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || !hears(f))
		return -EAGAIN;
	d->has_rssi = n > 1;
	if (n > 1)
		d->rssi = (int16_t)atoi(words[1]);
	d->there = true;
	fake_device_added(f, d);
	return 0;
}

/* ADDRESS: known to bluetoothd from before. */
static int run_know(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d)
		return -ENODEV;
	d->there = true;
	return 0;
}

static int run_vanish(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || !d->there)
		return -ENODEV;
	fake_disconnected(f, d);
	d->there = d->has_rssi = false;
	fake_device_removed(f, d);
	return 0;
}

static int run_rssi(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || !d->there || !hears(f))
		return -EAGAIN;
	d->has_rssi = true;
	d->rssi = (int16_t)atoi(words[1]);
	fake_rssi_changed(f, d);
	return 0;
}

static int run_battery(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d)
		return -ENODEV;
	d->battery = atoi(words[1]);
	if (d->there)
		fake_battery_changed(f, d);
	return 0;
}

/* NAME=HEX ... */
static int read_entries(char **words, int n, bool services, struct fake_entry *entries, size_t *ret_n)
{
	if (n > FAKE_ENTRIES)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		char *equals = strchr(words[i], '=');

		if (!equals)
			return -EINVAL;
		*equals = 0;
		if (services)
			full_uuid(words[i], entries[i].name, sizeof(entries[i].name));
		else
			snprintf(entries[i].name, sizeof(entries[i].name), "%s", words[i]);
		if (parse_hex(equals + 1, entries[i].data, sizeof(entries[i].data), &entries[i].size) < 0)
			return -EINVAL;
	}
	*ret_n = (size_t)n;
	return 0;
}

static int run_data(struct fake *f, char **words, int n, bool manufacturers)
{
	struct fake_device *d = find(f, words[0]);
	int r;

	if (!d)
		return -ENODEV;
	if (manufacturers)
		r = read_entries(words + 1, n - 1, false, d->manufacturers, &d->n_manufacturers);
	else
		r = read_entries(words + 1, n - 1, true, d->services_data, &d->n_services_data);
	if (r < 0 || !d->there)
		return r;
	if (!hears(f))
		return -EAGAIN;
	fake_data_changed(f, d, manufacturers);
	return 0;
}

static int run_manufacturer(struct fake *f, char **words, int n)
{
	return run_data(f, words, n, true);
}

static int run_service_data(struct fake *f, char **words, int n)
{
	return run_data(f, words, n, false);
}

static int run_service(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || d->n_services == 4)
		return -ENODEV;
	full_uuid(words[1], d->services[d->n_services++], sizeof(d->services[0]));
	return 0;
}

/* ADDRESS UUID FLAGS [HEX]: in the last service. */
static int run_characteristic(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);
	struct fake_characteristic *c = d ? &d->characteristics[d->n_characteristics] : NULL;
	char path[sizeof(c->path)];

	if (!d || d->n_characteristics == FAKE_CHARACTERISTICS || d->n_services == 0)
		return -ENODEV;
	*c = (struct fake_characteristic){ .size = 0 };
	full_uuid(words[1], c->uuid, sizeof(c->uuid));
	snprintf(c->flags, sizeof(c->flags), "%s", words[2]);
	snprintf(path, sizeof(path), "%s/service%04zx/char%04zx", d->path, 0x10 * d->n_services,
		 0x100 + 2 * d->n_characteristics);
	memcpy(c->path, path, sizeof(path));
	d->n_characteristics++;
	return n > 3 ? parse_hex(words[3], c->value, sizeof(c->value), &c->size) : 0;
}

/* ADDRESS UUID N: so many that can be read, with their numbers as values. */
static int run_many(struct fake *f, char **words, int n)
{
	char hex[8], flags[] = "read";
	int r = 0;

	for (long i = 0; i < atol(words[2]) && r >= 0; i++) {
		snprintf(hex, sizeof(hex), "%02lx%02lx", i & 0xff, i >> 8 & 0xff);
		r = run_characteristic(f, (char *[]){ words[0], words[1], flags, hex }, 4);
	}
	return r;
}

static struct fake_characteristic *find_characteristic(struct fake *f, char **words)
{
	struct fake_device *d = find(f, words[0]);
	size_t i = strtoul(words[1], NULL, 10);

	return d && i < d->n_characteristics ? &d->characteristics[i] : NULL;
}

/* ADDRESS NUMBER HEX: tells it, if that was asked for. */
static int run_value(struct fake *f, char **words, int n)
{
	struct fake_characteristic *c = find_characteristic(f, words);
	int r = c ? parse_hex(words[2], c->value, sizeof(c->value), &c->size) : -ENODEV;

	if (r >= 0 && c->notifying)
		fake_value_changed(f, c);
	return r;
}

/* ADDRESS NUMBER 0|1: other firmware. */
static int run_gone(struct fake *f, char **words, int n)
{
	struct fake_characteristic *c = find_characteristic(f, words);

	if (!c)
		return -ENODEV;
	c->gone = atoi(words[2]) != 0;
	return 0;
}

static int run_drop(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || !d->connected)
		return -ENODEV;
	fake_disconnected(f, d);
	return 0;
}

/* ADDRESS 0|1: services are resolved only by `resolve`. */
static int run_hold(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d)
		return -ENODEV;
	d->holds = atoi(words[1]) != 0;
	return 0;
}

static int run_resolve(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d || !d->connected)
		return -ENODEV;
	fake_resolved(f, d);
	return 0;
}

/* ADDRESS PASSKEY: asks for it; "confirm" asks to compare. */
static int run_passkey(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d)
		return -ENODEV;
	snprintf(d->passkey, sizeof(d->passkey), "%s", words[1]);
	return 0;
}

/* ADDRESS MEMBER ERROR[:TEXT] [COUNT]; "_" stands for blanks. */
static int run_fault(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);
	struct fake_fault *fault = d ? &d->faults[d->n_faults] : NULL;

	if (!d || d->n_faults == FAKE_FAULTS)
		return -ENODEV;
	snprintf(fault->member, sizeof(fault->member), "%s", words[1]);
	snprintf(fault->error, sizeof(fault->error), "%s", words[2]);
	for (char *c = strchr(fault->error, ':'); c && *c; c++)
		if (*c == '_')
			*c = ' ';
	fault->count = n > 3 ? atoi(words[3]) : -1;
	d->n_faults++;
	return 0;
}

static int run_heal(struct fake *f, char **words, int n)
{
	struct fake_device *d = find(f, words[0]);

	if (!d)
		return -ENODEV;
	d->n_faults = 0;
	return 0;
}

static void all_disconnect(struct fake *f)
{
	for (size_t i = 0; i < f->n_devices; i++)
		if (f->devices[i].there)
			fake_disconnected(f, &f->devices[i]);
}

static int run_power(struct fake *f, char **words, int n)
{
	bool on = atoi(words[0]) != 0;

	if (!f->adapter)
		return -ENODEV;
	if (!on)
		all_disconnect(f);
	if (!on && f->discovering) {
		f->discovering = false;
		fake_bool_changed(f, FAKE_ADAPTER_PATH, "org.bluez.Adapter1", "Discovering", false);
	}
	if (!on)
		f->monitored = false;
	f->powered = on;
	fake_bool_changed(f, FAKE_ADAPTER_PATH, "org.bluez.Adapter1", "Powered", on);
	return 0;
}

/* 0|1: by rfkill. */
static int run_block(struct fake *f, char **words, int n)
{
	f->blocked = atoi(words[0]) != 0;
	return f->blocked ? run_power(f, (char *[]){ (char[]){ "0" } }, 1) : 0;
}

static int run_unplug(struct fake *f, char **words, int n)
{
	if (!f->adapter)
		return -ENODEV;
	all_disconnect(f);
	for (size_t i = 0; i < f->n_devices; i++) {
		if (f->devices[i].there)
			fake_device_removed(f, &f->devices[i]);
		f->devices[i].there = f->devices[i].has_rssi = false;
	}
	fake_release_monitor(f);
	f->discovering = f->adapter = false;
	fake_adapter_removed(f);
	return 0;
}

static int run_plug(struct fake *f, char **words, int n)
{
	f->adapter = true;
	f->powered = n < 1 || atoi(words[0]) != 0;
	if (f->present)
		fake_adapter_added(f);
	return 0;
}

static int run_monitors(struct fake *f, char **words, int n)
{
	f->monitors = atoi(words[0]) != 0;
	return 0;
}

/* bluetoothd ends, and forgets what is not bonded. */
static int run_leave(struct fake *f, char **words, int n)
{
	if (!f->present)
		return -EALREADY;
	f->present = false;
	for (size_t i = 0; i < f->n_devices; i++) {
		struct fake_device *d = &f->devices[i];

		d->connected = d->resolved = d->has_rssi = false;
		d->hanging = sd_bus_message_unref(d->hanging);
		for (size_t j = 0; j < d->n_characteristics; j++)
			d->characteristics[j].notifying = false;
		d->there &= d->paired;
	}
	fake_release_monitor(f);
	f->discovering = false;
	f->agent[0] = 0;
	return sd_bus_release_name(f->bus, "org.bluez");
}

static int run_come(struct fake *f, char **words, int n)
{
	f->present = true;
	return sd_bus_request_name(f->bus, "org.bluez", 0);
}

static int run_deny(struct fake *f, char **words, int n)
{
	snprintf(f->denied, sizeof(f->denied), "%s", n > 0 ? words[0] : "");
	return 0;
}

static int run_trace(struct fake *f, char **words, int n)
{
	f->trace = strcmp(words[0], "on") == 0;
	return 0;
}

static const struct command commands[] = {
	{ "device", 1, run_device },
	{ "appear", 1, run_appear },
	{ "know", 1, run_know },
	{ "vanish", 1, run_vanish },
	{ "rssi", 2, run_rssi },
	{ "battery", 2, run_battery },
	{ "manufacturer", 1, run_manufacturer },
	{ "service_data", 1, run_service_data },
	{ "service", 2, run_service },
	{ "characteristic", 3, run_characteristic },
	{ "many", 3, run_many },
	{ "value", 3, run_value },
	{ "gone", 3, run_gone },
	{ "drop", 1, run_drop },
	{ "hold", 2, run_hold },
	{ "resolve", 1, run_resolve },
	{ "passkey", 2, run_passkey },
	{ "fault", 3, run_fault },
	{ "heal", 1, run_heal },
	{ "power", 1, run_power },
	{ "block", 1, run_block },
	{ "unplug", 0, run_unplug },
	{ "plug", 0, run_plug },
	{ "monitors", 1, run_monitors },
	{ "leave", 0, run_leave },
	{ "come", 0, run_come },
	{ "deny", 0, run_deny },
	{ "trace", 1, run_trace },
};

void fake_command(struct fake *f, char *line, FILE *out)
{
	char *words[WORDS], *rest = NULL;
	int n = 0, r = -EOPNOTSUPP;

	for (char *w = strtok_r(line, " \t\r\n", &rest); w && n < WORDS; w = strtok_r(NULL, " \t\r\n", &rest))
		words[n++] = w;
	for (size_t i = 0; n > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			r = n - 1 < commands[i].words ? -EINVAL : commands[i].run(f, words + 1, n - 1);
	if (r < 0)
		fprintf(out, "error %s\n", strerror(-r));
	else
		fprintf(out, "ok\n");
}
