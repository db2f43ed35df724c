/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "builtin/modbus_pdu.h"
#include "tests/unit/builtin/rig.h"

/* ---- the objects, before a bus that the test holds in its hands ---- */

#define ASKED_MAX 300

struct asked {
	uint16_t connection;
	uint8_t unit, pdu[PDU_MAX];
	size_t size;
	builtin_modbus_done done;
	void *userdata;
};

static struct asked asked[ASKED_MAX];
static size_t n_asked, n_answered;
static int refuses, enabled;
static uint16_t observed; /* which resource */
static const char *ports_found[3];
/* Of the last request of a server. */
static int error, ended;
static char reason[256];

static int request(void *endpoint, uint16_t connection, uint8_t unit, const uint8_t *pdu, size_t size,
		   builtin_modbus_done done, void *userdata)
{
	struct asked *a = &asked[n_asked];

	(void)endpoint;
	if (refuses < 0)
		return refuses;
	ck_assert_uint_lt(n_asked, ASKED_MAX);
	*a = (struct asked){ .connection = connection, .unit = unit, .size = size, .done = done, .userdata = userdata };
	memcpy(a->pdu, pdu, size);
	n_asked++;
	return 0;
}

static int enable(void *endpoint, uint16_t connection, bool on)
{
	(void)endpoint;
	ck_assert_uint_eq(connection, 4);
	enabled = on;
	return 0;
}

static void serial_ports(void *endpoint, void (*found)(void *userdata, const char *port), void *userdata)
{
	(void)endpoint;
	for (size_t i = 0; i < 3 && ports_found[i]; i++)
		found(userdata, ports_found[i]);
}

static bool is_observed(void *endpoint, const struct path *path)
{
	(void)endpoint;
	ck_assert(path->resource >= 5 && path->resource <= 7);
	return path->resource == observed;
}

static const struct builtin_ports ports = { .modbus_request = request,
					    .modbus_enable = enable,
					    .serial_ports = serial_ports,
					    .is_observed = is_observed };

static const struct builtin_connection connections[] = {
	{ .id = 4, .address = "/dev/ttyS1", .layer = 2, .serial = true, .baud = 19200, .stop_bits = 1, .parity = 2,
	  .flow = 1, .enabled = true },
	{ .id = 7, .address = "10.0.0.7:502", .enabled = true, .shared = true },
};

static void make(bool change)
{
	const struct builtin_modbus modbus = { timers, change, connections, 2 };
	const struct builtin_values values = { .modbus = &modbus };

	ck_assert_int_eq(builtin_new(store, definitions, &values, &ports, NULL, &builtin), 0);
}

static void set_up(void)
{
	rig_set_up();
	n_asked = n_answered = 0;
	refuses = ended = 0;
	enabled = -1;
	observed = 0;
	ports_found[0] = "/dev/ttyS1";
	ports_found[1] = "/dev/ttyS2";
	ports_found[2] = NULL;
}

static void done(void *userdata, int e, const char *why)
{
	(void)userdata;
	error = e;
	snprintf(reason, sizeof(reason), "%s", why ?: "");
	ended++;
}

/* "0=10374:4 1=3": resources, or "5/2=7" resource instances, of a target. */
static void server_write(const char *target, enum store_write_mode mode, const char *contents)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path;
	char copy[1024], *word, *rest;

	ck_assert_int_eq(path_parse(target, strlen(target), &path), 0);
	snprintf(copy, sizeof(copy), "%s", contents);
	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		unsigned resource, instance = 0, n = 0, object, of;
		char *value = strchr(word, '=') + 1;
		bool multiple = sscanf(word, "%u/%u=%n", &resource, &instance, (int *)&n) == 2;
		struct value v;
		struct path at;

		ck_assert(multiple || sscanf(word, "%u=", &resource) == 1);
		at = path_of_resource(path.object, path.instance, (uint16_t)resource);
		if (multiple)
			at = path_child(&at, (uint16_t)instance);
		v = value_integer(atoll(value));
		if (sscanf(value, "%u:%u", &object, &of) == 2)
			v = value_objlnk((uint16_t)object, (uint16_t)of);
		else if (path.object == 10374 && resource == 2)
			v = value_boolean(atoll(value) != 0);
		ck_assert_int_eq(records_add(&records, &at, &v, 0), 0);
	}
	store_write(store, &path, mode, records.items, records.n, done, NULL);
}

