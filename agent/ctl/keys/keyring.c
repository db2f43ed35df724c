/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/keyring.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/output/text.h"
#include "secret/keyfile.h"
#include "secret/secret.h"

struct line {
	char *identity; /* NULL: a comment, or blank */
	char *text;	/* without its newline */
};

struct keyring {
	char *path;
	struct line **lines;
	size_t n, allocated, keys;
	void *index; /* tsearch() of lines by their identity */
};

/* ---- lines ---- */

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static struct line *line_free(struct line *l)
{
	if (l) {
		free(l->identity);
		wipe(l->text);
	}
	free(l);
	return NULL;
}
DEFINE_FREEP(struct line *, line_free)

static int by_identity(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return strcmp(x->identity, y->identity);
}

static struct line *find(const struct keyring *k, const char *identity)
{
	char *wanted = strdupa(identity);
	const struct line key = { .identity = wanted };
	struct line *const *found = tfind(&key, &k->index, by_identity);

	return found ? *found : NULL;
}

/* Takes the line. */
static int add(struct keyring *k, struct line *l)
{
	_cleanup_(line_freep) struct line *line = l;
	size_t allocated = k->allocated ? 2 * k->allocated : 64;
	struct line **grown;

	if (k->n == k->allocated) {
		grown = reallocarray(k->lines, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		k->lines = grown;
		k->allocated = allocated;
	}
	if (line->identity && !tsearch(line, &k->index, by_identity))
		return -ENOMEM;
	k->keys += line->identity != NULL;
	k->lines[k->n++] = TAKE_PTR(line);
	return 0;
}

/* secret/keyfile.c has the grammar, and has accepted the file; here only whose line it is. */
static char *identity_of(const char *text)
{
	const char *colon = strrchr(text, ':'), *begin = text + strspn(text, " \t\r");

	if (*begin == '#' || !colon || colon <= begin)
		return NULL;
	return strndup(begin, (size_t)(colon - begin));
}

static int add_text(struct keyring *k, const char *text, size_t size)
{
	_cleanup_(line_freep) struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return -ENOMEM;
	line->text = strndup(text, size);
	if (!line->text)
		return -ENOMEM;
	line->identity = identity_of(line->text);
	return add(k, TAKE_PTR(line));
}

/* ---- files ---- */

static int complain(const char *reason, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, reason);
	fputc('\n', stderr);
	return error;
}

static int split(struct keyring *k, const char *text, size_t size)
{
	const char *end;
	int r = 0;

	for (const char *at = text; at < text + size && r >= 0; at = end + 1) {
		end = memchr(at, '\n', (size_t)(text + size - at)) ?: text + size;
		r = add_text(k, at, (size_t)(end - at));
	}
	return r;
}

static int read_file(struct keyring *k)
{
	char reason[SECRET_REASON_MAX];
	struct keyfile *checked = NULL;
	char *text = NULL;
	size_t size = 0;
	int r = keyfile_read(k->path, SECRET_PSK_FILE, reason, &checked);

	keyfile_free(checked);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return complain(reason, r);
	r = file_read(k->path, SECRET_FILE_BYTES_MAX, &text, &size);
	if (r < 0)
		return file_complain(k->path, r);
	r = split(k, text, size);
	explicit_bzero(text, size);
	free(text);
	return r < 0 ? complain("out of memory", r) : 0;
}

int keyring_read(const char *path, struct keyring **ret)
{
	_cleanup_(keyring_freep) struct keyring *k = calloc(1, sizeof(*k));
	int r;

	if (k)
		k->path = strdup(path);
	if (!k || !k->path)
		return complain("out of memory", -ENOMEM);
	r = read_file(k);
	if (r >= 0)
		*ret = TAKE_PTR(k);
	return r;
}

int keyring_write(const struct keyring *k)
{
	struct buf text = { 0 };
	size_t size = 0;
	int r;

	for (size_t i = 0; i < k->n; i++)
		size += strlen(k->lines[i]->text) + 1;
	/* At once: growing would leave copies that nobody wipes. */
	r = buf_reserve(&text, size + 1);
	for (size_t i = 0; i < k->n && r >= 0; i++) {
		r = buf_append_text(&text, k->lines[i]->text);
		r = r < 0 ? r : buf_append_byte(&text, '\n');
	}
	if (r >= 0)
		r = file_make_folder(k->path, &rights_secret);
	if (r >= 0)
		r = file_replace(k->path, text.data, text.size, &rights_secret, false);
	if (text.data)
		explicit_bzero(text.data, text.size);
	buf_done(&text);
	return r < 0 ? file_complain(k->path, r) : 0;
}

static void nothing(void *line)
{
	(void)line;
}

struct keyring *keyring_free(struct keyring *k)
{
	if (!k)
		return NULL;
	tdestroy(k->index, nothing);
	for (size_t i = 0; i < k->n; i++)
		line_free(k->lines[i]);
	free(k->lines);
	free(k->path);
	free(k);
	return NULL;
}

/* ---- keys ---- */

bool keyring_has(const struct keyring *k, const char *identity)
{
	return find(k, identity) != NULL;
}

size_t keyring_count(const struct keyring *k)
{
	return k->keys;
}

/* What would be read back as something else. */
static bool fits(const char *identity)
{
	size_t n = strlen(identity);

	return n > 0 && *identity != '#' && !strpbrk(identity, "\n\r") && *identity != ' ' &&
	       *identity != '\t';
}

static int put_text(struct keyring *k, const char *identity, char *text)
{
	struct line *line = find(k, identity);

	if (line) {
		wipe(line->text);
		line->text = text;
		return 0;
	}
	line = calloc(1, sizeof(*line));
	if (line)
		line->identity = strdup(identity);
	if (!line || !line->identity) {
		line_free(line);
		wipe(text);
		return -ENOMEM;
	}
	line->text = text;
	return add(k, line);
}

int keyring_put(struct keyring *k, const char *identity, const uint8_t *key, size_t size)
{
	char *hex, *text;
	int n;

	if (!fits(identity))
		return -EINVAL;
	hex = hex_encode(key, size);
	n = hex ? asprintf(&text, "%s:%s", identity, hex) : -1;
	wipe(hex);
	return n < 0 ? -ENOMEM : put_text(k, identity, text);
}

int keyring_merge(struct keyring *k, const struct keyring *from)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r >= 0; i++) {
		const struct line *line = from->lines[i];
		char *text = line->identity ? strdup(line->text) : NULL;

		if (line->identity)
			r = text ? put_text(k, line->identity, text) : -ENOMEM;
	}
	return r;
}
