/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "host/check/check.h"

/* Operations that open nothing: what they return, and that they stay within what they are given. */

#define TEXT_BYTES 1024u
#define BYTES_MAX 300u
#define GUARD 0xa5

/* Memory whose next byte nobody may read or write. */
static uint8_t *fence_new(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || size > page || mprotect(memory + page, page, PROT_NONE) < 0)
		return NULL;
	return memory + page - size;
}

static void fence_free(uint8_t *memory, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(memory + size - page, 2 * page);
}

static void check_failure(struct check *c, const char *operation, int r,
			  const struct fieldway_error *error)
{
	if (r == -EINVAL)
		check_error(c, operation, error);
	else if (r != -ENOMEM)
		check_complain(c, "%s returns %d: 0, -ENOMEM or -EINVAL", operation, r);
}

static struct fieldway_driver *driver(struct check *c, const struct fieldway_bus *bus,
				      const struct fieldway_device *device)
{
	struct fieldway_driver *untouched = (struct fieldway_driver *)c, *d = untouched;
	struct fieldway_error error = { .point = -1 };
	int r = c->plugin->driver_new(bus, device, &d, &error);

	if (r == 0 && d && d != untouched)
		return d;
	if (r == 0) {
		check_complain(c, "driver_new returns 0 and no driver");
		return NULL;
	}
	check_failure(c, "driver_new", r, &error);
	if (d != untouched)
		check_complain(c, "driver_new fails, and has changed *ret");
	if (bus && r == -EINVAL)
		check_refused(c, &error);
	return NULL;
}

/* As for a profile's samples: no bus, no settings, no points. */
static void check_nothing(struct check *c)
{
	const struct fieldway_device device = { .name = "d" };
	struct fieldway_plan plan = { 0 };
	struct fieldway_driver *d;

	check_part("a driver of nothing");
	d = driver(c, NULL, &device);
	if (!d)
		return;
	if (c->plugin->plan_new(d, NULL, 0, &plan) == 0) {
		if (plan.n != 0)
			check_complain(c, "plan_new makes %zu requests for no points", plan.n);
		c->plugin->plan_free(&plan);
	}
	c->plugin->driver_free(d);
}

static void check_line_name(struct check *c, const struct fieldway_driver *d)
{
	char *little = (char *)fence_new(1), first[256] = "", second[256] = "";

	check_part("line_name");
	if (c->plugin->line_name(d, first, sizeof(first)) != 0 ||
	    !memchr(first, '\0', sizeof(first)))
		check_complain(c, "line_name has no name within %zu bytes", sizeof(first));
	else if (first[0] == '\0')
		check_complain(c, "line_name is empty");
	else if (c->plugin->line_name(d, second, sizeof(second)) != 0 || !streq(first, second))
		check_complain(c, "line_name is not the same twice");
	if (little && c->plugin->line_name(d, little, 1) != -ENAMETOOLONG && first[0] != '\0')
		check_complain(c, "line_name into one byte is not -ENAMETOOLONG");
	if (little)
		fence_free((uint8_t *)little, 1);
}

/* Is the point in exactly one request, and nothing else in any? */
static void check_plan(struct check *c, const struct fieldway_plan *plan)
{
	size_t found = 0;

	for (size_t i = 0; i < plan->n; i++) {
		const struct fieldway_request *r = &plan->requests[i];

		if (!memchr(r->text, '\0', sizeof(r->text)) || r->text[0] == '\0')
			check_complain(c, "request %zu says nothing of itself", i);
		for (size_t j = 0; j < r->n_points; j++) {
			found += r->points[j] == 0;
			if (r->points[j] != 0)
				check_complain(c, "request %zu reads point %u, which nobody wants",
					       i, r->points[j]);
		}
	}
	if (found != 1)
		check_complain(c, "a wanted point is in %zu requests", found);
}

static bool is_polled(const struct check *c, const struct fieldway_driver *d)
{
	if (c->plugin->driver_io)
		return c->plugin->driver_io(d) == FIELDWAY_IO_POLLED;
	return c->plugin->capabilities & FIELDWAY_CAN_POLL;
}

static bool lies_in(const struct fieldway_value *v, const char *text)
{
	return v->size == 0 ||
	       (v->data >= text && v->size <= TEXT_BYTES && v->data + v->size <= text + TEXT_BYTES);
}

