/* SPDX-License-Identifier: Apache-2.0 */
#include "install/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/macro.h"
#include "base/str.h"

#define RECORD_MAX 512
#define FILE_NAME_MAX (INSTALL_SUBJECT_MAX + 16)

static const char *const stages[] = {
	[INSTALL_RUNNING] = "running",
	[INSTALL_REBOOTING] = "reboot",
	[INSTALL_ENDED] = "ended",
};

static int parse(const char *text, size_t size, struct install_record *ret)
{
	struct install_record record = { 0 };
	char stage[16], code[8];
	uint64_t number;

	if (!install_line(text, size, "id", record.id, sizeof(record.id)) ||
	    !install_line(text, size, "stage", stage, sizeof(stage)) ||
	    !install_line(text, size, "boot", record.boot, sizeof(record.boot)) ||
	    !install_line(text, size, "code", code, sizeof(code)) || parse_u64(code, &number) < 0 ||
	    number > UINT8_MAX)
		return -EBADMSG;
	record.code = (uint8_t)number;
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (!streq(stage, stages[i]))
			continue;
		record.stage = (enum install_stage)i;
		*ret = record;
		return 0;
	}
	return -EBADMSG;
}

int install_record_read(int folder, const char *subject, struct install_record *ret)
{
	_cleanup_close_ int fd = -1;
	char name[FILE_NAME_MAX], text[RECORD_MAX];
	ssize_t n;

	snprintf(name, sizeof(name), "%s.result", subject);
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	return parse(text, (size_t)n, ret);
}

static int write_file(int folder, const char *name, const char *text, size_t size)
{
	_cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r = fd < 0 ? -errno : io_write(fd, text, size);

	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int install_record_write(int folder, const char *subject, const struct install_record *record)
{
	char name[FILE_NAME_MAX], temporary[FILE_NAME_MAX], text[RECORD_MAX];
	int n = snprintf(text, sizeof(text), "id=%s\nstage=%s\ncode=%u\nboot=%s\n", record->id,
			 stages[record->stage], record->code, record->boot),
	    r;

	snprintf(name, sizeof(name), "%s.result", subject);
	snprintf(temporary, sizeof(temporary), "%s.result.new", subject);
	r = write_file(folder, temporary, text, (size_t)n);
	return r < 0 ? r : io_rename(folder, temporary, name);
}
