/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The identities of the files that a process has open with O_PATH: the agent opens the files that rules name, and puts
 * what it reads here into rf_files. The kernel's own numbers, because stat(2) returns others on overlays and btrfs. */
#include "lib/identity.h"

#define FMODE_PATH 0x4000

SEC("iter/task_file")
int identify_files(struct bpf_iter__task_file *context)
{
	struct file *file = context->file;
	struct rf_file_identity identity = {};
	struct inode *inode;
	struct inode *layer;

	if (!context->task || !file || !(kernel__read(file, f_mode) & FMODE_PATH))
		return 0;
	inode = kernel__read(file, f_inode);
	identity.descriptor = context->fd;
	identity__fill(&identity.key, inode);
	if (identity__is_overlay(inode)) {
		layer = identity__layer(inode, true);
		if (!layer)
			layer = identity__layer(inode, false);
		if (layer)
			identity__fill(&identity.beneath, layer);
	}
	bpf_seq_write(context->meta->seq, &identity, sizeof(identity));
	return 0;
}
