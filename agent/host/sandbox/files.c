/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "host/sandbox/sandbox.h"

/* Headers may be older than the kernel: what each ABI added, see landlock(7). */
#define ACCESS_ABI1 ((UINT64_C(1) << 13) - 1)
#define ACCESS_REFER (UINT64_C(1) << 13)     /* 2 */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */

/* Of ABI 6: abstract sockets and signals of those that are not in the sandbox. */
#define SCOPE_ALL UINT64_C(3)

/* As the kernel has it; what an ABI does not know yet is left off its end. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* none: buses are out there */
	uint64_t scoped;
};

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* What makes sense for a file that is no folder. */
#define ACCESS_FILE                                                                                \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE |          \
	 ACCESS_IOCTL_DEV)
#define ACCESS_WRITE                                                                               \
	(ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)

struct place {
	const char *path;
	uint64_t access;
};

/*
 * Libraries, also those that are loaded late to look up names; what names and
 * TLS need; the process itself; devices; the sockets of D-Bus, the journal and
 * the resolver. Of /etc only single files: /etc/fieldway is not among them.
 */
static const struct place places[] = {
	{ "/usr", ACCESS_READ },
	{ "/lib", ACCESS_READ },
	{ "/lib32", ACCESS_READ },
	{ "/lib64", ACCESS_READ },
	{ "/etc/crypto-policies", ACCESS_READ },
	{ "/etc/gai.conf", ACCESS_READ },
	{ "/etc/gnutls", ACCESS_READ },
	{ "/etc/group", ACCESS_READ },
	{ "/etc/host.conf", ACCESS_READ },
	{ "/etc/hosts", ACCESS_READ },
	{ "/etc/ld.so.cache", ACCESS_READ },
	{ "/etc/localtime", ACCESS_READ },
	{ "/etc/machine-id", ACCESS_READ },
	{ "/etc/nsswitch.conf", ACCESS_READ },
	{ "/etc/passwd", ACCESS_READ },
	{ "/etc/pki/tls", ACCESS_READ },
	{ "/etc/protocols", ACCESS_READ },
	{ "/etc/resolv.conf", ACCESS_READ },
	{ "/etc/services", ACCESS_READ },
	{ "/etc/ssl/certs", ACCESS_READ },
	{ "/proc", ACCESS_READ },
	{ "/sys", ACCESS_READ },
	{ "/dev", ACCESS_WRITE },
	{ "/run", ACCESS_WRITE },
};

static uint64_t handled_by(int abi)
{
	uint64_t access = ACCESS_ABI1;

	if (abi >= 2)
		access |= ACCESS_REFER;
	if (abi >= 3)
		access |= ACCESS_TRUNCATE;
	if (abi >= 5)
		access |= ACCESS_IOCTL_DEV;
	return access;
}

/* What is not there need not be allowed. */
static int allow(int ruleset, const char *path, uint64_t access, uint64_t handled)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = access & handled,
						   .parent_fd = fd };
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= ACCESS_FILE;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ?
		     -errno :
		     0;
}

int sandbox_limit_files(const char *plugins)
{
	struct ruleset attr = { 0 };
	size_t size = sizeof(attr.handled_access_fs);
	_cleanup_close_ int ruleset = -1;
	int abi, r;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? -EOPNOTSUPP : -errno;
	attr.handled_access_fs = handled_by(abi);
	if (abi >= 6) {
		attr.scoped = SCOPE_ALL;
		size = sizeof(attr);
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -errno;
	r = allow(ruleset, plugins, ACCESS_READ, attr.handled_access_fs);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++)
		r = allow(ruleset, places[i].path, places[i].access, attr.handled_access_fs);
	if (r < 0)
		return r;
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : abi;
}
