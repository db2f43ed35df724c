/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/builtin/modbus_rig.h"

struct asked asked[ASKED_MAX];
size_t n_asked;
static size_t n_answered;
int refuses, enabled;
uint16_t observed;
const char *ports_found[3];
/* Of the last request of a server. */
int ended;
static int error;
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

const struct builtin_ports ports = { .modbus_request = request,
					    .modbus_enable = enable,
					    .serial_ports = serial_ports,
					    .is_observed = is_observed };

const struct builtin_connection connections[N_CONNECTIONS] = {
	{ .id = 4, .address = "/dev/ttyS1", .layer = 2, .serial = true, .baud = 19200, .stop_bits = 1, .parity = 2,
	  .flow = 1, .enabled = true },
	{ .id = 7, .address = "10.0.0.7:502", .enabled = true, .shared = true },
};

void make(bool change)
{
	const struct builtin_modbus modbus = { timers, change, connections, N_CONNECTIONS };
	const struct builtin_values values = { .modbus = &modbus };

	ck_assert_int_eq(builtin_new(store, definitions, &values, &ports, NULL, &builtin), 0);
}

void modbus_set_up(void)
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

void server_done(void *userdata, int e, const char *why)
{
	(void)userdata;
	error = e;
	snprintf(reason, sizeof(reason), "%s", why ?: "");
	ended++;
}

void server_write(const char *target, enum store_write_mode mode, const char *contents)
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
	store_write(store, &path, mode, records.items, records.n, server_done, NULL);
}

void expect_error(int want, const char *why)
{
	ck_assert_int_eq(ended, 1);
	ck_assert_msg(error == want, "%d (%s), not %d", error, reason, want);
	ck_assert_msg(!why || strstr(reason, why), "%s", reason);
	ended = 0;
}

void create(const char *target, const char *contents)
{
	server_write(target, STORE_CREATE, contents);
	expect_error(0, NULL);
}

void server_read(const char *target)
{
	const struct path path = path_of(target);

	store_refresh(store, &path, server_done, NULL);
}

void answer(int e, const char *why, const void *pdu, size_t size)
{
	struct asked *a = &asked[n_answered++];

	ck_assert_uint_le(n_answered, n_asked);
	a->done(a->userdata, e, why, pdu, size);
}

void answer_registers(size_t n, uint16_t first)
{
	uint8_t pdu[PDU_MAX] = { asked[n_answered].pdu[0], (uint8_t)(2 * n) };

	for (size_t i = 0; i < n; i++) {
		pdu[2 + 2 * i] = (uint8_t)((first + i) >> 8);
		pdu[3 + 2 * i] = (uint8_t)(first + i);
	}
	answer(0, "", pdu, 2 + 2 * n);
}

void answer_write(void)
{
	uint8_t pdu[5];

	memcpy(pdu, asked[n_answered].pdu, sizeof(pdu));
	answer(0, "", pdu, sizeof(pdu));
}

void expect_unreadable(const char *text)
{
	const struct path path = path_of(text);
	_cleanup_value_ struct value v = { 0 };

	ck_assert_msg(store_read(store, &path, false, &v, NULL) < 0, "%s", text);
}

void create_read(const char *target, const char *contents, size_t n)
{
	create(target, contents);
	answer_registers(n, 10);
}
