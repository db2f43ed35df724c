/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fieldbus/rig.h"

/*
 * 500 Modbus TCP devices, each at an address of its own, of which three change
 * while they are polled: the others keep their connections, and no poll of
 * theirs is late.
 */

#define DEVICES 500u
#define CHANGED 3u
#define TEXT_MAX 16u
#define PERIOD_USEC USEC_PER_SEC

/* What the devices see, in memory that their process shares with the test's. */
static struct seen {
	uint16_t port;
	struct seen_device {
		unsigned connections, open, requests;
		uint64_t last_usec, longest_usec; /* between two requests */
	} devices[DEVICES];
} * seen;

static struct {
	struct config config;
	struct config_device devices[2][DEVICES];
	struct config_type type; /* of those that change */
	struct config_point point_of_type;
	struct fieldway_setting addresses[DEVICES][3], point[3], point_after[3], bus[1];
	char names[DEVICES][TEXT_MAX], hosts[DEVICES][TEXT_MAX];
	struct config_successor buses[RIG_BUSES], devices_before[DEVICES];
	uint32_t buses_after[RIG_BUSES], devices_after[DEVICES];
	struct config_difference difference;
	unsigned values[DEVICES], states[DEVICES];
} all;

/* ---- the devices ---- */

static struct sockaddr_in address_of(unsigned i)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(seen->port),
				     .sin_addr.s_addr =
					     htonl(0x7f500001u + (i / 200 << 8) + i % 200) };
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
	seen->port = ntohs(address.sin_port);
	return fd;
}

/* One port that all addresses have free. */
static void listen_all(int *fds)
{
	for (unsigned tries = 0, n = 0; n < DEVICES; tries++) {
		ck_assert_uint_lt(tries, 20);
		seen->port = 0;
		for (n = 0; n < DEVICES && (fds[n] = listen_at(n)) >= 0; n++)
			;
		for (unsigned i = 0; n < DEVICES && i < n; i++)
			close(fds[i]);
	}
}

static void note_request(struct seen_device *d)
{
	uint64_t now = rig_now();

	if (d->requests++ > 0)
		d->longest_usec = MAX(d->longest_usec, now - d->last_usec);
	d->last_usec = now;
}

/* Reads of one register: it holds its address and 7. */
static void answer(int fd, struct seen_device *d)
{
	uint8_t request[12], reply[11] = { 0 };
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n != sizeof(request)) {
		if (n > 0 || errno == EAGAIN)
			return;
		d->open--;
		close(fd);
		return;
	}
	note_request(d);
	memcpy(reply, request, 2);
	reply[5] = 5;
	memcpy(reply + 6, request + 6, 2);
	reply[8] = 2;
	reply[10] = (uint8_t)(7 + request[9]);
	(void)!send(fd, reply, sizeof(reply), MSG_NOSIGNAL);
}

/* A device's number, whether it listens, and a descriptor. */
static uint64_t pack(unsigned device, bool listens, int fd)
{
	return (uint64_t)device << 33 | (uint64_t)listens << 32 | (uint32_t)fd;
}

static void watch(int epoll, unsigned device, bool listens, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = pack(device, listens, fd) };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		_exit(1);
}

static void connected(int epoll, unsigned device, int fd)
{
	seen->devices[device].connections++;
	seen->devices[device].open++;
	watch(epoll, device, false, fd);
}

static void serve(const int *fds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < DEVICES; i++)
		watch(epoll, i, true, fds[i]);
	for (;;) {
		unsigned device;
		int fd;

		if (epoll_wait(epoll, &e, 1, -1) != 1)
			continue;
		device = (unsigned)(e.data.u64 >> 33);
		fd = (int)(uint32_t)e.data.u64;
		if (e.data.u64 >> 32 & 1)
			connected(epoll, device,
				  accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
		else
			answer(fd, &seen->devices[device]);
	}
}

static pid_t start_devices(void)
{
	static int fds[DEVICES];
	struct rlimit limit;
	pid_t pid;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
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
	for (size_t i = 0; i < n; i++)
		if (samples[i].quality == FIELDWAY_GOOD)
			all.values[device] = (unsigned)samples[i].value.unsignd;
}

