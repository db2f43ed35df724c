/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include "gateway/configuration/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "gateway/kept/unreached.h"
#include "secret/secret.h"

struct reader {
	struct reader_config config;
	struct reading reading; /* the thread's until it has written to fd */
	reader_done done;
	void *userdata;
	int fd;	     /* the thread has ended */
	int stop_fd; /* it is to end, for load_sources */
	sd_event_source *source;
	pthread_t thread;
	bool started;
};

void reading_done(struct reading *r)
{
	yaml_errors_done(&r->errors);
	yaml_errors_done(&r->warnings);
	yaml_errors_done(&r->unreached);
	r->difference = config_difference_free(r->difference);
	r->files = config_files_free(r->files);
	loaded_done(&r->loaded);
}

/* ---- in the thread ---- */

static int read_files(struct reader *r)
{
	struct reading *reading = &r->reading;

	if (reading->files)
		return 0;
	return config_files_read(r->config.config_folder, r->config.shared_folder, &reading->errors,
				 &reading->files);
}

static int read_all(struct reader *r, struct secret_store *secrets)
{
	struct load_sources sources = r->config.sources;
	struct reading *reading = &r->reading;
	int error = read_files(r);

	sources.secrets = secrets;
	if (error >= 0)
		error = load_files(&sources, reading->files, &reading->errors, &reading->warnings,
				   &reading->loaded);
	if (error >= 0 && r->config.before)
		error = config_difference_new(r->config.before, reading->loaded.config, &reading->difference);
	return error < 0 ? error : unreached_tell(r->config.state_folder, reading->loaded.config, reading->difference,
						  sources.stop_fd, &reading->unreached);
}

static void *reader_thread(void *userdata)
{
	struct reader *r = userdata;
	struct secret_store *secrets = NULL;
	int error = secret_store_new(r->config.config_folder, &secrets);

	if (error >= 0)
		error = read_all(r, secrets);
	r->reading.error = error;
	secret_store_free(secrets);
	/* Cannot fail: the counter of an eventfd takes more than 1. */
	eventfd_write(r->fd, 1);
	return NULL;
}

/* ---- in the loop ---- */

static int thread_ended(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct reader *r = userdata;
	struct reading reading;

	(void)fd;
	(void)events;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	pthread_join(r->thread, NULL);
	r->started = false;
	reading = r->reading;
	r->reading = (struct reading){ 0 };
	r->done(r->userdata, &reading);
	return 0;
}

static int start_thread(struct reader *r)
{
	int error = thread_start(&r->thread, NULL, reader_thread, r);

	r->started = error == 0;
	return error;
}

static int reader_open(struct reader *r)
{
	int error;

	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0 || r->stop_fd < 0)
		return -errno;
	error = sd_event_add_io(r->config.event, &r->source, r->fd, EPOLLIN, thread_ended, r);
	return error < 0 ? error : start_thread(r);
}

int reader_new(const struct reader_config *config, reader_done done, void *userdata, struct reader **ret)
{
	struct reader *r = calloc(1, sizeof(*r));
	int error;

	if (!r) {
		config_files_free(config->files);
		return -ENOMEM;
	}
	r->config = *config;
	r->reading.files = config->files;
	r->done = done;
	r->userdata = userdata;
	r->fd = r->stop_fd = -1;
	r->config.sources.stop_fd = &r->stop_fd;
	error = reader_open(r);
	if (error < 0) {
		reader_free(r);
		return error;
	}
	*ret = r;
	return 0;
}

struct reader *reader_free(struct reader *r)
{
	if (!r)
		return NULL;
	if (r->started) {
		eventfd_write(r->stop_fd, 1);
		pthread_join(r->thread, NULL);
	}
	sd_event_source_disable_unref(r->source);
	closep(&r->fd);
	closep(&r->stop_fd);
	reading_done(&r->reading);
	free(r);
	return NULL;
}
