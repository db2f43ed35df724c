/* SPDX-License-Identifier: Apache-2.0 */
#include "host/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "host/device/device.h"
#include "host/sandbox/sandbox.h"

/* Stacks of all threads, and what their heaps have in reserve. */
#define MEMORY_THREADS_BYTES (UINT64_C(256) << 20)
/* A sanitizer keeps books on every byte. */
#define MEMORY_SANITIZED 10u

uint64_t memory_limit(uint64_t n_devices, uint64_t n_points)
{
	uint64_t limit =
		MEMORY_HOST_BYTES + n_devices * MEMORY_DEVICE_BYTES + n_points * MEMORY_POINT_BYTES;

	return sandbox_is_sanitized() ? MEMORY_SANITIZED * limit : limit;
}

/* Resident bytes; 0 where the kernel does not tell. */
static uint64_t used_bytes(void)
{
	uint64_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t count(const struct list *buses, uint64_t *ret_devices)
{
	uint64_t n_devices = 0, n_points = 0;
	struct host_bus *b;

	list_for_each(b, buses, node) {
		n_devices += b->n_devices;
		for (size_t i = 0; i < b->n_devices; i++)
			n_points += b->devices[i]->setup->type->n_points;
	}
	*ret_devices = n_devices;
	return memory_limit(n_devices, n_points);
}

/* Whoever does not come back to the loop meets this one. A sanitizer reserves the whole address space. */
static void bound(struct memory *m, uint64_t limit)
{
	struct rlimit data;

	if (limit == m->limit || sandbox_is_sanitized() || getrlimit(RLIMIT_DATA, &data) < 0)
		return;
	m->limit = limit;
	data.rlim_cur = (rlim_t)(4 * limit + MEMORY_THREADS_BYTES);
	if (data.rlim_max != RLIM_INFINITY && data.rlim_cur > data.rlim_max)
		data.rlim_cur = data.rlim_max;
	setrlimit(RLIMIT_DATA, &data);
}

static void end(struct memory *m, uint64_t used, uint64_t limit, uint64_t n_devices)
{
	char text[DEVICE_TEXT_MAX], what[160];
	struct host_bus *b;

	snprintf(what, sizeof(what),
		 "this plugin host uses %" PRIu64 " MB of memory, at most %" PRIu64
		 " are for its %" PRIu64 " devices",
		 used >> 20, limit >> 20, n_devices);
	list_for_each(b, m->buses, node) {
		const struct log_about about = { .bus = bus_name(b) };

		log_error(&about, "bus %s: %s", about.bus, what);
		for (size_t i = 0; i < b->n_devices; i++) {
			snprintf(text, sizeof(text), "bus %.128s: device %.128s: %s", about.bus,
				 b->devices[i]->setup->link->name, what);
			device_enter_state(b->devices[i], LINK_FAILED, text);
		}
	}
	m->services->stuck(m->services->userdata);
}

static void look(struct timer *timer, void *userdata)
{
	struct memory *m = userdata;
	uint64_t n_devices, limit = count(m->buses, &n_devices), used = used_bytes();

	bound(m, limit);
	if (used > limit)
		end(m, used, limit, n_devices);
	else
		timer_arm_in(timer, MEMORY_LOOK_USEC);
}

void memory_watch(struct memory *m, const struct host_services *services, const struct list *buses)
{
	*m = (struct memory){ .services = services, .buses = buses };
	timer_init(&m->timer, services->timers, look, m);
	look(&m->timer, m);
}

void memory_done(struct memory *m)
{
	if (m->services)
		timer_disarm(&m->timer);
}
