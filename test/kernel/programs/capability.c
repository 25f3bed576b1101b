/* capability (chroot|user-namespace|mounts) COUNT: uses CAP_SYS_CHROOT COUNT times; in a new user
 * namespace, which gives it; or in a new mount namespace, while its executable is from the old one. */
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
