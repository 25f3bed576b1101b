/* deep DIRECTORY COMPONENT DEPTH EXECUTABLE: descends DEPTH directories,
 * each named COMPONENT; creates "leaf" there and executes EXECUTABLE. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 5 || chdir(argv[1]))
		return 64;
	for (int depth = atoi(argv[3]); depth > 0; depth--)
		if (mkdir(argv[2], 0700) || chdir(argv[2]))
			return 65;
	if (open("leaf", O_CREAT | O_WRONLY, 0600) < 0)
		return 66;
	execl(argv[4], argv[4], "code", "0", (char *)0);
	return 67;
}
