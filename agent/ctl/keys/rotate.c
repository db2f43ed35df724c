/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/keys/credentials.h"
#include "ctl/keys/keyring.h"
#include "ctl/keys/make.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

static int refuse(const char *path, const char *text, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, path);
	fprintf(stderr, ": %s\n", text);
	return error;
}

/* ---- first step: new keys beside the old ones ---- */

static int begin_ring(const struct target_server *s, const char *pending, size_t length, bool all)
{
	_cleanup_(keyring_freep) struct keyring *ring = NULL;
	size_t n;
	int r = keyring_read(pending, &ring);

	if (r >= 0)
		r = credentials_fill(ring, s, length, all, &n);
	return r < 0 ? r : keyring_write(ring);
}

static int begin_single(const struct invocation *i, const struct target_server *s,
			const char *pending, size_t length)
{
	int r;

	if (option_find(i, "endpoint"))
		return refuse(s->path, "one secret serves all endpoints: no --endpoint here",
			      -EDOM);
	r = make_single(pending, s->kind, length);
	return r < 0 ? file_complain(pending, r) : 0;
}

static int begin(const struct invocation *i, const struct target_server *s, size_t length, bool again)
{
	_cleanup_free_ char *pending = target_pending(s);

	if (!pending)
		return refuse(s->path, "out of memory", -ENOMEM);
	if (access(s->path, F_OK) < 0)
		return refuse(s->path, "there are no keys yet (fieldwayctl credentials create)",
			      -ENOENT);
	if (!again && access(pending, F_OK) == 0)
		return refuse(pending, "new keys wait there already: export them and --switch, or --cancel",
			      -EEXIST);
	if (s->kind == SECRET_PSK_FILE)
		return begin_ring(s, pending, length, !again);
	return again ? 0 : begin_single(i, s, pending, length);
}

/* ---- second step: they count ---- */

static int switch_ring(const struct target_server *s, const char *pending)
{
	_cleanup_(keyring_freep) struct keyring *ring = NULL, *fresh = NULL;
	int r = keyring_read(s->path, &ring);

	if (r >= 0)
		r = keyring_read(pending, &fresh);
	if (r >= 0)
		r = keyring_merge(ring, fresh);
	return r < 0 ? r : keyring_write(ring);
}

static int switch_single(const struct target_server *s, const char *pending)
{
	char *bytes;
	size_t size;
	int r = file_read(pending, SECRET_FILE_BYTES_MAX, &bytes, &size);

	if (r < 0)
		return file_complain(pending, r);
	r = file_replace(s->path, bytes, size, &rights_secret, false);
	explicit_bzero(bytes, size);
	free(bytes);
	return r < 0 ? file_complain(s->path, r) : 0;
}

static int need_pending(const char *pending)
{
	if (access(pending, F_OK) == 0)
		return 0;
	return refuse(pending, errno == ENOENT ? "no new keys wait (fieldwayctl credentials rotate)" :
						 strerror(errno),
		      -errno);
}

static int forget(const char *pending)
{
	return unlink(pending) < 0 ? file_complain(pending, -errno) : 0;
}

static int end(const struct target_server *s, bool cancel)
{
	_cleanup_free_ char *pending = target_pending(s);
	int r = pending ? need_pending(pending) : refuse(s->path, "out of memory", -ENOMEM);

	if (r >= 0 && !cancel)
		r = s->kind == SECRET_PSK_FILE ? switch_ring(s, pending) :
						 switch_single(s, pending);
	return r < 0 ? r : forget(pending);
}

/* ---- both ---- */

/* Servers may share a file: it is begun, and ended, once. */
static bool is_again(const struct targets *t, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (streq(t->servers[i].path, t->servers[k].path))
			return true;
	return false;
}

static int rotate(const struct invocation *i, const struct target_server *s, size_t length, bool again,
		  struct key_report *report)
{
	bool cancel = option_find(i, "cancel"), switched = option_find(i, "switch");
	int r;

	if (cancel || switched)
		r = again ? 0 : end(s, cancel);
	else
		r = begin(i, s, length, again);
	if (r < 0)
		return r;
	return key_report_add(report, s, !cancel && !switched,
			      switched ? "switched" :
			      cancel   ? "kept" :
					 "pending",
			      NULL, NULL);
}

static int rotate_all(const struct invocation *i, const struct targets *t)
{
	_cleanup_(key_report_freep) struct key_report *report = NULL;
	size_t length;
	int r = credentials_length(i, &length);

	if (r >= 0)
		r = key_report_new(&report);
	for (size_t k = 0; k < t->n && r >= 0; k++)
		r = rotate(i, &t->servers[k], length, is_again(t, k), report);
	return r < 0 ? r : key_report_print(report, i);
}

int credentials_rotate(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_targets_ struct targets t = { 0 };
	int r;

	if (option_find(i, "cancel") && option_find(i, "switch"))
		return refuse("--switch, --cancel", "one of them", -EDOM);
	r = configuration_load(i, &c);
	if (r >= 0)
		r = targets_find(i, 1, &c, &t);
	return r < 0 ? r : rotate_all(i, &t);
}
