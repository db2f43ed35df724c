/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "host/sandbox/sandbox.h"

/*
 * System calls by name, as not all of them are there on every machine. All
 * that is in no list fails with EPERM.
 */

static const bool sanitized = ADDRESS_SANITIZED;

static const char *const allowed[] = {
	/* memory */
	"brk",
	"madvise",
	"membarrier",
	"mmap",
	"mmap2",
	"mprotect",
	"mremap",
	"munmap",
	/* threads */
	"arch_prctl",
	"cacheflush",
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"futex_waitv",
	"get_robust_list",
	"getcpu",
	"gettid",
	"prctl",
	"rseq",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"sched_yield",
	"set_robust_list",
	"set_thread_area",
	"set_tid_address",
	"set_tls",
	/* signals */
	"pause",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"rt_sigtimedwait_time64",
	"sigaltstack",
	"signalfd",
	"signalfd4",
	"sigreturn",
	/* time */
	"clock_getres",
	"clock_getres_time64",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"gettimeofday",
	"nanosleep",
	"time",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_gettime64",
	"timerfd_settime",
	"timerfd_settime64",
	"times",
	/* descriptors */
	"_llseek",
	"_newselect",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd",
	"eventfd2",
	"fcntl",
	"fcntl64",
	"fdatasync",
	"flock",
	"fsync",
	"ftruncate",
	"ftruncate64",
	"lseek",
	"memfd_create",
	"pipe",
	"pipe2",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pread64",
	"preadv",
	"pselect6",
	"pselect6_time64",
	"pwrite64",
	"pwritev",
	"read",
	"readv",
	"select",
	"write",
	"writev",
	/* files, as far as they can be seen */
	"access",
	"faccessat",
	"faccessat2",
	"fstat",
	"fstat64",
	"fstatat64",
	"fstatfs",
	"fstatfs64",
	"getcwd",
	"getdents",
	"getdents64",
	"inotify_add_watch",
	"inotify_init1",
	"inotify_rm_watch",
	"ioctl",
	"lstat",
	"lstat64",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"readlink",
	"readlinkat",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	/* sockets */
	"accept",
	"accept4",
	"bind",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"recv",
	"recvfrom",
	"recvmmsg",
	"recvmmsg_time64",
	"recvmsg",
	"send",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	/* who and where */
	"capget",
	"getegid",
	"getegid32",
	"geteuid",
	"geteuid32",
	"getgid",
	"getgid32",
	"getgroups",
	"getgroups32",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getrandom",
	"getresgid",
	"getresgid32",
	"getresuid",
	"getresuid32",
	"getrlimit",
	"getrusage",
	"getsid",
	"getuid",
	"getuid32",
	"sysinfo",
	"ugetrlimit",
	"umask",
	"uname",
};

/* Nobody calls these by mistake: they end the process, and the daemon says so. */
static const char *const hostile[] = {
	"acct",	       "add_key",	  "bpf",	   "delete_module",    "finit_module",
	"init_module", "ioperm",	  "iopl",	   "kexec_file_load",  "kexec_load",
	"keyctl",      "mount",		  "mount_setattr", "move_mount",       "open_by_handle_at",
	"open_tree",   "perf_event_open", "pivot_root",	   "process_vm_readv", "process_vm_writev",
	"ptrace",      "quotactl",	  "reboot",	   "request_key",      "setns",
	"swapoff",     "swapon",	  "umount2",	   "unshare",	       "userfaultfd",
};

/* What takes a sanitizer's leak check. */
static const char *const for_sanitizers[] = {
	"clone", "kill", "personality", "process_vm_readv", "ptrace", "sched_setaffinity", "wait4",
};

/* Of the internet, of this machine (D-Bus, journal), questions about its network, field buses. */
static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_BLUETOOTH, AF_CAN };

/* They put words into a terminal's input. */
static const unsigned long ioctls[] = { TIOCSTI, TIOCLINUX };

bool sandbox_is_sanitized(void)
{
	return sanitized;
}

static int add(scmp_filter_ctx c, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name), r;

	if (number == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add(c, action, number, 0);
	/* Not on this machine, or what happens by default anyway. */
	return r == -EDOM || r == -EACCES ? 0 : r;
}

static int add_all(scmp_filter_ctx c, uint32_t action, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add(c, action, names[i]);
	return r;
}

static int add_hostile(scmp_filter_ctx c)
{
	int r = 0;

	if (sanitized)
		return add_all(c, SCMP_ACT_ALLOW, for_sanitizers, ARRAY_SIZE(for_sanitizers));
	r = add_all(c, SCMP_ACT_KILL_PROCESS, hostile, ARRAY_SIZE(hostile));
	/* A thread, no process. */
	if (r >= 0)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return r;
}

static int add_conditions(scmp_filter_ctx c)
{
	int r;

	/* Its flags lie in memory, where no filter sees them: libraries take the older call then. */
	r = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Hosts have the same user: none has to do with another one. */
	if (r >= 0)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (r >= 0)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A0(SCMP_CMP_EQ, 0));
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(families); i++)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return r;
}

static int make_calls(scmp_filter_ctx c)
{
	int r;

	r = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r >= 0)
		r = add_all(c, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	if (r >= 0)
		r = add_hostile(c);
	if (r >= 0)
		r = add_conditions(c);
	return r;
}

/* A filter of its own: what is allowed here still has to pass the other one. */
static int make_ioctls(scmp_filter_ctx c)
{
	int r = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);

	/* The kernel looks at the lower half alone. */
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(ioctls); i++)
		r = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, ioctls[i]));
	return r;
}

static int load(uint32_t otherwise, int (*make)(scmp_filter_ctx c))
{
	scmp_filter_ctx c = seccomp_init(otherwise);
	int r;

	if (!c)
		return -ENOMEM;
	r = make(c);
	if (r >= 0)
		r = seccomp_load(c);
	seccomp_release(c);
	return r;
}

/* The narrow one last: it does not allow to load another one. */
int sandbox_limit_calls(void)
{
	int r = load(SCMP_ACT_ALLOW, make_ioctls);

	return r < 0 ? r : load(SCMP_ACT_ERRNO(EPERM), make_calls);
}
