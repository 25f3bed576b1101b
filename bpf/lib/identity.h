/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Recognizes the files that rules name by their identity (superblock, inode, generation), whatever path leads to
 * them: another link, a bind mount, a detached mount, a layer of an overlay. User space keeps rf_files current. */
#ifndef RF_LIB_IDENTITY_H
#define RF_LIB_IDENTITY_H

#include "file.h"
#include "watch.h"

/* Names of a file that are compared. One with more counts as the known file. */
#define IDENTITY_NAMES_MAX 16

/* Reads the address of a file's inode as a plain number, which a global function accepts. */
#define identity__inode(file) kernel__word(&(file)->f_inode)

/* Rules out nearly every file with two loads and a bit. An overlay gives its files the numbers of the files
 * beneath; only in the upper half of the number it may add the layer. */
static __always_inline bool identity__may_be_watched(struct file *file)
{
	struct inode *inode = kernel__read(file, f_inode);
	__u64 hash = (__u32)kernel__read(inode, i_ino) * RF_HASH_FACTOR >> RF_HASH_SHIFT;

	return RF_READ_ONCE(rf_file_hashes[hash / 64]) >> hash % 64 & 1;
}

static __always_inline void identity__fill(struct rf_file_key *key, struct inode *inode)
{
	struct super_block *super = kernel__read(inode, i_sb);

	key->inode = kernel__read(inode, i_ino);
	key->device = kernel__read(super, s_dev);
	key->generation = kernel__read(inode, i_generation);
}

/* The layers of an overlay's inode, by position for the reason given at file__is_upper. Behind the inode are the upper
 * dentry and, until 6.4, the layer and dentry of the lower file; since 6.5 a struct ovl_entry: a count, then a layer
 * and a dentry for each lower file. A copied-up file still has the lower one, whose content it may share (metacopy). */
static __always_inline struct inode *identity__layer(struct inode *inode, bool upper)
{
	void *behind = (void *)inode + bpf_core_type_size(struct inode);
	struct dentry *dentry;

	if (upper) {
		dentry = (struct dentry *)kernel__word(behind);
	} else if (LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 5, 0)) {
		void *lowest = (void *)kernel__word(behind + sizeof(void *));

		dentry = (struct dentry *)kernel__word(lowest + 2 * sizeof(void *));
	} else {
		dentry = (struct dentry *)kernel__word(behind + 2 * sizeof(void *));
	}
	return dentry ? kernel__read(dentry, d_inode) : 0;
}

static __always_inline bool identity__is_overlay(struct inode *inode)
{
	struct super_block *super = kernel__read(inode, i_sb);

	return kernel__read(super, s_magic) == OVERLAYFS_SUPER_MAGIC;
}

/* The file in the layer that an overlay shows: an overlay can show two files with one number, and shows
 * a file under the same number after it was copied up. An overlay can be the layer of one other. */
static __always_inline struct inode *identity__real(struct inode *inode)
{
	for (int depth = 0; depth < 2 && identity__is_overlay(inode); depth++) {
		struct inode *layer = identity__layer(inode, true);

		if (!layer)
			layer = identity__layer(inode, false);
		if (!layer)
			break;
		inode = layer;
	}
	return inode;
}

/* Returns the generation, and leaves inode and device 0 for a file outside of overlays. */
static __always_inline __u32 identity__fill_real(struct inode *inode, __u64 *real_inode, __u32 *real_device)
{
	struct inode *real = identity__real(inode);

	*real_inode = 0;
	*real_device = 0;
	if (real != inode) {
		struct super_block *super = kernel__read(real, i_sb);

		*real_inode = kernel__read(real, i_ino);
		*real_device = kernel__read(super, s_dev);
	}
	return kernel__read(real, i_generation);
}

static __always_inline struct rf_file_path *identity__path(__u32 entry)
{
	__u32 slot = (entry & RF_FILE_SLOT) - 1;

	return bpf_map_lookup_elem(&rf_file_paths, &slot);
}

