/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/plugin.h"

/* A clock in ticks: one line for all devices, one request for all points, no wire at all. */
struct fieldway_driver { uint64_t ticks; };
struct fieldway_line { struct timespec now; };
struct plan { struct fieldway_request request; uint32_t points[]; };

static const struct fieldway_key keys[] = {
	{ .name = "ticks", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_REQUIRED, .type = FIELDWAY_UINT,
	  .minimum = 1, .maximum = 1000, .unit = "Hz", .help = "how fast this device's clock runs" },
};

static int bus_check(const struct fieldway_bus *bus, struct fieldway_error *error) { return 0; }

static int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
		      struct fieldway_driver **ret, struct fieldway_error *error)
{
	struct fieldway_driver *d = malloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	/* Checked by the host: the only key, required. A device for samples has no bus and no address. */
	d->ticks = bus ? device->settings.items[0].value.unsignd : 1;
	*ret = d;
	return 0;
}

static void driver_free(struct fieldway_driver *driver) { free(driver); }

static int line_name(const struct fieldway_driver *driver, char *ret, size_t size)
{
	return snprintf(ret, size, "clock") < (int)size ? 0 : -ENAMETOOLONG;
}

static int plan_new(const struct fieldway_driver *driver, const uint32_t *points, size_t n, struct fieldway_plan *ret)
{
	struct plan *p = malloc(sizeof(*p) + n * sizeof(*points));

	if (!p)
		return -ENOMEM;
	if (n > 0)
		memcpy(p->points, points, n * sizeof(*points));
	p->request = (struct fieldway_request){ .points = p->points, .n_points = n, .text = "the time" };
	*ret = (struct fieldway_plan){ .requests = &p->request, .n = n > 0, .memory = p };
	return 0;
}

static void plan_free(struct fieldway_plan *plan) { free(plan->memory); }

/* bytes: a struct timespec. Each point is the ticks since the boot. */
static int decode(const struct fieldway_driver *driver, const struct fieldway_request *request, const void *bytes,
		  size_t size, struct fieldway_sample *samples, char *text, size_t text_size)
{
	struct timespec t;

	if (size != sizeof(t))
		return -EBADMSG;
	memcpy(&t, bytes, size);
	for (size_t i = 0; i < request->n_points; i++)
		samples[i] = (struct fieldway_sample){
			.point = request->points[i], /* and quality 0, which is good */
			.boottime_usec = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000,
			.value = { .type = FIELDWAY_UINT, .unsignd = (uint64_t)t.tv_sec * driver->ticks },
		};
	return 0;
}

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first, struct fieldway_line **ret,
		     struct fieldway_result *result)
{
	return (*ret = calloc(1, sizeof(**ret))) ? 0 : -ENOMEM;
}

static void line_close(struct fieldway_line *line) { free(line); }

static int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
		     const struct fieldway_request *request, uint64_t deadline_usec, struct fieldway_sample *samples,
		     char *text, size_t text_size, struct fieldway_result *result, bool *ret_broken)
{
	clock_gettime(CLOCK_BOOTTIME, &line->now);
	return decode(driver, request, &line->now, sizeof(line->now), samples, text, text_size);
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin), .abi = FIELDWAY_ABI, .capabilities = FIELDWAY_CAN_POLL,
	.name = "example", .version = "1", .keys = keys, .n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = bus_check, .driver_new = driver_new, .driver_free = driver_free, .line_name = line_name,
	.plan_new = plan_new, .plan_free = plan_free, .decode = decode, .line_open = line_open,
	.line_close = line_close, .read = line_read,
};
