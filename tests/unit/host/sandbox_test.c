/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/log.h"
#include "host/sandbox/sandbox.h"
#include "suite.h"

/* What a process in the sandbox can do and cannot; each in a process of its own. */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define UNKNOWN 99

static char folder[] = "/tmp/sandbox-XXXXXX", file[64];

static void make_file(void)
{
	FILE *f;

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/state", folder);
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fputs("key\n", f);
	fclose(f);
}

static void remove_file(void)
{
	unlink(file);
	rmdir(folder);
}

/* The status of a child that is in the sandbox; errors are told by an errno that is its exit status. */
static int run(int (*body)(const struct sandbox *s))
{
	struct sandbox s;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		sandbox_enter("tests/unit/host/.libs", &s);
		_exit(body(&s));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_exit(int (*body)(const struct sandbox *s), int expected)
{
	int status = run(body);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status %#x", status);
}

static int error_of(long r)
{
	return r < 0 ? errno : 0;
}

/* ---- what it cannot ---- */

static int look_for(const char *name, const char *value)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	bool found = false;

	if (!f)
		return errno;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			found = strcmp(line + strlen(name), value) == 0;
	fclose(f);
	return found ? 0 : UNKNOWN;
}

static int no_capabilities(const struct sandbox *s)
{
	static const char *const sets[] = { "CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapAmb:\t" };
	int r = s->capabilities ? 0 : UNKNOWN;

	for (size_t i = 0; r == 0 && i < sizeof(sets) / sizeof(sets[0]); i++)
		r = look_for(sets[i], "0000000000000000\n");
	if (r == 0)
		r = look_for("NoNewPrivs:\t", "1\n");
	return r ?: look_for("Seccomp:\t", "2\n");
}

START_TEST(capabilities)
{
	expect_exit(no_capabilities, 0);
}
END_TEST

static int try_exec(const struct sandbox *s)
{
	char *argv[] = { NULL }, *environment[] = { NULL };

	return error_of(execve("/usr/bin/true", argv, environment));
}

START_TEST(programs)
{
	expect_exit(try_exec, EPERM);
}
END_TEST

static int try_fork(const struct sandbox *s)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return error_of(pid);
}

START_TEST(processes)
{
	if (SANITIZED)
		printf("processes: the sanitizer's leak check needs them, not tried\n");
	else
		expect_exit(try_fork, EPERM);
}
END_TEST

