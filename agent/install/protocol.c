/* SPDX-License-Identifier: Apache-2.0 */
#include "install/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const actions[] = {
	[INSTALL_CHECK] = "check",
	[INSTALL_PACKAGE] = "install",
	[INSTALL_WAIT] = "wait",
	[INSTALL_UNINSTALL] = "uninstall",
	[INSTALL_ACTIVATE] = "activate",
	[INSTALL_DEACTIVATE] = "deactivate",
};

static const char *const ends[] = {
	[INSTALL_EXITED] = "exited",   [INSTALL_REBOOT] = "reboot", [INSTALL_BROKEN] = "broken",
	[INSTALL_UNKNOWN] = "unknown", [INSTALL_BUSY] = "busy",	    [INSTALL_REFUSED] = "refused",
};

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool install_name_is_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= INSTALL_NAME_MAX || !is_name_start(name[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_name_start(name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

const char *install_action_name(enum install_action action)
{
	return actions[action];
}

/* Index of a word, or -EBADMSG. */
static int word_index(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (streq(words[i], word))
			return (int)i;
	return -EBADMSG;
}

/* Where the last line of that name has its value, or NULL. */
static const char *find_value(const char *text, size_t size, const char *name, size_t *ret_size)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t line = end ? (size_t)(end - text) - at : size - at;

		if (line > n && memcmp(text + at, name, n) == 0 && text[at + n] == '=') {
			found = text + at + n + 1;
			*ret_size = line - n - 1;
		}
		at += line + 1;
	}
	return found;
}

bool install_line(const char *text, size_t size, const char *name, char *ret, size_t ret_size)
{
	size_t n;
	const char *value = find_value(text, size, name, &n);

	if (!value)
		return false;
	n = utf8_valid_prefix(value, n < ret_size - 1 ? n : ret_size - 1);
	for (size_t i = 0; i < n; i++)
		ret[i] = (unsigned char)value[i] < ' ' || value[i] == 0x7f ? ' ' : value[i];
	ret[n] = '\0';
	return true;
}

static int fits(int n, size_t size)
{
	return n < 0 || (size_t)n >= size ? -ENOBUFS : n;
}

int install_request_encode(const struct install_request *q, char *ret, size_t size)
{
	return fits(snprintf(ret, size, "action=%s\nhandler=%s\nid=%s\nsoftware=%s\nseverity=%u\ndefer=%u\n",
			     actions[q->action], q->handler, q->id, q->software, q->severity, q->defer_s),
		    size);
}

int install_answer_encode(const struct install_answer *a, char *ret, size_t size)
{
	return fits(snprintf(ret, size, "end=%s\ncode=%u\nname=%s\nversion=%s\nreason=%s\n", ends[a->end],
			     a->code, a->name, a->version, a->reason),
		    size);
}

static uint64_t number_of(const char *message, size_t size, const char *name, uint64_t most)
{
	char text[32];
	uint64_t value;

	if (!install_line(message, size, name, text, sizeof(text)) || parse_u64(text, &value) < 0)
		return 0;
	return value < most ? value : most;
}

static bool name_of(const char *message, size_t size, const char *name, char ret[INSTALL_NAME_MAX])
{
	char value[INSTALL_NAME_MAX + 1];

	/* One that is cut would be another one. */
	if (!install_line(message, size, name, value, sizeof(value)) || !install_name_is_valid(value))
		return false;
	strcpy(ret, value);
	return true;
}

int install_request_decode(const char *message, size_t size, struct install_request *ret)
{
	struct install_request q = { 0 };
	char word[32];
	int r;

	if (!install_line(message, size, "action", word, sizeof(word)) ||
	    !name_of(message, size, "handler", q.handler) || !name_of(message, size, "id", q.id))
		return -EBADMSG;
	r = word_index(actions, sizeof(actions) / sizeof(actions[0]), word);
	if (r < 0)
		return r;
	q.action = (enum install_action)r;
	/* None is firmware; but one that is no name is nobody's. */
	if (install_line(message, size, "software", word, sizeof(word)) && *word &&
	    !name_of(message, size, "software", q.software))
		return -EBADMSG;
	q.severity = (uint32_t)number_of(message, size, "severity", 2);
	q.defer_s = (uint32_t)number_of(message, size, "defer", UINT32_MAX);
	*ret = q;
	return 0;
}

int install_answer_decode(const char *message, size_t size, struct install_answer *ret)
{
	struct install_answer a = { 0 };
	char word[32];
	int r;

	if (!install_line(message, size, "end", word, sizeof(word)))
		return -EBADMSG;
	r = word_index(ends, sizeof(ends) / sizeof(ends[0]), word);
	if (r < 0)
		return r;
	a.end = (enum install_end)r;
	a.code = (uint8_t)number_of(message, size, "code", UINT8_MAX);
	install_line(message, size, "name", a.name, sizeof(a.name));
	install_line(message, size, "version", a.version, sizeof(a.version));
	install_line(message, size, "reason", a.reason, sizeof(a.reason));
	*ret = a;
	return 0;
}
