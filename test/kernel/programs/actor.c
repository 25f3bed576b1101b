/* actor: a program of any name that does what its plan says, so that the events of a rule's witness happen. PLAN names
 * the file: a line for each call, its turn and words behind tabs, percent-encoded. A turn is a folder in /run/turn: a
 * call waits for its own and makes the next, so that calls of several processes happen in order. TURN is the turn that
 * the start of this program has ended. Without PLAN it does nothing. Exits with the number of calls that failed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 512
#define WAIT_MS 20000
#define NETWORK_PORT 4444

static char *words[WORDS_MAX];
static int next_word;
static pid_t started[WORDS_MAX];
static int start_count;

static char *word(void) { return words[next_word] ? words[next_word++] : ""; }
static long number(void) { return strtol(word(), NULL, 0); }

static void decode(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		unsigned int byte;

		if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
			*to = byte;
			text += 2;
		} else {
			*to = *text;
		}
	}
	*to = 0;
}

static void turn_path(char *path, long turn) { snprintf(path, 64, "/run/turn/%ld", turn); }

static void begin(long turn)
{
	char path[64];

	turn_path(path, turn);
	for (int ms = 0; access(path, F_OK); ms++) {
		struct timespec pause = { .tv_nsec = 1000000 };

		if (ms > WAIT_MS)
			exit(99);
		nanosleep(&pause, NULL);
	}
}

static void end(long turn)
{
	char path[64];

	turn_path(path, turn + 1);
	mkdir(path, 0777);
}

static socklen_t address(struct sockaddr_storage *to, const char *ip, int port)
{
	struct sockaddr_in6 *six = (void *)to;
	struct sockaddr_in *four = (void *)to;

	memset(to, 0, sizeof(*to));
	if (strchr(ip, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		inet_pton(AF_INET6, ip, &six->sin6_addr);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	inet_pton(AF_INET, ip, &four->sin_addr);
	return sizeof(*four);
}

static int connected(int type, const char *ip, int port)
{
	struct sockaddr_storage to;
	socklen_t size = address(&to, ip, port);
	int fd = socket(to.ss_family, type, 0);

	return connect(fd, (void *)&to, size) ? -1 : fd;
}

/* Makes a copy of this program that no path leads to. */
static int in_memory(const char *name)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int fd = memfd_create(name, MFD_CLOEXEC);
	char bytes[65536];
	ssize_t size;

	while ((size = read(from, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, size) != size)
			return -1;
	return fd;
}

/* Executes a program: PLAN FILENAME UID EUID STDIN STDOUT MEMORY ARGC ARG... ENV... */
static int execute(long turn)
{
	char *argv[WORDS_MAX] = { NULL }, *env[WORDS_MAX] = { NULL }, plan[256], ended[64];
	const char *file, *memory;
	int count = 0, from, to;
	long uid, euid;

	snprintf(plan, sizeof(plan), "PLAN=%s", word());
	snprintf(ended, sizeof(ended), "TURN=%ld", turn);
	file = word();
	uid = number();
	euid = number();
	from = number();
	to = number();
	memory = word();
	for (int argc = number(); count < argc; count++)
		argv[count] = word();
	count = 0;
	while (words[next_word])
		env[count++] = word();
	env[count++] = plan;
	env[count] = ended;
	if (from || to) {
		int fd = connected(SOCK_STREAM, "203.0.113.9", NETWORK_PORT);

		if (from)
			dup2(fd, 0);
		if (to)
			dup2(fd, 1);
		close(fd);
	}
	if ((uid || euid) && (setgroups(0, NULL), setresuid(uid, euid, euid)))
		return -1;
	if (*memory)
		return fexecve(in_memory(memory), argv, env);
	return execve(file, argv, env);
}

/* Starts a program, and returns when it runs. */
static int start(long turn)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		execute(turn);
		_exit(write(ready[1], "x", 1));
	}
	close(ready[1]);
	if (start_count < WORDS_MAX)
		started[start_count++] = pid;
	/* Nothing is written if the program runs. */
	return read(ready[0], &byte, 1) == 0 ? 0 : -1;
}