static void expect_error(int want, const char *why)
{
	ck_assert_int_eq(ended, 1);
	ck_assert_msg(error == want, "%d (%s), not %d", error, reason, want);
	ck_assert_msg(!why || strstr(reason, why), "%s", reason);
	ended = 0;
}

static void create(const char *target, const char *contents)
{
	server_write(target, STORE_CREATE, contents);
	expect_error(0, NULL);
}

static void server_read(const char *target)
{
	const struct path path = path_of(target);

	store_refresh(store, &path, done, NULL);
}

static void answer(int e, const char *why, const void *pdu, size_t size)
{
	struct asked *a = &asked[n_answered++];

	ck_assert_uint_le(n_answered, n_asked);
	a->done(a->userdata, e, why, pdu, size);
}

static void answer_registers(size_t n, uint16_t first)
{
	uint8_t pdu[PDU_MAX] = { asked[n_answered].pdu[0], (uint8_t)(2 * n) };

	for (size_t i = 0; i < n; i++) {
		pdu[2 + 2 * i] = (uint8_t)((first + i) >> 8);
		pdu[3 + 2 * i] = (uint8_t)(first + i);
	}
	answer(0, "", pdu, 2 + 2 * n);
}

static void answer_write(void)
{
	uint8_t pdu[5];

	memcpy(pdu, asked[n_answered].pdu, sizeof(pdu));
	answer(0, "", pdu, sizeof(pdu));
}

static void expect_unreadable(const char *text)
{
	const struct path path = path_of(text);
	_cleanup_value_ struct value v = { 0 };

	ck_assert_msg(store_read(store, &path, false, &v, NULL) < 0, "%s", text);
}

#define CLUSTER "0=10374:4 1=3 2=9 3=256 4=3"

/* With the read that follows it answered. */
static void create_read(const char *target, const char *contents, size_t n)
{
	create(target, contents);
	answer_registers(n, 10);
}

START_TEST(test_connection)
{
	make(false);
	expect("/10374/4/0", "/dev/ttyS1");
	expect("/10374/4/1", "2");
	expect("/10374/4/2", "1");
	expect("/10374/4/3", "19200");
	expect("/10374/4/5", "2");
	expect("/10374/4/6", "1");
	expect("/10374/4/7/1", "/dev/ttyS2");
	expect("/10374/4/8", "1");
	expect_unreadable("/10374/7/3");
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	expect("/10374/4/8", "2");
	builtin_connection_state(builtin, 5, BUILTIN_CONNECTION_ERROR);
	expect_unreadable("/10374/5/8");
	/* What YAML says stays, and what only reads cannot switch. */
	server_write("/10374/4", STORE_UPDATE, "3=9600");
	expect_error(-EPERM, "YAML");
	server_write("/10374/4", STORE_UPDATE, "3=19200 2=1");
	expect_error(0, NULL);
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "read only");
	ck_assert_int_ne(enabled, 0);
}
END_TEST

START_TEST(test_ports_are_listed_when_asked)
{
	make(false);
	ports_found[1] = NULL;
	ports_found[0] = "/dev/ttyUSB0";
	server_read("/10374/4/7");
	expect_error(0, NULL);
	expect("/10374/4/7/0", "/dev/ttyUSB0");
	expect_unreadable("/10374/4/7/1");
	ports_found[0] = NULL;
	server_read("/10374/4");
	expect_unreadable("/10374/4/7/0");
	ck_assert_int_eq(store_quality(store, &(struct path){ .ids = { 10374, 4, 7 }, .depth = 3 }), STORE_GOOD);
}
END_TEST

