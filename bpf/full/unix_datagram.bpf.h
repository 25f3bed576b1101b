/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores the unix socket that a datagram goes to. The kernel runs the hook
 * once for each datagram, and again if the receiver's queue was full; the last one counts.
 * Where a program can attach to the end of the sending function, the record is sent there,
 * for each datagram of a call and for those sent by write; otherwise at the end of the call. */
#include "hook.h"
#include "../lib/socket.h"

/* Connecting such a socket runs the same hook. */
static __always_inline bool unix_datagram__is_of_send(__u32 call)
{
	return call == SYSCALL_SENDTO + 1 || call == SYSCALL_SENDMSG + 1 || call == SYSCALL_SENDMMSG + 1 || call == SYSCALL_WRITE + 1 ||
	       call == SYSCALL_WRITEV + 1;
}

static __always_inline void unix_datagram__store(struct socket *sender, struct socket *receiver)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = kernel_copy__call(task);
	struct rf_scratch_small *scratch;
	struct rf_builder b = {};
	struct rf_kernel_copy *copy;

	if (!unix_datagram__is_of_send(call) || !interest__any_form(INTEREST(DATAGRAM_UNIX)) || task__is_agent(task))
		return;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return;
	kernel_copy__clear(copy);
	scratch = scratch__try_acquire(&rf_scratch_bulk, ring__cpu());
	if (!scratch)
		return;
	b.record = copy->text;
	socket__append_unix_name(&b, RF_KERNEL_COPY_MAX, &copy->path, &scratch->path, (struct unix_sock *)BPF_CORE_READ(receiver, sk));
	scratch__release(scratch);
	copy->object = (__u64)BPF_CORE_READ(sender, sk);
	if (copy->path.kept && !b.faults)
		copy->call = call;
}

FULL_HOOK(unix_may_send, unix_datagram__store(sender, receiver), struct socket *sender, struct socket *receiver)

/* Marks a failure as reported for the program at the end of the call, which sees it too. */
static __always_inline void unix_datagram__mark_reported(struct task_struct *task, struct sock *sk)
{
	struct rf_kernel_copy *copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!copy)
		return;
	kernel_copy__clear(copy);
	copy->object = (__u64)sk;
	copy->reported = 1;
	copy->call = kernel_copy__call(task);
}

SEC("?fexit/unix_dgram_sendmsg")
int BPF_PROG(unix_datagram_sent, struct socket *socket, struct msghdr *message, size_t size, int result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct unix_datagram_call sent = { .memory = TEXT_KERNEL, .result = result };

	/* io_uring's sends are reported as io_uring events */
	if (!unix_datagram__is_of_send(kernel_copy__call(task)) || !interest__any_form(INTEREST(DATAGRAM_UNIX)))
		return 0;
	sent.sk = BPF_CORE_READ(socket, sk);
	sent.copy = unix_datagram__take_copy(task, sent.sk);
	if (result < 0 && !datagram__is_final(result))
		return 0;
	sent.size = BPF_CORE_READ(message, msg_namelen);
	if (sent.size)
		sent.to = BPF_CORE_READ(message, msg_name);
	if (result < 0)
		sent.copy = 0;
	unix_datagram__report(task, &sent);
	if (result < 0)
		unix_datagram__mark_reported(task, sent.sk);
	return 0;
}
