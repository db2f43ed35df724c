/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "transfer_rig.h"

static const struct {
	bool writable;
	struct fieldway_setting settings[4];
} rows[POINTS] = {
	[BIT] = { true, { UINT_("address", 100), UINT_("bit", 3) } },
	[MASK] = { true,
		   { UINT_("address", 101), TEXT_("type", "int16"), UINT_("mask", 0x0ff0),
		     TEXT_("order", "BA") } },
	[MERGED] = { true,
		     { UINT_("address", 102), UINT_("bit", 15), UINT_("write.function", 6) } },
	[WIDE] = { true,
		   { UINT_("address", 104), TEXT_("type", "uint32"), UINT_("mask", 0x00ffff00),
		     UINT_("write.function", 16) } },
	[BACK] = { true,
		   { UINT_("address", 110), TEXT_("type", "float32"), TEXT_("order", "CDAB"),
		     UINT_("write.function", 23) } },
	[ELSEWHERE] = { true,
			{ UINT_("address", 112), UINT_("write.address", 113),
			  UINT_("write.function", 23) } },
	[VENDOR] = { false, { TEXT_("area", "identification"), TEXT_("object", "vendor_name") } },
	[REVISION] = { false, { TEXT_("area", "identification"), TEXT_("object", "revision") } },
	[NAME] = { false, { TEXT_("area", "identification"), TEXT_("object", "model_name") } },
	[EXTRA] = { false,
		    { TEXT_("area", "identification"), TEXT_("object", "128"),
		      TEXT_("type", "bytes") } },
	[UNKNOWN] = { false, { TEXT_("area", "identification"), TEXT_("object", "200") } },
	[POWER] = { false,
		    { UINT_("model", 101), UINT_("model", 103), UINT_("address", 3),
		      TEXT_("type", "int16") } },
	[LIMIT] = { true, { UINT_("model", 123), UINT_("address", 2) } },
	[BATTERY] = { true, { UINT_("model", 802), UINT_("address", 2) } },
	[FAR] = { true, { UINT_("model", 103), UINT_("address", 6) } },
	[ID] = { false, { UINT_("model", 123), UINT_("address", 0) } },
	[PLAIN] = { true, { UINT_("address", 10) } },
};

struct fixture f;

void make_device(uint64_t unit)
{
	size_t n = 0;

	for (size_t i = 0; i < POINTS; i++) {
		f.points[i] = (struct fieldway_point){ .name = "p",
						       .readable = true,
						       .writable = rows[i].writable };
		f.points[i].settings.items = rows[i].settings;
		while (f.points[i].settings.n < 4 && rows[i].settings[f.points[i].settings.n].key)
			f.points[i].settings.n++;
	}
	f.device_settings[n++] = UINT("unit", unit);
	f.device_settings[n++] = TEXT("base.find", "SunS");
	f.device_settings[n++] = UINT("base.at", 40000);
	if (f.serial) {
		f.bus_settings[0] = TEXT("rtu.device", f.simulated.place[0]);
		f.bus_settings[1] = UINT("rtu.baud", 115200);
		f.bus_settings[2] = TEXT("rtu.format", "8N1"); /* a pty drops PARENB */
	} else {
		f.device_settings[n++] = TEXT("host", "127.0.0.1");
		f.device_settings[n++] = UINT("port", f.simulated.port[0]);
		f.bus_settings[0] = UINT("tcp.connections_per_host", 1);
	}
	f.bus = (struct fieldway_bus){ "bus", { f.bus_settings, f.serial ? 3 : 1 }, TIMEOUT_USEC };
	f.device = (struct fieldway_device){ "d", { f.device_settings, n }, f.points, POINTS };
}

void simulate(bool serial)
{
	const char *const arguments[] = { serial ? "--rtu" : "--tcp",
					  serial ? f.pty : "127.0.0.1:0", NULL };

	f.serial = serial;
	snprintf(f.pty, sizeof(f.pty), "/tmp/fieldway-transfer-test-%d", getpid());
	ck_assert_int_eq(simulated_start(&f.simulated, arguments), 0);
}

void open_line(void)
{
	struct fieldway_error error = { 0 };

	ck_assert_msg(plugin->driver_new(&f.bus, &f.device, &f.driver, &error) == 0, "%d %s",
		      error.point, error.text);
	ck_assert_msg(plugin->line_open(&f.bus, f.driver, &f.line, &f.result) == 0, "%s",
		      f.result.detail);
}

void start(bool serial)
{
	simulate(serial);
	make_device(1);
	open_line();
}

void stop(void)
{
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	simulated_stop(&f.simulated);
}

uint64_t deadline(uint64_t usec)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000 + usec;
}

const char *ask(const char *command)
{
	const char *answer = simulated_ask(&f.simulated, command);

	ck_assert_msg(answer, "%s", command);
	return answer;
}

int requests(void)
{
	return atoi(ask("requests"));
}

int read_until(const uint32_t *points, size_t n, uint64_t deadline_usec, struct fieldway_sample *samples)
{
	struct fieldway_plan plan;
	bool broken;
	int r;

	ck_assert_int_eq(plugin->plan_new(f.driver, points, n, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	f.result = (struct fieldway_result){ 0 };
	r = plugin->read(f.line, f.driver, &plan.requests[0], deadline_usec, samples, f.text,
			 sizeof(f.text), &f.result, &broken);
	ck_assert_int_eq(r, f.result.error);
	plugin->plan_free(&plan);
	return r;
}

int read_points(const uint32_t *points, size_t n, struct fieldway_sample *samples)
{
	return read_until(points, n, deadline(LONG_USEC), samples);
}

struct fieldway_sample read_one(uint32_t point)
{
	struct fieldway_sample sample = { 0 };

	ck_assert_msg(read_points(&point, 1, &sample) == 0, "%d %s", f.result.error,
		      f.result.detail);
	ck_assert_uint_eq(sample.point, point);
	ck_assert_uint_ne(sample.boottime_usec, 0);
	return sample;
}

void reads(uint32_t point, int64_t expected)
{
	struct fieldway_sample sample = read_one(point);

	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq(sample.value.integer, expected);
}

void reads_nothing(uint32_t point)
{
	ck_assert_int_eq(read_one(point).quality, FIELDWAY_INVALID);
}

void fails(uint32_t point, int error)
{
	struct fieldway_sample sample;

	ck_assert_int_eq(read_points(&point, 1, &sample), error);
	ck_assert_uint_gt(strlen(f.result.detail), 5);
}

void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected, int error)
{
	bool broken;

	ck_assert_int_eq(plugin->write(f.line, f.driver, point, &value, deadline(LONG_USEC),
				       &f.result, &broken),
			 expected);
	ck_assert_int_eq(f.result.error, error);
	ck_assert(error == 0 || strlen(f.result.detail) > 5);
}

struct fieldway_value number(int64_t i)
{
	return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = i };
}

struct fieldway_value on(bool b)
{
	return (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = b };
}
