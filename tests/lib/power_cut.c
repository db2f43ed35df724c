/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Preloaded into a program, it cuts the power at one of the calls that change
 * what lies below a folder: the process ends by SIGKILL in place of the call (of
 * a write, in the middle of it), and what was not brought to the disk is lost.
 *
 *	FIELDWAY_CUT_FOLDER  absolute, without links
 *	FIELDWAY_CUT_AT      the number of the call, 0 none
 *	FIELDWAY_CUT_LOSES   what no fsync has confirmed: "" nothing of it, "data" what
 *	                     was written to files, "names" that, and what became of names
 *	FIELDWAY_CUT_COUNT   a file of 8 bytes that has the calls made so far, a native uint64_t
 *
 * Former files of names that may still be lost lie beside the folder, in FOLDER.cut.
 */

#define FILES_MAX 64
#define NAMES_MAX 512
#define DESCRIPTORS_MAX 4096

enum change {
	CREATED,
	MADE, /* a folder */
	MOVED,
	REMOVED,
};

/* A file that was written, its size as the disk surely has it, and a descriptor of ours. */
static struct file {
	bool used;
	dev_t dev;
	ino_t ino;
	off_t confirmed;
	int fd;
} files[FILES_MAX];

/* A change of names that its folder's fsync has not confirmed, oldest first. */
static struct name {
	enum change change;
	char *path, *from, *former; /* former: a link to what was there, or NULL */
} names[NAMES_MAX];

static struct file *written[DESCRIPTORS_MAX]; /* by descriptor */
static unsigned n_names, n_former;
static const char *folder, *loses = "";
static uint64_t cut_at, *count, own_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name, ...)                                           \
	({                                                        \
		static __typeof__(&name) real_;                   \
		if (!real_)                                       \
			real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
		real_(__VA_ARGS__);                               \
	})

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FIELDWAY_CUT_AT"), *path = getenv("FIELDWAY_CUT_COUNT");
	char beside[PATH_MAX];
	int fd;

	folder = getenv("FIELDWAY_CUT_FOLDER");
	loses = getenv("FIELDWAY_CUT_LOSES") ?: "";
	cut_at = at ? strtoull(at, NULL, 10) : 0;
	count = &own_count;
	if (!folder || !path)
		return;
	snprintf(beside, sizeof(beside), "%s.cut", folder);
	REAL(mkdir, beside, 0700);
	fd = REAL(open, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (count == MAP_FAILED)
		abort();
	REAL(close, fd);
}

/* ---- the end ---- */

static void lose_name(const struct name *n)
{
	char beside[PATH_MAX];

	switch (n->change) {
	case CREATED:
		REAL(unlink, n->path);
		break;
	case MADE:
		/* With all that is in it. */
		snprintf(beside, sizeof(beside), "%s.cut/%d-%u", folder, (int)getpid(), n_former++);
		REAL(rename, n->path, beside);
		break;
	case MOVED:
		REAL(rename, n->path, n->from);
		break;
	case REMOVED:
		break;
	}
	if (n->former)
		REAL(rename, n->former, n->path);
}

static void lose_data(const struct file *f)
{
	struct stat st;

	if (f->used && fstat(f->fd, &st) == 0 && st.st_size > f->confirmed)
		(void)!REAL(ftruncate, f->fd, f->confirmed);
}

