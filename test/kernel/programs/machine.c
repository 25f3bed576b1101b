/* machine CALL [ARGUMENT...]: makes machine-wide system calls that take effect,
 * unlike system.c. For a disposable guest; even so each change is undone. Exits
 * with 64 when the call is unknown, with 1 when a prerequisite is missing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/quota.h>
#include <linux/reboot.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
/* in the physical memory of any guest; what is loaded there is never started */
#define LOADED_AT 0x4000000
#define CLEAR 5
#define CONSOLE_LEVEL 8

static int open_or_exit(const char *path, int flags)
{
	int file = open(path, flags);

	if (file < 0)
		exit(1);
	return file;
}

/* FILE NAME: loads a module from its file and from memory. */
static void modules(char **arguments)
{
	int file = open_or_exit(arguments[0], O_RDONLY);
	struct stat status;
	void *bytes;

	fstat(file, &status);
	bytes = mmap(0, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	syscall(SYS_finit_module, file, "numdummies=1", 0);
	syscall(SYS_delete_module, arguments[1], O_NONBLOCK);
	syscall(SYS_init_module, bytes, status.st_size, "numdummies=2");
	/* it is loaded already */
	syscall(SYS_finit_module, file, "", 0);
	syscall(SYS_delete_module, arguments[1], O_NONBLOCK);
}

/* KERNEL: loads it in both ways, and never starts it. */
static void kexec(char **arguments)
{
	int kernel = open_or_exit(arguments[0], O_RDONLY);
	static char code[PAGE];
	struct kexec_segment segment = { .buf = code, .bufsz = PAGE, .mem = (void *)LOADED_AT, .memsz = PAGE };

	syscall(SYS_kexec_load, LOADED_AT, 1, &segment, 0);
	syscall(SYS_kexec_load, 0, 0, 0, 0);
	syscall(SYS_kexec_file_load, kernel, -1, sizeof("quiet"), "quiet", KEXEC_FILE_NO_INITRAMFS);
	syscall(SYS_kexec_file_load, -1, -1, 0, 0, KEXEC_FILE_UNLOAD);
}

static void ports(void)
{
	syscall(SYS_iopl, 3);
	syscall(SYS_iopl, 0);
	syscall(SYS_ioperm, 0x80, 1, 1);
	syscall(SYS_ioperm, 0x80, 1, 0);
}

/* AREA: a file made for swapping. */
static void swap(char **arguments)
{
	syscall(SYS_swapon, arguments[0], 0);
	syscall(SYS_swapoff, arguments[0]);
}

/* DEVICE DIRECTORY: a device with user quotas, and where it is mounted. */
static void quota(char **arguments)
{
	int directory = open_or_exit(arguments[1], O_RDONLY | O_DIRECTORY);

	syscall(SYS_quotactl, QCMD(Q_QUOTAOFF, USRQUOTA), arguments[0], 0, 0);
	/* a file system with its own quota files needs neither format nor file */
	syscall(SYS_quotactl, QCMD(Q_QUOTAON, USRQUOTA), arguments[0], 0, 0);
	syscall(SYS_quotactl_fd, directory, QCMD(Q_QUOTAOFF, USRQUOTA), 0, 0);
}

static void clocks(void)
{
	struct timespec real, monotonic, now;
	struct timeval ahead = {};
	struct timex frequency = {}, tick = { .modes = ADJ_TICK };

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	ahead.tv_sec = real.tv_sec + 3600;
	syscall(SYS_settimeofday, &ahead, 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	real.tv_sec += now.tv_sec - monotonic.tv_sec;
	syscall(SYS_clock_settime, CLOCK_REALTIME, &real);
	syscall(SYS_adjtimex, &frequency);
	tick.tick = frequency.tick;
	frequency.modes = ADJ_FREQUENCY;
	syscall(SYS_adjtimex, &frequency);
	syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tick);
}

static void log_calls(void)
{
	syscall(SYS_syslog, CLEAR, 0, 0);
	syscall(SYS_syslog, CONSOLE_LEVEL, 0, 4);
}

static void reboot_call(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, 0);
}

/* FILE: where accounting writes. */
static void acct_calls(char **arguments)
{
	syscall(SYS_acct, arguments[0]);
	syscall(SYS_acct, 0);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char **arguments = argv + 2;

	if (!strcmp(name, "modules") && argc == 4)
		modules(arguments);
	else if (!strcmp(name, "kexec") && argc == 3)
		kexec(arguments);
	else if (!strcmp(name, "ports"))
		ports();
	else if (!strcmp(name, "swap") && argc == 3)
		swap(arguments);
	else if (!strcmp(name, "quota") && argc == 4)
		quota(arguments);
	else if (!strcmp(name, "clocks"))
		clocks();
	else if (!strcmp(name, "log"))
		log_calls();
	else if (!strcmp(name, "reboot"))
		reboot_call();
	else if (!strcmp(name, "acct") && argc == 3)
		acct_calls(arguments);
	else
		return 64;
	return 0;
}