static int try_signal(const struct sandbox *s)
{
	return error_of(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int try_own_signal(const struct sandbox *s)
{
	return error_of(syscall(SYS_tgkill, getpid(), getpid(), 0));
}

static int try_limits(const struct sandbox *s)
{
	struct rlimit limit;

	return error_of(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static int try_own_limits(const struct sandbox *s)
{
	struct rlimit limit;

	return error_of(getrlimit(RLIMIT_NOFILE, &limit));
}

/* Another host has the same user. */
START_TEST(other_processes)
{
	expect_exit(try_signal, EPERM);
	expect_exit(try_own_signal, 0);
	expect_exit(try_limits, EPERM);
	expect_exit(try_own_limits, 0);
}
END_TEST

static struct sockaddr_un abstract;
static socklen_t abstract_size;

static int try_abstract(const struct sandbox *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s->files < 6)
		return UNKNOWN;
	return error_of(connect(fd, (struct sockaddr *)&abstract, abstract_size));
}

START_TEST(abstract_sockets)
{
	int status, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	abstract.sun_family = AF_UNIX;
	/* The kernel finds a name. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&abstract, sizeof(sa_family_t)), 0);
	abstract_size = sizeof(abstract);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&abstract, &abstract_size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	status = run(try_abstract);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNKNOWN)
		printf("abstract sockets: this kernel's Landlock knows none, not tried\n");
	else
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EPERM, "%#x", status);
	close(fd);
}
END_TEST

static int try_file(const struct sandbox *s)
{
	return s->files > 0 ? error_of(open(file, O_RDONLY | O_CLOEXEC)) : UNKNOWN;
}

static int try_create(const struct sandbox *s)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/new", folder);
	return s->files > 0 ? error_of(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) : UNKNOWN;
}

START_TEST(files)
{
	int status;

	make_file();
	status = run(try_file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNKNOWN) {
		printf("files: this kernel has no Landlock, not tried\n");
	} else {
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EACCES, "%#x", status);
		expect_exit(try_create, EACCES);
	}
	remove_file();
}
END_TEST

static int try_mount(const struct sandbox *s)
{
	return error_of(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int try_keys(const struct sandbox *s)
{
	return error_of(syscall(SYS_keyctl, 0, -3, 0));
}

static int try_bpf(const struct sandbox *s)
{
	return error_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_unshare(const struct sandbox *s)
{
	return error_of(syscall(SYS_unshare, 0x10000000));
}

static int try_ptrace(const struct sandbox *s)
{
	return error_of(syscall(SYS_ptrace, 0, 0, 0, 0));
}

START_TEST(hostile_calls)
{
	int (*const bodies[])(const struct sandbox *s) = { try_mount, try_keys, try_bpf,
							   try_unshare, try_ptrace };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		int status;

		if (SANITIZED)
			continue;
		status = run(bodies[i]);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%zu: %#x", i,
			      status);
	}
}
END_TEST

static int try_sockets(const struct sandbox *s)
{
	return error_of(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_terminal_input(const struct sandbox *s)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? UNKNOWN : error_of(ioctl(fd, TIOCSTI, "x"));
}

static int try_terminal_input_wide(const struct sandbox *s)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ?
		       UNKNOWN :
		       error_of(syscall(SYS_ioctl, fd, (1ul << (sizeof(long) * 4)) | TIOCSTI, "x"));
}

START_TEST(sockets_and_terminals)
{
	expect_exit(try_sockets, EPERM);
	expect_exit(try_terminal_input, EPERM);
	expect_exit(try_terminal_input_wide, EPERM);
}
END_TEST

static int leave(const struct sandbox *s)
{
	struct sandbox again;

	/* Nothing gives back what is gone. */
	sandbox_enter("/", &again);
	return s->files > 0 ? error_of(open(file, O_RDONLY | O_CLOEXEC)) : EACCES;
}

START_TEST(no_way_back)
{
	make_file();
	expect_exit(leave, EACCES);
	remove_file();
}
END_TEST

/* ---- what it must be able to ---- */

static int names(const struct sandbox *s)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int r;

	if (access("/etc/hosts", R_OK) < 0)
		return errno;
	r = getaddrinfo("localhost", "502", &hints, &list);
	if (r == 0)
		freeaddrinfo(list);
	/* Of a name that nobody has, in finite time. */
	return r == 0 ? 0 : UNKNOWN;
}

static int connections(const struct sandbox *s)
{
	struct sockaddr_storage address = { .ss_family = AF_INET };
	socklen_t size = sizeof(address);
	int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (a < 0 || b < 0 ||
	    bind(a, (struct sockaddr *)&address, sizeof(struct sockaddr_in)) < 0 ||
	    listen(a, 1) < 0 || getsockname(a, (struct sockaddr *)&address, &size) < 0)
		return errno;
	return error_of(connect(b, (struct sockaddr *)&address, size));
}

static void *thread_main(void *userdata)
{
	*(int *)userdata = 0;
	return NULL;
}

static int threads(const struct sandbox *s)
{
	int r = UNKNOWN;
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, &r) != 0)
		return EAGAIN;
	pthread_join(thread, NULL);
	return r;
}

static int ptys(const struct sandbox *s)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char c = 0;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return errno;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || write(slave, "x", 1) != 1 || read(master, &c, 1) != 1)
		return errno;
	return c == 'x' ? 0 : UNKNOWN;
}

/* A bus that is not there: it is looked for, and that is no matter of permission. */
static int busses(const struct sandbox *s)
{
	sd_bus *bus = NULL;
	int r;

	if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, "unix:path=/run/fieldway-none/bus") < 0)
		return UNKNOWN;
	r = sd_bus_start(bus);
	sd_bus_unref(bus);
	return r == -ENOENT ? 0 : r < 0 ? -r : UNKNOWN;
}

static int logging(const struct sandbox *s)
{
	log_notice(NULL, "still heard");
	return 0;
}

START_TEST(what_is_needed)
{
	expect_exit(names, 0);
	expect_exit(connections, 0);
	expect_exit(threads, 0);
	expect_exit(ptys, 0);
	expect_exit(busses, 0);
	expect_exit(logging, 0);
}
END_TEST

static void add(TCase *t)
{
	tcase_set_timeout(t, 60);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, programs);
	tcase_add_test(t, processes);
	tcase_add_test(t, other_processes);
	tcase_add_test(t, abstract_sockets);
	tcase_add_test(t, files);
	tcase_add_test(t, hostile_calls);
	tcase_add_test(t, sockets_and_terminals);
	tcase_add_test(t, no_way_back);
	tcase_add_test(t, what_is_needed);
}

int main(void)
{
	return run_suite("sandbox", add);
}
