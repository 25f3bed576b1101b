/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: to which unix socket a datagram goes. */
#include "hook.h"
#include "../lib/socket.h"

/* Connecting such a socket asks the same, and so does a write to it. */
static __always_inline bool unix_datagram__is_of_send(__u32 call)
{
	return call == SYSCALL_SENDTO + 1 || call == SYSCALL_SENDMSG + 1 || call == SYSCALL_SENDMMSG + 1;
}

static __always_inline void unix_datagram__write_down(struct socket *own, struct socket *other)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = truth__call(task);
	struct rf_scratch_small *scratch;
	struct rf_builder b = {};
	struct rf_truth *truth;

	if (!unix_datagram__is_of_send(call) || !interest__any_form(INTEREST(DATAGRAM_UNIX)) || task__is_agent(task))
		return;
	truth = bpf_task_storage_get(&rf_truths, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!truth)
		return;
	truth__clear(truth);
	scratch = scratch__try(&rf_scratch_bulk, ring__cpu());
	if (!scratch)
		return;
	b.record = truth->text;
	socket__append_unix_name(&b, RF_TRUTH_MAX, &truth->path, &scratch->path, (struct unix_sock *)BPF_CORE_READ(other, sk));
	scratch__give(scratch);
	truth->object = (__u64)BPF_CORE_READ(own, sk);
	if (truth->path.kept && !b.faults)
		truth->call = call;
}

FULL_HOOK(unix_may_send, unix_datagram__write_down(own, other), struct socket *own, struct socket *other)
