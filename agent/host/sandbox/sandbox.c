/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sandbox/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* No kernel has more; those that this one does not know are -EINVAL. */
#define CAPABILITIES_MAX 64

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t any = 0;

	if (syscall(SYS_capget, &header, now) < 0)
		return true;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= now[i].effective | now[i].permitted | now[i].inheritable;
	return any;
}

/* The bounding set needs a capability itself: whoever lacks that has nothing to lose there. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* In its unit, where there is no call for it either. */
	if (!has_capabilities())
		return 0;
	for (unsigned long i = 0; i < CAPABILITIES_MAX; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static bool did(int r, const char *what)
{
	if (r < 0)
		log_warning(NULL, "sandbox: %s: %s", what, strerror(-r));
	return r >= 0;
}

void sandbox_enter(const char *plugins, struct sandbox *ret)
{
	struct sandbox s = { 0 };
	int r;

	/* Also what the two others ask for. */
	did(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0, "no new privileges");
	r = sandbox_limit_files(plugins);
	if (r == -EOPNOTSUPP)
		log_debug(
			NULL,
			"sandbox: this kernel has no Landlock, files are as the user may see them");
	else if (did(r, "files"))
		s.files = r;
	s.capabilities = did(drop_capabilities(), "capabilities");
	s.calls = did(sandbox_limit_calls(), "system calls");
	log_debug(NULL, "sandbox: capabilities %s, system calls %s, files %s (Landlock %d)",
		  s.capabilities ? "none" : "kept", s.calls ? "limited" : "all",
		  s.files > 0 ? "limited" : "all", s.files);
	*ret = s;
}
