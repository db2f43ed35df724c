/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plain_plugin.h"

/* A plugin that breaks the contract as its bus key `mode` says, for tests of fieldway-plugin-check. */

struct fieldway_driver {
	const char *mode;
	size_t mode_size;
};

static const struct fieldway_key keys[] = {
	{ .name = "mode",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_STRING,
	  .initial = "good",
	  .help = "what it does" },
};

static bool is_mode(const struct fieldway_value *mode, const char *text)
{
	return mode->size == strlen(text) && memcmp(mode->data, text, mode->size) == 0;
}

static bool is(const struct fieldway_driver *d, const char *text)
{
	return d->mode_size == strlen(text) && memcmp(d->mode, text, d->mode_size) == 0;
}

static int bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	return 0;
}

/* What a device with settings finds; one for samples is always good. */
static int begin(const struct fieldway_value *mode, struct fieldway_driver **ret,
		 struct fieldway_error *error)
{
	if (is_mode(mode, "silent") || is_mode(mode, "refusal")) {
		strcpy(error->text, is_mode(mode, "silent") ? "" : "not like this");
		return -EINVAL;
	}
	if (is_mode(mode, "foreign key")) {
		strcpy(error->text, "something");
		error->key = "baud";
		return -EINVAL;
	}
	if (is_mode(mode, "touch")) {
		*ret = NULL;
		return -ENOMEM;
	}
	if (is_mode(mode, "leak") && !malloc(64))
		return -ENOMEM;
	if (is_mode(mode, "open") && dup(1) < 0)
		return -ENOMEM;
	if (is_mode(mode, "hang"))
		for (;;)
			pause();
	return 0;
}

static int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
		      struct fieldway_driver **ret, struct fieldway_error *error)
{
	const struct fieldway_value *mode = bus ? plain_find(&bus->settings, "mode") : NULL;
	int r = mode ? begin(mode, ret, error) : 0;
	struct fieldway_driver *d;

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	if (mode)
		*d = (struct fieldway_driver){ mode->data, mode->size };
	*ret = d;
	return 0;
}

static int line_name(const struct fieldway_driver *d, char *ret, size_t size)
{
	if (is(d, "long name"))
		strcpy(ret, "no matter how much room there is");
	else if (snprintf(ret, size, "line") >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

static int plan_new(const struct fieldway_driver *d, const uint32_t *points, size_t n,
		    struct fieldway_plan *ret)
{
	int r = plain_plan_new(d, points, n, ret);

	if (r < 0 || n == 0)
		return r;
	if (is(d, "no plan"))
		ret->n = 0;
	if (is(d, "no text"))
		ret->requests[0].text[0] = '\0';
	return r;
}

static int decode(const struct fieldway_driver *d, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	static const char elsewhere[] = "elsewhere";

	if (is(d, "overread"))
		size = 4;
	if (size < 4)
		return is(d, "wrong error") ? -EIO : -EBADMSG;
	plain_samples(request, *(const uint8_t *)bytes + ((const uint8_t *)bytes)[3], samples);
	if (is(d, "overwrite"))
		samples[request->n_points].point = 1;
	if (is(d, "foreign point"))
		samples[0].point = 7;
	if (is(d, "elsewhere"))
		samples[0].value = (struct fieldway_value){ .type = FIELDWAY_STRING,
							    .data = elsewhere,
							    .size = 9 };
	return 0;
}

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
		     struct fieldway_line **ret, struct fieldway_result *result)
{
	return -ENODEV;
}

static void line_close(struct fieldway_line *line)
{
}

static int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
		     const struct fieldway_request *request, uint64_t deadline_usec,
		     struct fieldway_sample *samples, char *text, size_t text_size,
		     struct fieldway_result *result, bool *ret_broken)
{
	return -ENODEV;
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL,
	.name = "wrong",
	.version = "1",
	.keys = keys,
	.n_keys = 1,
	.bus_check = bus_check,
	.driver_new = driver_new,
	.driver_free = plain_driver_free,
	.line_name = line_name,
	.plan_new = plan_new,
	.plan_free = plain_plan_free,
	.decode = decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
};
