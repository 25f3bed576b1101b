/* fault (unmapped|protected|bus|illegal|division|trap|handled-trap|system-call|sent|loop COUNT|forks COUNT): causes a
 * signal to itself. `loop` handles COUNT faults; in `forks` each of COUNT children in a row has one, like a server
 * under a brute-force attack. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf resume_point;

static void jump(int signal)
{
	siglongjmp(resume_point, signal);
}

static void ignore(int signal)
{
}

static void touch(unsigned long address)
{
	*(volatile char *)address = 1;
}

static void loop(int count)
{
	volatile int remaining = count;

	signal(SIGSEGV, jump);
	sigsetjmp(resume_point, 1);
	if (remaining-- > 0)
		touch(0x1000);
}

static void forks(int count)
{
	while (count-- > 0) {
		if (!fork())
			touch(0x1000);
		wait(0);
	}
}

/* Forbids getuid. */
static void forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	syscall(SYS_getuid);
}

int main(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };
	volatile int zero = 0;

	setrlimit(RLIMIT_CORE, &none);
	if (argc < 2)
		return 64;
	if (!strcmp(argv[1], "unmapped"))
		touch(0x1234);
	else if (!strcmp(argv[1], "protected"))
		touch((unsigned long)mmap((void *)0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	else if (!strcmp(argv[1], "bus"))
		touch((unsigned long)mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memfd_create("empty", 0), 0));
	else if (!strcmp(argv[1], "illegal"))
		__asm__ volatile("ud2");
	else if (!strcmp(argv[1], "division"))
		return 100 / zero;
	else if (!strcmp(argv[1], "trap"))
		__asm__ volatile("int3");
	else if (!strcmp(argv[1], "handled-trap")) {
		signal(SIGTRAP, ignore);
		__asm__ volatile("int3");
	} else if (!strcmp(argv[1], "system-call"))
		forbid();
	else if (!strcmp(argv[1], "sent"))
		raise(SIGSEGV);
	else if (!strcmp(argv[1], "loop") && argc > 2)
		loop(atoi(argv[2]));
	else if (!strcmp(argv[1], "forks") && argc > 2)
		forks(atoi(argv[2]));
	else
		return 64;
	return 0;
}
