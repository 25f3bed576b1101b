// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Writes the tgid of each task.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

struct task_struct { int pid; int tgid; } __attribute__((preserve_access_index));
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; __u64 seq_num; } __attribute__((preserve_access_index));
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } __attribute__((preserve_access_index));

SEC("iter/task")
int dump_tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	__u32 tgid;

	if (!task)
		return 0;
	tgid = task->tgid;
	bpf_seq_write(context->meta->seq, &tgid, sizeof(tgid));
	return 0;
}
