/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether a rule may match a path: by a prefix (rf_watched) or by the last component
 * (rf_names). Changes are also matched by rf_changed and rf_changed_names. */
#ifndef RF_LIB_WATCH_H
#define RF_LIB_WATCH_H

#include "task.h"

#define WATCH_RECORD_MAX RF_SMALL_RECORD_MAX
/* Bytes that one step examines, and the slashes among them that it decides on: each needs the three bytes after it. */
#define WATCH_WINDOW 8
#define WATCH_STEP 5
#define WATCH_STEPS_MAX (RF_PATH_MAX / WATCH_STEP + 1)

/* The lowest bit of each byte of a word. */
#define WATCH_BYTES 0x0101010101010101ULL
#define WATCH_TOPS (0x80 * WATCH_BYTES)
#define WATCH_DECIDED (WATCH_TOPS >> 8 * (WATCH_WINDOW - WATCH_STEP))

static __always_inline bool watch__any_prefix(void)
{
	return RF_READ_ONCE(rf_control.watched_heads[0]) || RF_READ_ONCE(rf_control.watched_heads[1]);
}

static __always_inline bool watch__any_name(void)
{
	return !RF_READ_ONCE(rf_control.nothing_named);
}

static __always_inline bool watch__any_change(void)
{
	return RF_READ_ONCE(rf_control.changed_heads[0]) || RF_READ_ONCE(rf_control.changed_heads[1]) || RF_READ_ONCE(rf_control.changes_named);
}

/* Returns false if no entry of the table's map has this hash. */
static __always_inline bool watch__may_have(const __u64 unused[RF_HASHES / 64], __u64 word, __u32 size)
{
	__u64 hash = (word ^ size) * RF_HASH_FACTOR >> RF_HASH_SHIFT;

	return !(RF_READ_ONCE(unused[hash / 64]) >> hash % 64 & 1);
}

/* Fast path: most paths are below a directory of the root in which
 * nothing is watched. `head` 0: the first component is unknown. */
static __always_inline bool watch__may_be_in(const __u32 heads[2], __u32 head)
{
	if (!head)
		return RF_READ_ONCE(heads[0]) || RF_READ_ONCE(heads[1]);
	return RF_READ_ONCE(heads[head >> 5 & 1]) & 1U << (head & 31);
}

static __always_inline bool watch__may_be_below(__u32 head)
{
	return watch__may_be_in(rf_control.watched_heads, head);
}

/* The same for a file, whose first three components decide more often. */
static __always_inline bool watch__file_may_be_below(struct vfsmount *mount, struct dentry *dentry)
{
	const unsigned char *names[RF_HASH_COMPONENTS] = {};
	__u32 heads;
	__u8 next;

	if (!path__find_heads(names, mount, dentry))
		return true;
	heads = path__head(names[0]);
	if (!watch__may_be_below(heads))
		return false;
	if (!heads || watch__may_have(rf_unwatched, heads, 1))
		return true;
	next = path__head(names[1]);
	heads |= next << 8;
	if (!next || watch__may_have(rf_unwatched, heads, 2))
		return next;
	next = path__head(names[2]);
	return next && watch__may_have(rf_unwatched, heads | next << 16, 3);
}

static __always_inline bool watch__fill_path(struct rf_watched_key *key, const char *path, __u32 size)
{
	rf_barrier(size);
	if (size > RF_WATCHED_MAX)
		size = RF_WATCHED_MAX;
	key->prefixlen = size * 8;
	return !bpf_probe_read_kernel(key->path, size, path);
}

static __always_inline bool watch__is_below(struct rf_scratch_small *scratch, const char *path, __u32 size)
{
	return watch__fill_path(&scratch->key, path, size) && bpf_map_lookup_elem(&rf_watched, &scratch->key);
}

/* Cuts a name to the bytes that are compared. */
static __always_inline void watch__cut(struct qstr *name)
{
	if (name->len <= RF_NAME_MAX)
		return;
	name->name += name->len - RF_NAME_MAX;
	name->len = RF_NAME_MAX;
}

