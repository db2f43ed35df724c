/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "install/record.h"
#include "install/serve.h"

static char folder[64], handlers[80], state[80];
static struct serve_options options;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static const char *path_in(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(path_in(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void handler(const char *script)
{
	char text[2048];

	snprintf(text, sizeof(text), "#!/bin/sh\nF=%s\n%s\n", folder, script);
	write_file("handlers/h", text, 0755);
}

static bool has(const char *name, const char *text)
{
	char found[256] = "";
	int fd = open(path_in(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found) - 1);

	close(fd);
	return n >= 0 && strcmp(found, text) == 0;
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-install-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(handlers, sizeof(handlers), "%s/handlers", folder);
	snprintf(state, sizeof(state), "%s/state", folder);
	ck_assert_int_eq(mkdir(handlers, 0755), 0);
	chmod(handlers, 0755);
	options = (struct serve_options){ .handlers = handlers, .state = state, .boot = "first" };
	write_file("package", "content", 0600);
}

static void teardown(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void send_request(int to, const char *text, int package)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char copy[INSTALL_MESSAGE_MAX];
	struct iovec part = { copy, strlen(text) };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	strcpy(copy, text);
	if (package >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &package, sizeof(package));
	}
	ck_assert_int_gt(sendmsg(to, &m, 0), 0);
}

/* What it answers to a request with the package, and what it returns. */
static int ask_for(const char *software, const char *action, const char *id, struct install_answer *ret)
{
	char text[256], answer[INSTALL_MESSAGE_MAX];
	int fds[2], package = open(path_in("package"), O_RDONLY), r;
	ssize_t n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	snprintf(text, sizeof(text), "action=%s\nhandler=h\nid=%s\nsoftware=%s\nseverity=1\ndefer=30\n", action, id,
		 software);
	send_request(fds[0], text, package);
	options.fd = fds[1];
	r = serve(&options);
	close(fds[1]);
	n = recv(fds[0], answer, sizeof(answer), 0);
	if (r >= 0)
		ck_assert_int_eq(install_answer_decode(answer, (size_t)n, ret), 0);
	close(fds[0]);
	close(package);
	return r;
}

static int ask(const char *action, const char *id, struct install_answer *ret)
{
	return ask_for("", action, id, ret);
}

static void expect(const char *action, const char *id, enum install_end end, uint8_t code)
{
	struct install_answer a;

	ck_assert_int_eq(ask(action, id, &a), 0);
	ck_assert_int_eq(a.end, end);
	if (end == INSTALL_EXITED)
		ck_assert_uint_eq(a.code, code);
}

START_TEST(checks)
{
	struct install_answer a;

	handler("[ $1 = check ] && [ \"$(cat $2)\" = content ] && echo name=roof && echo version=1.2 && "
		"echo $FIELDWAY_SEVERITY $FIELDWAY_DEFER >$F/seen");
	ck_assert_int_eq(ask("check", "a", &a), 0);
	ck_assert_int_eq(a.end, INSTALL_EXITED);
	ck_assert_uint_eq(a.code, 0);
	ck_assert_str_eq(a.name, "roof");
	ck_assert_str_eq(a.version, "1.2");
	ck_assert(has("seen", "1 30\n"));
	handler("exit 86");
	expect("check", "a", INSTALL_EXITED, 86);
	handler("kill -9 $$");
	expect("check", "a", INSTALL_EXITED, INSTALL_CODE_FAILED);
}
END_TEST

START_TEST(installs)
{
	struct install_record r;
	int fd;

	handler("echo $1 >>$F/log; [ $1 = install ] && cp $2 $F/installed; exit 0");
	expect("install", "a1", INSTALL_EXITED, 0);
	ck_assert(has("log", "check\ninstall\n"));
	ck_assert(has("installed", "content"));
	/* Nothing of the package remains. */
	ck_assert(access(path_in("state/h.package"), F_OK) < 0);
	expect("wait", "a1", INSTALL_EXITED, 0);
	expect("wait", "a2", INSTALL_UNKNOWN, 0);
	fd = open(state, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(install_record_read(fd, "h", &r), 0);
	close(fd);
	ck_assert_int_eq(r.stage, INSTALL_ENDED);
	ck_assert_str_eq(r.id, "a1");
}
END_TEST

/* Root's own copy is what counts: here the one that came changes between check and install. */
START_TEST(copies)
{
	handler("[ $1 = check ] && echo other >$F/package; [ $1 = install ] && cp $2 $F/installed; exit 0");
	expect("install", "a", INSTALL_EXITED, 0);
	ck_assert(has("package", "other\n"));
	ck_assert(has("installed", "content"));
}
END_TEST

START_TEST(not_installed)
{
	handler("[ $1 = check ] && exit 85; touch $F/installed");
	expect("install", "a", INSTALL_EXITED, INSTALL_CODE_NOT_INTACT);
	ck_assert(access(path_in("installed"), F_OK) < 0);
	handler("[ $1 = check ] && exit 0; exit 7");
	expect("install", "b", INSTALL_EXITED, 7);
	expect("wait", "b", INSTALL_EXITED, 7);
	ck_assert(access(path_in("state/h.package"), F_OK) < 0);
}
END_TEST

START_TEST(reboots)
{
	char program[80];

	snprintf(program, sizeof(program), "%s/reboot", folder);
	options.reboot = program;
	write_file("reboot", "#!/bin/sh\necho again >>\"${0%/*}/rebooted\"\n", 0755);
	handler("[ $1 = install ] && exit 100; [ $1 = confirm ] && echo yes >>$F/confirmed; exit 0");
	expect("install", "a", INSTALL_REBOOT, 0);
	ck_assert(has("rebooted", "again\n"));
	expect("wait", "a", INSTALL_REBOOT, 0);
	ck_assert(!has("confirmed", "yes\n"));
	options.boot = "second";
	expect("wait", "a", INSTALL_EXITED, 0);
	/* Once. */
	expect("wait", "a", INSTALL_EXITED, 0);
	ck_assert(has("confirmed", "yes\n"));
}
END_TEST

START_TEST(came_back_on_the_old_one)
{
	options.reboot = "/bin/true";
	handler("[ $1 = install ] && exit 100; [ $1 = confirm ] && exit 1; exit 0");
	expect("install", "a", INSTALL_REBOOT, 0);
	options.boot = "second";
	expect("wait", "a", INSTALL_EXITED, 1);
}
END_TEST

static void lay(enum install_stage stage, const char *id)
{
	struct install_record r = { .stage = stage, .boot = "first" };
	int fd;

	strcpy(r.id, id);
	mkdir(state, 0755);
	fd = open(state, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(install_record_write(fd, "h", &r), 0);
	close(fd);
}

/* A power cut. */
START_TEST(broken_off)
{
	handler("exit 0");
	lay(INSTALL_RUNNING, "a");
	expect("wait", "a", INSTALL_BROKEN, 0);
	write_file("state/h.result", "id=a\nsta", 0644);
	expect("wait", "a", INSTALL_UNKNOWN, 0);
}
END_TEST

/* That it has begun is known before the handler does anything. */
START_TEST(begun)
{
	static const char *const actions[] = { "install", "uninstall", "activate" };

	handler("cp $F/state/h.result $F/seen; exit 0");
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		char record[80];

		expect(actions[i], actions[i], INSTALL_EXITED, 0);
		snprintf(record, sizeof(record), "id=%s\nstage=running\ncode=0\nboot=first\n", actions[i]);
		ck_assert(has("seen", record));
	}
}
END_TEST

START_TEST(busy)
{
	int fd;

	handler("exit 0");
	lay(INSTALL_RUNNING, "a");
	fd = open(path_in("state/h.lock"), O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	expect("install", "b", INSTALL_BUSY, 0);
	expect("uninstall", "b", INSTALL_BUSY, 0);
	close(fd);
	expect("install", "b", INSTALL_EXITED, 0);
}
END_TEST

START_TEST(others)
{
	handler("echo $1 $# >$F/log; exit 0");
	expect("uninstall", "a", INSTALL_EXITED, 0);
	ck_assert(has("log", "uninstall 1\n"));
	expect("activate", "a", INSTALL_EXITED, 0);
	ck_assert(has("log", "activate 1\n"));
	expect("deactivate", "a", INSTALL_EXITED, 0);
	ck_assert(has("log", "deactivate 1\n"));
}
END_TEST

/* One handler, several softwares: each has its own record, of whatever was done with it last. */
START_TEST(softwares)
{
	struct install_answer a;

	handler("echo $1 ${FIELDWAY_SOFTWARE-none} >$F/log; [ $1 = deactivate ] && exit 1; exit 0");
	ck_assert_int_eq(ask_for("app", "uninstall", "a", &a), 0);
	ck_assert(has("log", "uninstall app\n"));
	ck_assert_int_eq(ask_for("other", "deactivate", "b", &a), 0);
	ck_assert_int_eq(a.code, 1);
	expect("install", "c", INSTALL_EXITED, 0);
	ck_assert(has("log", "install none\n"));
	ck_assert_int_eq(ask_for("app", "wait", "a", &a), 0);
	ck_assert_int_eq(a.end, INSTALL_EXITED);
	ck_assert_int_eq(a.code, 0);
	ck_assert_int_eq(ask_for("other", "wait", "b", &a), 0);
	ck_assert_int_eq(a.code, 1);
	expect("wait", "c", INSTALL_EXITED, 0);
	ck_assert_int_lt(ask_for("../app", "wait", "a", &a), 0);
}
END_TEST

/* A program that others may change is run by nobody as root. */
START_TEST(not_vouched_for)
{
	struct install_answer a;

	expect("install", "a", INSTALL_REFUSED, 0);
	handler("touch $F/ran");
	chmod(path_in("handlers/h"), 0775);
	ck_assert_int_eq(ask("install", "a", &a), 0);
	ck_assert_int_eq(a.end, INSTALL_REFUSED);
	ck_assert_ptr_nonnull(strstr(a.reason, "may be changed by others"));
	chmod(path_in("handlers/h"), 0644);
	expect("install", "a", INSTALL_REFUSED, 0);
	chmod(path_in("handlers/h"), 0755);
	chmod(handlers, 0777);
	expect("install", "a", INSTALL_REFUSED, 0);
	ck_assert(access(path_in("ran"), F_OK) < 0);
	chmod(handlers, 0755);
	expect("install", "a", INSTALL_EXITED, 0);
}
END_TEST

START_TEST(no_request)
{
	struct install_answer a;
	int fds[2];

	handler("touch $F/ran");
	ck_assert_int_eq(ask("nonsense", "a", &a), -EBADMSG);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	close(fds[0]);
	options.fd = fds[1];
	ck_assert_int_eq(serve(&options), -EBADMSG);
	close(fds[1]);
	ck_assert(access(path_in("ran"), F_OK) < 0);
}
END_TEST

/* An installation without a package is none. */
START_TEST(no_package)
{
	struct install_answer a;

	handler("touch $F/ran");
	ck_assert_int_eq(unlink(path_in("package")), 0);
	ck_assert_int_eq(mkdir(path_in("package"), 0700), 0);
	ck_assert_int_eq(ask("install", "a", &a), 0);
	ck_assert_uint_eq(a.code, INSTALL_CODE_FAILED);
	ck_assert(access(path_in("ran"), F_OK) < 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("install");
	TCase *tcase = tcase_create("serve");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, checks);
	tcase_add_test(tcase, installs);
	tcase_add_test(tcase, copies);
	tcase_add_test(tcase, not_installed);
	tcase_add_test(tcase, reboots);
	tcase_add_test(tcase, came_back_on_the_old_one);
	tcase_add_test(tcase, broken_off);
	tcase_add_test(tcase, begun);
	tcase_add_test(tcase, busy);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, softwares);
	tcase_add_test(tcase, not_vouched_for);
	tcase_add_test(tcase, no_request);
	tcase_add_test(tcase, no_package);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
