/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/machine/power.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_SIZE 64

/* A file's only line; false: there is none. */
static bool read_text(int supply, const char *name, char ret[LINE_MAX_SIZE])
{
	_cleanup_close_ int fd = openat(supply, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, LINE_MAX_SIZE - 1);

	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return *ret;
}

static bool read_number(int supply, const char *name, int64_t *ret)
{
	char text[LINE_MAX_SIZE];

	return read_text(supply, name, text) && parse_i64(text, ret) >= 0;
}

/* The kernel has millionths. */
static bool read_thousandths(int supply, const char *name, int64_t *ret)
{
	int64_t millionths;

	if (!read_number(supply, name, &millionths))
		return false;
	*ret = millionths / 1000;
	return true;
}

static const struct kind {
	const char *type;
	enum builtin_source source;
	bool battery;
} kinds[] = {
	{ "Battery", BUILTIN_SOURCE_INTERNAL_BATTERY, true },
	{ "UPS", BUILTIN_SOURCE_EXTERNAL_BATTERY, true },
	{ "Mains", BUILTIN_SOURCE_AC, false },
	{ "USB", BUILTIN_SOURCE_USB, false },
	{ "Wireless", BUILTIN_SOURCE_DC, false },
};

static const struct kind *kind_of(int supply)
{
	char text[LINE_MAX_SIZE];

	if (!read_text(supply, "type", text))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].type, text))
			return &kinds[i];
	/* Older kernels have a type for each way to charge by USB: USB_C, USB_PD. */
	return has_prefix(text, "USB") ? &kinds[3] : NULL;
}

/* Of a mouse or a headset, say. */
static bool is_foreign(int supply)
{
	char text[LINE_MAX_SIZE];

	return read_text(supply, "scope", text) && streq(text, "Device");
}

static enum builtin_battery battery_status(int supply)
{
	static const struct {
		const char *text;
		enum builtin_battery status;
	} statuses[] = {
		{ "Charging", BUILTIN_BATTERY_CHARGING },
		{ "Full", BUILTIN_BATTERY_FULL },
		{ "Discharging", BUILTIN_BATTERY_NORMAL },
		{ "Not charging", BUILTIN_BATTERY_NORMAL },
	};
	char text[LINE_MAX_SIZE];
	int64_t present;

	if (read_number(supply, "present", &present) && present == 0)
		return BUILTIN_BATTERY_MISSING;
	if (read_text(supply, "health", text) && (streq(text, "Dead") || streq(text, "Unspecified failure")))
		return BUILTIN_BATTERY_DAMAGED;
	if (read_text(supply, "capacity_level", text) && (streq(text, "Critical") || streq(text, "Low")) &&
	    !(read_text(supply, "status", text) && streq(text, "Charging")))
		return BUILTIN_BATTERY_LOW;
	for (size_t i = 0; read_text(supply, "status", text) && i < ARRAY_SIZE(statuses); i++)
		if (streq(statuses[i].text, text))
			return statuses[i].status;
	return BUILTIN_BATTERY_UNKNOWN;
}

/* /3/0/9 and 20 are about one: the first. */
static void read_battery(int supply, struct builtin_power *ret)
{
	int64_t level;

	if (ret->has_battery)
		return;
	ret->has_battery = true;
	ret->status = battery_status(supply);
	ret->level = read_number(supply, "capacity", &level) && level >= 0 && level <= 100 ? (int)level : -1;
}

/* What gives from outside; found: there is such a thing. */
struct outside {
	bool found, gives;
};

static void read_supply(int supply, struct builtin_power *ret, struct outside *outside)
{
	const struct kind *kind = is_foreign(supply) ? NULL : kind_of(supply);
	struct builtin_supply *s = &ret->supplies[ret->n];
	int64_t online;

	if (!kind)
		return;
	*s = (struct builtin_supply){ .source = kind->source };
	s->has_voltage = read_thousandths(supply, "voltage_now", &s->mv);
	s->has_current = read_thousandths(supply, "current_now", &s->ma);
	ret->n++;
	if (kind->battery)
		read_battery(supply, ret);
	/* A free USB port is no supply that fails. */
	else if (kind->source != BUILTIN_SOURCE_USB && read_number(supply, "online", &online)) {
		outside->found = true;
		outside->gives |= online > 0;
	} else if (kind->source == BUILTIN_SOURCE_USB && read_number(supply, "online", &online)) {
		outside->gives |= online > 0;
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void power_read(const char *folder, struct builtin_power *ret)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct outside outside = { 0 };
	struct dirent **entries;
	int n;

	*ret = (struct builtin_power){ .level = -1 };
	n = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_visible, by_name);
	for (int i = 0; i < n; i++) {
		_cleanup_close_ int supply = openat(fd, entries[i]->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (supply >= 0 && ret->n < BUILTIN_SUPPLIES_MAX)
			read_supply(supply, ret, &outside);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	ret->external_off = outside.found && !outside.gives;
}