START_TEST(test_switch)
{
	make(true);
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(0, NULL);
	ck_assert_int_eq(enabled, 0);
	server_write("/10374/7", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "other connections");
}
END_TEST

START_TEST(test_read)
{
	static const uint8_t want[] = { 3, 1, 0, 0, 3 };

	make(false);
	create_read("/10375/0", CLUSTER, 3);
	ck_assert_uint_eq(asked[0].connection, 4);
	ck_assert_uint_eq(asked[0].unit, 9);
	ck_assert_uint_eq(asked[0].size, sizeof(want));
	ck_assert_mem_eq(asked[0].pdu, want, sizeof(want));
	expect("/10375/0/5/2", "12");
	server_read("/10375/0/5");
	ck_assert_int_eq(ended, 0);
	answer_registers(3, 20);
	expect_error(0, NULL);
	expect("/10375/0/5/0", "20");
	server_read("/10375/0");
	answer(0, "", (const uint8_t[]){ 0x83, 2 }, 2);
	expect_error(-EIO, "exception 2");
	expect_unreadable("/10375/0/5/0");
	server_read("/10375/0");
	answer(-ETIMEDOUT, "bus yard: no answer", NULL, 0);
	expect_error(-ETIMEDOUT, "no answer");
	server_read("/10375/0");
	answer(0, "", (const uint8_t[]){ 3, 2, 0, 0 }, 4);
	expect_error(-EIO, "does not fit");
	refuses = -EBUSY;
	server_read("/10375/0");
	expect_error(-EBUSY, "too much");
	refuses = 0;
	server_read("/10375/0");
	answer_registers(3, 1);
	expect_error(0, NULL);
	expect("/10375/0/5/2", "3");
}
END_TEST

static void execute(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	store_execute(store, &path, "", done, NULL);
}

START_TEST(test_extremes)
{
	make(false);
	create("/10375/0", CLUSTER);
	expect_unreadable("/10375/0/6/0");
	execute("/10375/0/8");
	expect_error(0, NULL);
	answer_registers(3, 10);
	expect("/10375/0/6/2", "12");
	expect("/10375/0/7/2", "12");
	server_read("/10375/0/5");
	answer_registers(3, 65533);
	server_read("/10375/0/5");
	answer_registers(3, 4);
	ended = 0;
	expect("/10375/0/6/0", "4");
	expect("/10375/0/7/0", "65533");
	server_read("/10375/0/5");
	answer(-ETIMEDOUT, "no answer", NULL, 0);
	ended = 0;
	expect("/10375/0/7/2", "65535");
	execute("/10375/0/8");
	expect_error(0, NULL);
	expect("/10375/0/6/2", "6");
	expect("/10375/0/7/2", "6");
	/* Of other registers. */
	server_write("/10375/0", STORE_UPDATE, "4=2");
	expect_error(0, NULL);
	expect_unreadable("/10375/0/7/0");
	answer_registers(2, 100);
	expect("/10375/0/7/1", "101");
	expect_unreadable("/10375/0/7/2");
	server_write("/10375/0", STORE_UPDATE, "6/0=1");
	expect_error(-EPERM, NULL);
}
END_TEST

START_TEST(test_settled_anew)
{
	make(false);
	create_read("/10375/0", CLUSTER, 3);
	server_read("/10375/0");
	server_write("/10375/0", STORE_UPDATE, "3=1 4=2");
	expect_error(0, NULL);
	expect_unreadable("/10375/0/5/0");
	/* The answer of before is none of it. */
	answer_registers(3, 50);
	ended = 0;
	expect_unreadable("/10375/0/5/0");
	answer_registers(2, 60);
	expect("/10375/0/5/1", "61");
	expect_unreadable("/10375/0/5/2");
	ck_assert_int_eq(store_delete(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }), 0);
	create("/10375/0", "0=10374:7 1=1 2=255 3=0");
	ck_assert_uint_eq(asked[3].connection, 7);
	answer(0, "", (const uint8_t[]){ 1, 1, 0xff }, 3);
	expect("/10375/0/5/0", "1");
}
END_TEST

