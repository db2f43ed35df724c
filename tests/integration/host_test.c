/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_rig.h"
#include "tests/lib/simulated.h"
#include "tests/plugins/modbus/setup.h"

#define MSEC UINT64_C(1000)
#define PERIOD_USEC (100 * MSEC)
#define TIMEOUT_USEC (120 * MSEC)

enum {
	VOLTS,
	LEVEL,
	RUN,
	RUNNING,
	SERIAL,
	MODE,
	NAME,
	GAP,
	FAR,
	POINTS,
};

static const struct row {
	const char *name, *area, *type;
	unsigned address, length, access;
	double scale;
	uint64_t period_usec;
	bool reject;
	struct link_verify verify;
} rows[POINTS] = {
	[VOLTS] = { "volts", "input", "uint16", 0, 0, LINK_READ, 0.1, PERIOD_USEC },
	[LEVEL] = { "level", "holding", "uint16", 100, 0, LINK_READ | LINK_WRITE, 0.1, PERIOD_USEC,
		    true },
	[RUN] = { "run",
		  "coil",
		  "bool",
		  0,
		  0,
		  LINK_READ | LINK_WRITE,
		  1,
		  PERIOD_USEC,
		  false,
		  { true, 400 * MSEC, 0, RUNNING } },
	[RUNNING] = { "running", "discrete", "bool", 0, 0, LINK_READ, 1, PERIOD_USEC },
	[SERIAL] = { "serial", "holding", "uint32", 200, 0, LINK_READ, 1, LINK_PERIOD_ONCE },
	[MODE] = { "mode",
		   "holding",
		   "uint16",
		   110,
		   0,
		   LINK_READ | LINK_WRITE,
		   1,
		   LINK_PERIOD_ON_DEMAND,
		   false,
		   { true, 1000 * MSEC, 0, -1 } },
	[NAME] = { "name", "holding", "string", 300, 8, LINK_READ, 1, PERIOD_USEC },
	[GAP] = { "gap", "input", "uint16", 40, 0, LINK_READ, 1, PERIOD_USEC },
	[FAR] = { "far", "input", "uint16", 600, 0, LINK_READ, 1, PERIOD_USEC }, /* exception 2 */
};

static struct fieldway_value no_value = { .type = FIELDWAY_UINT, .unsignd = 65535 };

struct field {
	struct rig rig;
	struct simulated simulated;
	struct fieldway_setting point_settings[POINTS][4];
	struct link_point points[POINTS];
	struct link_type type;
	struct fieldway_setting bus_settings[3], addresses[RIG_DEVICES][3];
	struct link_device devices[RIG_DEVICES];
	struct link_configuration configuration;
	struct arena arena;
	struct link_refusal *refusals;
	char names[RIG_DEVICES][8];
};

static struct field f;
#define rig (&f.rig)

static void make_points(void)
{
	for (int i = 0; i < POINTS; i++) {
		const struct row *row = &rows[i];
		struct fieldway_setting *s = f.point_settings[i];
		size_t n = 0;

		s[n++] = TEXT("area", row->area);
		s[n++] = TEXT("type", row->type);
		s[n++] = UINT("address", row->address);
		if (row->length)
			s[n++] = UINT("length", row->length);
		f.points[i] = (struct link_point){
			.name = row->name,
			.access = row->access,
			.scale = row->scale,
			.factor = 1,
			.inexact_reject = row->reject,
			.verify = row->verify,
			.period_usec = row->period_usec,
			.settings = { s, n },
		};
	}
	f.points[GAP].invalid = &no_value;
	f.points[GAP].n_invalid = 1;
	f.type = (struct link_type){ .points = f.points, .n_points = POINTS };
}

static void make_configuration(uint64_t generation, const char *name, size_t n_devices)
{
	f.configuration = (struct link_configuration){
		.generation = generation,
		.plugin = "modbus",
		.bus = { .name = name, .timeout_usec = TIMEOUT_USEC },
		.retries = 1,
		.offline_after = 3,
		.offline_first_usec = 300 * MSEC,
		.offline_last_usec = 600 * MSEC,
		.types = &f.type,
		.n_types = 1,
		.devices = f.devices,
		.n_devices = n_devices,
	};
	for (size_t i = 0; i < n_devices; i++) {
		snprintf(f.names[i], sizeof(f.names[i]), "m%zu", i);
		f.devices[i] = (struct link_device){ .id = (uint32_t)i,
						     .name = f.names[i],
						     .address = { f.addresses[i], 1 } };
	}
}

