/* SPDX-License-Identifier: Apache-2.0 */
#include "host/services.h"

#include <errno.h>
#include <fcntl.h>

#include "base/str.h"
#include "host/device/tap.h"
#include "host/event/scan.h"
#include "host/line/errand.h"
#include "host/release.h"
#include "link/marshal.h"

/* ---- each with its arguments behind generation and bus ---- */

static int call_raw(struct loader *loader, struct host_bus *b, sd_bus_message *m)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldway_settings address;
	uint64_t deadline_usec;
	const void *request;
	size_t size;
	int known, r;

	r = link_read_settings(m, &arena, &address);
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &request, &size);
	if (r >= 0)
		r = sd_bus_message_read(m, "tb", &deadline_usec, &known);
	if (r < 0)
		return r;
	return errand_begin(loader, b, m, &address, request, size, deadline_usec, known);
}

static int call_scan(struct loader *loader, struct host_bus *b, sd_bus_message *m)
{
	uint64_t until_usec;
	int r = sd_bus_message_read(m, "t", &until_usec);

	if (r < 0)
		return r;
	return b->events ? scan_begin(b->events, m, until_usec) : -EOPNOTSUPP;
}

static int call_release(struct loader *loader, struct host_bus *b, sd_bus_message *m)
{
	uint64_t usec;
	int r = sd_bus_message_read(m, "t", &usec);

	return r < 0 ? r : release_begin(b, m, usec);
}

static int call_record(struct loader *loader, struct host_bus *b, sd_bus_message *m)
{
	uint64_t usec;
	int fd, r;

	r = sd_bus_message_read(m, "ht", &fd, &usec);
	if (r < 0)
		return r;
	/* The message keeps its own. */
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : recorder_start(&b->recorder, fd, usec, m);
}

static const struct service {
	const char *member;
	int (*call)(struct loader *loader, struct host_bus *b, sd_bus_message *m);
} services[] = {
	{ "Raw", call_raw },
	{ "Scan", call_scan },
	{ "Release", call_release },
	{ "Record", call_record },
};

static struct host_bus *find_bus(const struct list *buses, uint64_t generation, const char *name)
{
	struct host_bus *b;

	list_for_each(b, buses, node)
		if (b->setup->configuration->generation == generation && streq(bus_name(b), name))
			return b;
	return NULL;
}

int services_call(struct loader *loader, const struct list *buses, sd_bus_message *m,
		  sd_bus_error *error)
{
	const char *name, *member = sd_bus_message_get_member(m);
	uint64_t generation;
	struct host_bus *b;
	int r;

	r = sd_bus_message_read(m, "ts", &generation, &name);
	if (r < 0)
		return r;
	b = find_bus(buses, generation, name);
	if (!b)
		return sd_bus_error_set_errnof(error, -ESTALE, "no such bus in this generation");
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		if (!streq(services[i].member, member))
			continue;
		r = services[i].call(loader, b, m);
		return r < 0 ? r : 1;
	}
	return 0;
}
