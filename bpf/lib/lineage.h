/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The lineage of a process: the ancestors that it has, or had. The kernel forgets a parent that ends, so a process that
 * forks and ends, again and again, would leave its tree. The images are kept oldest first and are never replaced, so
 * that no number of later ancestors pushes an earlier one out. */
#ifndef RF_LIB_LINEAGE_H
#define RF_LIB_LINEAGE_H

#include "maps.h"

#define LINEAGE_MULTIPLIER 0x9e3779b97f4a7c15ULL /* odd, so that no two starts give one product */

/* Identifies a process, from any of its threads. */
static __always_inline __u64 lineage__key(struct task_struct *task)
{
	return kernel__start(task) * LINEAGE_MULTIPLIER ^ (__u32)kernel__plain(task)->tgid;
}

static __always_inline void lineage__note_parent(struct rf_lineage *lineage, struct task_struct *parent)
{
	lineage->forks[lineage->fork_count++ % RF_LINEAGE_FORKS] = lineage__key(parent);
}

static __always_inline void lineage__note_image(struct rf_lineage *lineage, struct task_struct *process)
{
	__u32 count = lineage->image_count;
	__u64 key = lineage__key(process);

	if (count >= RF_LINEAGE_IMAGES || (count && lineage->images[(count - 1) % RF_LINEAGE_IMAGES] == key))
		return;
	lineage->images[count % RF_LINEAGE_IMAGES] = key;
	lineage->image_count = count + 1;
}

/* For a process that is older than the sensor: its living ancestors. */
static __always_inline void lineage__adopt(struct rf_lineage *lineage, struct task_struct *process)
{
	struct task_struct *ancestor = process;
	__u32 depth = 0;

	if (lineage->image_count || lineage->fork_count)
		return;
	for (int at = 0; at < RF_LINEAGE_IMAGES && kernel__read(ancestor, tgid); at++) {
		ancestor = kernel__read(ancestor, real_parent);
		depth++;
	}
	ancestor = process;
	for (int at = 0; at < RF_LINEAGE_IMAGES && at < depth; at++) {
		struct task_struct *leader = kernel__read(ancestor, group_leader);
		__u64 start = kernel__read(leader, start_boottime);

		lineage->images[(depth - 1 - at) % RF_LINEAGE_IMAGES] =
			start * LINEAGE_MULTIPLIER ^ (__u32)kernel__read(leader, tgid);
		ancestor = kernel__read(ancestor, real_parent);
	}
	lineage->image_count = depth;
}

static __always_inline bool lineage__has(const struct rf_lineage *lineage, __u64 key)
{
	bool found = false;

	for (int at = 0; at < RF_LINEAGE_IMAGES; at++)
		found |= lineage->images[at] == key;
	for (int at = 0; at < RF_LINEAGE_FORKS; at++)
		found |= lineage->forks[at] == key;
	return found;
}

#endif