START_TEST(test_deleted_meanwhile)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	server_read("/10375/0");
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	ck_assert_int_eq(store_delete(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }), 0);
	answer_registers(3, 50);
	expect_error(0, NULL);
	answer_write();
	ck_assert_int_eq(ended, 1);
	expect_unreadable("/10375/0/5/0");
}
END_TEST

static const struct {
	const char *contents;
	int error;
	const char *reason;
} refused[] = {
	{ "0=10374:4 1=3 2=9 3=0 4=126", -ERANGE, "125" },
	{ "0=10374:4 1=1 2=9 3=65000 4=600", -ERANGE, "65535" },
	{ "0=10374:4 1=3 2=0 3=0", -ERANGE, "everybody" },
	{ "0=10374:4 1=3 2=255 3=0", -ERANGE, "unit" },
	{ "0=10374:7 1=3 2=248 3=0", -ERANGE, "unit" },
	{ "0=10374:7 1=3 2=-1 3=0", -ERANGE, "unit" },
	{ "0=3:0 1=3 2=1 3=0", -EINVAL, "10374" },
	{ "0=10374:9 1=3 2=1 3=0", -EINVAL, NULL },
	{ "0=10374:4 1=5 2=1 3=0", -ERANGE, NULL },
	{ "0=10374:4 1=3 3=0", -EINVAL, NULL },
	{ "0=10374:4 1=3 2=1 3=0 5/0=7", -EINVAL, "settled" },
};

START_TEST(test_refused_cluster)
{
	make(true);
	server_write("/10375/0", STORE_CREATE, refused[_i].contents);
	expect_error(refused[_i].error, refused[_i].reason);
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }));
	ck_assert_uint_eq(n_asked, 0);
}
END_TEST

START_TEST(test_write)
{
	static const uint8_t together[] = { 16, 1, 0, 0, 3, 6, 0, 1, 0, 2, 0, 3 };
	static const uint8_t first[] = { 6, 1, 0, 0, 7 }, last[] = { 6, 1, 2, 0, 8 };

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	server_write("/10375/0/5", STORE_REPLACE, "5/2=3 5/0=1 5/1=2");
	ck_assert_uint_eq(n_asked, 2);
	ck_assert_uint_eq(asked[1].size, sizeof(together));
	ck_assert_mem_eq(asked[1].pdu, together, sizeof(together));
	answer_write();
	expect_error(0, NULL);
	expect("/10375/0/5/1", "2");
	/* What the device made of it. */
	answer_registers(3, 1);
	server_write("/10375/0/5", STORE_UPDATE, "5/0=7 5/2=8");
	ck_assert_mem_eq(asked[3].pdu, first, sizeof(first));
	answer_write();
	ck_assert_int_eq(ended, 0);
	ck_assert_mem_eq(asked[4].pdu, last, sizeof(last));
	answer(0, "", (const uint8_t[]){ 0x86, 4 }, 2);
	expect_error(-EREMOTEIO, "exception 4");
	/* Half of it was done: it is looked at. */
	ck_assert_uint_eq(asked[5].pdu[0], 3);
	answer_registers(3, 7);
	expect("/10375/0/5/0", "7");
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	answer(0, "", (const uint8_t[]){ 6, 1, 0, 0, 2 }, 5);
	expect_error(-EIO, "does not fit");
}
END_TEST

static const struct {
	const char *target;
	enum store_write_mode mode;
	const char *contents;
	int error;
} refused_values[] = {
	{ "/10375/0/5", STORE_REPLACE, "5/0=1 5/1=2", -EINVAL },
	{ "/10375/0/5", STORE_UPDATE, "5/3=1", -EINVAL },
	{ "/10375/0/5", STORE_UPDATE, "5/0=65536", -ERANGE },
	{ "/10375/0", STORE_UPDATE, "3=9 5/0=1", -EINVAL },
	{ "/10375/1/5", STORE_UPDATE, "5/0=2", -ERANGE },
	{ "/10375/2/5", STORE_UPDATE, "5/0=1", -EPERM },
};