static void start(const char *const *arguments)
{
	f = (struct field){ 0 };
	ck_assert_int_eq(simulated_start(&f.simulated, arguments), 0);
	make_points();
	rig_start(rig);
}

/* A device on each of the simulator's TCP places. */
static void start_tcp(size_t n_devices)
{
	const char *arguments[2 * RIG_DEVICES + 1] = { 0 };

	for (size_t i = 0; i < n_devices; i++) {
		arguments[2 * i] = "--tcp";
		arguments[2 * i + 1] = "127.0.0.1:0";
	}
	start(arguments);
	make_configuration(1, "lan", n_devices);
	f.bus_settings[0] = UINT("tcp.port", 502);
	f.configuration.bus.settings = (struct fieldway_settings){ f.bus_settings, 1 };
	for (size_t i = 0; i < n_devices; i++) {
		f.addresses[i][0] = UINT("unit", 1);
		f.addresses[i][1] = TEXT("host", "127.0.0.1");
		f.addresses[i][2] = UINT("port", f.simulated.port[i]);
		f.devices[i].address.n = 3;
	}
}

/* Units 1, which answers, and 2 and so on, which nobody has, on one serial line. */
static void start_rtu(size_t n_devices)
{
	char pty[64];

	snprintf(pty, sizeof(pty), "/tmp/fieldway-host-test-%d", getpid());
	start((const char *const[]){ "--rtu", pty, NULL });
	make_configuration(1, "hall1", n_devices);
	f.bus_settings[0] = TEXT("rtu.device", f.simulated.place[0]);
	f.bus_settings[1] = UINT("rtu.baud", 115200);
	f.bus_settings[2] = TEXT("rtu.format", "8N1"); /* a pty drops PARENB */
	f.configuration.bus.settings = (struct fieldway_settings){ f.bus_settings, 3 };
	for (size_t i = 0; i < n_devices; i++)
		f.addresses[i][0] = UINT("unit", i + 1);
}

static void stop(void)
{
	rig_stop(rig);
	simulated_stop(&f.simulated);
	arena_done(&f.arena);
}

static void configure(void)
{
	size_t n = rig_configure(rig, &f.configuration, &f.arena, &f.refusals);

	ck_assert_msg(n == 0, "%s", n > 0 ? f.refusals[0].text : "");
}

static const char *ask(const char *command)
{
	const char *answer = simulated_ask(&f.simulated, command);

	ck_assert_msg(answer != NULL, "%s", command);
	return answer;
}

static unsigned long requests(const char *command)
{
	return strtoul(ask(command), NULL, 10);
}

static const struct fieldway_sample *sample(uint32_t device, uint32_t point)
{
	return &rig->devices[device].points[point].sample;
}

