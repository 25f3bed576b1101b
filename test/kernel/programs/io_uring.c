/* io_uring FLAGS SQE_FLAGS OPERATION [ARGUMENT...] [, OPERATION ...]: submits the operations
 * to io_uring one after another and waits for each, unless SQE_FLAGS suppress its completion.
 * FLAGS: of io_uring_setup. Prints the results. Uses the kernel's system calls, no library. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define OP_SOCKET 45
#define OP_URING_CMD 46
#define OP_BIND 56
#define OP_LISTEN 57
#define SKIP_SUCCESS (1u << 6)

static struct io_uring_params params;
static char *ring;
static struct io_uring_sqe *sqes;
static int descriptor;
static struct open_how how = { .flags = O_RDWR | O_CREAT, .mode = 0600 };
static struct sockaddr_in to = { .sin_family = AF_INET };
static struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
static struct sockaddr_un file = { .sun_family = AF_UNIX };
static struct iovec bytes = { "rf", 2 };
static struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &bytes, .msg_iovlen = 1 };

static unsigned *at(unsigned offset)
{
	return (unsigned *)(ring + offset);
}

static void set_up(unsigned flags)
{
	params.flags = flags;
	params.sq_thread_idle = 1000;
	descriptor = syscall(SYS_io_uring_setup, 8, &params);
	if (descriptor < 0)
		exit(65);
	ring = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, IORING_OFF_SQ_RING);
	sqes = mmap(0, 8 * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED)
		exit(66);
	/* one slot, for a file that is opened without a descriptor */
	syscall(SYS_io_uring_register, descriptor, IORING_REGISTER_FILES, (int[]){ -1 }, 1);
}

