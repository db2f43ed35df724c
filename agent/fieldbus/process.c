/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fieldbus/internal.h"

struct fieldbus_config fieldbus_launcher(const struct fieldbus *f)
{
	return (struct fieldbus_config){
		.event = f->event,
		.timers = f->timers,
		.host_socket = f->host_socket,
		.host_program = f->host_program,
		.plugin_folder = f->plugin_folder,
		.stop_fd = f->stop_fd,
	};
}

int process_launch(const struct fieldbus_config *config, struct process *ret, int *ret_fd)
{
	return config->host_socket ? launch_service(config, ret, ret_fd) :
				     launch_child(config, ret, ret_fd);
}

void process_signal(const struct process *p, int signal)
{
	switch (p->kind) {
	case PROCESS_NONE:
		break;
	case PROCESS_CHILD:
		pidfd_send_signal(p->fd, signal, NULL, 0);
		break;
	case PROCESS_SERVICE:
		/* Only this half: with both closed there were no hang-up to wait for. */
		shutdown(p->fd, SHUT_WR);
		break;
	}
}

uint32_t process_events(const struct process *p)
{
	return p->kind == PROCESS_CHILD ? POLLIN : 0;
}

bool process_wait(const struct process *p, uint64_t usec)
{
	struct pollfd pollfd = { .fd = p->fd, .events = (short)process_events(p) };
	uint64_t now = clock_monotonic_usec(), end = usec_add(now, usec);
	int n;

	if (p->kind == PROCESS_NONE)
		return true;
	do {
		n = poll(&pollfd, 1, (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
		now = clock_monotonic_usec();
	} while (n < 0 && errno == EINTR && now < end);
	return n > 0;
}

void process_wait_killed(const struct process *p, uint64_t usec)
{
	process_wait(p, p->kind == PROCESS_CHILD ? PROCESS_KILLED_USEC : usec);
}

static void describe_status(const siginfo_t *info, char *ret, size_t size)
{
	const char *name = sigabbrev_np(info->si_status);

	if (info->si_code == CLD_EXITED)
		snprintf(ret, size, "exited with status %d", info->si_status);
	else
		snprintf(ret, size, "killed by %s%s", name ? "SIG" : "a signal", name ?: "");
}

/* Who started a service has its status, and has written it down. */
static void describe_end(const struct process *p, char *ret, size_t size)
{
	siginfo_t info = { 0 };

	if (p->kind == PROCESS_SERVICE)
		snprintf(ret, size, "%s", process_wait(p, 0) ? "the journal says how" : "still there");
	else if (waitid(P_PIDFD, (id_t)p->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		snprintf(ret, size, "still there");
	else
		describe_status(&info, ret, size);
}

void process_reap(struct process *p, char *ret_how, size_t size)
{
	if (p->kind == PROCESS_NONE)
		return;
	describe_end(p, ret_how, size);
	close(p->fd);
	*p = (struct process){ 0 };
}
