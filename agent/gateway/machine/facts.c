/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "gateway/registry/internal.h"

/* A line of the kernel or of os-release is at most this long. */
#define FACT_MAX 128

/* The first line of a file, without blanks at its end; NULL where there is none, or it is not UTF-8. */
static char *read_line(const char *path)
{
	char line[FACT_MAX];
	FILE *f = fopen(path, "re");
	char *text;

	if (!f)
		return NULL;
	text = fgets(line, sizeof(line), f);
	fclose(f);
	if (!text)
		return NULL;
	for (size_t n = strlen(line); n > 0 && strchr(" \t\n", line[n - 1]); n--)
		line[n - 1] = 0;
	return *line && utf8_is_valid(line, strlen(line)) ? strdup(line) : NULL;
}

/* The first of some files that has something to say. */
static char *read_first(const char *const *paths)
{
	char *text = NULL;

	for (size_t i = 0; paths[i] && !text; i++)
		text = read_line(paths[i]);
	return text;
}

/* PRETTY_NAME of os-release(5). */
static char *read_system(void)
{
	static const char key[] = "PRETTY_NAME=\"";
	char line[FACT_MAX], *end, *text = NULL;
	FILE *f = fopen("/etc/os-release", "re");

	if (!f)
		return NULL;
	while (!text && fgets(line, sizeof(line), f)) {
		if (!has_prefix(line, key))
			continue;
		end = strchr(line + strlen(key), '"');
		if (end)
			text = strndup(line + strlen(key), end - line - strlen(key));
	}
	fclose(f);
	return text;
}

void host_facts_read(struct host_facts *ret)
{
	static const char *const makers[] = { "/sys/class/dmi/id/sys_vendor", NULL };
	static const char *const models[] = { "/sys/class/dmi/id/product_name", "/proc/device-tree/model", NULL };
	/* DMI's are for root alone, as most kernels have them. */
	static const char *const serials[] = { "/sys/class/dmi/id/product_serial", "/sys/class/dmi/id/board_serial",
					       "/proc/device-tree/serial-number", NULL };
	static const char *const revisions[] = { "/sys/class/dmi/id/product_version",
						 "/sys/class/dmi/id/board_version", NULL };

	*ret = (struct host_facts){
		.manufacturer = read_first(makers),
		.model = read_first(models),
		.serial = read_first(serials),
		.firmware = read_system(),
		.hardware = read_first(revisions),
	};
}

void host_facts_done(struct host_facts *f)
{
	free(f->manufacturer);
	free(f->model);
	free(f->serial);
	free(f->firmware);
	free(f->hardware);
	*f = (struct host_facts){ 0 };
}
