/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define LOG_TEXT_MAX 2048
#define LOG_FIELD_MAX 512
#define LOG_BUDGET_MESSAGES 10
#define LOG_BUDGET_USEC (30 * USEC_PER_SEC)

static const char *_Atomic current_name = "fieldway";

void log_set_name(const char *name)
{
	current_name = name;
}

/* systemd says in JOURNAL_STREAM which device and inode its stderr pipe has (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!text || sscanf(text, "%llu:%llu", &device, &inode) != 2 ||
	    fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == (dev_t)device && st.st_ino == (ino_t)inode;
}

/* What a peer sent must not start a line of its own. */
static void text_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = *text == '\t' || *text == '\n' ? ' ' : '?';
}

/* Members of struct log_about, and where in the code. */
#define LOG_ABOUT_MAX 6
#define LOG_FIELDS_MAX (LOG_ABOUT_MAX + 3)

struct field {
	const char *name, *value;
};

static size_t about_fields(const struct log_about *about, struct field fields[LOG_ABOUT_MAX])
{
	const struct field all[] = {
		{ "ENDPOINT", about->endpoint },
		{ "SERVER", about->server },
		{ "DEVICE", about->device },
		{ "BUS", about->bus },
		{ "OBJECT_PATH", about->path },
		{ "MESSAGE_ID", about->message_id },
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].value)
			fields[n++] = all[i];
	return n;
}

static void write_journal(int level, const struct field *fields, size_t n, const char *text)
{
	char lines[LOG_FIELDS_MAX + 2][LOG_FIELD_MAX], message[LOG_TEXT_MAX + sizeof("MESSAGE=")];
	struct iovec iov[LOG_FIELDS_MAX + 3];
	size_t used = 0;

	snprintf(message, sizeof(message), "MESSAGE=%s", text);
	snprintf(lines[used++], LOG_FIELD_MAX, "PRIORITY=%d", level);
	snprintf(lines[used++], LOG_FIELD_MAX, "SYSLOG_IDENTIFIER=%s", current_name);
	for (size_t i = 0; i < n; i++)
		snprintf(lines[used++], LOG_FIELD_MAX, "%s=%s", fields[i].name, fields[i].value);
	for (size_t i = 0; i < used; i++)
		iov[i] = (struct iovec){ lines[i], strlen(lines[i]) };
	iov[used++] = (struct iovec){ message, strlen(message) };
	sd_journal_sendv(iov, (int)used);
}

static void append(char *line, size_t size, const char *before, const char *text, const char *after)
{
	size_t used = strlen(line);

	snprintf(line + used, size - used, "%s%s%s", before, text, after);
}

/* One write() a line, so that threads do not mix theirs; fields that the text does not name follow it. */
static void write_stderr(const struct field *fields, size_t n, const char *text)
{
	char line[LOG_TEXT_MAX + LOG_ABOUT_MAX * LOG_FIELD_MAX] = "";
	ssize_t ignored _unused_;

	append(line, sizeof(line) - 1, current_name, ": ", text);
	for (size_t i = 0; i < n; i++) {
		if (streq(fields[i].name, "MESSAGE_ID") || strstr(text, fields[i].value))
			continue;
		append(line, sizeof(line) - 1, " ", fields[i].name, "=");
		append(line, sizeof(line) - 1, fields[i].value, "", "");
	}
	text_clean(line);
	strcat(line, "\n");
	ignored = write(STDERR_FILENO, line, strlen(line));
}

void log_write(int level, const struct log_about *about, const char *file, int line,
	       const char *function, const char *format, ...)
{
	static const struct log_about nothing;
	char text[LOG_TEXT_MAX], number[16];
	struct field fields[LOG_FIELDS_MAX];
	int saved = errno;
	va_list args;
	size_t n;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_clean(text);
	n = about_fields(about ? about : &nothing, fields);
	if (stderr_is_journal()) {
		snprintf(number, sizeof(number), "%d", line);
		fields[n++] = (struct field){ "CODE_FILE", file };
		fields[n++] = (struct field){ "CODE_LINE", number };
		fields[n++] = (struct field){ "CODE_FUNC", function };
		write_journal(level, fields, n, text);
	} else {
		write_stderr(fields, n, text);
	}
	errno = saved;
}

int log_budget_take(struct log_budget *budget, unsigned *ret_suppressed)
{
	unsigned limit = budget->limit ?: LOG_BUDGET_MESSAGES;
	uint64_t now = clock_monotonic_usec();

	if (budget->count == 0 || now - budget->window_usec >= LOG_BUDGET_USEC) {
		budget->window_usec = now;
		budget->count = 0;
	}
	if (budget->count >= limit) {
		budget->suppressed++;
		return 0;
	}
	budget->count++;
	if (ret_suppressed)
		*ret_suppressed = budget->suppressed;
	budget->suppressed = 0;
	return 1;
}
