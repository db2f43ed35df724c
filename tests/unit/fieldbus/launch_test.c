/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fieldbus/fake_host.h"
#include "tests/unit/fieldbus/rig.h"

/* Hosts behind a socket, as fieldway-host.socket starts them: with a thread in systemd's place. */

#define SERVICES_MAX 16

static struct {
	char folder[32], path[64];
	int listener;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* held from before a host runs until it is counted */
	unsigned n; /* launches so far */
	_Atomic pid_t pids[SERVICES_MAX];
} manager;

static pid_t run_host(int fd)
{
	char fd_option[] = "--fd", fd_text[] = "3", plugins_option[] = "--plugins", folder[] = "/a/folder";
	char *argv[] = { rig.program, fd_option, fd_text, plugins_option, folder, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, FAKE_FD);
	posix_spawn_file_actions_addclosefrom_np(&actions, FAKE_FD + 1);
	if (posix_spawn(&pid, rig.program, &actions, NULL, argv, environ) != 0)
		pid = 0;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void *manage(void *unused)
{
	int fd;

	while ((fd = accept4(manager.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		pthread_mutex_lock(&manager.lock);
		if (manager.n < SERVICES_MAX)
			manager.pids[manager.n] = run_host(fd);
		manager.n++;
		pthread_mutex_unlock(&manager.lock);
		close(fd);
	}
	return unused;
}

/* Counts whatever has already been heard of. */
static unsigned launches(void)
{
	unsigned n;

	pthread_mutex_lock(&manager.lock);
	n = manager.n;
	pthread_mutex_unlock(&manager.lock);
	return n;
}

static void listen_at(int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, manager.path);
	manager.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(manager.listener, 0);
	ck_assert_int_eq(bind(manager.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(manager.listener, backlog), 0);
}

static void start_manager(void)
{
	listen_at(16);
	ck_assert_int_eq(pthread_create(&manager.thread, NULL, manage, NULL), 0);
	manager.runs = true;
}

static void set_up(void)
{
	rig_set_up();
	memset(&manager, 0, sizeof(manager));
	pthread_mutex_init(&manager.lock, NULL);
	strcpy(manager.folder, "/tmp/launch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(manager.folder));
	snprintf(manager.path, sizeof(manager.path), "%s/socket", manager.folder);
	manager.listener = -1;
	rig.fieldbus->host_socket = strdup(manager.path);
	ck_assert_ptr_nonnull(rig.fieldbus->host_socket);
}

static void tear_down(void)
{
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	if (manager.runs) {
		shutdown(manager.listener, SHUT_RDWR);
		pthread_join(manager.thread, NULL);
	}
	/* What the fieldbus does not end hangs here: fake_host's alarm ends the test. */
	for (unsigned i = 0; i < manager.n; i++)
		if (manager.pids[i] > 0)
			ck_assert_int_eq(waitpid(manager.pids[i], NULL, 0), manager.pids[i]);
	if (manager.listener >= 0)
		close(manager.listener);
	pthread_mutex_destroy(&manager.lock);
	unlink(manager.path);
	rmdir(manager.folder);
	rig_tear_down();
}

static void end_service(unsigned i, int signal)
{
	pid_t pid = manager.pids[i];

	manager.pids[i] = 0;
	ck_assert_int_eq(kill(pid, signal), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Which of the launches serves m1: the order of the buses is not promised. */
static unsigned service_of(uint32_t device)
{
	int pid;

	rig_wait_order(device, "pid");
	pid = atoi(rig.detail);
	for (unsigned i = 0; i < launches(); i++)
		if (manager.pids[i] == pid)
			return i;
	ck_abort_msg("'%s' is none of them", rig.detail);
}

START_TEST(serves)
{
	start_manager();
	rig_start();
	ck_assert_uint_eq(launches(), 2);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	rig_wait_order(0, "accept");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
}
END_TEST

START_TEST(dies)
{
	start_manager();
	rig_start();
	end_service(service_of(0), SIGKILL);
	rig_until(rig.states[0] == FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host ended (the journal says how)");
	rig_until(rig.states[0] == FIELDBUS_ONLINE && launches() == 3);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 1);
	ck_assert_uint_eq(rig_statistics(2).host_restarts, 0);
}
END_TEST

/* It hears that it is not wanted, and ends by itself. */
START_TEST(given_up)
{
	unsigned before;

	start_manager();
	rig_start();
	before = service_of(0);
	rig_order(0, "bad-values");
	rig_until(rig.states[0] == FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host sent malformed Values (the journal says how)");
	ck_assert_int_eq(waitpid(manager.pids[before], NULL, 0), manager.pids[before]);
	manager.pids[before] = 0;
	rig_until(rig.states[0] == FIELDBUS_ONLINE && launches() == 3);
}
END_TEST

/* It talks on, to nobody. */
START_TEST(talks)
{
	unsigned before;

	start_manager();
	rig_start();
	before = service_of(0);
	rig_order(0, "talk");
	rig_until(rig_host(0)->state == HOST_ENDING);
	end_service(before, SIGKILL);
	rig_until(rig.states[0] == FIELDBUS_ONLINE && launches() == 3);
}
END_TEST

/* Its devices wait until whoever watches it has ended it: no two hosts have one line. */
START_TEST(hangs)
{
	unsigned before;
	uint64_t start;

	start_manager();
	rig_start();
	before = service_of(0);
	rig_order(0, "hang");
	start = rig_now();
	while (rig_host(0)->state == HOST_RUNNING) {
		rig_advance(5 * USEC_PER_SEC);
		rig_turn();
		rig_check_patience(start);
	}
	ck_assert_int_eq(rig_host(0)->state, HOST_ENDING);
	rig_advance(20 * USEC_PER_SEC);
	ck_assert_int_eq(rig_host(0)->state, HOST_ENDING);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host did not answer");
	ck_assert_uint_eq(launches(), 2);
	end_service(before, SIGKILL);
	rig_until(rig.states[0] == FIELDBUS_ONLINE && launches() == 3);
}
END_TEST

START_TEST(nobody_listens)
{
	const struct config_plugin *plugin;
	char why[128];

	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &plugin), -ENOPKG);
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig.states[0] == FIELDBUS_FAILED);
	snprintf(why, sizeof(why), "bus hall1: plugin host cannot start: nobody listens at %s", manager.path);
	ck_assert_str_eq(rig_reason(0), why);
	start_manager();
	rig_advance(USEC_PER_SEC);
	rig_until(rig.states[0] == FIELDBUS_ONLINE && rig.states[2] == FIELDBUS_ONLINE);
}
END_TEST

/* The loop goes on. */
START_TEST(too_many_wait)
{
	const struct config_plugin *plugin;
	int fds[8];

	listen_at(0);
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		strcpy(address.sun_path, manager.path);
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) < 0)
			ck_assert_int_eq(errno, EAGAIN);
	}
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &plugin), -EAGAIN);
	for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}
