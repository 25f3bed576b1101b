/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores which script an exec runs. The kernel closes it before sched_process_exec, where
 * the file is already the interpreter. This hook runs for each file of the chain, the script first. */
#include "paths.h"

/* Nearly all executables are ELF files, for which the baseline has
 * everything: skipping them spares their processes 8 KiB each. */
static __always_inline bool exec__is_elf(struct linux_binprm *binary)
{
	char magic[4];

	return !bpf_probe_read_kernel(magic, sizeof(magic), binary->buf) && magic[0] == 0x7f && magic[1] == 'E' && magic[2] == 'L' && magic[3] == 'F';
}

static __always_inline void exec__store_script(struct linux_binprm *binary)
{
	struct paths_names names = {
		.mount = BPF_CORE_READ(binary, file, f_path.mnt),
		.dentry = BPF_CORE_READ(binary, file, f_path.dentry),
	};
	struct rf_kernel_copy *copy;

	if (kernel__read(binary, interp) != kernel__read(binary, filename))
		return; /* an interpreter */
	/* a failed exec of a script may have left one */
	copy = bpf_task_storage_get(&rf_kernel_copy, bpf_get_current_task_btf(), 0, 0);
	if (copy)
		copy->call = 0;
	if (exec__is_elf(binary))
		return;
	paths__store(&names);
	copy = bpf_task_storage_get(&rf_kernel_copy, bpf_get_current_task_btf(), 0, 0);
	if (copy)
		copy->ctime = file__ctime(BPF_CORE_READ(binary, file, f_inode));
}

FULL_HOOK_OF(bprm_check_security, "security_bprm_check", exec__store_script(binary), struct linux_binprm *binary)