static void cut(void)
{
	if (strcmp(loses, "names") == 0)
		while (n_names > 0)
			lose_name(&names[--n_names]);
	if (*loses)
		for (unsigned i = 0; i < FILES_MAX; i++)
			lose_data(&files[i]);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Another call; true: it is the last one. */
static bool is_last(void)
{
	return ++*count == cut_at;
}

static void enter(void)
{
	pthread_mutex_lock(&lock);
	if (is_last())
		cut();
}

/* ---- paths ---- */

static bool is_below(const char *path)
{
	size_t n = folder ? strlen(folder) : 0;

	return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static bool path_of(int fd, char ret[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0)
		return false;
	ret[n] = 0;
	return true;
}

/* The absolute path, if it is one below the folder. */
static bool find(int at, const char *path, char ret[PATH_MAX])
{
	size_t n;

	if (!folder)
		return false;
	if (path[0] == '/') {
		snprintf(ret, PATH_MAX, "%s", path);
		return is_below(ret);
	}
	if (at == AT_FDCWD ? !getcwd(ret, PATH_MAX) : !path_of(at, ret))
		return false;
	n = strlen(ret);
	snprintf(ret + n, PATH_MAX - n, "/%s", path);
	return is_below(ret);
}

static bool is_in(const char *path, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(path, parent, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

/* ---- what may be lost ---- */

static void note_name(enum change change, const char *path, const char *from, char *former)
{
	if (n_names == NAMES_MAX)
		abort();
	names[n_names++] = (struct name){ change, strdup(path), from ? strdup(from) : NULL, former };
}

/* Another link to what the path leads to, which is about to change. */
static char *keep_former(const char *path)
{
	char *former;

	if (asprintf(&former, "%s.cut/%d-%u", folder, (int)getpid(), n_former++) < 0)
		abort();
	if (link(path, former) == 0)
		return former;
	free(former);
	return NULL;
}

static void confirm_names(const char *parent)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n_names; i++) {
		struct name *n = &names[i];

		if (!is_in(n->path, parent)) {
			names[kept++] = *n;
			continue;
		}
		if (n->former)
			REAL(unlink, n->former);
		free(n->path);
		free(n->from);
		free(n->former);
	}
	n_names = kept;
}

static struct file *file_of(const struct stat *st)
{
	struct file *f = NULL;

	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (files[i].used && files[i].dev == st->st_dev && files[i].ino == st->st_ino)
			return &files[i];
		if (!files[i].used)
			f = &files[i];
	}
	if (!f)
		abort();
	return f;
}

/* A file that was opened to be written. */
static void note_file(int fd, bool empty)
{
	struct stat st;
	struct file *f;

	if (fd >= DESCRIPTORS_MAX || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	f = file_of(&st);
	if (!f->used)
		*f = (struct file){ .used = true, .dev = st.st_dev, .ino = st.st_ino,
				    .confirmed = st.st_size, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 1000) };
	if (empty)
		f->confirmed = 0;
	written[fd] = f;
}

static struct file *file_at(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS_MAX ? written[fd] : NULL;
}

static void confirm_data(int fd)
{
	struct file *f = file_at(fd);
	char path[PATH_MAX];
	struct stat st;

	if (f && fstat(fd, &st) == 0) {
		f->confirmed = st.st_size;
		REAL(close, f->fd);
		/* Whoever goes on writing is noted again. */
		*f = (struct file){ 0 };
		written[fd] = NULL;
		note_file(fd, false);
	} else if (path_of(fd, path) && is_below(path)) {
		confirm_names(path);
	}
}

/* A file that was confirmed to its end and closed cannot lose anything. */
static void forget_file(int fd)
{
	struct file *f = file_at(fd);
	struct stat st;

	if (!f)
		return;
	written[fd] = NULL;
	for (int i = 0; i < DESCRIPTORS_MAX; i++)
		if (written[i] == f)
			return;
	if (fstat(f->fd, &st) < 0 || st.st_size > f->confirmed)
		return;
	REAL(close, f->fd);
	*f = (struct file){ 0 };
}

/* ---- the calls ---- */

static int open_below(int at, const char *name, const char *path, int flags, mode_t mode)
{
	bool was_there;
	int fd;

	enter();
	was_there = access(path, F_OK) == 0;
	fd = REAL(openat, at, name, flags, mode);
	if (fd >= 0) {
		note_file(fd, !was_there || flags & O_TRUNC);
		if (!was_there)
			note_name(CREATED, path, NULL, NULL);
	}
	pthread_mutex_unlock(&lock);
	return fd;
}

static int open_any(int at, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];

	if ((flags & (O_CREAT | O_ACCMODE)) != O_RDONLY && find(at, name, path))
		return open_below(at, name, path, flags, mode);
	return REAL(openat, at, name, flags, mode);
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                         \
	int name(const char *path, int flags, ...)                \
	{                                                         \
		va_list args;                                     \
		mode_t mode;                                      \
                                                                  \
		va_start(args, flags);                            \
		mode = mode_of(flags, args);                      \
		va_end(args);                                     \
		return open_any(AT_FDCWD, path, flags, mode);     \
	}
#define DEFINE_OPENAT(name)                                       \
	int name(int at, const char *path, int flags, ...)        \
	{                                                         \
		va_list args;                                     \
		mode_t mode;                                      \
                                                                  \
		va_start(args, flags);                            \
		mode = mode_of(flags, args);                      \
		va_end(args);                                     \
		return open_any(at, path, flags, mode);           \
	}
DEFINE_OPEN(open)
DEFINE_OPENAT(openat)
#if !defined(__USE_FILE_OFFSET64) || __WORDSIZE == 64
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat64)
#endif