END_TEST

START_TEST(no_such_path)
{
	const struct config_plugin *plugin;
	char *path = malloc(200);

	ck_assert_ptr_nonnull(path);
	memset(path, 'x', 199);
	path[199] = '\0';
	free(rig.fieldbus->host_socket);
	rig.fieldbus->host_socket = path;
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &plugin), -ENAMETOOLONG);
}
END_TEST

START_TEST(describes)
{
	const struct config_plugin *plugin;

	start_manager();
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &plugin), 0);
	ck_assert_str_eq(plugin->name, "fake");
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "none", &plugin), -ENOENT);
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "die", &plugin), -EPIPE);
	ck_assert_uint_eq(launches(), 3);
}
END_TEST

/* Switched off and on, as well as at the end of the daemon: each ends by itself. */
START_TEST(switched)
{
	unsigned before;

	start_manager();
	rig_start();
	before = service_of(0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	rig_until(rig_host(0)->state == HOST_DOWN);
	ck_assert_int_eq(waitpid(manager.pids[before], NULL, 0), manager.pids[before]);
	manager.pids[before] = 0;
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, true), 0);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
	ck_assert_uint_eq(launches(), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("launch");
	TCase *tc = tcase_create("launch");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, serves);
	tcase_add_test(tc, dies);
	tcase_add_test(tc, given_up);
	tcase_add_test(tc, talks);
	tcase_add_test(tc, hangs);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, too_many_wait);
	tcase_add_test(tc, no_such_path);
	tcase_add_test(tc, describes);
	tcase_add_test(tc, switched);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
