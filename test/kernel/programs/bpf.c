/* bpf PIN CGROUP: makes, attaches, pins and fetches BPF objects, and fails at each; between them it makes
 * everyday calls. PIN: a path in a BPF file system, which is left in place. CGROUP: a cgroup v2 directory. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static long load(const char *name, int type, int instructions)
{
	/* return 1 */
	struct bpf_insn program[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 }, { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = type, .insn_cnt = instructions, .insns = (long)program, .license = (long)"GPL" };

	attr.expected_attach_type = type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR ? BPF_CGROUP_INET4_CONNECT : 0;
	strcpy(attr.prog_name, name);
	return bpf(BPF_PROG_LOAD, &attr);
}

static long create(const char *name, int value_size)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_size, .max_entries = 1 };

	strcpy(attr.map_name, name);
	return bpf(BPF_MAP_CREATE, &attr);
}

static void everyday(int map)
{
	union bpf_attr attr = { .map_fd = map };
	unsigned key = 0;
	long value = 1;

	attr.key = (long)&key;
	attr.value = (long)&value;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);
	bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	bpf(BPF_MAP_GET_NEXT_KEY, &attr);
}

static void pin(int command, const char *path, int map)
{
	union bpf_attr attr = { .pathname = (long)path };

	attr.bpf_fd = command == BPF_OBJ_PIN ? map : 0;
	bpf(command, &attr);
}

static void attach(int command, int program, const char *cgroup)
{
	union bpf_attr attr = {};

	if (command == BPF_LINK_CREATE) {
		attr.link_create.prog_fd = program;
		attr.link_create.target_fd = open(cgroup, O_RDONLY);
		attr.link_create.attach_type = BPF_CGROUP_INET4_CONNECT;
	} else {
		attr.target_fd = open(cgroup, O_RDONLY);
		attr.attach_bpf_fd = program;
		attr.attach_type = BPF_CGROUP_INET4_CONNECT;
		attr.attach_flags = command == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0;
	}
	bpf(command, &attr);
}

static void open_tracepoint(const char *name, int program)
{
	union bpf_attr attr = {};

	attr.raw_tracepoint.name = (long)name;
	attr.raw_tracepoint.prog_fd = program;
	bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

static void update_link(int command)
{
	union bpf_attr attr = {};

	attr.link_update.link_fd = -1;
	bpf(command, &attr);
}

int main(int argc, char **argv)
{
	long program, filter, map, tracepoint;

	if (argc < 3)
		return 64;
	filter = load("rf_filter", BPF_PROG_TYPE_SOCKET_FILTER, 2);
	load("rf_bad", BPF_PROG_TYPE_SOCKET_FILTER, 1);
	map = create("rf_map", 8);
	create("rf_no_map", 0);
	everyday(map);
	pin(BPF_OBJ_PIN, argv[1], map);
	pin(BPF_OBJ_GET, argv[1], 0);
	pin(BPF_OBJ_GET, "/rf-none/pin", 0);
	program = load("rf_cgroup", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 2);
	attach(BPF_PROG_ATTACH, program, argv[2]);
	attach(BPF_PROG_DETACH, program, argv[2]);
	attach(BPF_PROG_ATTACH, filter, argv[2]);
	attach(BPF_LINK_CREATE, program, argv[2]);
	attach(BPF_LINK_CREATE, filter, argv[2]);
	tracepoint = load("rf_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 2);
	open_tracepoint("sched_process_exit", tracepoint);
	open_tracepoint("rf_none", tracepoint);
	update_link(BPF_LINK_UPDATE);
	update_link(BPF_LINK_DETACH);
	return 0;
}