static void on_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	(void)userdata;
	(void)state;
	(void)reason;
	all.states[device]++;
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
	all.addresses[i][1] = number("port", seen->port);
	all.addresses[i][2] = number("unit", 1);
	all.devices[0][i] = rig.c.devices[0];
	all.devices[0][i].name = all.names[i];
	all.devices[0][i].address = (struct fieldway_settings){ all.addresses[i], 3 };
}

static void configure(void)
{
	static char name[] = "modbus";

	rig.c.plugin.name = name;
	rig.c.plugin.n_keys = 0;
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
	rig.c.config.devices = all.devices[0];
	rig.c.config.n_devices = DEVICES;
}

/* Every 200th device reads another register, and all are counted from the other end. */
static bool changes(unsigned i)
{
	return i % 200 == 50;
}

static void make_type(void)
{
	all.type = rig.c.type;
	all.point_of_type = rig.c.points[0];
	memcpy(all.point_after, all.point, sizeof(all.point));
	all.point_after[2] = number("address", 1);
	all.point_of_type.settings = (struct fieldway_settings){ all.point_after, 3 };
	all.type.points = &all.point_of_type;
}

static void make_difference(void)
{
	unsigned n = 0;

	make_type();
	all.config = rig.c.config;
	all.config.devices = all.devices[1];
	for (uint32_t i = 0; i < DEVICES; i++) {
		uint32_t before = DEVICES - 1 - i;

		all.devices[1][i] = all.devices[0][before];
		if (changes(before))
			all.devices[1][i].type = &all.type;
		n += changes(before);
		all.devices_before[i] = (struct config_successor){ before, !changes(before) };
		all.devices_after[before] = i;
	}
	ck_assert_uint_eq(n, CHANGED);
	for (uint32_t i = 0; i < RIG_BUSES; i++) {
		all.buses[i] = (struct config_successor){ i, true };
		all.buses_after[i] = i;
	}
	all.difference = (struct config_difference){ .before = &rig.c.config,
						     .after = &all.config,
						     .buses = all.buses,
						     .devices = all.devices_before,
						     .buses_after = all.buses_after,
						     .devices_after = all.devices_after };
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

static bool all_have(unsigned requests)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (seen->devices[i].requests < requests)
			return false;
	return true;
}

static bool changed_have(unsigned value)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (changes(DEVICES - 1 - i) && all.values[i] != value)
			return false;
	return true;
}

/* Beside the devices that change: how late was the latest poll? */
static uint64_t check_untouched(void)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < DEVICES; i++) {
		const struct seen_device *d = &seen->devices[i];

		ck_assert_uint_eq(d->open, 1);
		if (changes(i))
			continue;
		ck_assert_uint_eq(d->connections, 1);
		ck_assert_uint_eq(all.states[DEVICES - 1 - i], 1);
		longest = MAX(longest, d->longest_usec);
	}
	return longest;
}

/* Between two polls there is up to a period by rights, and after the first one it is shorter. */
START_TEST(three_change)
{
	pid_t pid = start_devices();
	uint64_t begin, longest;
	int host;

	rig_set_up();
	replace_fieldbus();
	configure();
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(all_have(3));
	host = fieldbus_host_pid(rig.fieldbus, 0);
	make_difference();
	memset(all.values, 0, sizeof(all.values));
	begin = rig_now();
	ck_assert_int_eq(fieldbus_reload(rig.fieldbus, &all.config, &all.difference, NULL), 0);
	rig_until(changed_have(8));
	fprintf(stderr, "the new register of %u devices is there after %llu ms\n", CHANGED,
		(unsigned long long)((rig_now() - begin) / USEC_PER_MSEC));
	for (unsigned i = 0; i < DEVICES; i++)
		ck_assert_uint_gt(seen->devices[i].requests, 2);
	rig_until(all_have(6));
	longest = check_untouched();
	fprintf(stderr, "the longest time between two polls of the others was %llu ms\n",
		(unsigned long long)(longest / USEC_PER_MSEC));
	ck_assert_uint_lt(longest, 2 * PERIOD_USEC);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), host);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	rig_tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("reload");
	struct rlimit limit;
	SRunner *runner;
	int failed;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 2 * DEVICES + 100) {
		fprintf(stderr, "skipped: a process here may have no more than %llu descriptors\n",
			(unsigned long long)limit.rlim_max);
		return 77;
	}
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, three_change);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