/* From a name in kernel memory of at most RF_NAME_MAX bytes. */
static __always_inline bool watch__fill_key(struct rf_name_key *key, const void *name, __u32 size)
{
	rf_barrier(size);
	__builtin_memset(key, 0, sizeof(*key));
	return size <= RF_NAME_MAX && !bpf_probe_read_kernel(key->name, size, name);
}

static __always_inline bool watch__is_name(const void *name, __u32 size)
{
	struct rf_name_key key;
	__u64 word = kernel__word(name);

	if (size < sizeof(word))
		word &= (1ULL << 8 * (size & 7)) - 1;
	return watch__may_have(rf_unnamed, word, size) && watch__fill_key(&key, name, size) && bpf_map_lookup_elem(&rf_names, &key);
}

/* Sets the top bit of each byte that equals `byte`. */
static __always_inline __u64 watch__find(__u64 word, __u8 byte)
{
	__u64 difference = word ^ byte * WATCH_BYTES;

	return ~(((difference & ~WATCH_TOPS) + ~WATCH_TOPS) | difference) & WATCH_TOPS;
}

static __always_inline __u32 watch__count(__u64 found)
{
	return (found >> 7) * WATCH_BYTES >> 56;
}

/* Returns the index of the byte with the highest of these bits; there must be one. */
static __always_inline __u32 watch__last(__u64 found)
{
	found |= found >> 8;
	found |= found >> 16;
	found |= found >> 32;
	return watch__count(found & WATCH_TOPS) - 1;
}

struct watch_loop {
	struct rf_scratch_small *scratch;
};

/* Finds the empty, `.` and `..` components of a window, all at once. Bytes after the text's end count as its end. */
static long watch__scan_window(__u32 index, struct watch_loop *loop)
{
	struct rf_path_scan *scan = &loop->scratch->scan;
	__u32 at = scan->begin + index * WATCH_STEP;
	__u32 remaining = scan->end - at;
	__u64 word, slashes, dots, ends, ups, found;

	rf_barrier(at);
	if (at >= scan->end || at > WATCH_RECORD_MAX - WATCH_WINDOW)
		return 1;
	word = *(__u64 *)(loop->scratch->record + at);
	if (remaining < WATCH_WINDOW)
		word &= (1ULL << 8 * (remaining & (WATCH_WINDOW - 1))) - 1;
	slashes = watch__find(word, '/');
	dots = watch__find(word, '.');
	ends = slashes | watch__find(word, 0);
	slashes &= WATCH_DECIDED;
	ups = slashes & dots >> 8 & dots >> 16 & ends >> 24;
	found = (slashes & (ends >> 8 | (dots >> 8 & ends >> 16))) | ups;
	if (slashes)
		scan->slash = at + watch__last(slashes);
	if (!scan->irregular)
		scan->components += watch__count(slashes & ((found & -found) - 1));
	if (found) {
		scan->irregular = 1;
		scan->ups += watch__count(ups);
		scan->last = at + watch__last(found);
	}
	return 0;
}

static __always_inline void watch__scan(struct rf_scratch_small *scratch, __u32 offset, __u32 size)
{
	struct watch_loop loop = { .scratch = scratch };

	__builtin_memset(&scratch->scan, 0, sizeof(scratch->scan));
	scratch->scan.begin = offset;
	scratch->scan.end = offset + size;
	scratch->scan.slash = offset - 1; /* a text without a slash is all last component */
	bpf_loop(WATCH_STEPS_MAX, watch__scan_window, &loop, 0);
}

/* Finds the part after the last slash, cut as names are. Returns its size; 0: there is none. */
static __always_inline __u32 watch__find_name(const struct rf_scratch_small *scratch, __u32 *begin)
{
	__u32 end = scratch->scan.end;

	*begin = scratch->scan.slash + 1;
	if (*begin >= end)
		return 0;
	if (end - *begin > RF_NAME_MAX)
		*begin = end - RF_NAME_MAX;
	return end - *begin;
}

