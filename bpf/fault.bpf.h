/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A thread gets a signal that the kernel made for something the thread did. Seen on
 * delivery, in the thread itself, whose registers give the instruction. A tracer can remove
 * the signal before that. If seccomp ends one thread of several, there is no signal either. */
#include "lib/task.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11
#define SIGSYS 31

/* Faults can come by the thousand, from programs that use them on purpose, or from a server whose new
 * processes an attacker crashes to guess its code's addresses. So they are counted by executable,
 * over all its processes: after the first ones only counts that are powers of two are reported. */
#define FAULT_ALL_UNTIL 16
/* An executable without faults for this long starts again, so that unrelated crashes are all reported. */
#define FAULT_PAUSE (60 * NS_PER_S)

/* A trap that is handled, or that a debugger waits for, is no fault. */
static __always_inline bool fault__is_reported(int signal, struct k_sigaction *action)
{
	if (signal == SIGTRAP)
		return !BPF_CORE_READ(action, sa.sa_handler);
	return signal == SIGILL || signal == SIGBUS || signal == SIGFPE || signal == SIGSEGV || signal == SIGSYS;
}

static __always_inline void fault__fill_key(struct rf_fault_key *key, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct file *file = mm ? mm->exe_file : 0;
	struct inode *inode;
	struct super_block *super;

	if (!file)
		return;
	inode = kernel__read(file, f_inode);
	super = kernel__read(inode, i_sb);
	key->inode = kernel__read(inode, i_ino);
	key->device = kernel__read(super, s_dev);
}

static __always_inline __u32 fault__count(struct task_struct *task)
{
	struct rf_fault_burst first = { .last = bpf_ktime_get_boot_ns(), .count = 1 };
	struct rf_fault_key key = {};
	struct rf_fault_burst *burst;
	__u64 last;

	fault__fill_key(&key, task);
	burst = bpf_map_lookup_elem(&rf_faults, &key);
	if (burst) {
		last = burst->last;
		burst->last = first.last;
		/* two CPUs may read the clock in one order and get here in the other */
		if (first.last < last || first.last - last < FAULT_PAUSE)
			return __sync_fetch_and_add(&burst->count, 1) + 1;
	}
	failure__check(RF_PLACE_FAULTS, bpf_map_update_elem(&rf_faults, &key, &first, BPF_ANY));
	return 1;
}

static __always_inline void fault__fill(struct rf_fault *f, struct task_struct *task, int signal, struct kernel_siginfo *info)
{
	task__fill_header(&f->h, task, RF_FAULT);
	f->instruction = PT_REGS_IP(task__registers(task));
	f->signal = signal;
	f->code = BPF_CORE_READ(info, si_code);
	if (signal == SIGSYS) {
		f->address = (__u64)BPF_CORE_READ(info, _sifields._sigsys._call_addr);
		f->system_call = BPF_CORE_READ(info, _sifields._sigsys._syscall);
	} else {
		f->address = (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr);
		f->system_call = -1;
	}
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(signal_deliver, int signal, struct kernel_siginfo *info, struct k_sigaction *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_header number = {};
	struct rf_fault *record;
	__u32 count;

	/* no process can send another one a code above 0 */
	if (!info || !fault__is_reported(signal, action) || BPF_CORE_READ(info, si_code) <= 0)
		return 0;
	if (!interest__admits(RF_LANE_SECURITY, RF_FAULT))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_FAULT);
	count = fault__count(task);
	if (count > FAULT_ALL_UNTIL && (count & (count - 1))) {
		ring__count_drop(RF_LANE_SECURITY, RF_FAULT, RF_DROP_MERGED);
		return 0;
	}
	record = ring__reserve(RF_LANE_SECURITY, RF_FAULT, sizeof(*record), &number);
	if (!record)
		return 0;
	fault__fill(record, task, signal, info);
	record->count = count;
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}
