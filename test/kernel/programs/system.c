/* system CALL...: makes machine-wide system calls in a form that fails or changes nothing:
 * no clock is set, no swap used, no reboot. The exit code is the number of unknown calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define QUOTA_OFF 0x80000300
#define SESSION_KEYRING -3

static void perf_event_open(unsigned type)
{
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = PERF_COUNT_SW_PAGE_FAULTS };

	syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void io_uring_setup(unsigned entries, unsigned flags)
{
	unsigned params[30] = { 0, 0, flags };

	syscall(SYS_io_uring_setup, entries, params);
}

static void keys(void)
{
	long key;

	/* in a new session, so that nothing is left in the caller's */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "rf-session");
	key = syscall(SYS_add_key, "user", "rf:description", "secret", 6, SESSION_KEYRING);
	syscall(SYS_request_key, "user", "rf:description", 0, 0);
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, 0, 0);
	syscall(SYS_keyctl, KEYCTL_REVOKE, key);
	syscall(SYS_add_key, "rf-no-type", "rf:description", "secret", 6, SESSION_KEYRING);
	syscall(SYS_request_key, "user", "rf:nothing", 0, 0);
	syscall(SYS_keyctl, KEYCTL_REVOKE, 1);
}

static void clocks(void)
{
	struct timeval invalid = { .tv_sec = -1, .tv_usec = 2000000 };
	struct timespec past = { .tv_sec = 77, .tv_nsec = -1 };
	struct timex query = { .modes = 0 }, tick = { .modes = ADJ_TICK, .tick = 1, .offset = 5 };

	syscall(SYS_settimeofday, &invalid, 0);
	syscall(SYS_clock_settime, CLOCK_MONOTONIC, &past);
	syscall(SYS_adjtimex, &query);
	syscall(SYS_adjtimex, &tick);
	syscall(SYS_clock_adjtime, CLOCK_REALTIME, &query);
	syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tick);
}

static void names(void)
{
	/* in a new namespace */
	if (unshare(CLONE_NEWUTS))
		return;
	syscall(SYS_sethostname, "rf-host", 7);
	syscall(SYS_setdomainname, "rf-domain", 9);
	syscall(SYS_sethostname, "rf-host-that-is-longer-than-what-any-kernel-will-take-for-a-name-of-it", 70);
	syscall(SYS_setdomainname, "rf-domain", -1);
}

static void log_calls(void)
{
	char text[16];

	syscall(SYS_syslog, 10, 0, 0);
	syscall(SYS_syslog, 3, text, sizeof(text));
	syscall(SYS_syslog, 8, 0, 99);
}

static int call(const char *name)
{
	if (!strcmp(name, "perf_event_open"))
		perf_event_open(PERF_TYPE_SOFTWARE), perf_event_open(4000);
	else if (!strcmp(name, "io_uring_setup"))
		io_uring_setup(4, 0), io_uring_setup(4, 1u << 31);
	else if (!strcmp(name, "userfaultfd"))
		syscall(SYS_userfaultfd, O_CLOEXEC), syscall(SYS_userfaultfd, 0x40000000);
	else if (!strcmp(name, "keys"))
		keys();
	else if (!strcmp(name, "ports"))
		syscall(SYS_iopl, 0), syscall(SYS_iopl, 4), syscall(SYS_ioperm, 0x80, 1, 1), syscall(SYS_ioperm, 65536, 2, 1);
	else if (!strcmp(name, "quota"))
		syscall(SYS_quotactl, QUOTA_OFF, "/dev/rf-none", 0, 0), syscall(SYS_quotactl, 0x80000700, "/dev/rf-none", 0, 0),
			syscall(SYS_quotactl_fd, open("/proc", O_RDONLY), QUOTA_OFF, 0, 0);
	else if (!strcmp(name, "swap"))
		syscall(SYS_swapon, "/rf-none", 0x8001), syscall(SYS_swapoff, "/rf-none");
	else if (!strcmp(name, "clocks"))
		clocks();
	else if (!strcmp(name, "log"))
		log_calls();
	else if (!strcmp(name, "reboot"))
		syscall(SYS_reboot, 1, 2, 0x1234567, 0); /* both magic numbers are wrong */
	else if (!strcmp(name, "names"))
		names();
	else if (!strcmp(name, "acct"))
		syscall(SYS_acct, "/rf-none/acct");
	else if (!strcmp(name, "modules"))
		syscall(SYS_init_module, "", 0, "rf=1"), syscall(SYS_finit_module, -1, "rf=1", 0), syscall(SYS_delete_module, "rf_none", 0);
	else if (!strcmp(name, "kexec"))
		syscall(SYS_kexec_load, 0, 0, 0, 1u << 30), syscall(SYS_kexec_file_load, -1, -1, 3, "rf", 1u << 30);
	else
		return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int unknown = 0;

	for (int n = 1; n < argc; n++)
		unknown += call(argv[n]);
	return unknown;
}
