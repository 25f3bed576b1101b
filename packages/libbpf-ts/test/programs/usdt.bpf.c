#include "common.h"
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

__u64 usdt_hits;
__s64 usdt_argument;
__u64 usdt_cookie;

SEC("usdt")
int on_usdt(struct pt_regs *context)
{
	long argument = 0;

	bpf_usdt_arg(context, 0, &argument);
	usdt_argument = argument;
	usdt_cookie = bpf_usdt_cookie(context);
	__sync_fetch_and_add(&usdt_hits, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
