/* takeover ATTEMPT ARGUMENTS...: what code in a process of Ringfence tries against the other process. Prints one line,
 * "ok" or the name of the error, for each attempt; the caller has chosen user and capabilities.
 *
 * signals PID SIGNAL...: sends each signal to each thread of the process, by tgkill
 * process PID: stops, traces, reads, writes and restricts the process
 * paths PATH...: reads, overwrites, changes, renames and removes each path
 * pins PATH...: opens each pinned map
 * maps NAME: opens maps by their ids until one has this name
 * terminal FD: types into the terminal, and takes it over, also as the leader of a new session */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static void report(const char *what, const char *object, long result)
{
	printf("%s %s %s\n", what, object, result < 0 ? strerrorname_np(errno) : "ok");
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void signals(const char *pid, int count, char **numbers)
{
	char path[64], what[32];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		for (int i = 0; atoi(entry->d_name) && i < count; i++) {
			snprintf(what, sizeof(what), "signal-%s", numbers[i]);
			report(what, entry->d_name, syscall(SYS_tgkill, atoi(pid), atoi(entry->d_name), atoi(numbers[i])));
		}
}

static void open_in_proc(const char *pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	report("open", name, open(path, flags));
}

static void process(const char *text)
{
	pid_t pid = atoi(text);
	struct rlimit limit = { 0, 0 };
	struct sched_param param = { 0 };
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)4096, 1 };
	cpu_set_t cpus;
	int pidfd;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	report("ptrace-seize", "process", ptrace(PTRACE_SEIZE, pid, 0, 0));
	report("process_vm_readv", "process", process_vm_readv(pid, &here, 1, &there, 1, 0));
	report("process_vm_writev", "process", process_vm_writev(pid, &here, 1, &there, 1, 0));
	report("prlimit", "process", prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
	report("nice", "process", setpriority(PRIO_PROCESS, pid, 19));
	report("affinity", "process", sched_setaffinity(pid, sizeof(cpus), &cpus));
	report("scheduler", "process", sched_setscheduler(pid, SCHED_IDLE, &param));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	report("pidfd_send_signal", "process", syscall(SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0));
	report("pidfd_getfd", "process", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
	open_in_proc(text, "mem", O_RDWR);
	open_in_proc(text, "environ", O_RDONLY);
	open_in_proc(text, "maps", O_RDONLY);
	open_in_proc(text, "fd", O_RDONLY | O_DIRECTORY);
	open_in_proc(text, "root", O_RDONLY | O_DIRECTORY);
	open_in_proc(text, "oom_score_adj", O_RDWR);
	open_in_proc(text, "coredump_filter", O_RDWR);
}

static void attack_path(const char *path)
{
	char aside[4096], link_path[4096];

	snprintf(aside, sizeof(aside), "%s.aside", path);
	snprintf(link_path, sizeof(link_path), "%s.link", path);
	report("read", path, open(path, O_RDONLY));
	report("write", path, open(path, O_WRONLY));
	report("truncate", path, truncate(path, 0));
	report("chmod", path, chmod(path, 0777));
	report("chown", path, chown(path, getuid(), getgid()));
	report("rename", path, rename(path, aside));
	report("link", path, link(path, link_path));
	report("unlink", path, unlink(path));
	report("rmdir", path, rmdir(path));
	report("setxattr", path, setxattr(path, "user.x", "x", 1, 0));
}

static void pin(const char *path)
{
	union bpf_attr attr = { .pathname = (unsigned long)path };

	report("obj_get", path, bpf(BPF_OBJ_GET, &attr));
}

/* The ids are public; opening one needs SYS_ADMIN. */
static void by_id(const char *name)
{
	struct bpf_map_info info;
	unsigned int id = 0;

	for (;;) {
		union bpf_attr next = { .start_id = id };
		union bpf_attr get = {};
		union bpf_attr about = {};
		int fd;

		if (bpf(BPF_MAP_GET_NEXT_ID, &next) < 0) {
			report("map_by_id", name, -1);
			return;
		}
		id = next.next_id;
		get.map_id = id;
		fd = bpf(BPF_MAP_GET_FD_BY_ID, &get);
		if (fd < 0) {
			report("map_by_id", name, -1);
			return;
		}
		memset(&info, 0, sizeof(info));
		about.info.bpf_fd = fd;
		about.info.info_len = sizeof(info);
		about.info.info = (unsigned long)&info;
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &about) && !strcmp(info.name, name)) {
			report("map_by_id", name, 0);
			return;
		}
		close(fd);
	}
}

static void terminal(int fd)
{
	pid_t group = getpgrp();

	report("open", "/dev/tty", open("/dev/tty", O_RDWR));
	report("type", "terminal", ioctl(fd, TIOCSTI, "x"));
	report("foreground", "terminal", ioctl(fd, TIOCSPGRP, &group));
	fflush(stdout);
	if (fork()) {
		wait(NULL);
		return;
	}
	setsid();
	report("take", "terminal", ioctl(fd, TIOCSCTTY, 0));
	report("type-as-leader", "terminal", ioctl(fd, TIOCSTI, "x"));
}

int main(int count, char **words)
{
	if (count < 3)
		return 2;
	if (!strcmp(words[1], "signals"))
		signals(words[2], count - 3, words + 3);
	else if (!strcmp(words[1], "process"))
		process(words[2]);
	else if (!strcmp(words[1], "terminal"))
		terminal(atoi(words[2]));
	else
		for (int i = 2; i < count; i++)
			if (!strcmp(words[1], "paths"))
				attack_path(words[i]);
			else if (!strcmp(words[1], "pins"))
				pin(words[i]);
			else
				by_id(words[i]);
	return 0;
}
