/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"
#include "base/yaml.h"

#define YAML_ERROR_TEXT_MAX 1024
#define YAML_READ_BYTES (64u << 10)

void yaml_error(struct yaml_errors *errors, struct yaml_mark mark, const char *format, ...)
{
	char message[YAML_ERROR_TEXT_MAX];
	va_list args;

	if (!errors || errors->n++ >= YAML_ERRORS_MAX)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* Without memory the count still says that there was an error. */
	buf_printf(&errors->text, "%s:%u:%u: %s\n", mark.file, mark.line, mark.column, message);
}

void yaml_errors_done(struct yaml_errors *errors)
{
	buf_done(&errors->text);
	errors->n = 0;
}

void yaml_errors_each(const struct yaml_errors *errors,
		      void (*f)(void *userdata, const char *line, size_t size), void *userdata)
{
	const char *text = (const char *)errors->text.data;
	size_t at = 0;

	while (at < errors->text.size) {
		size_t rest = errors->text.size - at;
		const char *stop = memchr(text + at, '\n', rest);
		size_t size = stop ? (size_t)(stop - text) - at : rest;

		f(userdata, text + at, size);
		at += size + 1;
	}
}

static int read_bytes(int fd, struct buf *b)
{
	ssize_t n;
	int r;

	do {
		r = buf_reserve(b, YAML_READ_BYTES);
		if (r < 0)
			return r;
		n = read(fd, b->data + b->size, YAML_READ_BYTES);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			b->size += (size_t)n;
	} while (n != 0 && b->size <= YAML_BYTES_MAX);
	return 0;
}

static int read_path(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return read_bytes(fd, b);
}

int yaml_read_file(const char *path, struct yaml_errors *errors, struct yaml_file **ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	int r;

	r = read_path(path, &b);
	if (r < 0) {
		yaml_error(errors, (struct yaml_mark){ path, 1, 1 }, "cannot be read: %s",
			   strerror(-r));
		return r;
	}
	return yaml_read_text(path, (const char *)b.data, b.size, errors, ret);
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (mapping->kind != YAML_KIND_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n; i++)
		if (streq(mapping->keys[i]->text, key))
			return mapping->items[i];
	return NULL;
}

static int wrong(const struct yaml_node *node, struct yaml_errors *errors, const char *expected)
{
	static const char *const kinds[] = {
		[YAML_KIND_SEQUENCE] = "a sequence",
		[YAML_KIND_MAPPING] = "a mapping",
	};

	if (node->kind != YAML_KIND_SCALAR)
		yaml_error(errors, node->mark, "expected %s, found %s", expected,
			   kinds[node->kind]);
	else if (node->quoted)
		yaml_error(errors, node->mark, "expected %s, found the string \"%s\"", expected,
			   node->text);
	else
		yaml_error(errors, node->mark, "expected %s, found %s", expected,
			   *node->text ? node->text : "nothing");
	return -EINVAL;
}

static bool is_plain(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_SCALAR && !node->quoted;
}

static bool is_word_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

int yaml_to_bool(const struct yaml_node *node, bool *ret, struct yaml_errors *errors)
{
	static const char *const yes[] = { "yes", "on", "y", "true", NULL };
	static const char *const no[] = { "no", "off", "n", "false", NULL };

	if (!is_plain(node))
		return wrong(node, errors, "true or false");
	if (streq(node->text, "true") || streq(node->text, "false")) {
		*ret = node->text[0] == 't';
		return 0;
	}
	if (!is_word_of(node->text, yes) && !is_word_of(node->text, no))
		return wrong(node, errors, "true or false");
	yaml_error(errors, node->mark, "\"%s\" is no boolean here, write %s", node->text,
		   is_word_of(node->text, yes) ? "true" : "false");
	return -EINVAL;
}

int yaml_to_i64(const struct yaml_node *node, long long *ret, struct yaml_errors *errors)
{
	int64_t value;
	int r;

	r = is_plain(node) ? parse_i64(node->text, &value) : -EINVAL;
	if (r == -ERANGE) {
		yaml_error(errors, node->mark, "%s does not fit into 64 bits", node->text);
		return -EINVAL;
	}
	if (r < 0)
		return wrong(node, errors, "an integer");
	*ret = value;
	return 0;
}

int yaml_to_double(const struct yaml_node *node, double *ret, struct yaml_errors *errors)
{
	int64_t integer;
	double value;
	int r;

	r = is_plain(node) ? parse_double(node->text, &value) : -EINVAL;
	if (r == -EINVAL && is_plain(node)) {
		r = parse_i64(node->text, &integer);
		value = r < 0 ? 0 : (double)integer;
	}
	if (r == -ERANGE) {
		yaml_error(errors, node->mark, "%s is too large for a number", node->text);
		return -EINVAL;
	}
	if (r < 0)
		return wrong(node, errors, "a number");
	*ret = value;
	return 0;
}

int yaml_to_usec(const struct yaml_node *node, unsigned long long *ret, struct yaml_errors *errors)
{
	uint64_t value;
	int r;

	r = is_plain(node) ? parse_usec(node->text, &value) : -EINVAL;
	if (r == -ERANGE) {
		yaml_error(errors, node->mark, "%s is too long", node->text);
		return -EINVAL;
	}
	if (r < 0)
		return wrong(node, errors, "a duration such as 500ms, 5s, 2m, 1h or 3d");
	*ret = value;
	return 0;
}