static bool has(uint32_t device, uint32_t point, double value)
{
	const struct fieldway_sample *s = sample(device, point);

	if (rig->devices[device].points[point].n == 0 || s->quality != FIELDWAY_GOOD)
		return false;
	switch (s->value.type) {
	case FIELDWAY_FLOAT:
		return s->value.real == value;
	case FIELDWAY_INT:
		return (double)s->value.integer == value;
	case FIELDWAY_UINT:
		return (double)s->value.unsignd == value;
	case FIELDWAY_BOOL:
		return s->value.boolean == (value != 0);
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return false;
}

static struct rig_outcome write_number(uint32_t device, uint32_t point, double number)
{
	const struct fieldway_value value = { .type = FIELDWAY_FLOAT, .real = number };

	return rig_write(rig, f.configuration.generation, device, point, &value);
}

#define expect_outcome(o, expected, expected_error, part)                                          \
	do {                                                                                       \
		struct rig_outcome _o = (o);                                                       \
		ck_assert_msg(_o.outcome == (expected) && _o.error == (expected_error),            \
			      "%u %d %s", _o.outcome, _o.error, _o.text);                          \
		ck_assert_msg(strstr(_o.text, (part)) != NULL, "%s", _o.text);                     \
	} while (0)

/* ---- values ---- */

START_TEST(values_arrive)
{
	start_tcp(2);
	ask("set input 0 2302");
	ask("set input 40 65535");
	ask("set holding 200 1 2");
	ask("set holding 300 0x6162 0x6300");
	ask("1 set input 0 17");
	configure();
	rig_expect(rig, has(0, VOLTS, 230.2) && has(1, VOLTS, 1.7));
	rig_expect(rig, has(0, SERIAL, 65538));
	rig_expect(rig, rig->devices[0].points[NAME].n > 0 && rig->devices[0].points[GAP].n > 0);
	ck_assert_str_eq(rig->devices[0].points[NAME].text, "abc");
	ck_assert_int_eq(sample(0, GAP)->quality, FIELDWAY_INVALID);
	rig_expect(rig, rig->devices[0].points[FAR].n > 0);
	ck_assert_int_eq(sample(0, FAR)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(sample(0, FAR)->error, -ENXIO);
	ck_assert_uint_eq(rig->generation, 1);
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_ONLINE);
	ask("set input 0 2303");
	rig_expect(rig, has(0, VOLTS, 230.3));
	/* Once is once, and on demand is never. */
	ck_assert_uint_eq(rig->devices[0].points[SERIAL].n, 1);
	ck_assert_uint_eq(rig->devices[0].points[MODE].n, 0);
	ck_assert_uint_gt(rig->devices[0].counters.requests, 0);
	ck_assert_uint_gt(rig->devices[0].counters.errors, 0);
	ck_assert_uint_eq(rig->devices[0].counters.timeouts, 0);
	stop();
}
END_TEST

START_TEST(one_silent_device_costs_the_line_its_probe)
{
	const struct rig_device *dead = &rig->devices[1];
	unsigned before, probes;
	uint64_t timeouts;

	start_rtu(2);
	configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_OFFLINE);
	ck_assert_msg(strstr(rig->devices[1].reason, "bus hall1: device m1: ") != NULL &&
			      strstr(rig->devices[1].reason, "no answer") != NULL,
		      "%s", rig->devices[1].reason);
	before = rig->devices[0].points[VOLTS].n_good;
	rig_expect(rig, rig->devices[0].points[VOLTS].n_good >= before + 30);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	ck_assert_uint_eq(rig->devices[1].n_states, 1);
	ck_assert_int_eq(sample(1, RUN)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(sample(1, RUN)->error, -ETIMEDOUT);
	/* A probe is one request, tried once: as many samples of its point as silences. */
	probes = dead->points[RUN].n;
	rig_expect(rig, dead->points[RUN].n > probes);
	probes = dead->points[RUN].n;
	timeouts = dead->counters.timeouts;
	rig_expect(rig, dead->points[RUN].n >= probes + 4);
	ck_assert_uint_eq(dead->counters.timeouts - timeouts, dead->points[RUN].n - probes);
	stop();
}
END_TEST

START_TEST(silence_and_return)
{
	unsigned long asked;
	unsigned before;

	start_tcp(2);
	configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[0].points[SERIAL].n == 1);
	ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	asked = requests("requests");
	before = rig->devices[1].points[VOLTS].n_good;
	rig_expect(rig, rig->devices[1].points[VOLTS].n_good >= before + 20); /* 2 s at least */
	/* 2 s hold at most 7 probes of 300 ms; all its points at their rate were a hundred. */
	ck_assert_uint_le(requests("requests") - asked, 14);
	ask("set input 0 55");
	ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	rig_expect(rig, has(0, VOLTS, 5.5) && rig->devices[0].points[SERIAL].n_good == 2);
	ck_assert_uint_eq(rig->devices[1].n_states, 1);
	stop();
}
END_TEST

START_TEST(a_killed_simulator_comes_back)
{
	char address[64];

	start_tcp(1);
	configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	kill(f.simulated.pid, SIGKILL);
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	ck_assert_msg(strstr(rig->devices[0].reason, "bus lan: device m0: ") != NULL, "%s",
		      rig->devices[0].reason);
	snprintf(address, sizeof(address), "127.0.0.1:%u", f.simulated.port[0]);
	simulated_stop(&f.simulated);
	ck_assert_int_eq(
		simulated_start(&f.simulated, (const char *const[]){ "--tcp", address, NULL }), 0);
	ask("set input 0 7");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE && has(0, VOLTS, 0.7));
	stop();
}
END_TEST

START_TEST(a_serial_port_that_is_pulled)
{
	start_rtu(1);
	configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	ask("unplug");
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	stop();
}
END_TEST