/* PATH FLAGS KEPT: opens a file. KEPT 1: it is a program, and stays one when it is emptied. */
static int open_file(void)
{
	const char *path = word();
	int flags = number(), kept = number();
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd >= 0 && kept && (flags & O_TRUNC)) {
		char bytes[65536];
		int from = open("/proc/self/exe", O_RDONLY);
		ssize_t size;

		while ((size = read(from, bytes, sizeof(bytes))) > 0)
			if (write(fd, bytes, size) != size)
				return -1;
		close(from);
	}
	if (fd >= 0)
		close(fd);
	return fd;
}

/* PATH: connects to a Unix socket. */
static int connect_unix(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", word());
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&to, sizeof(to));
}

/* IP PORT BYTES: sends a datagram with the bytes, in hexadecimal. */
static int send_datagram(void)
{
	struct sockaddr_storage to;
	const char *ip = word(), *hex;
	socklen_t size = address(&to, ip, number());
	unsigned char bytes[1024];
	size_t length = 0;
	unsigned int byte;

	for (hex = word(); length < sizeof(bytes) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[length++] = byte;
	return sendto(socket(to.ss_family, SOCK_DGRAM, 0), bytes, length, 0, (void *)&to, size);
}

static int call(const char *name, long turn)
{
	const char *a, *b, *c;
	int from;

	if (!strcmp(name, "start"))
		return start(turn);
	if (!strcmp(name, "exec"))
		return execute(turn);
	if (!strcmp(name, "open"))
		return open_file();
	if (!strcmp(name, "connect"))
		return a = word(), connected(SOCK_STREAM, a, number());
	if (!strcmp(name, "connect_udp"))
		return a = word(), connected(SOCK_DGRAM, a, number());
	if (!strcmp(name, "connect_unix"))
		return connect_unix();
	if (!strcmp(name, "datagram"))
		return send_datagram();
	if (!strcmp(name, "redirect"))
		return a = word(), from = connected(SOCK_STREAM, a, number()), dup2(from, number());
	if (!strcmp(name, "socket"))
		return a = word(), b = word(), socket(atoi(a), atoi(b), number());
	if (!strcmp(name, "rename"))
		return a = word(), rename(a, word());
	if (!strcmp(name, "symlink"))
		return a = word(), symlink(a, word());
	if (!strcmp(name, "link"))
		return a = word(), link(a, word());
	if (!strcmp(name, "make"))
		return a = word(), access(a, F_OK) ? close(creat(a, 0666)) : 0;
	if (!strcmp(name, "unlink"))
		return unlink(word());
	if (!strcmp(name, "mkdir"))
		return mkdir(word(), 0755);
	if (!strcmp(name, "rmdir"))
		return rmdir(word());
	if (!strcmp(name, "chmod"))
		return a = word(), chmod(a, number());
	if (!strcmp(name, "truncate"))
		return truncate(word(), 0);
	if (!strcmp(name, "mount"))
		return a = word(), b = word(), c = word(), mount(a, b, c, number(), NULL);
	return -1;
}

static int run(char *line)
{
	long turn;
	int count = 0, result;
	char *rest = line, *part;

	while (count < WORDS_MAX - 1 && (part = strsep(&rest, "\t"))) {
		decode(part);
		words[count++] = part;
	}
	words[count] = NULL;
	next_word = 0;
	turn = number();
	begin(turn);
	part = word();
	result = call(part, turn);
	if (result < 0 && errno)
		fprintf(stderr, "%s: %s: %m\n", part, words[next_word > 2 ? 2 : 1]);
	/* A program that was started ends the turn itself. */
	if (strcmp(part, "start") || result < 0)
		end(turn);
	return result < 0;
}

int main(void)
{
	const char *plan = getenv("PLAN"), *ended = getenv("TURN");
	char *line = NULL;
	size_t size = 0;
	int failed = 0;
	FILE *file;

	if (!plan)
		return 0;
	file = fopen(plan, "re");
	if (ended)
		end(atol(ended));
	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		failed += run(line);
	}
	/* A first process has children of others, too. */
	while (start_count > 0)
		waitpid(started[--start_count], NULL, 0);
	return failed;
}