static void make_three(bool change)
{
	make(change);
	create_read("/10375/0", CLUSTER, 3);
	create("/10375/1", "0=10374:4 1=1 2=9 3=0");
	answer(0, "", (const uint8_t[]){ 1, 1, 0 }, 3);
	create_read("/10375/2", "0=10374:4 1=4 2=9 3=0", 1);
}

START_TEST(test_refused_values)
{
	make_three(true);
	server_write(refused_values[_i].target, refused_values[_i].mode, refused_values[_i].contents);
	expect_error(refused_values[_i].error, NULL);
	ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_read_only)
{
	make_three(false);
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	expect_error(-EPERM, "read only");
	ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_limits)
{
	char target[32];

	make(false);
	for (unsigned i = 0; i < 64; i++) {
		snprintf(target, sizeof(target), "/10375/%u", i);
		create_read(target, CLUSTER, 3);
	}
	server_write("/10375/64", STORE_CREATE, CLUSTER);
	expect_error(-EINVAL, "64");
	/* Eight at once; the rest has its turn as they end. */
	server_read("/10375");
	ck_assert_uint_eq(n_asked, 64 + 8);
	for (unsigned i = 0; i < 64; i++)
		answer_registers(3, 5);
	expect_error(0, NULL);
	ck_assert_uint_eq(n_asked, 128);
	/* 256 wait at most. */
	for (unsigned i = 0; i < 4; i++)
		server_read("/10375");
	ck_assert_int_eq(ended, 0);
	server_read("/10375/0");
	expect_error(-EBUSY, "too much");
	refuses = -EHOSTDOWN;
	for (unsigned i = 0; i < 8; i++)
		answer(-ECANCELED, "", NULL, 0);
	ck_assert_int_eq(ended, 4);
}
END_TEST

static const uint16_t observable[] = { 5, 6, 7 };

START_TEST(test_observed)
{
	make(false);
	create_read("/10375/0", CLUSTER, 3);
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 1);
	observed = observable[_i];
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 2);
	/* One that is slow is not asked twice. */
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 2);
	answer_registers(3, 33);
	expect("/10375/0/5/0", "33");
}
END_TEST

START_TEST(test_adopted)
{
	const struct path quantity = path_of_resource(10375, 3, 4);
	struct record records[] = {
		{ .path = path_of_resource(10375, 3, 0), .value = value_objlnk(10374, 4) },
		{ .path = path_of_resource(10375, 3, 1), .value = value_integer(3) },
		{ .path = path_of_resource(10375, 3, 2), .value = value_integer(9) },
		{ .path = path_of_resource(10375, 3, 3), .value = value_integer(256) },
		{ .path = quantity, .value = value_integer(2) },
	};

	make(false);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 10375), 3), 0);
	ck_assert_int_eq(store_update(store, records, 5), 0);
	ck_assert_int_eq(builtin_clusters_adopt(builtin), 0);
	ck_assert_uint_eq(n_asked, 0);
	server_read("/10375/3/5");
	answer_registers(2, 4);
	expect_error(0, NULL);
	expect("/10375/3/5/1", "5");
}
END_TEST

START_TEST(test_not_there)
{
	static const struct builtin_values none = { 0 };

	ck_assert_int_eq(builtin_new(store, definitions, &none, &ports, NULL, &builtin), 0);
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10374 }, .depth = 1 }));
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10375 }, .depth = 1 }));
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_ERROR);
	ck_assert_int_eq(builtin_clusters_adopt(builtin), 0);
}
END_TEST

/* ---- another configuration ---- */

static void reload(bool change, const struct builtin_connection *now, size_t n)
{
	const struct builtin_modbus modbus = { timers, change, now, n };
	const struct builtin_values values = { .modbus = now ? &modbus : NULL };

	ck_assert_int_eq(builtin_reload(builtin, definitions, &values), 0);
}