START_TEST(without_credit_values_are_conflated)
{
	start_tcp(1);
	rig->hold = true;
	configure();
	rig_expect(rig, rig->n_held == LINK_CREDIT);
	/* States are none of it. */
	ck_assert_int_eq(rig->devices[0].state, LINK_ONLINE);
	ask("set input 0 1");
	ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	ask("set input 0 9");
	ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	/* So is the result of a write. */
	expect_outcome(write_number(0, LEVEL, 3), FIELDWAY_ACCEPTED, 0, "");
	rig_run(rig, 300 * MSEC);
	ck_assert_uint_eq(rig->n_values, LINK_CREDIT);
	rig_release(rig);
	rig_expect(rig, has(0, VOLTS, 0.9) && has(0, LEVEL, 3));
	ck_assert_uint_gt(rig->devices[0].counters.conflated, 0);
	stop();
}
END_TEST

/* ---- writes ---- */

START_TEST(writes_are_confirmed)
{
	start_tcp(1);
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	expect_outcome(write_number(0, LEVEL, 12.3), FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(ask("get holding 100"), "123");
	rig_expect(rig, has(0, LEVEL, 12.3));
	expect_outcome(write_number(0, LEVEL, 12.34), FIELDWAY_REFUSED, -ERANGE, "between");
	expect_outcome(write_number(0, LEVEL, 7000), FIELDWAY_REFUSED, -ERANGE,
		       "bus lan: device m0: point level: does not fit");
	expect_outcome(write_number(0, VOLTS, 1), FIELDWAY_REFUSED, -EACCES, "point volts");
	expect_outcome(write_number(0, 99, 1), FIELDWAY_REFUSED, -EACCES, "99");
	ck_assert_str_eq(ask("get holding 100"), "123");
	ask("exception 3");
	expect_outcome(write_number(0, LEVEL, 1), FIELDWAY_REFUSED, -EINVAL,
		       "exception 3 (illegal data value)");
	ask("talk");
	expect_outcome(write_number(7, LEVEL, 1), FIELDWAY_NOT_SENT, -ESTALE, "generation");
	stop();
}
END_TEST

/* Only LEVEL is polled, with nothing between one poll and the next. */
static void start_busy(void)
{
	start_tcp(1);
	f.configuration.bus.timeout_usec = 5000 * MSEC;
	for (int i = 0; i < POINTS; i++)
		f.points[i].period_usec = i == LEVEL ? MSEC : LINK_PERIOD_ON_DEMAND;
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	ask("delay 200");
}

START_TEST(a_poll_from_before_a_write_is_dropped)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 8 };
	struct rig_point *level = &rig->devices[0].points[LEVEL];
	struct rig_outcome o;
	unsigned before;

	start_busy();
	/* The next poll has begun then, and takes 200 ms. */
	for (int i = 0; i < 3; i++) {
		before = level->n;
		rig_expect(rig, level->n > before);
	}
	before = level->n;
	rig_write_start(rig, 1, 0, LEVEL, 4000000, &value, &o);
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_uint_eq(level->n, before);
	rig_expect(rig, level->n > before);
	ck_assert(has(0, LEVEL, 8));
	stop();
}
END_TEST

START_TEST(what_waits_for_credit_does_not_follow_a_write)
{
	unsigned before, values;

	start_busy();
	rig->hold = true;
	rig_expect(rig, rig->n_held == LINK_CREDIT);
	/* A poll is read, and cannot be sent. */
	before = (unsigned)requests("requests");
	rig_expect(rig, requests("requests") >= before + 2);
	expect_outcome(write_number(0, LEVEL, 9), FIELDWAY_ACCEPTED, 0, "");
	before = rig->devices[0].points[LEVEL].n;
	values = rig->n_values;
	rig_release(rig);
	rig_expect(rig, rig->n_values > values);
	rig_expect(rig, rig->devices[0].points[LEVEL].n > before);
	ck_assert(has(0, LEVEL, 9));
	stop();
}
END_TEST