int close(int fd)
{
	pthread_mutex_lock(&lock);
	forget_file(fd);
	pthread_mutex_unlock(&lock);
	return REAL(close, fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t n;

	if (!file_at(fd))
		return REAL(write, fd, data, size);
	pthread_mutex_lock(&lock);
	if (is_last()) {
		(void)!REAL(write, fd, data, size / 2);
		cut();
	}
	n = REAL(write, fd, data, size);
	pthread_mutex_unlock(&lock);
	return n;
}

/* Is it anything below the folder, file or folder? */
static bool is_ours(int fd)
{
	char path[PATH_MAX];

	return folder && (file_at(fd) || (path_of(fd, path) && is_below(path)));
}

#define DEFINE_SYNC(name)                                         \
	int name(int fd)                                          \
	{                                                         \
		if (!is_ours(fd))                                 \
			return REAL(name, fd);                    \
		enter();                                          \
		/* The real disk has nothing to do with it. */    \
		confirm_data(fd);                                 \
		pthread_mutex_unlock(&lock);                      \
		return 0;                                         \
	}
DEFINE_SYNC(fsync)
DEFINE_SYNC(fdatasync)

int ftruncate(int fd, off_t size)
{
	struct file *f = file_at(fd);
	int r;

	if (!f)
		return REAL(ftruncate, fd, size);
	enter();
	r = REAL(ftruncate, fd, size);
	if (r == 0 && size < f->confirmed)
		f->confirmed = size;
	pthread_mutex_unlock(&lock);
	return r;
}

int renameat(int from_at, const char *from, int at, const char *name)
{
	char path[PATH_MAX], former_path[PATH_MAX], *former;
	int r;

	if (!find(at, name, path) || !find(from_at, from, former_path))
		return REAL(renameat, from_at, from, at, name);
	enter();
	former = keep_former(path);
	r = REAL(renameat, from_at, from, at, name);
	if (r == 0)
		note_name(MOVED, path, former_path, former);
	pthread_mutex_unlock(&lock);
	return r;
}

int rename(const char *from, const char *name)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, name);
}

int unlinkat(int at, const char *name, int flags)
{
	char path[PATH_MAX], *former;
	int r;

	if (!find(at, name, path))
		return REAL(unlinkat, at, name, flags);
	enter();
	former = keep_former(path);
	r = REAL(unlinkat, at, name, flags);
	if (r == 0)
		note_name(REMOVED, path, NULL, former);
	pthread_mutex_unlock(&lock);
	return r;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int mkdirat(int at, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int r;

	if (!find(at, name, path))
		return REAL(mkdirat, at, name, mode);
	enter();
	r = REAL(mkdirat, at, name, mode);
	if (r == 0)
		note_name(MADE, path, NULL, NULL);
	pthread_mutex_unlock(&lock);
	return r;
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}