static __always_inline bool identity__fill_name(struct rf_name_key *key, const void *text, __u32 size)
{
	struct qstr name = { .len = size, .name = text };

	watch__cut(&name);
	return watch__fill_key(key, name.name, name.len);
}

/* Whether a name that leads to the file is the last component of the path, as far as names are cached. */
static __always_inline bool identity__has_name(struct inode *inode, const struct rf_file_path *known)
{
	struct rf_name_key wanted, name;
	struct hlist_node *node = kernel__read(inode, i_dentry.first);

	if (!identity__fill_name(&wanted, known->path + known->name, known->length - known->name))
		return false;
	for (int at = 0; node && at < IDENTITY_NAMES_MAX; at++) {
		struct dentry *dentry = (void *)node - bpf_core_field_offset(struct dentry, d_u.d_alias);
		__u64 difference = 0;

		if (!identity__fill_name(&name, kernel__read(dentry, d_name.name), kernel__read(dentry, d_name.len)))
			return false;
		for (int word = 0; word < RF_NAME_MAX / sizeof(__u64); word++)
			difference |= ((__u64 *)&name)[word] ^ ((__u64 *)&wanted)[word];
		if (!difference)
			return true;
		node = kernel__read(node, next);
	}
	return node;
}

static __always_inline __u32 identity__look_up(struct inode *inode)
{
	struct rf_file_path *known;
	struct rf_file_key key = {};
	__u32 *entry;

	identity__fill(&key, inode);
	entry = bpf_map_lookup_elem(&rf_files, &key);
	if (entry || !key.generation)
		return entry ? *entry : 0;
	key.generation = 0;
	entry = bpf_map_lookup_elem(&rf_files, &key);
	known = entry ? identity__path(*entry) : 0;
	return known && identity__has_name(inode, known) ? *entry : 0;
}

/* Returns the entry (enum rf_file_entry) of an inode at this address; 0: it has none.
 * Global, so that the verifier checks it once and not on every path. */
__noinline int identity__find(__u64 address)
{
	struct inode *inode = (struct inode *)address;
	struct inode *layer;
	__u32 entry = identity__look_up(inode);

	if (entry || !identity__is_overlay(inode))
		return entry;
	layer = identity__layer(inode, true);
	entry = layer ? identity__look_up(layer) : 0;
	if (entry)
		return entry;
	layer = identity__layer(inode, false);
	return layer ? identity__look_up(layer) : 0;
}

/* Returns the entry of a file; 0: it has none. */
static __always_inline __u32 identity__of_file(struct file *file)
{
	return identity__may_be_watched(file) ? identity__find(identity__inode(file)) : 0;
}

/* Whether the path that was just built is the one that rules name. */
static __always_inline bool identity__is_named(const struct rf_path_work *work, const struct rf_file_path *known)
{
	const __u64 *words = (const __u64 *)known->path;
	__u32 position = work->position;
	__u32 kept = work->kept;
	__u64 difference = 0;

	rf_barrier(position);
	if (kept != known->length || kept > RF_WATCHED_MAX || position > RF_PATH_MAX)
		return false;
	for (__u32 at = 0; at < RF_WATCHED_MAX; at += sizeof(*words)) {
		__u64 word = *(__u64 *)(work->text + position + at);

		if (at >= kept)
			break;
		if (kept - at < sizeof(word))
			word &= (1ULL << 8 * (kept - at)) - 1;
		difference |= word ^ words[at / sizeof(*words)];
	}
	return !difference;
}

/* Appends the path that was built for a file. If rules name the file by another path, appends that one instead and
 * then the built one as `reached`. */
static __always_inline void identity__append(struct rf_builder *b, __u32 capacity, struct rf_text *path, struct rf_text *reached,
					     struct rf_path_work *work, __u32 entry)
{
	struct rf_file_path *known = entry ? identity__path(entry) : 0;

	if (!known || identity__is_named(work, known)) {
		path__append(b, capacity, path, work);
		text__clear(b, reached);
		return;
	}
	text__append(b, capacity, path, TEXT_KERNEL, known->path, known->length, RF_WATCHED_MAX, known->length);
	path__append(b, capacity, reached, work);
}

#endif