START_TEST(a_write_with_rounding_is_verified)
{
	start_tcp(1);
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	expect_outcome(write_number(0, MODE, 6.7), FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(ask("get holding 110"), "7");
	/* Read back, although nobody polls it. */
	rig_expect(rig, has(0, MODE, 7));
	stop();
}
END_TEST

START_TEST(verify_by_another_point)
{
	struct rig_outcome o;
	const struct fieldway_value on = { .type = FIELDWAY_BOOL, .boolean = true };

	start_tcp(1);
	configure();
	rig_expect(rig, has(0, RUNNING, 0));
	expect_outcome(write_number(0, RUN, 1), FIELDWAY_REFUSED, -EILSEQ,
		       "point run: accepted, but");
	ck_assert_str_eq(ask("get coil 0"), "1");
	/* The contact follows after a while. */
	rig_write_start(rig, 1, 0, RUN, 4000000, &on, &o);
	rig_run(rig, 150 * MSEC);
	ck_assert(!o.done);
	ask("set discrete 0 1");
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	stop();
}
END_TEST

START_TEST(silence_makes_a_write_unknown_and_never_repeats_it)
{
	start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		f.points[i].period_usec = i == LEVEL ? 3600 * 1000 * MSEC : LINK_PERIOD_ON_DEMAND;
	f.configuration.offline_after = 30;
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	ask("silent");
	expect_outcome(write_number(0, LEVEL, 4.2), FIELDWAY_UNKNOWN, -ETIMEDOUT,
		       "point level: no answer");
	ask("talk");
	/* It may have been done, or not: it is read back long before its time. */
	rig_expect(rig, rig->devices[0].points[LEVEL].n >= 2);
	rig_run(rig, 2 * TIMEOUT_USEC);
	/* The silent simulator has not done it: whoever asked again would have had it done. */
	ck_assert_str_eq(ask("get holding 100"), "0");
	stop();
}
END_TEST

START_TEST(offline_is_known)
{
	start_tcp(1);
	configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	expect_outcome(write_number(0, LEVEL, 1), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	ask("unplug");
	expect_outcome(write_number(0, LEVEL, 1), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	stop();
}
END_TEST

#define MANY 70

START_TEST(too_many_writes)
{
	static struct rig_outcome outcomes[MANY];
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 5 };
	unsigned busy = 0, accepted = 0;

	start_tcp(1);
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	ask("delay 20");
	for (unsigned i = 0; i < MANY; i++)
		rig_write_start(rig, 1, 0, LEVEL, 10000000, &value, &outcomes[i]);
	for (unsigned i = 0; i < MANY; i++) {
		rig_expect(rig, outcomes[i].done);
		busy += outcomes[i].outcome == FIELDWAY_NOT_SENT && outcomes[i].error == -EBUSY;
		accepted += outcomes[i].outcome == FIELDWAY_ACCEPTED;
	}
	ck_assert_uint_ge(accepted, 64);
	ck_assert_uint_ge(busy, 1);
	ck_assert_uint_eq(busy + accepted, MANY);
	stop();
}
END_TEST

START_TEST(a_write_waits_no_longer_than_it_may)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 5 };
	struct rig_outcome first, second;

	start_tcp(1);
	f.configuration.bus.timeout_usec = 2000 * MSEC;
	f.configuration.offline_after = 30;
	configure();
	rig_expect(rig, has(0, LEVEL, 0));
	ask("silent");
	rig_write_start(rig, 1, 0, LEVEL, 3600000, &value, &first);
	rig_write_start(rig, 1, 0, LEVEL, 50000, &value, &second);
	rig_expect(rig, second.done && !first.done);
	expect_outcome(second, FIELDWAY_NOT_SENT, -ETIMEDOUT, "busy");
	rig_expect(rig, first.done);
	ck_assert_int_eq(first.error, -ETIMEDOUT);
	ask("talk");
	stop();
}
END_TEST

/* ---- configuration ---- */

START_TEST(a_new_generation_takes_over)
{
	start_tcp(2);
	configure();
	rig_expect(rig, has(0, VOLTS, 0) && rig->devices[0].counters.requests >= 40);
	f.configuration.generation = 2;
	f.devices[0].address = f.devices[1].address;
	f.devices[0].id = 3;
	f.configuration.n_devices = 1;
	configure();
	rig_expect(rig, rig->devices[3].state == LINK_ONLINE && has(3, VOLTS, 0));
	ck_assert_uint_eq(rig->generation, 2);
	expect_outcome(rig_write(rig, 1, 0, LEVEL, &no_value), FIELDWAY_NOT_SENT, -ESTALE,
		       "generation");
	expect_outcome(write_number(3, LEVEL, 1), FIELDWAY_ACCEPTED, 0, "");
	/* A device of the same name goes on counting. */
	ck_assert_uint_gt(rig->devices[3].counters.requests, 40);
	ck_assert_uint_ge(rig->devices[3].counters.requests, rig->devices[0].counters.requests);
	ck_assert_uint_ge(rig->devices[0].counters.requests, 40);
	ask("1 unplug");
	rig_expect(rig, rig->devices[3].state == LINK_OFFLINE);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	stop();
}
END_TEST

