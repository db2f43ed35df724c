/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NEAREST_DISTANCE_MAX 2u
#define NEAREST_LENGTH_MAX 63u

void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

bool streq_null(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return streq(a, b);
}

bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int str_replace(char **p, const char *text)
{
	char *copy = NULL;

	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*p);
	*p = copy;
	return 0;
}

/* Length of the well-formed sequence at p, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (length > n)
		return 0;
	/* The second byte shuts out overlong forms, surrogates and what lies over U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return length;
}

size_t utf8_valid_prefix(const char *text, size_t size)
{
	size_t at = 0, n;

	while (at < size) {
		n = utf8_sequence((const unsigned char *)text + at, size - at);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool utf8_is_valid(const char *text, size_t size)
{
	return utf8_valid_prefix(text, size) == size;
}

/* Only the last star can need another try, so this is at most quadratic. */
bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool dotted_match(const char *pattern, const char *name)
{
	while (*pattern == *name || *pattern == '*') {
		if (*pattern == '\0')
			return true;
		if (*pattern != '*') {
			pattern++;
			name++;
			continue;
		}
		if (*name == '\0' || *name == '.')
			return false;
		pattern++;
		name += *pattern ? strcspn(name, ".") : strlen(name);
	}
	return false;
}

static unsigned edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned row[NEAREST_LENGTH_MAX + 1], diagonal, above;

	for (size_t j = 0; j <= b_size; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_size; i++) {
		diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_size; j++) {
			above = row[j];
			row[j] = MIN(above, row[j - 1]) + 1;
			diagonal += a[i - 1] == b[j - 1] ? 0 : 1;
			row[j] = MIN(row[j], diagonal);
			diagonal = above;
		}
	}
	return row[b_size];
}

const char *str_nearest(const char *text, const char *const *candidates, size_t n)
{
	size_t size = strlen(text), other;
	const char *nearest = NULL;
	unsigned best, distance;

	if (size > NEAREST_LENGTH_MAX)
		return NULL;
	/* A word that shares no letter with the text is no help. */
	best = MIN(NEAREST_DISTANCE_MAX + 1, (unsigned)size);
	for (size_t i = 0; i < n; i++) {
		other = strlen(candidates[i]);
		if (other > NEAREST_LENGTH_MAX)
			continue;
		if (other == size && strcasecmp(text, candidates[i]) == 0)
			return candidates[i];
		distance = edit_distance(text, size, candidates[i], other);
		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
