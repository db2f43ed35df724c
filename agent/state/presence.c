/* SPDX-License-Identifier: Apache-2.0 */
#include "state/presence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* FNV-1a, the upper bits folded in. */
static uint32_t bit_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32) % PRESENCE_BITS;
}

void presence_add(struct presence *p, const char *name)
{
	uint32_t bit = bit_of(name);

	p->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool presence_may_have(const struct presence *p, const char *name)
{
	uint32_t bit = bit_of(name);

	return p->bits[bit / 64] >> bit % 64 & 1;
}

int presence_each(int folder, int (*f)(void *userdata, const char *name), void *userdata)
{
	/* A description of its own: reading moves the offset. */
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	r = 0;
	for (errno = 0; r >= 0 && (entry = readdir(dir)); errno = 0)
		r = f(userdata, entry->d_name);
	if (r >= 0)
		r = -errno;
	closedir(dir);
	return r;
}

static int add(void *userdata, const char *name)
{
	presence_add(userdata, name);
	return 0;
}

int presence_read(struct presence *p, int folder)
{
	return presence_each(folder, add, p);
}
