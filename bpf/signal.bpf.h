/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A signal to another process, seen where the kernel queues it: the current task is the sender, whatever the
 * signal claims. Signals that the kernel sends by itself (a fault, a timer, a terminal's keys) are skipped: for
 * those the current task is arbitrary. A call that fails queues nothing, so failures are seen at the call's end. */
#include "lib/pid.h"
#include "lib/syscall.h"
#include "lib/tampering.h"
#include "lib/kernel_copy.h"

#define SIGKILL 9
#define SIGTERM 15
#define SIGSTOP 19

/* Signals that ask an agent to end, or do nothing to it: HUP, INT, TERM, CHLD,
 * CONT, URG, WINCH. USR1 is not among them: it opens Node's debugger in a program without --disable-sigusr1. */
#define SIGNALS_WITHOUT_HARM (1ULL << 1 | 1ULL << 2 | 1ULL << SIGTERM | 1ULL << 17 | 1ULL << 18 | 1ULL << 23 | 1ULL << 28)

#define SEND_SIG_PRIV 1UL
#define SI_USER 0
#define SI_QUEUE -1
#define SI_TKILL -6

struct signal_target {
	__u64 start;
	__u32 tgid;
	__u32 uid;
	__u32 signal;
	__s32 code;
	__s32 result;
};

static __always_inline int signal__report(struct task_struct *task, const struct signal_target *target)
{
	struct rf_header number = {};
	struct rf_merge_key key;
	struct rf_signal *record;
	__u32 count;

	ring__count_seen(RF_LANE_SECURITY, RF_SIGNAL);
	merge__fill_key(&key, task, RF_SIGNAL, (__u64)target->tgid << 32 | target->signal, (__u64)target->code << 32 | (__u32)target->result);
	record = merge__reserve(RF_LANE_SECURITY, &key, sizeof(*record), &number, &count);
	if (!record)
		return 0;
	task__fill_header(&record->h, task, RF_SIGNAL);
	record->target_start = target->start;
	record->target_tgid = target->tgid;
	record->target_uid = target->uid;
	record->signal = target->signal;
	record->code = target->code;
	record->result = target->result;
	record->count = count;
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}

/* The calls in which a process chooses the signal's code. The kernel's timers and queues use the same codes. */
static __always_inline bool signal__code_is_chosen(struct task_struct *task)
{
	__s32 number = SYSCALL_NUMBER(task__registers(task));

	return number == SYSCALL_RT_SIGQUEUEINFO || number == SYSCALL_RT_TGSIGQUEUEINFO || number == SYSCALL_PIDFD_SEND_SIGNAL;
}

static __always_inline bool signal__is_of_user(struct task_struct *task, __s32 code)
{
	return code == SI_USER || code == SI_TKILL || code == SI_QUEUE || (code < 0 && signal__code_is_chosen(task));
}

static __always_inline bool signal__threatens_agent(struct task_struct *target, int signal)
{
	if (signal != SIGKILL && signal != SIGTERM && signal != SIGSTOP)
		return false;
	return tampering__victim(target->tgid, kernel__start(target));
}

static __always_inline void signal__record_if_victim(struct task_struct *target, __u32 signal, __s32 result)
{
	enum tampering_victim victim = tampering__victim(target->tgid, kernel__start(target));

	if (!victim)
		return;
	/* TRACE_SIGNAL_IGNORED */
	if (result == 1 || (signal < 64 && SIGNALS_WITHOUT_HARM >> signal & 1))
		return;
	tampering__record(victim | RF_TAMPERING_AGENT_SIGNAL, signal, 0, 0, 0);
}

/* The cheapest comparison comes first. */
static __always_inline bool signal__crosses(struct task_struct *task, struct task_struct *target)
{
	if (kernel__plain(task)->cred->uid.val != kernel__plain(target)->cred->uid.val || kernel__plain(task)->cred->euid.val != kernel__plain(target)->cred->euid.val)
		return true;
	if (kernel__cgroup(task) != kernel__cgroup(target))
		return true;
	return pid__namespace(task) != pid__namespace(target);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_generate, int signal, struct kernel_siginfo *info, struct task_struct *target, int group, int result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct signal_target sent = { .signal = signal, .result = result };

	if ((unsigned long)info == SEND_SIG_PRIV || target->tgid == task->tgid)
		return 0;
	/* 0 stands for a plain SI_USER */
	sent.code = info ? kernel__read(info, si_code) : SI_USER;
	if (!signal__is_of_user(task, sent.code))
		return 0;
	isolation__notice_compat(task, RF_COMPAT_SIGNAL);
	signal__record_if_victim(target, signal, result);
	if (!signal__threatens_agent(target, signal) && !signal__crosses(task, target))
		return 0;
	if (!interest__admits(RF_LANE_SECURITY, RF_SIGNAL))
		return 0;
	sent.start = kernel__start(target);
	sent.tgid = target->tgid;
	sent.uid = kernel__plain(target)->cred->uid.val;
	return signal__report(task, &sent);
}

static __always_inline bool signal__is_failure(long result, __u32 signal)
{
	if (result >= 0)
		return false;
	/* signal 0 tests whether a process exists, and often finds none */
	if (signal || result != -ESRCH)
		return true;
	ring__count_skipped(RF_LANE_SECURITY, RF_SIGNAL, RF_DROP_UNWATCHED);
	return false;
}

static __always_inline int signal__failed(struct task_struct *task, struct rf_kernel_copy *copy, struct pid *pid, __u32 signal, __s32 code, __s32 result)
{
	struct signal_target target = { .uid = -1, .signal = signal, .code = code, .result = result };

	if (!interest__admits(RF_LANE_SECURITY, RF_SIGNAL))
		return 0;
	if (copy && pid) {
		target.tgid = copy->inode;
		target.start = copy->object;
		target.uid = copy->device;
	} else if (pid__identify(pid, &target.tgid, &target.start))
		target.uid = BPF_CORE_READ(pid__task(pid), cred, uid.val);
	return signal__report(task, &target);
}

/* `argument` reads the process or thread id, `next` the signal. */
#define SIGNAL_SYSCALL(name, argument, next, si_code)                                                                                    \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_exit(void *context)                                                                                                   \
	{                                                                                                                                \
		struct task_struct *task = bpf_get_current_task_btf();                                                                   \
		struct pt_regs *registers = task__registers(task);                                                                       \
		__s32 number = argument(registers);                                                                                      \
		__u32 signal = next(registers);                                                                                          \
		struct rf_kernel_copy *copy = kernel_copy__take(task);                                                                   \
		long result = syscall__result(context);                                                                                  \
                                                                                                                                         \
		if (!signal__is_failure(result, signal))                                                                                 \
			return 0;                                                                                                        \
		/* negative: a group; -1: every process */                                                                    \
		return signal__failed(task, copy, number > 0 ? pid__find(task, number) : 0, signal, si_code, result);                    \
	}

SIGNAL_SYSCALL(kill, PT_REGS_PARM1_SYSCALL, PT_REGS_PARM2_SYSCALL, SI_USER)
SIGNAL_SYSCALL(tkill, PT_REGS_PARM1_SYSCALL, PT_REGS_PARM2_SYSCALL, SI_TKILL)
SIGNAL_SYSCALL(tgkill, PT_REGS_PARM2_SYSCALL, PT_REGS_PARM3_SYSCALL, SI_TKILL)
SIGNAL_SYSCALL(rt_sigqueueinfo, PT_REGS_PARM1_SYSCALL, PT_REGS_PARM2_SYSCALL, SI_QUEUE)
SIGNAL_SYSCALL(rt_tgsigqueueinfo, PT_REGS_PARM2_SYSCALL, PT_REGS_PARM3_SYSCALL, SI_QUEUE)

SEC("tracepoint/syscalls/sys_exit_pidfd_send_signal")
int pidfd_send_signal_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 signal = PT_REGS_PARM2_SYSCALL(registers);
	struct rf_kernel_copy *copy = kernel_copy__take(task);
	long result = syscall__result(context);

	if (!signal__is_failure(result, signal))
		return 0;
	return signal__failed(task, copy, pid__of_descriptor(task, PT_REGS_PARM1_SYSCALL(registers)), signal, SI_USER, result);
}