static void check_sample(struct check *c, const struct fieldway_sample *s, const char *text)
{
	if (s->point != 0)
		check_complain(c,
			       "decode has a sample of point %u, which the request does not read",
			       s->point);
	if (s->quality != FIELDWAY_GOOD && s->quality != FIELDWAY_INVALID)
		check_complain(c, "decode has a sample that is neither GOOD nor INVALID");
	if (s->quality != FIELDWAY_GOOD)
		return;
	if (s->value.type <= FIELDWAY_NONE || s->value.type > FIELDWAY_BYTES)
		check_complain(c, "decode has a good sample without a value");
	else if (s->value.type >= FIELDWAY_STRING && !lies_in(&s->value, text))
		check_complain(c, "decode has a text that is not in the room for texts");
}

static void decode_bytes(struct check *c, const struct fieldway_driver *d,
			 const struct fieldway_request *request, size_t size, uint32_t seed)
{
	struct fieldway_sample *samples = (void *)fence_new(request->n_points * sizeof(*samples));
	uint8_t *bytes = fence_new(size);
	char *text = (char *)fence_new(TEXT_BYTES);
	int r;

	if (!samples || !bytes || !text)
		return;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
	memset(samples, GUARD, request->n_points * sizeof(*samples));
	r = c->plugin->decode(d, request, bytes, size, samples, text, TEXT_BYTES);
	if (r == 0)
		for (size_t i = 0; i < request->n_points; i++)
			check_sample(c, &samples[i], text);
	else if (r != -EBADMSG)
		check_complain(c, "decode returns %d: 0 or -EBADMSG", r);
	fence_free((uint8_t *)samples, request->n_points * sizeof(*samples));
	fence_free(bytes, size);
	fence_free((uint8_t *)text, TEXT_BYTES);
}

/* Answers that are cut off, and such of noise. */
static void check_decode(struct check *c, const struct fieldway_driver *d,
			 const struct fieldway_plan *plan)
{
	check_part("decode");
	for (size_t i = 0; i < plan->n; i++)
		for (uint32_t size = 0; size <= BYTES_MAX && c->complaints == 0; size++)
			for (uint32_t seed = 0; seed < 4; seed++)
				decode_bytes(c, d, &plan->requests[i], size, seed * 7919 + size);
}

static void check_plans(struct check *c, const struct fieldway_driver *d)
{
	const uint32_t wanted = 0;
	struct fieldway_plan plan = { 0 }, again = { 0 };

	check_part("plan");
	if (c->plugin->plan_new(d, &wanted, 1, &plan) != 0) {
		check_complain(c, "plan_new fails");
		return;
	}
	if (is_polled(c, d))
		check_plan(c, &plan);
	if (c->plugin->plan_new(d, &wanted, 1, &again) == 0) {
		if (again.n != plan.n ||
		    (plan.n > 0 && strncmp(again.requests[0].text, plan.requests[0].text,
					   sizeof(plan.requests[0].text)) != 0))
			check_complain(c, "plan_new makes another plan of the same points");
		c->plugin->plan_free(&again);
	}
	check_decode(c, d, &plan);
	c->plugin->plan_free(&plan);
}

static void check_writes(struct check *c, const struct fieldway_driver *d)
{
	static const struct fieldway_value values[] = {
		{ .type = FIELDWAY_BOOL, .boolean = true },
		{ .type = FIELDWAY_INT, .integer = INT64_MIN },
		{ .type = FIELDWAY_UINT, .unsignd = UINT64_MAX },
		{ .type = FIELDWAY_FLOAT, .real = 1e300 },
		{ .type = FIELDWAY_FLOAT, .real = NAN },
		{ .type = FIELDWAY_STRING, .data = "", .size = 0 },
		{ .type = FIELDWAY_BYTES, .data = "\0", .size = 1 },
	};

	if (!c->plugin->write_check || !c->point.writable)
		return;
	check_part("write_check");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct fieldway_error error = { .point = -1 };
		int r = c->plugin->write_check(d, 0, &values[i], &error);

		if (r == -ERANGE || r == -EINVAL)
			check_error(c, "write_check", &error);
		else if (r != 0)
			check_complain(c, "write_check returns %d: 0, -ERANGE or -EINVAL", r);
	}
}

bool check_pure(struct check *c)
{
	struct fieldway_error error = { .point = -1 };
	struct fieldway_driver *d;
	int r;

	check_nothing(c);
	check_part("bus_check");
	r = c->plugin->bus_check(&c->bus, &error);
	if (r != 0) {
		check_failure(c, "bus_check", r, &error);
		check_refused(c, &error);
		return false;
	}
	check_part("driver");
	d = driver(c, &c->bus, &c->device);
	if (!d)
		return false;
	check_line_name(c, d);
	check_plans(c, d);
	check_writes(c, d);
	c->plugin->driver_free(d);
	return c->complaints == 0;
}
