/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "metrics/internal.h"

/* The figures that every exporter has, under the names that they have everywhere. */

/* Fields of /proc/self/stat behind the name (proc(5)), counted from 3. */
static void read_stat(struct process_figures *ret)
{
	FILE *f = fopen("/proc/self/stat", "re");
	unsigned long user, system;
	unsigned long long start;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	char line[1024];
	const char *p;

	if (!f)
		return;
	p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (p && sscanf(p + 1,
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu",
			&user, &system, &start) == 3) {
		uint64_t since_usec = clock_boottime_usec() - (uint64_t)((double)start / ticks * 1e6);

		ret->cpu_s = (double)(user + system) / ticks;
		ret->start_s = (double)(clock_realtime_usec() - since_usec) / 1e6;
	}
	fclose(f);
}

static void read_memory(struct process_figures *ret)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (!f)
		return;
	if (fscanf(f, "%*u %lu", &pages) == 1)
		ret->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	fclose(f);
}

static void count_descriptors(struct process_figures *ret)
{
	DIR *folder = opendir("/proc/self/fd");

	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder));)
		ret->descriptors += entry->d_name[0] != '.';
	ret->descriptors--; /* the folder's own */
	closedir(folder);
}

void process_figures_read(struct process_figures *ret)
{
	*ret = (struct process_figures){ 0 };
	read_stat(ret);
	read_memory(ret);
	count_descriptors(ret);
}
