/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "secret/secret.h"

struct key {
	const char *identity; /* NULL: the only one */
	const uint8_t *data;
	size_t size;
	unsigned line;
};

/* Identities and keys lie in the text of the file itself: one piece of memory to wipe. */
struct keyfile {
	struct stat st;
	size_t size;
	struct key *keys;
	size_t n, allocated;
	char *text;
};

static _printf_(3, 4) int refuse(int error, char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, SECRET_REASON_MAX, format, args);
	va_end(args);
	return error;
}

/* Lines of name and key, or one key only. */
static bool has_names(enum secret_kind kind)
{
	return kind == SECRET_PSK_FILE || kind == SECRET_TABLE;
}

int keyfile_check_stat(const char *path, const struct stat *st, enum secret_kind kind, char *reason)
{
	size_t most = kind == SECRET_DERIVE ? SECRET_MASTER_BYTES_MAX : SECRET_FILE_BYTES_MAX;

	if (!S_ISREG(st->st_mode))
		return refuse(-EINVAL, reason, "%s: not a regular file", path);
	if (st->st_mode & (S_IROTH | S_IWOTH))
		return refuse(-EPERM, reason,
			      "%s: other users can %s it; chmod o-rw, then change its keys", path,
			      st->st_mode & S_IROTH ? "read" : "write");
	if (st->st_size < 0 || (size_t)st->st_size > most)
		return refuse(-EFBIG, reason, "%s: larger than %zu bytes", path, most);
	return 0;
}

static int read_text(int fd, struct keyfile *k)
{
	ssize_t n = io_read(fd, k->text, (size_t)k->st.st_size);

	if (n < 0)
		return (int)n;
	k->size = (size_t)n;
	k->text[n] = '\0';
	return 0;
}

static int key_add(struct keyfile *k, const struct key *key)
{
	size_t wanted = k->allocated > 0 ? 2 * k->allocated : 8;
	struct key *keys;

	if (k->n == k->allocated) {
		keys = reallocarray(k->keys, wanted, sizeof(*keys));
		if (!keys)
			return -ENOMEM;
		k->keys = keys;
		k->allocated = wanted;
	}
	k->keys[k->n++] = *key;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place: the bytes take the first half of the digits' room. False on anything but pairs of digits. */
static bool decode_in_place(char *hex, struct key *key)
{
	size_t n = strlen(hex);
	int high, low;

	if (n == 0 || n % 2 != 0 || n / 2 > SECRET_KEY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		high = hex_digit(hex[2 * i]);
		low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		hex[i] = (char)(high << 4 | low);
	}
	key->data = (const uint8_t *)hex;
	key->size = n / 2;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *line)
{
	char *end;

	while (is_blank(*line))
		line++;
	for (end = line + strlen(line); end > line && is_blank(end[-1]); end--)
		;
	*end = '\0';
	return line;
}

static int parse_line(struct keyfile *k, const char *path, enum secret_kind kind, char *line,
		      unsigned number, char *reason)
{
	struct key key = { .line = number };
	char *hex = line;

	if (has_names(kind)) {
		hex = strrchr(line, ':');
		if (!hex || hex == line)
			return refuse(-EBADMSG, reason, "%s:%u: expected %s:hex", path, number,
				      kind == SECRET_TABLE ? "name" : "identity");
		*hex++ = '\0';
		key.identity = line;
	} else if (k->n > 0) {
		return refuse(-EBADMSG, reason, "%s:%u: expected one key only", path, number);
	}
	if (!decode_in_place(hex, &key))
		return refuse(-EBADMSG, reason, "%s:%u: the key is not 1 to %u bytes in hex", path,
			      number, SECRET_KEY_BYTES_MAX);
	return key_add(k, &key);
}

static int parse_lines(struct keyfile *k, const char *path, enum secret_kind kind, char *reason)
{
	char *next = k->text, *line;
	unsigned number = 0;
	int r;

	while (next) {
		line = strsep(&next, "\n");
		line = trim(line);
		number++;
		if (*line == '\0' || *line == '#')
			continue;
		r = parse_line(k, path, kind, line, number, reason);
		if (r < 0)
			return r;
	}
	if (kind == SECRET_FILE && k->n == 0)
		return refuse(-EBADMSG, reason, "%s: holds no key", path);
	return 0;
}

static int key_compare(const void *a, const void *b)
{
	const struct key *left = a, *right = b;
	int order = strcmp(left->identity, right->identity);

	return order != 0 ? order : left->line < right->line ? -1 : left->line > right->line;
}

static int sort_keys(struct keyfile *k, const char *path, char *reason)
{
	if (k->n < 2)
		return 0;
	qsort(k->keys, k->n, sizeof(*k->keys), key_compare);
	for (size_t i = 1; i < k->n; i++)
		if (streq(k->keys[i - 1].identity, k->keys[i].identity))
			return refuse(-EBADMSG, reason,
				      "%s:%u: the identity stands in line %u already", path,
				      k->keys[i].line, k->keys[i - 1].line);
	return 0;
}

static int parse(struct keyfile *k, const char *path, enum secret_kind kind, char *reason)
{
	int r;

	if (kind == SECRET_DERIVE) {
		if (k->size < SECRET_MASTER_BYTES_MIN)
			return refuse(-EBADMSG, reason, "%s: shorter than %u bytes", path,
				      SECRET_MASTER_BYTES_MIN);
		return key_add(k, &(struct key){ .data = (uint8_t *)k->text, .size = k->size });
	}
	if (memchr(k->text, '\0', k->size))
		return refuse(-EBADMSG, reason, "%s: not a text file", path);
	r = parse_lines(k, path, kind, reason);
	return r < 0 ? r : sort_keys(k, path, reason);
}

static int load(struct keyfile *k, const char *path, enum secret_kind kind, char *reason)
{
	/* Not to hang on a FIFO. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0 || fstat(fd, &k->st) < 0)
		return refuse(-errno, reason, "%s: %s", path, strerror(errno));
	r = keyfile_check_stat(path, &k->st, kind, reason);
	if (r < 0)
		return r;
	k->text = malloc((size_t)k->st.st_size + 1);
	if (!k->text)
		return refuse(-ENOMEM, reason, "%s: out of memory", path);
	r = read_text(fd, k);
	if (r < 0)
		return refuse(r, reason, "%s: %s", path, strerror(-r));
	return parse(k, path, kind, reason);
}

int keyfile_read(const char *path, enum secret_kind kind, char *reason, struct keyfile **ret)
{
	_cleanup_(keyfile_freep) struct keyfile *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return refuse(-ENOMEM, reason, "%s: out of memory", path);
	r = load(k, path, kind, reason);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

struct keyfile *keyfile_free(struct keyfile *k)
{
	if (!k)
		return NULL;
	if (k->text)
		explicit_bzero(k->text, (size_t)k->st.st_size + 1);
	free(k->text);
	free(k->keys);
	free(k);
	return NULL;
}

int keyfile_find(const struct keyfile *k, const char *identity, const uint8_t **ret,
		 size_t *ret_size)
{
	const struct key *key;
	size_t low = 0, high = k->n, middle;

	while (identity && low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(k->keys[middle].identity, identity) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == k->n)
		return -ENOKEY;
	key = &k->keys[low];
	if (identity && !streq(key->identity, identity))
		return -ENOKEY;
	*ret = key->data;
	*ret_size = key->size;
	return 0;
}

const struct stat *keyfile_stat(const struct keyfile *k)
{
	return &k->st;
}