static void expect_refusal(int32_t device, int32_t point, const char *key, const char *part)
{
	size_t n = rig_configure(rig, &f.configuration, &f.arena, &f.refusals);

	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(f.refusals[0].device, device);
	ck_assert_int_eq(f.refusals[0].point, point);
	ck_assert_str_eq(f.refusals[0].key, key);
	ck_assert_msg(strstr(f.refusals[0].text, part) != NULL, "%s", f.refusals[0].text);
}

START_TEST(refusals_say_where)
{
	start_tcp(2);
	configure();
	rig_expect(rig, has(0, VOLTS, 0));
	f.configuration.generation = 2;
	f.configuration.plugin = "nonesuch";
	expect_refusal(-1, -1, "plugin", "bus lan: no plugin 'nonesuch'");
	f.configuration.plugin = "../modbus";
	expect_refusal(-1, -1, "plugin", "no plugin");
	f.configuration.plugin = "modbus";
	f.bus_settings[0] = UINT("tcp.port", 70000);
	expect_refusal(-1, -1, "tcp.port", "bus lan: tcp.port: is not within 1 to 65535");
	f.bus_settings[0] = TEXT("tcp.prot", "x");
	expect_refusal(-1, -1, "tcp.prot", "no key 'tcp.prot'");
	f.bus_settings[0] = UINT("tcp.port", 502);
	f.addresses[1][0] = UINT("unit", 250);
	expect_refusal(1, -1, "unit", "bus lan: device m1: ");
	f.addresses[1][0] = UINT("unit", 1);
	f.devices[1].address.n = 1;
	expect_refusal(1, -1, "host", "the address needs a host");
	f.devices[1].address.n = 3;
	f.point_settings[VOLTS][0] = TEXT("area", "register");
	expect_refusal(0, VOLTS, "area",
		       "bus lan: device m0: point volts: area: there is no 'register'");
	f.point_settings[VOLTS][0] = TEXT("area", "coil");
	expect_refusal(0, VOLTS, "type", "holds single bits");
	f.point_settings[VOLTS][0] = TEXT("area", "input");
	f.points[LEVEL].access = LINK_WRITE;
	f.points[LEVEL].verify = (struct link_verify){ .enabled = true, .point = -1 };
	expect_refusal(0, LEVEL, "verify", "cannot be read back");
	/* All the while the old configuration was at work. */
	ask("set input 0 33");
	rig_expect(rig, has(0, VOLTS, 3.3));
	ck_assert_uint_eq(rig->generation, 1);
	stop();
}
END_TEST

