/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The cgroup of the agent was frozen, or the agent was moved to another cgroup: either can stop it without a signal.
 * The kernel freezes each cgroup below the one that is written to, so a frozen parent is noticed too. Only the v2
 * hierarchy: the freezer of v1 has no tracepoint. */
#include "lib/tampering.h"

SEC("tp_btf/cgroup_freeze")
int BPF_PROG(cgroup_freeze, struct cgroup *cgroup)
{
	__u64 id = cgroup->kn->id;

	if (cgroup->root->hierarchy_id)
		return 0;
	if (id == RF_READ_ONCE(rf_control.agent_cgroup))
		tampering__record(TAMPERING_AGENT | RF_TAMPERING_AGENT_FREEZE, 0, 0, 0, 0);
	else if (id == RF_READ_ONCE(rf_control.partner_cgroup))
		tampering__record(TAMPERING_PARTNER | RF_TAMPERING_AGENT_FREEZE, 0, 0, 0, 0);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_attach_task, struct cgroup *cgroup, const char *path, struct task_struct *task)
{
	enum tampering_victim victim = tampering__victim(task->tgid, kernel__start(task));

	if (victim && !cgroup->root->hierarchy_id)
		tampering__record(victim | RF_TAMPERING_AGENT_MOVE, 0, 0, 0, 0);
	return 0;
}
