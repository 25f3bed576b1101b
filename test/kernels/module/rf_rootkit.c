// SPDX-License-Identifier: GPL-2.0
/* Does what rootkits do to a kernel, one action at a time, for tests of `ringfence integrity`
 * in a disposable guest. The action is written to /sys/module/rf_rootkit/parameters/action; the
 * next one, `none` too, undoes it first. No process makes the system call that is tampered
 * with (acct) meanwhile, so changing its code needs no synchronisation. */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include <asm/unistd.h>

#define VICTIM "__x64_sys_acct"
/* overflow: INTO is no 64-bit instruction, and no program uses `int $4` */
#define VECTOR 4
#define DISPATCHER_SIZE 16384
#define NEAR_BYTES 5
#define CALL 0xe8
#define JUMP 0xe9
#define SAVED_MAX 16

/* Overwritten bytes, to be restored. */
static struct {
	unsigned long at;
	unsigned int size;
	u8 bytes[SAVED_MAX];
} saved;

static noinline asmlinkage long rf_hook(void)
{
	return -ENOSYS;
}

/* Not exported, like most symbols needed here, so it is found with a kprobe, as rootkits do. */
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
	/* an entry of a higher level covers many pages */
	pages = page_level_size(level) / PAGE_SIZE;
	return pfn_to_page((level == PG_LEVEL_2M ? pmd_pfn(*(pmd_t *)entry) : pte_pfn(*entry)) + (address / PAGE_SIZE) % pages);
}

/* Through a second mapping: code, tables and the IDT are read-only in place. */
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

	memcpy(saved.bytes, (void *)at, size);
	error = overwrite(at, bytes, size);
	if (!error) {
		saved.at = at;
		saved.size = size;
	}
	return error;
}

static void restore_bytes(void)
{
	overwrite(saved.at, saved.bytes, saved.size);
}

static int change_table(void)
{
	unsigned long table = address_of("sys_call_table");
	unsigned long hook = (unsigned long)rf_hook;

	return table ? change(table + __NR_acct * sizeof(long), &hook, sizeof(hook)) : -ENOENT;
}

static int redirect_code(unsigned long at, u8 opcode)
{
	u8 code[NEAR_BYTES] = { opcode };
	s32 distance = (long)rf_hook - (long)(at + NEAR_BYTES);

	memcpy(code + 1, &distance, sizeof(distance));
	return change(at, code, sizeof(code));
}

static int change_entry(void)
{
	unsigned long victim = address_of(VICTIM);

	return victim ? redirect_code(victim, JUMP) : -ENOENT;
}

/* Redirects the dispatcher's jump or call to the system call. */
static int change_dispatcher(void)
{
	unsigned long dispatcher = address_of("x64_sys_call");
	unsigned long victim = address_of(VICTIM);

	if (!dispatcher || !victim)
		return -ENOENT;
	for (unsigned long at = dispatcher; at < dispatcher + DISPATCHER_SIZE; at++) {
		u8 opcode = *(u8 *)at;

		if ((opcode == CALL || opcode == JUMP) && at + NEAR_BYTES + *(s32 *)(at + 1) == victim)
			return redirect_code(at, opcode);
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

static void notrace ignore_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops, struct ftrace_regs *registers)
{
}

static struct ftrace_ops tracer = { .func = ignore_call };

static int trace(void)
{
	int error = ftrace_set_filter(&tracer, VICTIM, sizeof(VICTIM) - 1, 1);

	return error ?: register_ftrace_function(&tracer);
}

static void untrace(void)
{
	unregister_ftrace_function(&tracer);
}

static struct kprobe probe;

static int set_probe(void)
{
	/* remove the results of the previous registration */
	memset(&probe, 0, sizeof(probe));
	probe.symbol_name = VICTIM;
	return register_kprobe(&probe);
}

static void remove_probe(void)
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

static const struct action {
	const char *name;
	int (*apply)(void);
	void (*undo)(void);
} actions[] = {
	{ "table", change_table, restore_bytes },
	{ "entry", change_entry, restore_bytes },
	{ "dispatcher", change_dispatcher, restore_bytes },
	{ "interrupt", change_interrupt, restore_bytes },
	{ "ftrace", trace, untrace },
	{ "kprobe", set_probe, remove_probe },
	{ "hide", hide, show },
}, *active;

static void undo(void)
{
	if (active)
		active->undo();
	active = NULL;
}

static int set_action(const char *value, const struct kernel_param *parameter)
{
	int error;

	undo();
	if (sysfs_streq(value, "none"))
		return 0;
	for (const struct action *action = actions; action < actions + ARRAY_SIZE(actions); action++) {
		if (!sysfs_streq(value, action->name))
			continue;
		error = action->apply();
		if (!error)
			active = action;
		return error;
	}
	return -EINVAL;
}

static const struct kernel_param_ops action_operations = { .set = set_action };
module_param_cb(action, &action_operations, NULL, 0200);

/* Cannot be undone: without its directory the module accepts no further action. */
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
MODULE_DESCRIPTION("Manipulates the kernel like rootkits do, for tests");
MODULE_LICENSE("GPL");
