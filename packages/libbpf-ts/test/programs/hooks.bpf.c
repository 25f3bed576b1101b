// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program for each kind of hook. Each counts in a global variable, for one process only.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 target;
__u64 raw_hits;
__u64 tp_hits;
__u64 uprobe_hits;
__u64 connects;

static int is_target(void)
{
	return bpf_get_current_pid_tgid() >> 32 == target;
}

SEC("tp_btf/sys_enter")
int on_sys_enter(void *context)
{
	if (is_target())
		__sync_fetch_and_add(&raw_hits, 1);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int on_getppid(void *context)
{
	if (is_target())
		__sync_fetch_and_add(&tp_hits, 1);
	return 0;
}

SEC("uprobe")
int on_function(struct pt_regs *context)
{
	if (is_target())
		__sync_fetch_and_add(&uprobe_hits, 1);
	return 0;
}

SEC("cgroup/connect4")
int allow_connect(struct bpf_sock_addr *context)
{
	__sync_fetch_and_add(&connects, 1);
	return 1;
}

SEC("cgroup/connect4")
int refuse_connect(struct bpf_sock_addr *context)
{
	__sync_fetch_and_add(&connects, 1);
	return 0;
}
