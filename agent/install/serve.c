/* SPDX-License-Identifier: Apache-2.0 */
#include "install/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/str.h"
#include "install/handler.h"
#include "install/record.h"

#define SYSTEMCTL "/bin/systemctl"

struct work {
	const struct serve_options *options;
	struct install_request request;
	struct install_answer answer;
	char program[PATH_MAX]; /* the handler */
	char subject[INSTALL_SUBJECT_MAX]; /* of whose results there is a record */
	char boot[INSTALL_BOOT_MAX];
	int package; /* that came with the request, or -1 */
	int folder;  /* of the results */
	int lock;    /* while an installation by this handler is under way */
};

/* ---- the connection ---- */

static int take_descriptor(struct msghdr *m)
{
	int fd = -1, more;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
			memcpy(&more, CMSG_DATA(c) + i * sizeof(int), sizeof(more));
			closep(&fd);
			fd = more;
		}
	}
	return fd;
}

static int receive(struct work *w)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char message[INSTALL_MESSAGE_MAX];
	struct iovec part = { message, sizeof(message) };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(w->options->fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	w->package = take_descriptor(&m);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EBADMSG;
	return install_request_decode(message, (size_t)n, &w->request);
}

static void answer(const struct work *w)
{
	char message[INSTALL_MESSAGE_MAX];
	int n = install_answer_encode(&w->answer, message, sizeof(message));

	/* Who has gone meanwhile asks again. */
	if (n > 0 && send(w->options->fd, message, (size_t)n, MSG_NOSIGNAL) < 0)
		log_info(NULL, "nobody hears how %s %s ended", w->request.handler, w->request.id);
}

/* ---- the package ---- */

static int copy(int from, int to)
{
	char block[1 << 16];
	ssize_t n;
	int r;

	do {
		n = io_read(from, block, sizeof(block));
		r = n < 0 ? (int)n : io_write(to, block, (size_t)n);
	} while (r >= 0 && n > 0);
	return r;
}

static const char *package_path(const struct work *w, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/%s.package", w->options->state, w->request.handler);
	return ret;
}

/*
 * Root's own: what the handler has checked is what it installs, whoever still
 * writes to the file of which that is a copy.
 */