static void push(const struct io_uring_sqe *sqe)
{
	unsigned tail = *at(params.sq_off.tail), index = tail & *at(params.sq_off.ring_mask);

	sqes[index] = *sqe;
	at(params.sq_off.array)[index] = index;
	__atomic_store_n(at(params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

/* Waits for the next completion and returns its result. */
static int pop(void)
{
	unsigned head = *at(params.cq_off.head);
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(ring + params.cq_off.cqes) + (head & *at(params.cq_off.ring_mask));
	int result;

	while (__atomic_load_n(at(params.cq_off.tail), __ATOMIC_ACQUIRE) == head)
		syscall(SYS_io_uring_enter, descriptor, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
	result = cqe->res;
	__atomic_store_n(at(params.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return result;
}

static int submit(const struct io_uring_sqe *sqe)
{
	struct io_uring_sqe first = *sqe, next = { .opcode = IORING_OP_NOP };
	unsigned submitted = 1;

	if (sqe->flags & SKIP_SUCCESS) {
		/* it is complete when its successor is */
		first.flags |= IOSQE_IO_LINK;
		submitted = 2;
	}
	push(&first);
	if (submitted == 2)
		push(&next);
	syscall(SYS_io_uring_enter, descriptor, submitted, 0, IORING_ENTER_SQ_WAKEUP, 0, 0);
	return pop();
}

static int listener(void)
{
	socklen_t size = sizeof(to);
	int s = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(s, (void *)&to, size);
	listen(s, 1);
	getsockname(s, (void *)&to, &size);
	connect(client, (void *)&to, size);
	return s;
}

static void names(struct io_uring_sqe *sqe, int opcode, char **args)
{
	sqe->opcode = opcode;
	sqe->fd = AT_FDCWD;
	sqe->addr = (long)args[1];
	if (opcode == IORING_OP_OPENAT)
		sqe->open_flags = atoi(args[2]), sqe->file_index = args[3] != 0;
	else if (opcode == IORING_OP_OPENAT2)
		sqe->off = (long)&how, sqe->len = sizeof(how);
	else if (opcode == IORING_OP_MKDIRAT)
		sqe->len = 0700;
	else if (opcode == IORING_OP_UNLINKAT)
		sqe->unlink_flags = args[2] && !strcmp(args[2], "dir") ? AT_REMOVEDIR : 0;
	else if (opcode == IORING_OP_SYMLINKAT)
		sqe->addr2 = (long)args[2];
	else
		sqe->len = AT_FDCWD, sqe->addr2 = (long)args[2];
}

static void socket_call(struct io_uring_sqe *sqe, const char *name, char **args)
{
	const char *where = args[1] ? args[1] : "";
	int six = strchr(where, ':') != 0, unix_path = where[0] == '/';
	int type = !strncmp(name, "send", 4) ? SOCK_DGRAM : SOCK_STREAM;

	sqe->fd = socket(unix_path ? AF_UNIX : six ? AF_INET6 : AF_INET, type, 0);
	to.sin_addr.s_addr = inet_addr(where);
	to.sin_port = to6.sin6_port = htons(args[1] && args[2] ? atoi(args[2]) : 0);
	strncpy(file.sun_path, where, sizeof(file.sun_path) - 1);
	sqe->addr = unix_path ? (long)&file : six ? (long)&to6 : (long)&to;
	sqe->off = unix_path ? sizeof(file) : six ? sizeof(to6) : sizeof(to);
	sqe->opcode = IORING_OP_CONNECT;
	if (!strcmp(name, "bind")) {
		sqe->opcode = OP_BIND;
	} else if (!strcmp(name, "sendmsg")) {
		sqe->opcode = IORING_OP_SENDMSG;
		sqe->addr = (long)&message;
		sqe->off = 0;
		sqe->len = 1;
	} else if (!strcmp(name, "send")) {
		sqe->opcode = IORING_OP_SEND;
		sqe->off = (long)&to;
		sqe->addr = (long)"rf";
		sqe->len = 2;
		sqe->addr_len = sizeof(to);
	}
}

static void attributes(struct io_uring_sqe *sqe, int opcode, char **args)
{
	sqe->opcode = opcode;
	sqe->addr = (long)args[2];
	sqe->off = (long)"value";
	sqe->len = 5;
	if (opcode == IORING_OP_FSETXATTR)
		sqe->fd = open(args[1], O_RDONLY);
	else
		sqe->addr3 = (long)args[1];
}

static void prepare(struct io_uring_sqe *sqe, char **args)
{
	static const struct { const char *name; int opcode; } named[] = {
		{ "openat", IORING_OP_OPENAT },   { "openat2", IORING_OP_OPENAT2 },     { "unlinkat", IORING_OP_UNLINKAT }, { "renameat", IORING_OP_RENAMEAT },
		{ "mkdirat", IORING_OP_MKDIRAT }, { "symlinkat", IORING_OP_SYMLINKAT }, { "linkat", IORING_OP_LINKAT },
	};

	for (unsigned n = 0; n < sizeof(named) / sizeof(*named); n++)
		if (!strcmp(args[0], named[n].name))
			return names(sqe, named[n].opcode, args);
	if (!strcmp(args[0], "setxattr") || !strcmp(args[0], "fsetxattr"))
		return attributes(sqe, args[0][0] == 'f' ? IORING_OP_FSETXATTR : IORING_OP_SETXATTR, args);
	if (!strcmp(args[0], "socket")) {
		sqe->opcode = OP_SOCKET;
		sqe->fd = atoi(args[1]);
		sqe->off = atoi(args[2]);
	} else if (!strcmp(args[0], "listen")) {
		sqe->opcode = OP_LISTEN;
		sqe->fd = args[1][0] == 'x' ? 0 : socket(AF_INET, SOCK_STREAM, 0);
		sqe->len = 7;
	} else if (!strcmp(args[0], "accept")) {
		sqe->opcode = IORING_OP_ACCEPT;
		sqe->fd = args[1][0] == 'x' ? 0 : listener();
	} else if (!strcmp(args[0], "command")) {
		sqe->opcode = OP_URING_CMD;
		sqe->fd = args[1][0] == '/' ? open(args[1], O_RDONLY) : socket(AF_INET, SOCK_STREAM, 0);
		sqe->cmd_op = atoi(args[2]);
	} else if (!strcmp(args[0], "nop")) {
		sqe->opcode = IORING_OP_NOP;
	} else {
		socket_call(sqe, args[0], args);
	}
}

int main(int argc, char **argv)
{
	int n = 3;

	if (argc < 4)
		return 64;
	set_up(strtoul(argv[1], 0, 0));
	while (n < argc) {
		struct io_uring_sqe sqe = { .flags = atoi(argv[2]), .user_data = n };
		int end = n;

		while (end < argc && strcmp(argv[end], ","))
			end++;
		argv[end] = 0;
		prepare(&sqe, argv + n);
		printf("%d\n", submit(&sqe));
		n = end + 1;
	}
	return 0;
}