START_TEST(explained_without_a_device)
{
	struct link_explanation *e;
	struct link_refusal *refusals;
	sd_bus_message *m;
	size_t n;

	start_tcp(1);
	m = rig_call_new(rig, "Explain");
	ck_assert_int_ge(link_append_configuration(m, &f.configuration), 0);
	m = rig_call(rig, m);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1),
			 LINK_TYPE_REFUSALS LINK_TYPE_EXPLANATIONS);
	ck_assert_int_eq(link_read_refusals(m, &f.arena, &refusals, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(link_read_explanations(m, &f.arena, &e, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_msg(strstr(e->line, "127.0.0.1:") == e->line, "%s", e->line);
	ck_assert_uint_eq(e->n_requests, 9);
	ck_assert_uint_eq(e->requests[0].period_usec, PERIOD_USEC);
	ck_assert_str_eq(e->requests[7].text, "holding 200-201 (2 registers)");
	ck_assert_uint_eq(e->requests[7].period_usec, LINK_PERIOD_ONCE);
	ck_assert_uint_eq(e->requests[8].period_usec, LINK_PERIOD_ON_DEMAND);
	ck_assert_uint_gt(e->requests[8].wire_bytes, 0);
	sd_bus_message_unref(m);
	ck_assert_uint_eq(requests("requests"), 0);
	stop();
}
END_TEST

START_TEST(samples_of_a_profile)
{
	const struct fieldway_cell cells[] = { { "input", 0, 2302 },
					       { "input", 40, 65535 },
					       { "coil", 0, 1 } };
	struct fieldway_sample *samples;
	struct link_refusal *refusals;
	sd_bus_message *m;
	size_t n;

	start_tcp(1);
	f.configuration.bus = (struct fieldway_bus){ .name = "" };
	f.devices[0].address.n = 0;
	m = rig_call_new(rig, "Decode");
	ck_assert_int_ge(link_append_configuration(m, &f.configuration), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "u", 0), 0);
	ck_assert_int_ge(link_append_cells(m, cells, ARRAY_SIZE(cells)), 0);
	m = rig_call(rig, m);
	ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s",
		      sd_bus_message_get_error(m)->message);
	ck_assert_int_eq(link_read_refusals(m, &f.arena, &refusals, &n), 0);
	ck_assert_msg(n == 0, "%s", n > 0 ? refusals[0].text : "");
	ck_assert_int_eq(link_read_samples(m, &samples, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(samples[0].point, VOLTS);
	ck_assert_double_eq(samples[0].value.real, 230.2);
	ck_assert_uint_eq(samples[1].point, RUN);
	ck_assert(samples[1].value.boolean);
	ck_assert_uint_eq(samples[2].point, GAP);
	ck_assert_int_eq(samples[2].quality, FIELDWAY_INVALID);
	free(samples);
	sd_bus_message_unref(m);
	stop();
}
END_TEST

START_TEST(a_plugin_describes_itself)
{
	struct link_description d;
	sd_bus_message *m;

	start_tcp(1);
	m = rig_call_new(rig, "Describe");
	ck_assert_int_ge(sd_bus_message_append(m, "s", "modbus"), 0);
	m = rig_call(rig, m);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_DESCRIPTION);
	ck_assert_int_eq(link_read_description(m, &f.arena, &d), 0);
	ck_assert_str_eq(d.name, "modbus");
	ck_assert_uint_gt(d.n_keys, 10);
	sd_bus_message_unref(m);
	m = rig_call_new(rig, "Describe");
	ck_assert_int_ge(sd_bus_message_append(m, "s", "nonesuch"), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(sd_bus_message_get_errno(m), ENOENT);
	sd_bus_message_unref(m);
	stop();
}
END_TEST

START_TEST(malformed_calls_are_errors)
{
	static const char *const members[] = { "Configure", "Explain",	"Decode",
					       "Write",	    "Describe", "Nothing" };
	sd_bus_message *m;

	start_tcp(1);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		m = rig_call_new(rig, members[i]);
		ck_assert_int_ge(sd_bus_message_append(m, "u", 1), 0);
		m = rig_call(rig, m);
		ck_assert_msg(sd_bus_message_is_method_error(m, NULL), "%s", members[i]);
		sd_bus_message_unref(m);
	}
	f.devices[0].type = 3; /* well typed, and nonsense */
	m = rig_call_new(rig, "Configure");
	ck_assert_int_ge(link_append_configuration(m, &f.configuration), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(sd_bus_message_get_errno(m), EBADMSG);
	sd_bus_message_unref(m);
	f.devices[0].type = 0;
	configure();
	rig_expect(rig, has(0, VOLTS, 0));
	m = rig_call(rig, rig_call_new(rig, "Ping"));
	ck_assert(!sd_bus_message_is_method_error(m, NULL));
	sd_bus_message_unref(m);
	stop();
}
END_TEST

#define HOUR_USEC (3600 * 1000 * MSEC)

#ifdef TEST_CLOCK
static const bool clock_moves = true;
#else
static const bool clock_moves = false;
#endif

START_TEST(the_clock_moves_in_test_builds_only)
{
	uint64_t before;
	sd_bus_message *m;

	start_tcp(1);
	configure();
	rig_expect(rig, has(0, VOLTS, 0));
	before = sample(0, VOLTS)->boottime_usec;
	m = rig_call_new(rig, "Clock");
	ck_assert_int_ge(sd_bus_message_append(m, "t", HOUR_USEC), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(!sd_bus_message_is_method_error(m, NULL), clock_moves);
	sd_bus_message_unref(m);
	ask("set input 0 1");
	rig_expect(rig, has(0, VOLTS, 0.1));
	ck_assert_int_eq(sample(0, VOLTS)->boottime_usec >= before + HOUR_USEC, clock_moves);
	/* What has a deadline on the real clock does not lose it. */
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	stop();
}
END_TEST

/* ---- the program ---- */

static int run(const char *arguments, char *ret_output, size_t size)
{
	char command[256];
	size_t n;
	FILE *p;

	snprintf(command, sizeof(command), "./fieldway-plugin-host %s 2>&1", arguments);
	p = popen(command, "r");
	n = fread(ret_output, 1, size - 1, p);
	ret_output[n] = '\0';
	return WEXITSTATUS(pclose(p));
}

START_TEST(the_command_line)
{
	static const struct {
		const char *arguments;
		int status;
		const char *part;
	} lines[] = {
		{ "--help", 0, "Usage: fieldway-plugin-host --fd N" },
		{ "--version", 0, "fieldway-plugin-host " PACKAGE_VERSION },
		{ "--describe modbus --plugins plugins/modbus/.libs", 0,
		  "  tcp.port (uint 1..65535)" },
		{ "--describe modbus --plugins /nonexistent", 1,
		  "no plugin 'modbus' in /nonexistent" },
		{ "", 2, "Usage:" },
		{ "--fd 3 --describe modbus", 2, "Usage:" },
		{ "--fd 3 more", 2, "Usage:" },
		{ "--fd three", 2, "'three' is no descriptor" },
		{ "--nonsense", 2, "nonsense" },
		{ "--fd 0 </dev/null", 1, "cannot run: " },
		{ "--fd 77", 1, "descriptor 77: Bad file descriptor" },
	};
	char output[16384];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		ck_assert_msg(run(lines[i].arguments, output, sizeof(output)) == lines[i].status,
			      "%s: %s", lines[i].arguments, output);
		ck_assert_msg(strstr(output, lines[i].part) != NULL, "%s: %s", lines[i].arguments,
			      output);
	}
}
END_TEST

/* ---- the end ---- */

/* stop() in every other test closes the link of a host whose lines answer. */
START_TEST(ends_with_the_link_even_while_it_waits)
{
	uint64_t begin;

	start_tcp(1);
	f.configuration.bus.timeout_usec = 60000 * MSEC;
	configure();
	rig_expect(rig, has(0, VOLTS, 0));
	ask("silent");
	rig_run(rig, 2 * PERIOD_USEC);
	begin = rig_now();
	rig_stop(rig);
	ck_assert_uint_lt(rig_now() - begin, 10000 * MSEC);
	simulated_stop(&f.simulated);
	arena_done(&f.arena);
}
END_TEST

START_TEST(ends_on_sigterm)
{
	start_tcp(1);
	configure();
	rig_expect(rig, has(0, VOLTS, 0));
	kill(rig->pid, SIGTERM);
	rig_expect(rig, rig->ended);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, values_arrive);
	tcase_add_test(tcase, one_silent_device_costs_the_line_its_probe);
	tcase_add_test(tcase, silence_and_return);
	tcase_add_test(tcase, a_killed_simulator_comes_back);
	tcase_add_test(tcase, a_serial_port_that_is_pulled);
	tcase_add_test(tcase, without_credit_values_are_conflated);
	tcase_add_test(tcase, writes_are_confirmed);
	tcase_add_test(tcase, a_poll_from_before_a_write_is_dropped);
	tcase_add_test(tcase, what_waits_for_credit_does_not_follow_a_write);
	tcase_add_test(tcase, a_write_with_rounding_is_verified);
	tcase_add_test(tcase, verify_by_another_point);
	tcase_add_test(tcase, silence_makes_a_write_unknown_and_never_repeats_it);
	tcase_add_test(tcase, offline_is_known);
	tcase_add_test(tcase, too_many_writes);
	tcase_add_test(tcase, a_write_waits_no_longer_than_it_may);
	tcase_add_test(tcase, a_new_generation_takes_over);
	tcase_add_test(tcase, refusals_say_where);
	tcase_add_test(tcase, explained_without_a_device);
	tcase_add_test(tcase, samples_of_a_profile);
	tcase_add_test(tcase, a_plugin_describes_itself);
	tcase_add_test(tcase, malformed_calls_are_errors);
	tcase_add_test(tcase, the_clock_moves_in_test_builds_only);
	tcase_add_test(tcase, the_command_line);
	tcase_add_test(tcase, ends_with_the_link_even_while_it_waits);
	tcase_add_test(tcase, ends_on_sigterm);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
