/* capability (chroot|user-namespace) COUNT: asks for CAP_SYS_CHROOT, COUNT times; in a user namespace of its own, where it has it. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	if (!strcmp(argv[1], "user-namespace") && unshare(CLONE_NEWUSER))
		return 65;
	for (int n = atoi(argv[2]); n > 0; n--)
		(void)!chroot("/");
	return 0;
}