static __always_inline bool watch__ends_in_name(struct rf_scratch_small *scratch)
{
	__u32 begin, size;

	if (!watch__any_name())
		return false;
	size = watch__find_name(scratch, &begin);
	rf_barrier(begin);
	return size && begin <= WATCH_RECORD_MAX - RF_NAME_MAX && watch__is_name(scratch->record + begin, size);
}

/* For a path whose written form cannot be compared. Its first component is known if there are
 * fewer `..` than components before them; its last one is unknown if that is empty, `.` or `..`. */
static __always_inline bool watch__could_match(struct rf_scratch_small *scratch, __u32 head)
{
	struct rf_path_scan *scan = &scratch->scan;

	if (watch__may_be_below(scan->components > scan->ups ? head : 0))
		return true;
	if (scan->last + 3 >= scan->end)
		return watch__any_name();
	return watch__ends_in_name(scratch);
}

/* Whether a path of the current record may match; uncertain ones do. Global, so that the verifier checks it
 * once. Looks the record up itself: until 6.2 a map key cannot point into memory passed to a global function. */
__noinline int watch__matches(__u32 offset, __u32 size)
{
	__u32 cpu = ring__cpu();
	struct rf_scratch_small *scratch = bpf_map_lookup_elem(&rf_scratch_bulk, &cpu);
	__u32 head = 0;

	rf_barrier(offset);
	if (!scratch || !size || size > RF_PATH_MAX || offset > WATCH_RECORD_MAX - RF_PATH_MAX)
		return 0;
	if (size > 1 && scratch->record[offset] == '/')
		head = (__u8)scratch->record[offset + 1];
	watch__scan(scratch, offset, size);
	if (scratch->scan.irregular)
		return watch__could_match(scratch, head);
	return (watch__may_be_below(head) && watch__is_below(scratch, scratch->record + offset, size)) ||
	       watch__ends_in_name(scratch);
}

static __always_inline bool watch__is_below_changed(struct rf_scratch_small *scratch, const char *path, __u32 size)
{
	return watch__fill_path(&scratch->key, path, size) && bpf_map_lookup_elem(&rf_changed, &scratch->key);
}

static __always_inline bool watch__ends_in_changed_name(struct rf_scratch_small *scratch)
{
	struct rf_name_key key;
	__u32 begin, size;

	if (!RF_READ_ONCE(rf_control.changes_named))
		return false;
	size = watch__find_name(scratch, &begin);
	rf_barrier(begin);
	return size && begin <= WATCH_RECORD_MAX - RF_NAME_MAX && watch__fill_key(&key, scratch->record + begin, size) &&
	       bpf_map_lookup_elem(&rf_changed_names, &key);
}

/* The same for a path that is changed. */
__noinline int watch__matches_change(__u32 offset, __u32 size)
{
	__u32 cpu = ring__cpu();
	struct rf_scratch_small *scratch = bpf_map_lookup_elem(&rf_scratch_bulk, &cpu);
	struct rf_path_scan *scan;
	__u32 head = 0;

	rf_barrier(offset);
	if (!scratch || !size || size > RF_PATH_MAX || offset > WATCH_RECORD_MAX - RF_PATH_MAX)
		return 0;
	if (watch__matches(offset, size))
		return 1;
	scan = &scratch->scan; /* watch__matches filled it for this path */
	if (size > 1 && scratch->record[offset] == '/')
		head = (__u8)scratch->record[offset + 1];
	if (scan->irregular && scan->components <= scan->ups)
		head = 0;
	if (watch__may_be_in(rf_control.changed_heads, head) &&
	    (scan->irregular || watch__is_below_changed(scratch, scratch->record + offset, size)))
		return 1;
	if (scan->irregular && scan->last + 3 >= scan->end)
		return RF_READ_ONCE(rf_control.changes_named);
	return watch__ends_in_changed_name(scratch);
}

#endif
