/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/list.h"
#include "base/str.h"
#include "base/thread.h"
#include "secret/content.h"
#include "secret/derive.h"
#include "secret/keyfile.h"

/* A thread that reads one large file again; joined when it is done. */
struct reload {
	pthread_t thread;
	atomic_bool done;
	const char *path; /* the file's, which waits for the thread */
	enum secret_kind kind;
	struct stat st; /* as it was seen when the thread started */
	struct keyfile *keys;
	int r;
	char reason[SECRET_REASON_MAX];
};

struct file {
	struct list node;
	char *path;
	enum secret_kind kind;
	struct keyfile *keys;
	struct reload *reload;
	struct stat
		refused; /* the content that was refused last, not to read it with each lookup */
	bool is_refused;
	bool is_used; /* since secret_store_retain() */
	char reason[SECRET_REASON_MAX]; /* why it was */
};

struct secret_store {
	char *base_dir;
	struct list files;
	unsigned n_files;
	char reason[SECRET_REASON_MAX];
};

static int refuse(struct secret_store *s, int error, const char *what, const char *why)
{
	snprintf(s->reason, sizeof(s->reason), "%s: %s", what, why);
	return error;
}

static bool same_content(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static struct file *file_free(struct file *f)
{
	if (f->reload) {
		pthread_join(f->reload->thread, NULL);
		keyfile_free(f->reload->keys);
		free(f->reload);
	}
	keyfile_free(f->keys);
	free(f->path);
	free(f);
	return NULL;
}

static char *absolute_path(const struct secret_store *s, const char *path)
{
	char *text;

	if (*path == '/')
		return strdup(path);
	return asprintf(&text, "%s/%s", s->base_dir, path) < 0 ? NULL : text;
}

static int file_add(struct secret_store *s, char **path, enum secret_kind kind, struct file **ret)
{
	struct file *f;

	if (s->n_files >= SECRET_FILES_MAX)
		return refuse(s, -ENOSPC, *path, "too many files of keys");
	f = calloc(1, sizeof(*f));
	if (!f)
		return refuse(s, -ENOMEM, *path, "out of memory");
	f->path = TAKE_PTR(*path);
	f->kind = kind;
	list_append(&s->files, &f->node);
	s->n_files++;
	*ret = f;
	return 0;
}

static int file_ensure(struct secret_store *s, const char *path, enum secret_kind kind,
		       struct file **ret)
{
	_cleanup_free_ char *absolute = absolute_path(s, path);
	struct file *f;

	if (!absolute)
		return refuse(s, -ENOMEM, path, "out of memory");
	list_for_each(f, &s->files, node) {
		if (f->kind == kind && streq(f->path, absolute)) {
			*ret = f;
			return 0;
		}
	}
	return file_add(s, &absolute, kind, ret);
}

static void *reload_thread(void *userdata)
{
	struct reload *reload = userdata;

	reload->r = keyfile_read(reload->path, reload->kind, reload->reason, &reload->keys);
	atomic_store(&reload->done, true);
	return NULL;
}

static int reload_start(struct file *f, const struct stat *st)
{
	struct reload *reload = calloc(1, sizeof(*reload));
	int r;

	if (!reload)
		return -ENOMEM;
	reload->path = f->path;
	reload->kind = f->kind;
	reload->st = *st;
	r = thread_start(&reload->thread, NULL, reload_thread, reload);
	if (r < 0) {
		free(reload);
		return r;
	}
	f->reload = reload;
	return 0;
}

/* Puts what was read in force, or keeps the former keys beside the reason. */
static void file_settle(struct file *f, int r, struct keyfile *keys, const struct stat *st,
			const char *reason)
{
	f->is_refused = r < 0;
	if (r < 0) {
		f->refused = *st;
		snprintf(f->reason, sizeof(f->reason), "%s", reason);
		return;
	}
	keyfile_free(f->keys);
	f->keys = keys;
}

static void file_collect(struct file *f)
{
	struct reload *reload = f->reload;

	if (!reload || !atomic_load(&reload->done))
		return;
	pthread_join(reload->thread, NULL);
	file_settle(f, reload->r, reload->keys, &reload->st, reload->reason);
	free(reload);
	f->reload = NULL;
}

static bool file_is_current(struct file *f, const struct stat *st)
{
	if (!f->keys)
		return false;
	if (same_content(keyfile_stat(f->keys), st))
		f->is_refused = false;
	else
		return f->is_refused && same_content(&f->refused, st);
	return true;
}

static int file_read(struct file *f, const struct stat *st)
{
	char reason[SECRET_REASON_MAX];
	struct keyfile *keys = NULL;
	int r;

	r = keyfile_read(f->path, f->kind, reason, &keys);
	file_settle(f, r, keys, st, reason);
	return r;
}

/* 0, 1: former keys because the file is refused now, or an error; then the store has the reason. */
static int file_refresh(struct secret_store *s, struct file *f)
{
	struct stat st;
	int r = 0;

	if (stat(f->path, &st) < 0)
		return refuse(s, -errno, f->path, strerror(errno));
	/* Keys that others can see are out of force at once, whatever is in memory. */
	r = keyfile_check_stat(f->path, &st, f->kind, s->reason);
	if (r < 0)
		return r;
	file_collect(f);
	if (!file_is_current(f, &st) && !f->reload) {
		if (f->keys && st.st_size > (off_t)SECRET_SYNC_BYTES_MAX &&
		    reload_start(f, &st) >= 0)
			return 0;
		r = file_read(f, &st);
	}
	if (!f->is_refused || f->reload)
		return 0;
	memcpy(s->reason, f->reason, sizeof(s->reason));
	return f->keys ? 1 : r;
}

static int copy_key(const uint8_t *key, size_t size, uint8_t **ret, size_t *ret_size)
{
	uint8_t *copy = malloc(size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, key, size);
	*ret = copy;
	*ret_size = size;
	return 0;
}

static bool has_names(enum secret_kind kind)
{
	return kind == SECRET_PSK_FILE || kind == SECRET_TABLE;
}

static int file_lookup(const struct file *f, const char *identity, uint8_t **ret, size_t *ret_size)
{
	uint8_t derived[SECRET_DERIVED_BYTES];
	const uint8_t *key;
	size_t size;
	int r;

	r = keyfile_find(f->keys, has_names(f->kind) ? identity : NULL, &key, &size);
	if (r < 0 || f->kind != SECRET_DERIVE)
		return r < 0 ? r : copy_key(key, size, ret, ret_size);
	r = secret_derive(key, size, identity, derived);
	if (r >= 0)
		r = copy_key(derived, sizeof(derived), ret, ret_size);
	explicit_bzero(derived, sizeof(derived));
	return r;
}

static int reference_open(struct secret_store *s, const char *reference, struct file **ret)
{
	enum secret_kind kind;
	const char *path, *error;
	int r;

	s->reason[0] = '\0';
	r = secret_reference_parse(reference, &kind, &path, &error);
	/* Not the reference itself: it may be a key that somebody put there. */
	if (r < 0)
		return refuse(s, r, "key reference", error);
	r = file_ensure(s, path, kind, ret);
	if (r < 0)
		return r;
	(*ret)->is_used = true;
	return file_refresh(s, *ret);
}

int secret_lookup(struct secret_store *s, const char *reference, const char *identity,
		  uint8_t **ret, size_t *ret_size)
{
	struct file *f;
	int r, kept;

	if (!identity)
		identity = ""; /* which no file has */
	kept = reference_open(s, reference, &f);
	if (kept < 0)
		return kept;
	r = file_lookup(f, identity, ret, ret_size);
	if (r == -ENOKEY)
		snprintf(s->reason, sizeof(s->reason), "%s: no key for %s\"%s\"", f->path,
			 f->kind == SECRET_TABLE ? "" : "identity ", identity);
	else if (r < 0)
		return refuse(s, r, f->path, strerror(-r));
	return r < 0 ? r : kept;
}

int secret_content(struct secret_store *s, const char *path, bool is_private, uint8_t **ret,
		   size_t *ret_size)
{
	_cleanup_free_ char *absolute = absolute_path(s, path);

	s->reason[0] = '\0';
	if (!absolute)
		return refuse(s, -ENOMEM, path, "out of memory");
	return content_read(absolute, is_private, s->reason, ret, ret_size);
}

int secret_check(struct secret_store *s, const char *reference)
{
	struct file *f;

	return reference_open(s, reference, &f);
}

static bool leads_to(const struct secret_store *s, const char *reference, const struct file *f)
{
	_cleanup_free_ char *absolute = NULL;
	const char *path, *error;
	enum secret_kind kind;

	if (!reference || secret_reference_parse(reference, &kind, &path, &error) < 0 || kind != f->kind)
		return false;
	absolute = absolute_path(s, path);
	/* Without memory it stays. */
	return !absolute || streq(absolute, f->path);
}

static bool is_wanted(const struct secret_store *s, const struct file *f, const char *const *references, size_t n)
{
	/* What a thread reads is waited for by nobody. */
	if (f->is_used || f->reload)
		return true;
	for (size_t i = 0; i < n; i++)
		if (leads_to(s, references[i], f))
			return true;
	return false;
}

void secret_store_retain(struct secret_store *s, const char *const *references, size_t n)
{
	struct file *f;

	list_for_each(f, &s->files, node) {
		if (is_wanted(s, f, references, n)) {
			f->is_used = false;
			continue;
		}
		list_remove(&f->node);
		s->n_files--;
		file_free(f);
	}
}

const char *secret_reason(const struct secret_store *s)
{
	return s->reason;
}

int secret_store_new(const char *base_dir, struct secret_store **ret)
{
	struct secret_store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	list_init(&s->files);
	s->base_dir = strdup(base_dir);
	if (!s->base_dir) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct secret_store *secret_store_free(struct secret_store *s)
{
	struct file *f;

	if (!s)
		return NULL;
	list_for_each(f, &s->files, node)
		file_free(f);
	free(s->base_dir);
	free(s);
	return NULL;
}

uint8_t *secret_free(uint8_t *key, size_t size)
{
	if (key)
		explicit_bzero(key, size);
	free(key);
	return NULL;
}
