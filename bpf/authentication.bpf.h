/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* User authentication and its results, by probes in libpam, which every program
 * that logs users in loads. The layout of PAM's handle is private, so values are
 * read on their way in: service and user from pam_start, changes from pam_set_item. */
#include "lib/probe.h"

#define PAM_TEXT_MAX 128

/* Items of pam_set_item. */
enum pam_item { PAM_SERVICE = 1, PAM_USER = 2, PAM_TTY = 3, PAM_RHOST = 4 };

struct pam_text {
	__u32 length;
	char text[PAM_TEXT_MAX];
};

struct pam_session {
	struct pam_text service;
	struct pam_text user;
	struct pam_text remote_host;
	struct pam_text tty;
};

struct pam_key {
	__u64 handle;
	__u64 tgid;
};

/* A call under way, until it returns: by then the texts are in memory for certain. */
struct pam_call {
	__u64 handle; /* for pam_start: where it stores the handle */
	__u64 text;   /* for pam_start: the service */
	__u64 user;
	__u64 item;   /* 0: pam_start */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pam_key);
	__type(value, struct pam_session);
} rf_pam_sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct pam_call);
} rf_pam_calls SEC(".maps");

/* Handles by thread. Apart from rf_pam_calls, since pam_set_item is called inside pam_authenticate. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} rf_pam_pending SEC(".maps");

const volatile struct pam_session rf_pam_empty = {};

static __always_inline void authentication__read(struct pam_text *to, __u64 from)
{
	long size = from ? bpf_probe_read_user_str(to->text, PAM_TEXT_MAX, (const void *)from) : 0;

	to->length = size > 0 ? size - 1 : 0;
}

static __always_inline struct pam_session *authentication__session(__u64 handle)
{
	struct pam_key key = { .handle = handle, .tgid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&rf_pam_sessions, &key);
}

/* Returns the session that this process began, or that its parent began before a fork, as sshd does. */
static __always_inline struct pam_session *authentication__inherited(struct task_struct *task, __u64 handle)
{
	struct pam_session *session = authentication__session(handle);
	struct pam_key key = { .handle = handle, .tgid = kernel__plain(task)->real_parent->tgid };

	return session ? session : bpf_map_lookup_elem(&rf_pam_sessions, &key);
}

static __always_inline int authentication__begin(const struct pam_call *call)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&rf_pam_calls, &thread, call, BPF_ANY);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(pam_start_enter, const char *service, const char *user, const void *conversation, void **handle)
{
	struct pam_call call = { .handle = (__u64)handle, .text = (__u64)service, .user = (__u64)user };

	return authentication__begin(&call);
}

SEC("uprobe")
int BPF_KPROBE(pam_confdir_enter, const char *service, const char *user, const void *conversation, const char *directory, void **handle)
{
	struct pam_call call = { .handle = (__u64)handle, .text = (__u64)service, .user = (__u64)user };

	return authentication__begin(&call);
}

SEC("uprobe")
int BPF_KPROBE(pam_set_item_enter, void *handle, int item, const char *text)
{
	struct pam_call call = { .handle = (__u64)handle, .text = (__u64)text, .item = item };

	if (item != PAM_SERVICE && item != PAM_USER && item != PAM_TTY && item != PAM_RHOST)
		return 0;
	return authentication__begin(&call);
}

static __always_inline void authentication__started(const struct pam_call *call)
{
	struct pam_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct pam_session *session;

	if (bpf_probe_read_user(&key.handle, sizeof(key.handle), (const void *)call->handle) || !key.handle)
		return;
	bpf_map_update_elem(&rf_pam_sessions, &key, (const void *)&rf_pam_empty, BPF_ANY);
	session = bpf_map_lookup_elem(&rf_pam_sessions, &key);
	if (!session)
		return;
	authentication__read(&session->service, call->text);
	authentication__read(&session->user, call->user);
}

static __always_inline void authentication__changed(const struct pam_call *call)
{
	struct pam_session *session = authentication__session(call->handle);

	if (!session)
		return;
	if (call->item == PAM_SERVICE)
		authentication__read(&session->service, call->text);
	else if (call->item == PAM_USER)
		authentication__read(&session->user, call->text);
	else if (call->item == PAM_TTY)
		authentication__read(&session->tty, call->text);
	else
		authentication__read(&session->remote_host, call->text);
}

/* pam_start, pam_start_confdir, pam_set_item */
SEC("uretprobe")
int BPF_KRETPROBE(pam_call_exit, int result)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct pam_call *stored = bpf_map_lookup_elem(&rf_pam_calls, &thread);
	struct pam_call call;

	if (!stored)
		return 0;
	call = *stored;
	bpf_map_delete_elem(&rf_pam_calls, &thread);
	if (result)
		return 0;
	if (call.item)
		authentication__changed(&call);
	else
		authentication__started(&call);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(pam_end_enter, void *handle)
{
	struct pam_key key = { .handle = (__u64)handle, .tgid = bpf_get_current_pid_tgid() >> 32 };

	bpf_map_delete_elem(&rf_pam_sessions, &key);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(pam_authenticate_enter, void *handle)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 pending = (__u64)handle;

	bpf_map_update_elem(&rf_pam_pending, &thread, &pending, BPF_ANY);
	return 0;
}

static __always_inline void authentication__append(struct rf_builder *b, struct rf_text *text, struct pam_text *from)
{
	text__append(b, RF_SMALL_RECORD_MAX, text, TEXT_KERNEL, from->text, from->length, PAM_TEXT_MAX, from->length);
}

static __always_inline void authentication__emit(struct task_struct *task, struct pam_session *session, __s32 result)
{
	struct rf_scratch_probe *scratch = probe__acquire(RF_LANE_SECURITY, RF_AUTHENTICATION);
	struct rf_builder b = { .end = sizeof(struct rf_authentication) };
	struct rf_authentication *a;

	if (!scratch)
		return;
	b.record = scratch->record;
	a = (struct rf_authentication *)scratch->record;
	task__fill_header(&a->h, task, RF_AUTHENTICATION);
	a->result = result;
	a->source_caller = 1;
	authentication__append(&b, &a->service, &session->service);
	authentication__append(&b, &a->user, &session->user);
	authentication__append(&b, &a->remote_host, &session->remote_host);
	authentication__append(&b, &a->tty, &session->tty);
	probe__emit(scratch, &b, RF_LANE_SECURITY);
}

SEC("uretprobe")
int BPF_KRETPROBE(pam_authenticate_exit, int result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *pending = bpf_map_lookup_elem(&rf_pam_pending, &thread);
	struct pam_session *session;
	__u64 handle;

	if (!pending)
		return 0;
	handle = *pending;
	bpf_map_delete_elem(&rf_pam_pending, &thread);
	if (!interest__admits(RF_LANE_SECURITY, RF_AUTHENTICATION))
		return 0;
	session = authentication__inherited(task, handle);
	/* begun before the probes were attached: reported without names */
	authentication__emit(task, session ? session : (struct pam_session *)&rf_pam_empty, result);
	return 0;
}
