/* race_arguments CALL ARGUMENT... TIMES: makes a system call again and again while another thread changes what it was given.
 *   mkdir A B            the path is now A, now B (of one length); prints how often each was made
 *   fchmod FILE DECOY    DECOY is put in place of the descriptor of FILE; prints how often the call changed each
 *   connect PORT PORT    the port is now the one, now the other; prints how often each was reached
 *   connect-dup2 PORT PORT  a socket that is connected to the second takes the place of the one that connects to the first; prints how often
 *   bind NAME NAME       of a unix socket, as mkdir
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char path[4096];
static struct sockaddr_in peer;
static struct sockaddr_un name;
static char **a;
static int decoy, target;
static volatile int over;

static void *change_path(void *to)
{
	size_t size = strlen(a[1]) + 1;

	while (!over) {
		memcpy(to, a[1], size);
		memcpy(to, a[2], size);
	}
	return 0;
}

static void *change_port(void *unused)
{
	while (!over) {
		*(volatile in_port_t *)&peer.sin_port = htons(atoi(a[1]));
		*(volatile in_port_t *)&peer.sin_port = htons(atoi(a[2]));
	}
	return unused;
}

static void *replace(void *unused)
{
	while (!over)
		dup2(decoy, target);
	return unused;
}

static int count[2];

static void make_directory(void)
{
	if (mkdir(path, 0755))
		return;
	for (int which = 0; which < 2; which++)
		if (!rmdir(a[1 + which]))
			count[which]++;
}

static void bind_name(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!bind(fd, (struct sockaddr *)&name, sizeof(name)))
		for (int which = 0; which < 2; which++)
			if (!unlink(a[1 + which]))
				count[which]++;
	close(fd);
}

static void change_mode(void)
{
	static int mode = 0600;
	struct stat is;
	int fd;

	mode ^= 0100;
	close(target);
	fd = open(a[1], O_RDONLY);
	if (!fchmod(fd, mode) && !stat(a[1], &is))
		count[(is.st_mode & 0777) == mode ? 0 : 1]++;
	if (fd != target)
		close(fd);
}

static int connected_to(int fd)
{
	struct sockaddr_in address = {};
	socklen_t size = sizeof(address);

	return getpeername(fd, (struct sockaddr *)&address, &size) ? 0 : ntohs(address.sin_port);
}

static void make_connection(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		count[connected_to(fd) == atoi(a[1]) ? 0 : 1]++;
	close(fd);
}

static void connect_replaced(void)
{
	int fd;

	close(target);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		count[0]++;
	if (fd != target)
		close(fd);
}

static void prepare(void)
{
	peer.sin_family = AF_INET;
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer.sin_port = htons(atoi(a[2]));
	name.sun_family = AF_UNIX;
	/* the other thread may begin late */
	if (strlen(a[1]) < sizeof(name.sun_path))
		strcpy(name.sun_path, a[1]);
	if (strlen(a[1]) < sizeof(path))
		strcpy(path, a[1]);
	if (!strcmp(a[0], "connect-dup2")) {
		decoy = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(decoy, (struct sockaddr *)&peer, sizeof(peer)))
			exit(1);
		peer.sin_port = htons(atoi(a[1]));
	} else {
		decoy = open(a[2], O_RDONLY);
	}
	target = dup(decoy);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *call;
		void *(*change)(void *);
		void *what;
		void (*make)(void);
	} races[] = {
		{ "mkdir", change_path, path, make_directory },
		{ "bind", change_path, name.sun_path, bind_name },
		{ "fchmod", replace, 0, change_mode },
		{ "connect", change_port, 0, make_connection },
		{ "connect-dup2", replace, 0, connect_replaced },
	};
	pthread_t thread;

	a = argv + 1;
	for (unsigned int which = 0; argc == 5 && which < sizeof(races) / sizeof(*races); which++) {
		if (strcmp(a[0], races[which].call))
			continue;
		prepare();
		if (pthread_create(&thread, 0, races[which].change, races[which].what))
			return 1;
		for (int times = atoi(a[3]); times > 0; times--)
			races[which].make();
		over = 1;
		pthread_join(thread, 0);
		printf("%d %d\n", count[0], count[1]);
		return 0;
	}
	return 64;
}
