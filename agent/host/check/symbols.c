/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "host/check/check.h"

/* A host is one process for a whole bus: none of its plugins may end it, start others or take its signals. */
static const char *const forbidden[] = {
	"_Exit",	"__assert_fail", "_exit",  "abort",	"execl",  "execle", "execlp",
	"execv",	"execve",	 "execvp", "exit",	"fork",	  "popen",  "posix_spawn",
	"posix_spawnp", "quick_exit",	 "raise",  "sigaction", "signal", "system", "vfork",
};

struct image {
	const uint8_t *bytes;
	size_t size;
};

/* A part of the file, or NULL where it has no such one. */
static const void *part(const struct image *i, uint64_t offset, uint64_t size)
{
	return offset <= i->size && size <= i->size - offset ? i->bytes + offset : NULL;
}

static void look_at(struct check *c, const char *name, bool defined)
{
	if (defined) {
		if (!streq(name, "fieldway_plugin"))
			check_complain(c, "it exports %s: plugins of one host would meet there",
				       name);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		if (streq(name, forbidden[i]))
			check_complain(c, "it calls %s()", name);
}

static int look_at_table(struct check *c, const struct image *i, const ElfW(Shdr) * table,
			 const ElfW(Shdr) * texts)
{
	const ElfW(Sym) *symbols = part(i, table->sh_offset, table->sh_size);
	const char *names = part(i, texts->sh_offset, texts->sh_size);

	if (!symbols || !names || texts->sh_size == 0 || names[texts->sh_size - 1] != '\0')
		return -EBADMSG;
	for (size_t n = 0; n < table->sh_size / sizeof(*symbols); n++) {
		const ElfW(Sym) *s = &symbols[n];

		if (s->st_name >= texts->sh_size)
			return -EBADMSG;
		/* Sanitizers mark each global with a name of their own. */
		if (s->st_name == 0 || has_prefix(names + s->st_name, "__odr_asan"))
			continue;
		look_at(c, names + s->st_name, s->st_shndx != SHN_UNDEF);
	}
	return 0;
}

static int look_at_image(struct check *c, const struct image *i)
{
	const ElfW(Ehdr) *head = part(i, 0, sizeof(*head));
	const ElfW(Shdr) * sections;

	if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_shentsize != sizeof(*sections))
		return -EBADMSG;
	sections = part(i, head->e_shoff, (uint64_t)head->e_shnum * sizeof(*sections));
	if (!sections)
		return -EBADMSG;
	for (size_t n = 0; n < head->e_shnum; n++)
		if (sections[n].sh_type == SHT_DYNSYM && sections[n].sh_link < head->e_shnum)
			return look_at_table(c, i, &sections[n], &sections[sections[n].sh_link]);
	return -EBADMSG;
}

int check_symbols(struct check *c)
{
	int r = -EBADMSG, fd = open(c->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	check_part("symbols");
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			r = look_at_image(c, &(struct image){ bytes, (size_t)st.st_size });
			munmap(bytes, (size_t)st.st_size);
		}
	}
	close(fd);
	return r;
}
