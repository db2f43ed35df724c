/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/crowd.h"

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

#define TEXT_MAX 16u

struct crowd crowd;

static pid_t pid;
static struct {
	struct fieldway_setting addresses[CROWD_MAX][3], point[3], bus[1];
	char names[CROWD_MAX][TEXT_MAX], hosts[CROWD_MAX][TEXT_MAX];
} all;

/* ---- the devices ---- */

static struct sockaddr_in address_of(unsigned i)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(crowd.port),
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
	crowd.port = ntohs(address.sin_port);
	return fd;
}

/* One port that all addresses have free. */
static void listen_all(int *fds)
{
	for (unsigned tries = 0, n = 0; n < crowd.n; tries++) {
		ck_assert_uint_lt(tries, 20);
		crowd.port = 0;
		for (n = 0; n < crowd.n && (fds[n] = listen_at(n)) >= 0; n++)
			;
		for (unsigned i = 0; n < crowd.n && i < n; i++)
			close(fds[i]);
	}
}

static void note_request(struct crowd_seen *d)
{
	uint64_t now = rig_now();

	if (d->requests++ > 0)
		d->longest_usec = MAX(d->longest_usec, now - d->last_usec);
	d->last_usec = now;
}

/* Reads of one register: it holds its address and 7. */
static void answer(int fd, struct crowd_seen *d)
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
	crowd.seen[device].connections++;
	crowd.seen[device].open++;
	watch(epoll, device, false, fd);
}

static void serve(const int *fds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; i < crowd.n; i++)
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
			answer(fd, &crowd.seen[device]);
	}
}

void crowd_start(unsigned n)
{
	static int fds[CROWD_MAX];
	struct rlimit limit;

	crowd.n = n;
	crowd.seen = mmap(NULL, n * sizeof(*crowd.seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(crowd.seen, MAP_FAILED);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	listen_all(fds);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		serve(fds);
	for (unsigned i = 0; i < crowd.n; i++)
		close(fds[i]);
}

void crowd_stop(void)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	munmap(crowd.seen, crowd.n * sizeof(*crowd.seen));
}

/* ---- the daemon's side ---- */

static struct fieldway_setting text(const char *key, const char *value)
{
	return (struct fieldway_setting){
		key, { .type = FIELDWAY_STRING, .data = value, .size = strlen(value) }
	};
}

struct fieldway_setting crowd_number(const char *key, uint64_t value)
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
	all.addresses[i][1] = crowd_number("port", crowd.port);
	all.addresses[i][2] = crowd_number("unit", 1);
	crowd.devices[i] = rig.c.devices[0];
	crowd.devices[i].name = all.names[i];
	crowd.devices[i].address = (struct fieldway_settings){ all.addresses[i], 3 };
}

void crowd_configure(void)
{
	static char name[] = "modbus";

	rig.c.plugin.name = name;
	rig.c.plugin.n_keys = 0;
	rig.c.config.n_buses = 1;
	all.bus[0] = crowd_number("tcp.port", 502);
	rig.c.buses[0].settings = (struct fieldway_settings){ all.bus, 1 };
	all.point[0] = text("area", "input");
	all.point[1] = text("type", "uint16");
	all.point[2] = crowd_number("address", 0);
	rig.c.type.n_points = 1;
	rig.c.points[0].period_usec = CROWD_PERIOD_USEC;
	rig.c.points[0].settings = (struct fieldway_settings){ all.point, 3 };
	for (unsigned i = 0; i < crowd.n; i++)
		make_device(i);
	rig.c.config.devices = crowd.devices;
	rig.c.config.n_devices = crowd.n;
}

void crowd_set_up(const struct fieldbus_ops *ops)
{
	struct fieldbus_config config = { .host_program = "./fieldway-plugin-host",
					  .plugin_folder = "plugins/modbus/.libs" };

	rig_set_up();
	config.event = rig.event;
	config.timers = rig.timers;
	fieldbus_free(rig.fieldbus);
	rig.fieldbus = NULL;
	ck_assert_int_eq(fieldbus_new(&config, ops, NULL, &rig.fieldbus), 0);
}

int crowd_run(const char *name, const TTest *test, unsigned n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	struct rlimit limit;
	SRunner *runner;
	int failed;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < 2 * n + 100) {
		fprintf(stderr, "skipped: a process here may have no more than %llu descriptors\n",
			(unsigned long long)limit.rlim_max);
		return 77;
	}
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
