/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "install/protocol.h"
#include "install/serve.h"

char folder[64], place[100], handlers[80], results[80], packages[80], records[80];
sd_event *event;
struct timers *timers;
struct state *state;
struct installer installer;
char trail[256], answer_reason[100];
int answers, answer_error;

static void *install_thread(void *userdata)
{
	char request[INSTALL_MESSAGE_MAX];
	int fd;

	while ((fd = accept(installer.fd, NULL, NULL)) >= 0) {
		struct serve_options o = { .fd = fd, .handlers = handlers, .state = results, .reboot = "/bin/true",
					   .boot = installer.boot };

		const bool holds = installer.holds;

		installer.requests++;
		if (holds)
			sem_wait(&installer.go);
		if (!installer.silent)
			serve(&o);
		else if (recv(fd, request, sizeof(request), 0) < 0)
			abort();
		close(fd);
	}
	return NULL;
}

void start_installer(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	unlink(place);
	strcpy(address.sun_path, place);
	installer.fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ck_assert_int_eq(bind(installer.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(installer.fd, 8), 0);
	ck_assert_int_eq(pthread_create(&installer.thread, NULL, install_thread, NULL), 0);
}

void stop_installer(void)
{
	if (installer.fd < 0)
		return;
	shutdown(installer.fd, SHUT_RDWR);
	pthread_join(installer.thread, NULL);
	close(installer.fd);
	installer.fd = -1;
}

void release_installer(void)
{
	installer.holds = false;
	ck_assert_int_eq(sem_post(&installer.go), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void push_to(struct delivery *d, const char *text)
{
	answers = 0;
	answer_error = 1;
	ck_assert_int_eq(delivery_push_begin(d, strlen(text)), 0);
	ck_assert_int_eq(delivery_push_take(d, text, strlen(text)), 0);
	delivery_push_end(d, answered, NULL);
	until(answers > 0);
	ck_assert_int_eq(answers, 1);
}

static const char *go_path(void)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s/go", folder);
	return path;
}

void make_go(void)
{
	ck_assert_int_eq(mkfifo(go_path(), 0600), 0);
}

int wait_for_go(void)
{
	int fd;

	/* Opens when the handler has. */
	while ((fd = open(go_path(), O_WRONLY | O_NONBLOCK)) < 0)
		ck_assert_int_ge(sd_event_run(event, 20 * USEC_PER_MSEC), 0);
	return fd;
}

void go_on(int fd)
{
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	close(fd);
}

void break_records(void)
{
	char temporary[120];

	ck_assert_int_eq(state_flush(state), 0);
	snprintf(temporary, sizeof(temporary), "%s/temporary", records);
	ck_assert_int_eq(rmdir(temporary), 0);
}

void handler(const char *script)
{
	char path[120], text[1024];
	int fd;

	snprintf(path, sizeof(path), "%s/h", handlers);
	snprintf(text, sizeof(text), "#!/bin/sh\nF=%s\n%s\n", folder, script);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, 0755);
	close(fd);
}

bool has(const char *name, const char *text)
{
	char path[120], found[128] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, found, sizeof(found) - 1) < 0)
		found[0] = '\0';
	close(fd);
	return strcmp(found, text) == 0;
}

void machine_setup(void)
{
	strcpy(folder, "/tmp/fieldway-update-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(place, sizeof(place), "%s/socket", folder);
	snprintf(handlers, sizeof(handlers), "%s/handlers", folder);
	snprintf(results, sizeof(results), "%s/results", folder);
	snprintf(packages, sizeof(packages), "%s/packages", folder);
	snprintf(records, sizeof(records), "%s/state", folder);
	ck_assert_int_eq(mkdir(handlers, 0755), 0);
	chmod(handlers, 0755);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(timers_new(event, &timers), 0);
	ck_assert_int_eq(state_new(records, event, &state), 0);
	installer.boot = "first";
	installer.silent = installer.holds = false;
	installer.requests = 0;
	ck_assert_int_eq(sem_init(&installer.go, 0, 0), 0);
	start_installer();
}

void machine_teardown(void)
{
	stop_installer();
	state = state_free(state);
	timers = timers_free(timers);
	event = sd_event_unref(event);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void note_change(int now_state, int now_result)
{
	char now[32];

	snprintf(now, sizeof(now), "%d/%d ", now_state, now_result);
	if (strlen(trail) < strlen(now) || strcmp(trail + strlen(trail) - strlen(now), now) != 0) {
		ck_assert_uint_lt(strlen(trail) + strlen(now), sizeof(trail));
		strcat(trail, now);
	}
}

void answered(void *userdata, int error, const char *reason)
{
	answers++;
	answer_error = error;
	snprintf(answer_reason, sizeof(answer_reason), "%s", reason ?: "");
}
