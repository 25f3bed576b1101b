/* attack_steps STEP...: performs the steps of an attack one after another, against itself, against files of the test,
 * or without success.
 *   in CGROUP | as UID | tty | child | sleep MS | open PATH r|w | symlink TARGET LINK | link FILE LINK | packet
 *   stream | resolve | attach | traceme | ssh | module | exec FILE NAME [ARGUMENT...] | memfd FILE NAME */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* TEST-NET-1, an address of no host. Here it is an address of the loopback interface in a new namespace. */
#define ADDRESS "192.0.2.1"
/* No step resolves this address: an answer for the other one must not apply to it. */
#define NAMELESS "192.0.2.2"
#define PORT 443

static void must(int succeeded, const char *step)
{
	if (succeeded)
		return;
	perror(step);
	_exit(70);
}

static void in_cgroup(const char *path)
{
	char file[4096];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY);
	must(fd >= 0 && write(fd, "0", 1) == 1, file);
	close(fd);
}

/* Gives the process, as leader of a new session, a controlling terminal. */
static void on_tty(void)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY);
	int fd;

	must(pty >= 0 && !grantpt(pty) && !unlockpt(pty), "pty");
	setsid();
	fd = open(ptsname(pty), O_RDWR | O_NOCTTY);
	must(fd >= 0 && !ioctl(fd, TIOCSCTTY, 0), "tty");
}

/* A child does the remaining steps; the parent waits. */
static void in_child(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		return;
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 71);
}

static void attach(void)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	must(!ptrace(PTRACE_ATTACH, child, 0, 0), "attach");
	waitpid(child, 0, 0);
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
}

/* In a network namespace that ends with the process. */
static int connect_to_443(const char *address)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct ifreq interface = { .ifr_name = "lo" };
	int listener, client;

	must(!unshare(CLONE_NEWNET), "unshare");
	inet_pton(AF_INET, address, &peer.sin_addr);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	memcpy(&interface.ifr_addr, &peer, sizeof(peer));
	must(!ioctl(listener, SIOCSIFADDR, &interface), "address");
	interface.ifr_flags = IFF_UP | IFF_LOOPBACK;
	must(!ioctl(listener, SIOCSIFFLAGS, &interface), "up");
	must(!bind(listener, (void *)&peer, sizeof(peer)) && !listen(listener, 1), "listen");
	client = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(client, (void *)&peer, sizeof(peer)), "connect");
	return client;
}

/* A name server in the same namespace answers with the address of the cluster's interface. */
static void resolve(void)
{
	static const char question[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\12kubernetes\7default\3svc\7cluster\5local\0\0\1\0\1";
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(53) }, peer;
	char message[sizeof(question) - 1 + 16];
	const size_t question_size = sizeof(question) - 1;
	socklen_t size = sizeof(peer);
	int from, to;

	close(connect_to_443(ADDRESS));
	inet_pton(AF_INET, ADDRESS, &server.sin_addr);
	from = socket(AF_INET, SOCK_DGRAM, 0);
	to = socket(AF_INET, SOCK_DGRAM, 0);
	must(!bind(from, (void *)&server, sizeof(server)) && !connect(to, (void *)&server, sizeof(server)), "name server");
	must(send(to, question, question_size, 0) == (ssize_t)question_size, "question");
	must(recvfrom(from, message, question_size, 0, (void *)&peer, &size) == (ssize_t)question_size, "asked");
	message[2] = '\x81';
	message[7] = 1;
	/* the question's name, A, IN, 30 s, 4 bytes */
	memcpy(message + question_size, "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4", 12);
	memcpy(message + question_size + 12, &server.sin_addr, 4);
	must(sendto(from, message, sizeof(message), 0, (void *)&peer, size) == sizeof(message), "answer");
	must(recv(to, message, sizeof(message), 0) == sizeof(message), "answered");
	to = socket(AF_INET, SOCK_STREAM, 0);
	server.sin_port = htons(PORT);
	connect(to, (void *)&server, sizeof(server));
}

static void from_memory(const char *file, char **arguments)
{
	int from = open(file, O_RDONLY);
	int to = memfd_create("payload", MFD_CLOEXEC);
	struct stat size;

	must(from >= 0 && to >= 0 && !fstat(from, &size), file);
	must(sendfile(to, from, 0, size.st_size) == size.st_size, "copy");
	fexecve(to, arguments, environ);
	must(0, "fexecve");
}

int main(int argc, char **argv)
{
	for (char **word = argv + 1; *word; word++) {
		const char *step = *word;

		if (!strcmp(step, "in"))
			in_cgroup(*++word);
		else if (!strcmp(step, "as"))
			must(!setuid(atoi(*++word)), "setuid");
		else if (!strcmp(step, "tty"))
			on_tty();
		else if (!strcmp(step, "child"))
			in_child();
		else if (!strcmp(step, "sleep"))
			usleep(atoi(*++word) * 1000);
		else if (!strcmp(step, "open")) {
			close(open(word[1], word[2][0] == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600));
			word += 2;
		} else if (!strcmp(step, "symlink")) {
			must(!symlink(word[1], word[2]), "symlink");
			word += 2;
		} else if (!strcmp(step, "link")) {
			must(link(word[1], word[2]) < 0, "link");
			word += 2;
		} else if (!strcmp(step, "packet"))
			close(socket(AF_PACKET, SOCK_RAW, 0));
		else if (!strcmp(step, "attach"))
			attach();
		else if (!strcmp(step, "traceme"))
			ptrace(PTRACE_TRACEME, 0, 0, 0);
		else if (!strcmp(step, "ssh"))
			connect_to_443(NAMELESS);
		else if (!strcmp(step, "resolve"))
			resolve();
		else if (!strcmp(step, "stream"))
			dup2(connect_to_443(NAMELESS), STDOUT_FILENO);
		else if (!strcmp(step, "module"))
			syscall(SYS_init_module, "", 0, "");
		else if (!strcmp(step, "memfd"))
			from_memory(word[1], word + 2);
		else if (!strcmp(step, "exec")) {
			execv(word[1], word + 2);
			must(0, word[1]);
		} else
			return 64;
	}
	return 0;
}
