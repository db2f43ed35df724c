/* SPDX-License-Identifier: Apache-2.0 */
#include "update/package.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/io.h"
#include "base/list.h"
#include "base/thread.h"

enum order_kind {
	ORDER_OPEN,
	ORDER_WRITE,
	ORDER_FINISH,
	ORDER_STOP,
	ORDER_DROP,
};

/* What the thread has to do, in this order. */
struct order {
	struct list node;
	enum order_kind kind;
	uint64_t generation;
	uint64_t offset; /* of ORDER_OPEN */
	size_t size;	 /* of ORDER_WRITE */
	uint8_t data[];
};

struct package {
	package_handler done;
	void *userdata;
	char *part, *whole; /* names in the folder */
	int folder, notify_fd;
	sd_event_source *source;
	/* Of the loop. */
	bool coming;
	int error; /* that ended it */
	uint64_t size, max_size, generation;
	/* Of the thread. */
	pthread_t thread;
	int fd;
	int failed; /* since the last ORDER_OPEN */
	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list orders;
	size_t queued;
	bool running, stopping;
	bool alone; /* the thread goes on without the loop, and frees it */
	struct {
		bool there;
		uint64_t generation;
		int error;
	} outcome;
};

/* ---- the thread ---- */

static void close_part(struct package *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static bool is_part(const struct package *p)
{
	struct stat ours, there;

	return fstat(p->fd, &ours) >= 0 && fstatat(p->folder, p->part, &there, AT_SYMLINK_NOFOLLOW) >= 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* The part, when a thread that was let go has done with it. */
static int take_part(struct package *p)
{
	do {
		close_part(p);
		p->fd = openat(p->folder, p->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (p->fd < 0)
			return -errno;
		while (flock(p->fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return -errno;
		/* What it was making may have become the whole meanwhile. */
	} while (!is_part(p));
	return 0;
}

static int open_part(struct package *p, uint64_t offset)
{
	int r = take_part(p);

	if (r < 0)
		return r;
	if (ftruncate(p->fd, (off_t)offset) < 0 || lseek(p->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int finish_part(struct package *p)
{
	int r = fsync(p->fd) < 0 ? -errno : 0;

	if (r >= 0)
		r = io_rename(p->folder, p->part, p->whole);
	close_part(p);
	return r;
}

static void drop(struct package *p)
{
	close_part(p);
	unlinkat(p->folder, p->part, 0);
	/* Or after a power cut it would be taken for the next one. */
	if (unlinkat(p->folder, p->whole, 0) >= 0)
		fsync(p->folder);
}

static void stop(struct package *p)
{
	if (p->fd >= 0)
		fdatasync(p->fd);
	close_part(p);
}

static void tell(struct package *p, uint64_t generation, int error)
{
	const uint64_t one = 1;
	ssize_t ignored _unused_;

	pthread_mutex_lock(&p->lock);
	p->outcome.there = true;
	p->outcome.generation = generation;
	p->outcome.error = error;
	pthread_mutex_unlock(&p->lock);
	ignored = write(p->notify_fd, &one, sizeof(one));
}

static void carry_out(struct package *p, const struct order *o)
{
	int r = 0;

	switch (o->kind) {
	case ORDER_OPEN:
		p->failed = r = open_part(p, o->offset);
		break;
	case ORDER_WRITE:
		if (p->failed < 0)
			return;
		p->failed = r = io_write(p->fd, o->data, o->size);
		break;
	case ORDER_FINISH:
		if (p->failed < 0)
			return;
		p->failed = r = finish_part(p);
		break;
	case ORDER_STOP:
		stop(p);
		return;
	case ORDER_DROP:
		drop(p);
		return;
	}
	if (r < 0 || o->kind == ORDER_FINISH)
		tell(p, o->generation, r);
}

static struct order *next_order(struct package *p)
{
	struct order *o = NULL;

	pthread_mutex_lock(&p->lock);
	while (list_is_empty(&p->orders) && !p->stopping)
		pthread_cond_wait(&p->work, &p->lock);
	if (!list_is_empty(&p->orders)) {
		o = list_entry(p->orders.next, struct order, node);
		list_remove(&o->node);
	}
	pthread_mutex_unlock(&p->lock);
	return o;
}

static void package_destroy(struct package *p)
{
	closep(&p->notify_fd);
	closep(&p->folder);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->part);
	free(p->whole);
	free(p);
}

static void *writer(void *userdata)
{
	struct package *p = userdata;
	struct order *o;
	bool alone;

	while ((o = next_order(p))) {
		carry_out(p, o);
		pthread_mutex_lock(&p->lock);
		p->queued -= o->size;
		pthread_mutex_unlock(&p->lock);
		free(o);
	}
	close_part(p);
	pthread_mutex_lock(&p->lock);
	alone = p->alone;
	pthread_mutex_unlock(&p->lock);
	if (alone)
		package_destroy(p);
	return NULL;
}

/* ---- the loop ---- */

static int start_thread(struct package *p)
{
	int r;

	if (p->running)
		return 0;
	r = thread_start(&p->thread, NULL, writer, p);
	p->running = r == 0;
	return r;
}

static int put(struct package *p, enum order_kind kind, uint64_t offset, const void *data, size_t size)
{
	struct order *o;
	int r = start_thread(p);

	if (r < 0)
		return r;
	o = malloc(sizeof(*o) + size);
	if (!o)
		return -ENOMEM;
	*o = (struct order){ .kind = kind, .generation = p->generation, .offset = offset, .size = size };
	if (size > 0)
		memcpy(o->data, data, size);
	pthread_mutex_lock(&p->lock);
	list_append(&p->orders, &o->node);
	p->queued += size;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static bool take_outcome(struct package *p, int *ret_error)
{
	bool current;

	pthread_mutex_lock(&p->lock);
	current = p->outcome.there && p->outcome.generation == p->generation;
	*ret_error = p->outcome.error;
	p->outcome.there = false;
	pthread_mutex_unlock(&p->lock);
	return current;
}

static int on_outcome(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct package *p = userdata;
	uint64_t n;
	ssize_t ignored _unused_ = read(fd, &n, sizeof(n));
	int error;

	(void)source;
	(void)events;
	if (!take_outcome(p, &error) || !p->coming)
		return 0;
	p->coming = false;
	p->error = error;
	p->done(p->userdata, error);
	return 0;
}

static uint64_t file_size(const struct package *p, const char *name)
{
	struct stat st;

	return fstatat(p->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ? 0 : (uint64_t)st.st_size;
}

uint64_t package_part_size(const struct package *p)
{
	return file_size(p, p->part);
}

static int check_room(const struct package *p, uint64_t size)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(p->folder, &fs) < 0)
		return -errno;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return size + PACKAGE_SPARE > free_bytes ? -ENOSPC : 0;
}

int package_begin(struct package *p, uint64_t offset, uint64_t size, uint64_t max_size)
{
	int r;

	package_stop(p);
	if (size > max_size || offset > max_size)
		return -EFBIG;
	r = check_room(p, size > offset ? size - offset : 0);
	if (r < 0)
		return r;
	p->max_size = max_size;
	p->generation++;
	r = put(p, ORDER_OPEN, offset, NULL, 0);
	if (r < 0)
		return r;
	p->coming = true;
	p->error = 0;
	p->size = offset;
	return 0;
}

static bool has_room(struct package *p, size_t size)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	room = p->queued + size <= PACKAGE_QUEUE_MAX;
	pthread_mutex_unlock(&p->lock);
	return room;
}

int package_take(struct package *p, const void *data, size_t size)
{
	int r;

	if (!p->coming)
		return p->error < 0 ? p->error : -ENOENT;
	if (size > p->max_size - p->size)
		return -EFBIG;
	if (!has_room(p, size))
		return -EBUSY;
	r = put(p, ORDER_WRITE, 0, data, size);
	if (r >= 0)
		p->size += size;
	return r;
}

int package_finish(struct package *p)
{
	return put(p, ORDER_FINISH, 0, NULL, 0);
}

void package_drop(struct package *p)
{
	p->coming = false;
	p->generation++;
	p->size = 0;
	/* Without memory or a thread for it nothing is being written, and an old package is replaced by the next. */
	if (put(p, ORDER_DROP, 0, NULL, 0) < 0 && !p->running)
		drop(p);
}

void package_stop(struct package *p)
{
	if (!p->coming)
		return;
	p->coming = false;
	p->generation++;
	put(p, ORDER_STOP, 0, NULL, 0);
}

uint64_t package_size(const struct package *p)
{
	return p->size;
}

int package_open(const struct package *p)
{
	int fd = openat(p->folder, p->whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* What is brought to the disk in a folder that is new is there only with the folder itself. */
static int sync_parent(int folder)
{
	_cleanup_close_ int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return parent < 0 || fsync(parent) < 0 ? -errno : 0;
}

static int open_folder(struct package *p, const char *folder)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	p->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->folder < 0 ? -errno : sync_parent(p->folder);
}

static int listen_to_thread(struct package *p, struct sd_event *event)
{
	p->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->notify_fd < 0)
		return -errno;
	return sd_event_add_io(event, &p->source, p->notify_fd, EPOLLIN, on_outcome, p);
}

static int package_init(struct package *p, const struct package_config *config)
{
	p->whole = strdup(config->name);
	if (!p->whole || asprintf(&p->part, "%s.part", config->name) < 0) {
		p->part = NULL;
		return -ENOMEM;
	}
	return open_folder(p, config->folder);
}

int package_new(const struct package_config *config, struct package **ret)
{
	struct package *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->done = config->done;
	p->userdata = config->userdata;
	p->folder = p->notify_fd = p->fd = -1;
	list_init(&p->orders);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	r = package_init(p, config);
	if (r >= 0)
		r = listen_to_thread(p, config->event);
	if (r < 0) {
		package_free(p);
		return r;
	}
	p->size = file_size(p, p->whole);
	*ret = p;
	return 0;
}

void package_detach(struct package *p)
{
	pthread_mutex_lock(&p->lock);
	p->alone = p->running;
	pthread_mutex_unlock(&p->lock);
}

struct package *package_free(struct package *p)
{
	bool alone;

	if (!p)
		return NULL;
	sd_event_source_disable_unref(p->source);
	alone = p->alone;
	if (alone)
		pthread_detach(p->thread);
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
	/* It is the thread's from here on. */
	if (alone)
		return NULL;
	if (p->running)
		pthread_join(p->thread, NULL);
	package_destroy(p);
	return NULL;
}
