/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Stores the path at which each cgroup is made, for later lookups: a container that lives
 * for 50 ms and its cgroup may be gone before its first record is read, and the id alone
 * means nothing then. No record is sent. Only the v2 hierarchy, whose ids the records have. */
#include "lib/task.h"

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	struct rf_cgroup_made *made;
	__u64 id = cgroup->kn->id;
	__u32 zero = 0;
	long length;

	if (cgroup->root->hierarchy_id)
		return 0;
	made = bpf_map_lookup_elem(&rf_scratch_cgroup, &zero);
	if (!made)
		return 0;
	made->ktime = bpf_ktime_get_boot_ns();
	made->pad = 0;
	length = bpf_probe_read_kernel_str(made->path, sizeof(made->path), path);
	if (length <= 1)
		return 0;
	/* a path that fills the buffer was cut */
	made->length = length == sizeof(made->path) ? length : length - 1;
	failure__check(RF_PLACE_CGROUPS, bpf_map_update_elem(&rf_cgroups, &id, made, BPF_ANY));
	return 0;
}
