/* credentials CALL...: changes its own credentials call by call, or fails to. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void drop_effective(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[0].effective = data[1].effective = 0;
	syscall(SYS_capset, &header, data);
}

/* Requests capabilities that the process does not have. */
static void raise_all(unsigned int version)
{
	struct __user_cap_header_struct header = { .version = version };
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1 << CAP_SYS_ADMIN, .permitted = 1 << CAP_SYS_ADMIN | 1 << CAP_SETUID, .inheritable = 1 << CAP_CHOWN },
		{ .permitted = 1 << (CAP_BPF - 32) },
	};

	syscall(SYS_capset, &header, data);
}

static void set_groups(unsigned int count)
{
	gid_t groups[200];

	for (unsigned int n = 0; n < 200; n++)
		groups[n] = 1000 - n;
	syscall(SYS_setgroups, count, groups);
}

static void set_effective_group(long id)
{
	syscall(SYS_setresgid, -1, id, -1);
}

/* Changes the calling thread alone, unlike libc's functions. With 5 it starts a thread that continues from there. */
static void *change_in_thread(void *id)
{
	pthread_t next;

	set_effective_group((long)id);
	if ((long)id == 5 && !pthread_create(&next, 0, change_in_thread, (void *)6))
		pthread_join(next, 0);
	return 0;
}

static void change_in_threads(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, 0, change_in_thread, (void *)5))
		pthread_join(thread, 0);
	set_effective_group(7);
	if (!pthread_create(&thread, 0, change_in_thread, (void *)8))
		pthread_join(thread, 0);
	if (!fork()) {
		set_effective_group(9);
		_exit(0);
	}
	wait(0);
}

/* A thread that changes its credentials before the sensor
 * starts: it reports that with a byte, and continues after one. */
static void *change_early_in_thread(void *unused)
{
	char byte;

	set_effective_group(5);
	if (write(1, "x", 1) == 1 && read(0, &byte, 1) == 1)
		set_effective_group(6);
	return 0;
}

static void change_early(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, 0, change_early_in_thread, 0))
		pthread_join(thread, 0);
	set_effective_group(7);
}

int main(int argc, char **argv)
{
	for (int n = 1; n < argc; n++) {
		if (!strcmp(argv[n], "setresgid"))
			syscall(SYS_setresgid, 5, 6, 7);
		else if (!strcmp(argv[n], "setgid"))
			syscall(SYS_setgid, 8);
		else if (!strcmp(argv[n], "setregid"))
			syscall(SYS_setregid, 9, 10);
		else if (!strcmp(argv[n], "setfsgid"))
			syscall(SYS_setfsgid, 11);
		else if (!strcmp(argv[n], "setfsuid"))
			syscall(SYS_setfsuid, 12);
		else if (!strcmp(argv[n], "capset"))
			drop_effective();
		else if (!strcmp(argv[n], "setreuid"))
			syscall(SYS_setreuid, 0, 13);
		else if (!strcmp(argv[n], "setresuid"))
			syscall(SYS_setresuid, 14, 15, 0);
		else if (!strcmp(argv[n], "setuid"))
			syscall(SYS_setuid, 16);
		else if (!strcmp(argv[n], "threads"))
			change_in_threads();
		else if (!strcmp(argv[n], "early"))
			change_early();
		else if (!strcmp(argv[n], "same"))
			syscall(SYS_setresuid, -1, -1, -1);
		else if (!strcmp(argv[n], "root"))
			syscall(SYS_setuid, 0);
		else if (!strcmp(argv[n], "fs-asked"))
			syscall(SYS_setfsuid, -1);
		else if (!strcmp(argv[n], "fs-own"))
			syscall(SYS_setfsuid, getuid());
		else if (!strcmp(argv[n], "raise"))
			raise_all(_LINUX_CAPABILITY_VERSION_3);
		else if (!strcmp(argv[n], "raise-old"))
			raise_all(_LINUX_CAPABILITY_VERSION_1);
		else if (!strcmp(argv[n], "capset-fault"))
			syscall(SYS_capset, 8, 8);
		else if (!strcmp(argv[n], "groups"))
			set_groups(3);
		else if (!strcmp(argv[n], "groups-none"))
			syscall(SYS_setgroups, 0, 0);
		else if (!strcmp(argv[n], "groups-many"))
			set_groups(200);
		else if (!strcmp(argv[n], "groups-fault"))
			syscall(SYS_setgroups, 3, 8);
		else if (!strcmp(argv[n], "groups-too-many"))
			syscall(SYS_setgroups, -1, 0);
		else if (!strcmp(argv[n], "unshare-user"))
			unshare(CLONE_NEWUSER);
		else
			return 64;
	}
	return 0;
}
