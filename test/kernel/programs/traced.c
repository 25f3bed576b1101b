/* Makes system calls for `ringfence trace` to show. */
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char long_name[301];

static void calls(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9) };
	char buffer[64] = "";
	int fd;

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	/* constants that are not touched before, so not resident when the call begins */
	open("/nowhere/\x1b[31m\"red\"", O_RDONLY | O_CLOEXEC);
	memset(long_name, 'x', 300);
	open(long_name, O_RDONLY);
	open((const char *)8, O_RDONLY);
	fd = open("/dev/zero", O_RDWR);
	read(fd, buffer, 5);
	write(fd, "hello\nworld", 11);
	mkdirat(AT_FDCWD, "/proc/none", 0750);
	mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	connect(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&address, sizeof(address));
	close(-1);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "tree")) {
		for (int child = 0; child < 2; child++) {
			if (!fork()) {
				chdir(child ? "/proc/second" : "/proc/first");
				_exit(child + 3);
			}
		}
		while (wait(0) > 0)
			;
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		char line[2];

		while (read(0, line, 1) == 1)
			chdir("/proc/waited");
		return 0;
	}
	calls();
	return 42;
}
