/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plain_plugin.h"

/* A plugin for tests of the host: keys of every kind, and a device that can hang. */

struct fieldway_driver {
	char line[64];
	bool hangs;
};

struct fieldway_line {
	int unused;
};

static const char *const moods[] = { "good", "bad", NULL };

static const struct fieldway_key keys[] = {
	{ .name = "speed",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_INT,
	  .minimum = -5,
	  .maximum = 5,
	  .initial = "-2",
	  .help = "how fast" },
	{ .name = "wait",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT,
	  .initial = "5ms",
	  .help = "how long" },
	{ .name = "line",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_STRING,
	  .help = "where" },
	{ .name = "hangs",
	  .scope = FIELDWAY_SCOPE_DEVICE,
	  .type = FIELDWAY_BOOL,
	  .initial = "false",
	  .help = "never comes back" },
	{ .name = "ratio",
	  .scope = FIELDWAY_SCOPE_DEVICE,
	  .type = FIELDWAY_FLOAT,
	  .initial = "1.5",
	  .help = "a number" },
	{ .name = "names.*.size",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT,
	  .maximum = 9,
	  .help = "of what the user named" },
	{ .name = "names.*.words",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_STRING,
	  .help = "a list" },
	{ .name = "key",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_SECRET,
	  .type = FIELDWAY_STRING,
	  .help = "bytes" },
	{ .name = "mood",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_STRING,
	  .choices = moods,
	  .initial = "good",
	  .help = "bad is refused" },
};

static int refuse(struct fieldway_error *error, int point, const char *key, const char *text)
{
	snprintf(error->text, sizeof(error->text), "%s", text);
	error->point = point;
	error->key = key;
	return -EINVAL;
}

static int bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	return plain_find(&bus->settings, "speed")->integer == 0 ?
		       refuse(error, -1, "speed", "does not move") :
		       0;
}

static int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
		      struct fieldway_driver **ret, struct fieldway_error *error)
{
	const struct fieldway_value *line = plain_find(&device->settings, "line");
	struct fieldway_driver *d;

	for (size_t i = 0; i < device->n_points; i++)
		if (memcmp(plain_find(&device->points[i].settings, "mood")->data, "bad", 3) == 0)
			return refuse(error, (int)i, "mood", "is bad");
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->hangs = plain_find(&device->settings, "hangs")->boolean;
	if (line)
		snprintf(d->line, sizeof(d->line), "%.*s", (int)line->size, line->data);
	*ret = d;
	return 0;
}

static int line_name(const struct fieldway_driver *driver, char *ret, size_t size)
{
	if (strcmp(driver->line, "endless") == 0)
		return -ENAMETOOLONG;
	return snprintf(ret, size, "%s", driver->line) < (int)size ? 0 : -ENAMETOOLONG;
}

static int decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	plain_samples(request, 1, samples);
	return 0;
}

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
		     struct fieldway_line **ret, struct fieldway_result *result)
{
	return (*ret = calloc(1, sizeof(**ret))) ? 0 : -ENOMEM;
}

static void line_close(struct fieldway_line *line)
{
	free(line);
}

static int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
		     const struct fieldway_request *request, uint64_t deadline_usec,
		     struct fieldway_sample *samples, char *text, size_t text_size,
		     struct fieldway_result *result, bool *ret_broken)
{
	while (driver->hangs)
		pause();
	return decode(driver, request, NULL, 0, samples, text, text_size);
}

/* A device on the line "odd" has an odd point, and is odd itself in more ways than fit. */
static size_t driver_notes(const struct fieldway_driver *driver, struct fieldway_error *ret, size_t max)
{
	size_t n = strcmp(driver->line, "odd") == 0 ? max : 0;

	for (size_t i = 0; i < n; i++)
		refuse(&ret[i], i == 0 ? 1 : -1, i == 0 ? "mood" : NULL, "looks odd");
	return n;
}

/* "1=5": point 1 has the raw value 5. */
static int sample(const struct fieldway_driver *driver, const struct fieldway_input *inputs, size_t n_inputs,
		  struct fieldway_sample *samples, size_t *ret_n, char *text, size_t text_size,
		  struct fieldway_error *error)
{
	unsigned point, value;
	size_t n = 0;

	for (size_t i = 0; i < n_inputs; i++) {
		snprintf(text, text_size, "%.*s", (int)inputs[i].size, inputs[i].data);
		if (sscanf(text, "%u=%u", &point, &value) != 2)
			return refuse(error, -1, inputs[i].name, "is no sample");
		samples[n++] = (struct fieldway_sample){ .point = point,
							 .value = { .type = FIELDWAY_UINT, .unsignd = value } };
	}
	*ret_n = n;
	return 0;
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL,
	.name = "fake",
	.version = "1",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = bus_check,
	.driver_new = driver_new,
	.driver_free = plain_driver_free,
	.line_name = line_name,
	.plan_new = plain_plan_new,
	.plan_free = plain_plan_free,
	.decode = decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.driver_notes = driver_notes,
	.sample = sample,
};