START_TEST(test_same_connections)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	reload(true, connections, 2);
	expect("/10374/4/8", "2");
	expect("/10374/4/3", "19200");
	expect("/10375/0/5/0", "10");
	expect("/10375/0/7/2", "12");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	answer_write();
	expect_error(0, NULL);
}
END_TEST

START_TEST(test_other_settings)
{
	const struct builtin_connection now[] = {
		{ .id = 4, .address = "/dev/ttyS1", .layer = 1, .serial = true, .baud = 9600, .stop_bits = 2, .enabled = true,
		  .shared = true },
		{ .id = 9, .address = "10.0.0.9:502", .enabled = true },
	};

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	reload(false, now, 2);
	expect("/10374/4/1", "1");
	expect("/10374/4/3", "9600");
	expect("/10374/4/4", "2");
	expect("/10374/4/5", "0");
	expect_unreadable("/10374/7/0");
	expect("/10374/9/0", "10.0.0.9:502");
	expect_unreadable("/10374/9/3");
	expect("/10375/0/5/0", "10");
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "read only");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	expect_error(-EPERM, "read only");
	/* A line of the same number by another transport. */
	reload(true, &(struct builtin_connection){ .id = 4, .address = "10.0.0.4:502", .enabled = true }, 1);
	expect("/10374/4/0", "10.0.0.4:502");
	expect_unreadable("/10374/4/3");
	expect_unreadable("/10374/9/0");
}
END_TEST

/* The connection of a cluster goes, and comes back. */
START_TEST(test_clusters_follow)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	create("/10375/1", "0=10374:7 1=3 2=1 3=0 4=1");
	reload(true, &connections[1], 1);
	expect_unreadable("/10375/0/5/0");
	expect_unreadable("/10375/0/6/0");
	expect("/10375/0/3", "256");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	expect_error(-EINVAL, NULL);
	/* What was asked before ends as it would have. */
	answer_registers(1, 77);
	expect("/10375/1/5/0", "77");
	reload(true, connections, 2);
	expect_unreadable("/10375/0/5/0");
	expect("/10375/1/5/0", "77");
	server_read("/10375/0/5");
	answer_registers(3, 20);
	expect_error(0, NULL);
	expect("/10375/0/5/2", "22");
}
END_TEST

/* Switched off in YAML and on again; what was asked has ended before. */
START_TEST(test_objects_off)
{
	const struct path object = { .ids = { 10374 }, .depth = 1 }, cluster = { .ids = { 10375 }, .depth = 1 };

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	reload(true, NULL, 0);
	ck_assert(!store_exists(store, &object));
	ck_assert(!store_exists(store, &cluster));
	clock_advance(11 * USEC_PER_SEC);
	timers_run(timers);
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	reload(true, connections, 2);
	expect("/10374/4/0", "/dev/ttyS1");
	create_read("/10375/0", CLUSTER, 3);
	expect("/10375/0/5/0", "10");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modbus");
	TCase *tcase = tcase_create("modbus");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, test_connection);
	tcase_add_test(tcase, test_ports_are_listed_when_asked);
	tcase_add_test(tcase, test_switch);
	tcase_add_test(tcase, test_read);
	tcase_add_test(tcase, test_extremes);
	tcase_add_test(tcase, test_settled_anew);
	tcase_add_test(tcase, test_deleted_meanwhile);
	tcase_add_loop_test(tcase, test_refused_cluster, 0, ARRAY_SIZE(refused));
	tcase_add_test(tcase, test_write);
	tcase_add_loop_test(tcase, test_refused_values, 0, ARRAY_SIZE(refused_values));
	tcase_add_test(tcase, test_read_only);
	tcase_add_test(tcase, test_limits);
	tcase_add_loop_test(tcase, test_observed, 0, ARRAY_SIZE(observable));
	tcase_add_test(tcase, test_adopted);
	tcase_add_test(tcase, test_not_there);
	tcase_add_test(tcase, test_same_connections);
	tcase_add_test(tcase, test_other_settings);
	tcase_add_test(tcase, test_clusters_follow);
	tcase_add_test(tcase, test_objects_off);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
