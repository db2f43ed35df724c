/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/state/rig.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char folder[PATH_MAX];
struct state *state;
struct buf loaded;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void rig_set_up(void)
{
	strcpy(folder, "/tmp/fieldway-state-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	loaded = (struct buf){ 0 };
}

void rig_tear_down(void)
{
	state = state_free(state);
	buf_done(&loaded);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void restart(void)
{
	state = state_free(state);
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
}

const char *path_in(const char *name)
{
	static char path[PATH_MAX + 300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

void save(const char *name, const char *text)
{
	ck_assert_int_eq(state_save(state, name, "k", text, strlen(text)), 0);
}

void assert_loads(const char *name, const char *text)
{
	loaded.size = 0;
	ck_assert_int_eq(state_load(state, name, "k", &loaded), 0);
	ck_assert_uint_eq(loaded.size, strlen(text));
	if (loaded.size > 0)
		ck_assert_mem_eq(loaded.data, text, loaded.size);
}

size_t read_raw(const char *name, uint8_t *data, size_t size)
{
	int fd = open(path_in(name), O_RDONLY);
	ssize_t n = read(fd, data, size);

	ck_assert_int_ge(n, 0);
	close(fd);
	return (size_t)n;
}

void write_raw(const char *name, const void *data, size_t size)
{
	int fd = open(path_in(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}
