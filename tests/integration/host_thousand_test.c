/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fieldbus/rig.h"

/* A thousand Modbus TCP devices, each at an address of its own: all answer, from hosts that share them. */

#define DEVICES 1000u
#define TEXT_MAX 16u
#define PERIOD_USEC USEC_PER_SEC

static uint16_t port;
static struct {
	struct config_device devices[DEVICES];
	struct fieldway_setting addresses[DEVICES][3], point[3], bus[1];
	char names[DEVICES][TEXT_MAX], hosts[DEVICES][TEXT_MAX];
	bool online[DEVICES], valued[DEVICES];
	unsigned n_online, n_valued;
} all;

/* ---- the devices ---- */

static struct sockaddr_in address_of(unsigned i)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr =
					     htonl(0x7f400001u + (i / 200 << 8) + i % 200) };
}

static int listen_at(unsigned i)
{
	struct sockaddr_in address = address_of(i);
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	if (bind(fd, (struct sockaddr *)&address, size) < 0) {
		close(fd);
		return -1;
	}
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	port = ntohs(address.sin_port);
	return fd;
}

/* One port that all addresses have free. */
static void listen_all(int *fds)
{
	for (unsigned tries = 0, n = 0; n < DEVICES; tries++) {
		ck_assert_uint_lt(tries, 20);
		port = 0;
		for (n = 0; n < DEVICES && (fds[n] = listen_at(n)) >= 0; n++)
			;
		for (unsigned i = 0; n < DEVICES && i < n; i++)
			close(fds[i]);
	}
}

/* Reads of one register: it holds 7. */
static void answer(int fd)
{
	uint8_t request[12], reply[11] = { 0 };
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n != sizeof(request)) {
		if (n <= 0 && errno != EAGAIN)
			close(fd);
		return;
	}
	memcpy(reply, request, 2);
	reply[5] = 5;
	memcpy(reply + 6, request + 6, 2);
	reply[8] = 2;
	reply[10] = 7;
	(void)!send(fd, reply, sizeof(reply), MSG_NOSIGNAL);
}

static void watch(int epoll, int fd, bool listens)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = (uint64_t)fd << 1 | listens };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		_exit(1);
}

static void serve(const int *fds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < DEVICES; i++)
		watch(epoll, fds[i], true);
	for (;;) {
		if (epoll_wait(epoll, &e, 1, -1) != 1)
			continue;
		if (e.data.u64 & 1)
			watch(epoll,
			      accept4((int)(e.data.u64 >> 1), NULL, NULL,
				      SOCK_CLOEXEC | SOCK_NONBLOCK),
			      false);
		else
			answer((int)(e.data.u64 >> 1));
	}
}

static pid_t start_devices(void)
{
	static int fds[DEVICES];
	struct rlimit limit;
	pid_t pid;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	listen_all(fds);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		serve(fds);
	for (unsigned i = 0; i < DEVICES; i++)
		close(fds[i]);
	return pid;
}

/* ---- the daemon's side ---- */

static void on_values(void *userdata, uint32_t device, const struct fieldway_sample *samples,
		      size_t n)
{
	(void)userdata;
	if (n == 0 || samples->quality != FIELDWAY_GOOD || all.valued[device])
		return;
	ck_assert_int_eq(samples->value.type, FIELDWAY_UINT);
	ck_assert_uint_eq(samples->value.unsignd, 7);
	all.valued[device] = true;
	all.n_valued++;
}

static void on_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	(void)userdata;
	(void)reason;
	all.n_online += (state == FIELDBUS_ONLINE) - all.online[device];
	all.online[device] = state == FIELDBUS_ONLINE;
}

static struct fieldway_setting text(const char *key, const char *value)
{
	return (struct fieldway_setting){
		key, { .type = FIELDWAY_STRING, .data = value, .size = strlen(value) }
	};
}

static struct fieldway_setting number(const char *key, uint64_t value)
{
	return (struct fieldway_setting){ key, { .type = FIELDWAY_UINT, .unsignd = value } };
}

static void make_device(unsigned i)
{
	struct sockaddr_in address = address_of(i);

	snprintf(all.names[i], sizeof(all.names[i]), "d%u", i);
	ck_assert_ptr_nonnull(
		inet_ntop(AF_INET, &address.sin_addr, all.hosts[i], sizeof(all.hosts[i])));
	all.addresses[i][0] = text("host", all.hosts[i]);
	all.addresses[i][1] = number("port", port);
	all.addresses[i][2] = number("unit", 1);
	all.devices[i] = rig.c.devices[0];
	all.devices[i].name = all.names[i];
	all.devices[i].address = (struct fieldway_settings){ all.addresses[i], 3 };
}

static void configure(void)
{
	static char name[] = "modbus";

	rig.c.plugin.name = name;
	rig.c.plugin.n_keys = 0;
	rig.c.config.n_buses = 1;
	all.bus[0] = number("tcp.port", 502);
	rig.c.buses[0].settings = (struct fieldway_settings){ all.bus, 1 };
	all.point[0] = text("area", "input");
	all.point[1] = text("type", "uint16");
	all.point[2] = number("address", 0);
	rig.c.type.n_points = 1;
	rig.c.points[0].period_usec = PERIOD_USEC;
	rig.c.points[0].settings = (struct fieldway_settings){ all.point, 3 };
	for (unsigned i = 0; i < DEVICES; i++)
		make_device(i);
	rig.c.config.devices = all.devices;
	rig.c.config.n_devices = DEVICES;
}

static void replace_fieldbus(void)
{
	static const struct fieldbus_ops ops = { on_values, on_state };
	struct fieldbus_config config = { .event = rig.event,
					  .timers = rig.timers,
					  .host_program = "./fieldway-plugin-host",
					  .plugin_folder = "plugins/modbus/.libs" };

	fieldbus_free(rig.fieldbus);
	rig.fieldbus = NULL;
	ck_assert_int_eq(fieldbus_new(&config, &ops, NULL, &rig.fieldbus), 0);
}

START_TEST(all_answer)
{
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	pid_t pid = start_devices();
	uint64_t begin = rig_now();

	rig_set_up();
	replace_fieldbus();
	configure();
	ck_assert_int_eq(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), 0);
	yaml_errors_done(&warnings);
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, fieldbus_lines(rig.fieldbus)), 0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, DEVICES / FIELDBUS_LINES_MAX);
	rig_until(all.n_online == DEVICES && all.n_valued == DEVICES);
	fprintf(stderr, "%u devices have values after %llu ms\n", DEVICES,
		(unsigned long long)((rig_now() - begin) / USEC_PER_MSEC));
	for (uint32_t i = 0; i < DEVICES; i += DEVICES - 1) {
		ck_assert_uint_eq(rig_statistics(i).host_restarts, 0);
		ck_assert_uint_eq(rig_statistics(i).errors, 0);
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	rig_tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("thousand");
	TCase *tcase = tcase_create("thousand");
	struct rlimit limit;
	SRunner *runner;
	int failed;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 2 * DEVICES + 100) {
		fprintf(stderr, "skipped: a process here may have no more than %llu descriptors\n",
			(unsigned long long)limit.rlim_max);
		return 77;
	}
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, all_answer);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