static int take_package(struct work *w, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (w->package < 0 || fstat(w->package, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	return lseek(w->package, 0, SEEK_SET) < 0 ? -errno : copy(w->package, fd);
}

/* ---- the handler ---- */

/* It was found: of a file that is not there it is another one. */
static void not_started(struct work *w, int error)
{
	snprintf(w->answer.reason, sizeof(w->answer.reason), "handler %s cannot be started: %s", w->request.handler,
		 error == -ENOENT ? "there is no such program as its first line names" : strerror(-error));
	log_error(NULL, "%s", w->answer.reason);
	w->answer.code = INSTALL_CODE_FAILED;
}

static int run(struct work *w, const char *action, const char *package, int input)
{
	const bool checks = streq(action, "check");
	char output[HANDLER_OUTPUT_MAX];
	size_t size = 0;
	struct handler_run r = {
		.program = w->program,
		.action = action,
		.package = package,
		.input = input,
		.severity = w->request.severity,
		.defer_s = w->request.defer_s,
		.software = w->request.software,
		.collect = checks,
	};
	int error = handler_run(&r, &w->answer.code, output, &size);

	if (error < 0) {
		not_started(w, error);
		return -ECANCELED;
	}
	if (checks) {
		install_line(output, size, "name", w->answer.name, sizeof(w->answer.name));
		install_line(output, size, "version", w->answer.version, sizeof(w->answer.version));
	}
	log_info(NULL, "handler %s: %s%s%s: exit status %u", w->request.handler, action,
		 *w->request.software ? " of " : "", w->request.software, w->answer.code);
	return w->answer.code == INSTALL_CODE_DONE ? 0 : -ECANCELED;
}

/* Nothing that root does not vouch for is run, whatever the name. */
static int find(struct work *w)
{
	int r = handler_find(w->options->handlers, w->request.handler, w->program, sizeof(w->program),
			     w->answer.reason);

	if (r < 0) {
		w->answer.end = INSTALL_REFUSED;
		log_error(NULL, "handler %s: %s", w->request.handler, w->answer.reason);
	}
	return r;
}

/* ---- results ---- */

static int record(const struct work *w, enum install_stage stage)
{
	struct install_record r = { .stage = stage, .code = w->answer.code };
	int error;

	strcpy(r.id, w->request.id);
	strcpy(r.boot, w->boot);
	error = install_record_write(w->folder, w->subject, &r);
	if (error < 0)
		log_error(NULL, "%s: the result cannot be written: %s", w->options->state, strerror(-error));
	return error;
}

static void name_subject(struct work *w)
{
	const struct install_request *q = &w->request;

	snprintf(w->subject, sizeof(w->subject), "%s%s%s", q->handler, *q->software ? "@" : "", q->software);
}

static void read_boot(struct work *w)
{
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (w->options->boot) {
		snprintf(w->boot, sizeof(w->boot), "%s", w->options->boot);
		return;
	}
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, w->boot, sizeof(w->boot) - 1);
	w->boot[n > 0 ? n : 0] = '\0';
	w->boot[strcspn(w->boot, "\n")] = '\0';
}

static int open_folder(struct work *w)
{
	if (mkdir(w->options->state, 0755) < 0 && errno != EEXIST)
		return -errno;
	w->folder = open(w->options->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->folder < 0 ? -errno : 0;
}

/* -EWOULDBLOCK: another one has it, and wait is false. */
static int lock(struct work *w, bool wait)
{
	char name[INSTALL_NAME_MAX + 8];

	snprintf(name, sizeof(name), "%s.lock", w->request.handler);
	w->lock = openat(w->folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock < 0)
		return -errno;
	while (flock(w->lock, wait ? LOCK_EX : LOCK_EX | LOCK_NB) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* ---- actions ---- */

static void reboot_machine(const struct work *w)
{
	char program[PATH_MAX], verb[] = "reboot";
	char *own[] = { program, NULL }, *systemd[] = { program, verb, NULL }, *environment[] = { NULL };
	pid_t pid;
	int r;

	snprintf(program, sizeof(program), "%s", w->options->reboot ?: SYSTEMCTL);
	log_notice(NULL, "%s: what %s installed is in force after a restart, which is asked for now",
		   w->request.handler, w->request.id);
	r = posix_spawn(&pid, program, NULL, NULL, w->options->reboot ? own : systemd, environment);
	if (r != 0)
		log_error(NULL, "%s cannot be started: %s", program, strerror(r));
	else
		waitpid(pid, NULL, 0);
}

static void install_copy(struct work *w)
{
	char path[PATH_MAX];
	int r = take_package(w, package_path(w, path));

	if (r < 0) {
		log_error(NULL, "%s: the package cannot be taken over: %s", path, strerror(-r));
		w->answer.code = r == -ENOSPC || r == -EDQUOT ? INSTALL_CODE_NO_STORAGE : INSTALL_CODE_FAILED;
	} else if (run(w, "check", path, -1) >= 0) {
		run(w, "install", path, -1);
	}
	unlink(path);
}

/* Nobody else works with that handler, and it is known that this has begun: without a record nobody could tell later how it ended. */
static bool begin(struct work *w)
{
	int r = lock(w, false);

	if (r < 0) {
		w->answer.end = r == -EWOULDBLOCK ? INSTALL_BUSY : INSTALL_BROKEN;
		return false;
	}
	if (record(w, INSTALL_RUNNING) < 0) {
		w->answer.code = INSTALL_CODE_NO_STORAGE;
		return false;
	}
	return true;
}

static void do_package(struct work *w)
{
	if (!begin(w))
		return;
	install_copy(w);
	if (w->answer.code == INSTALL_CODE_REBOOT) {
		w->answer.end = INSTALL_REBOOT;
		if (record(w, INSTALL_REBOOTING) >= 0)
			reboot_machine(w);
		return;
	}
	record(w, INSTALL_ENDED);
}

/* The machine has started anew: whether on what was installed, the handler knows. */
static void confirm(struct work *w)
{
	run(w, "confirm", NULL, -1);
	record(w, INSTALL_ENDED);
}

static void do_wait(struct work *w)
{
	struct install_record known;

	if (lock(w, true) < 0 || install_record_read(w->folder, w->subject, &known) < 0 ||
	    !streq(known.id, w->request.id)) {
		w->answer.end = INSTALL_UNKNOWN;
		return;
	}
	w->answer.code = known.code;
	switch (known.stage) {
	case INSTALL_RUNNING:
		w->answer.end = INSTALL_BROKEN;
		break;
	case INSTALL_REBOOTING:
		if (streq(known.boot, w->boot))
			w->answer.end = INSTALL_REBOOT;
		else
			confirm(w);
		break;
	case INSTALL_ENDED:
		break;
	}
}

static void do_simply(struct work *w)
{
	if (!begin(w))
		return;
	run(w, install_action_name(w->request.action), NULL, -1);
	record(w, INSTALL_ENDED);
}

static void work(struct work *w)
{
	if (find(w) < 0)
		return;
	switch (w->request.action) {
	case INSTALL_CHECK:
		run(w, "check", "/dev/stdin", w->package);
		break;
	case INSTALL_PACKAGE:
		do_package(w);
		break;
	case INSTALL_WAIT:
		do_wait(w);
		break;
	case INSTALL_UNINSTALL:
	case INSTALL_ACTIVATE:
	case INSTALL_DEACTIVATE:
		do_simply(w);
		break;
	}
}

int serve(const struct serve_options *options)
{
	struct work w = { .options = options, .package = -1, .folder = -1, .lock = -1 };
	int r = receive(&w);

	if (r >= 0)
		r = open_folder(&w);
	if (r < 0) {
		log_error(NULL, "a request cannot be served: %s", strerror(-r));
	} else {
		read_boot(&w);
		name_subject(&w);
		work(&w);
		/* Whoever hears the answer may ask for the next thing at once. */
		closep(&w.lock);
		answer(&w);
	}
	closep(&w.package);
	closep(&w.folder);
	return r;
}
