/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Lines typed into a shell, as its line editor returns them, including those that run only builtins. */
#include "lib/probe.h"

#define SHELL_NAME_SIZE 5

static __always_inline void shell__finish(struct rf_builder *b, struct rf_shell_line *s)
{
	__u32 last = b->end - 1;

	/* the rest was not counted */
	if (s->line.kept == RF_PATH_MAX - 1)
		s->line.length = RF_PATH_MAX;
	rf_barrier(last);
	/* zsh's line ends with a newline */
	if (!s->line.kept || last >= RF_SMALL_RECORD_MAX || b->record[last] != '\n')
		return;
	s->line.kept--;
	s->line.length--;
	b->end--;
}

static __always_inline int shell__emit(const char *line)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_builder b = { .end = sizeof(struct rf_shell_line) };
	struct rf_scratch_probe *scratch;
	struct rf_shell_line *s;

	/* no line: the end of the input */
	if (!line || !interest__admits(RF_LANE_SECURITY, RF_SHELL_LINE))
		return 0;
	scratch = probe__acquire(RF_LANE_SECURITY, RF_SHELL_LINE);
	if (!scratch)
		return 0;
	b.record = scratch->record;
	s = (struct rf_shell_line *)scratch->record;
	task__fill_header(&s->h, task, RF_SHELL_LINE);
	s->tty = task__tty(task);
	s->source_caller = 1;
	s->pad = 0;
	text__append_string(&b, RF_SMALL_RECORD_MAX, &s->line, TEXT_USER, line);
	shell__finish(&b, s);
	probe__emit(scratch, &b, RF_LANE_SECURITY);
	return 0;
}

/* readline of a bash that has it built in, zleread of zsh's editor */
SEC("uretprobe")
int BPF_KRETPROBE(shell_line_exit, const char *line)
{
	return shell__emit(line);
}

static __always_inline bool shell__is_bash(struct task_struct *task)
{
	struct dentry *dentry = BPF_CORE_READ(task, mm, exe_file, f_path.dentry);
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	char text[8] = {};

	if (bpf_probe_read_kernel_str(text, sizeof(text), name) != SHELL_NAME_SIZE)
		return false;
	return text[0] == 'b' && text[1] == 'a' && text[2] == 's' && text[3] == 'h';
}

/* readline of libreadline. Debuggers and database clients use it too: lines typed there are not reported. */
SEC("uretprobe")
int BPF_KRETPROBE(shell_library_exit, const char *line)
{
	return shell__is_bash(bpf_get_current_task_btf()) ? shell__emit(line) : 0;
}
