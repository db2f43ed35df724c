/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <modbus.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "tests/bench/bench.h"

/*
 * modbus_bare PORT CONNECTIONS REGISTERS PERIOD_MS REQUESTS: libmodbus alone, a
 * thread for each connection; connection i goes to 127.1.x.y, the ith address.
 * With a PATH instead of a port one RTU line, whose "connections" are as many
 * units, asked in turn by one thread.
 * Period 0: the next request follows the answer.
 *   request_us  CPU of a request
 */

#define CONNECTIONS_MAX 500u
#define STACK_BYTES (256u << 10)

struct client {
	modbus_t *modbus;
	unsigned registers, period_ms, requests, units;
	pthread_t thread;
};

static void *run(void *userdata)
{
	struct client *c = userdata;
	uint16_t values[MODBUS_MAX_READ_REGISTERS];
	uint64_t due = now_nsec();

	for (unsigned i = 0; i < c->requests; i++) {
		struct timespec t = { (time_t)(due / NSEC_PER_SEC), (long)(due % NSEC_PER_SEC) };

		if (c->period_ms > 0)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		due += c->period_ms * UINT64_C(1000000);
		if (c->units > 0)
			modbus_set_slave(c->modbus, (int)(1 + i % c->units));
		need(modbus_read_input_registers(c->modbus, 0, (int)c->registers, values) ==
			     (int)c->registers,
		     "read");
	}
	return NULL;
}

static modbus_t *open_connection(unsigned i, unsigned port)
{
	char host[32];
	modbus_t *m;

	snprintf(host, sizeof(host), "127.1.%u.%u", i / 250, i % 250 + 1);
	m = modbus_new_tcp(host, (int)port);
	need(m && modbus_connect(m) == 0, "connect");
	modbus_set_slave(m, 1);
	return m;
}

static modbus_t *open_line(const char *path)
{
	modbus_t *m = modbus_new_rtu(path, 115200, 'N', 8, 1);

	need(m && modbus_connect(m) == 0, "open");
	return m;
}

int main(int argc, char **argv)
{
	bool serial = argv[1] && *argv[1] == '/';
	unsigned port = serial ? 0 : argument(argv, 1, 1, 65535);
	unsigned units = argument(argv, 2, 1, CONNECTIONS_MAX), n = serial ? 1 : units;
	struct client *clients = calloc(n, sizeof(*clients));
	pthread_attr_t attributes;
	uint64_t begin;

	(void)argc;
	need(clients != NULL, "clients");
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (unsigned i = 0; i < n; i++)
		clients[i] = (struct client){
			.modbus = serial ? open_line(argv[1]) : open_connection(i, port),
			.units = serial ? units : 0,
			.registers = argument(argv, 3, 1, MODBUS_MAX_READ_REGISTERS),
			.period_ms = argument(argv, 4, 0, 60000),
			.requests = argument(argv, 5, 1, 1000000) / n,
		};
	begin = cpu_nsec();
	for (unsigned i = 0; i < n; i++)
		need(pthread_create(&clients[i].thread, &attributes, run, &clients[i]) == 0, "thread");
	for (unsigned i = 0; i < n; i++)
		pthread_join(clients[i].thread, NULL);
	report("request_us", (double)(cpu_nsec() - begin) / (clients[0].requests * n) / 1000);
	for (unsigned i = 0; i < n; i++) {
		modbus_close(clients[i].modbus);
		modbus_free(clients[i].modbus);
	}
	free(clients);
	return 0;
}
