/* capability (chroot|user-namespace|mounts) COUNT: asks for CAP_SYS_CHROOT, COUNT times; in a user namespace of its own, where it has it; among mounts
 * that are copies, while it is a program of the old ones. */
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
	if (!strcmp(argv[1], "mounts") && unshare(CLONE_NEWNS))
		return 66;
	for (int n = atoi(argv[2]); n > 0; n--)
		(void)!chroot("/");
	return 0;
}
