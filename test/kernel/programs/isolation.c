/* isolation CALL...: changes its own confinement, call by call. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static struct sock_fprog program = { .len = 1, .filter = allow };

static const struct {
	const char *name;
	int option;
	unsigned long argument;
} options[] = {
	{ "dumpable", PR_SET_DUMPABLE, 0 },
	{ "dumpable-wrong", PR_SET_DUMPABLE, 7 },
	{ "keepcaps", PR_SET_KEEPCAPS, 1 },
	{ "prctl-seccomp", PR_SET_SECCOMP, SECCOMP_MODE_FILTER },
	{ "securebits", PR_SET_SECUREBITS, 1 },
	{ "mm-wrong", PR_SET_MM, 1000 },
	{ "subreaper", PR_SET_CHILD_SUBREAPER, 1 },
	{ "no-new-privs", PR_SET_NO_NEW_PRIVS, 1 },
	{ "no-new-privs-wrong", PR_SET_NO_NEW_PRIVS, 0 },
	{ "ptracer", PR_SET_PTRACER, 1 },
	{ "ambient", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL },
	{ "ambient-asked", PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET },
	{ "name", PR_SET_NAME, (unsigned long)"other" },
	{ "dumpable-asked", PR_GET_DUMPABLE, 0 },
};

static int change_namespace(const char *name)
{
	if (!strcmp(name, "unshare-uts"))
		unshare(CLONE_NEWUTS);
	else if (!strcmp(name, "unshare-files"))
		unshare(CLONE_FILES);
	else if (!strcmp(name, "unshare-wrong"))
		unshare(CLONE_NEWUTS | 1);
	else if (!strcmp(name, "setns-uts"))
		setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS);
	else if (!strcmp(name, "setns-any"))
		setns(open("/proc/self/ns/uts", O_RDONLY), 0);
	else if (!strcmp(name, "setns-wrong"))
		setns(-1, CLONE_NEWNET);
	else
		return 64;
	return 0;
}

static int call(const char *name)
{
	for (unsigned int n = 0; n < sizeof(options) / sizeof(options[0]); n++)
		if (!strcmp(name, options[n].name)) {
			prctl(options[n].option, options[n].argument, options[n].option == PR_SET_SECCOMP ? &program : 0, 0, 0);
			return 0;
		}
	if (!strcmp(name, "seccomp"))
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program);
	else if (!strcmp(name, "seccomp-wrong"))
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0);
	else if (!strcmp(name, "seccomp-asked"))
		syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &(unsigned int){ SECCOMP_RET_ALLOW });
	else if (!strcmp(name, "personality"))
		personality(ADDR_NO_RANDOMIZE);
	else if (!strcmp(name, "personality-asked"))
		personality(0xffffffff);
	else
		return change_namespace(name);
	return 0;
}

int main(int argc, char **argv)
{
	for (int n = 1; n < argc; n++)
		if (call(argv[n]))
			return 64;
	return 0;
}
