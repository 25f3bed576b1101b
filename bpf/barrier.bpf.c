/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The network barrier: blocked addresses, ports and domains, and the isolation of a host or of cgroups. Judges each IP
 * packet that a socket sends or receives, so that sockets older than a rule, raw sockets and io_uring are no way
 * around it. A separate object, whose maps and links are pinned: it outlives the agent, and costs nothing while no rule
 * is in force, because it is attached only then. Loopback is never judged, nor are the agent's own sockets. */
#include "lib/kernel.h"
#include "barrier.h"

#define BARRIER_LOOPBACK 1 /* LOOPBACK_IFINDEX of include/net/flow.h: in each network namespace */
#define BARRIER_DEPTH 16   /* levels of cgroups that can be a scope */
#define BARRIER_RETRIES 8  /* rules of one address that have ended */
#define BARRIER_EXTENSIONS 6
#define BARRIER_DNS_PORT 53
#define BARRIER_DNS_HEADER 12
#define BARRIER_QUESTION_MAX 256
#define BARRIER_LABEL_MAX 63
#define BARRIER_FRAGMENT 44
#define BARRIER_HOP 0
#define BARRIER_ROUTING 43
#define BARRIER_AUTHENTICATION 51
#define BARRIER_DESTINATION 60
#define BARRIER_ICMP6 58
#define BARRIER_SCRATCHES 2
#define BARRIER_ANSWER_NS 10000000000ULL
#define IP_FRAGMENT_OFFSET 0x1fff
#define IP6_FRAGMENT_OFFSET 0xfff8
/* neighbour discovery: RFC 4861 4; multicast listeners: RFC 2710 3, RFC 3810 5 */
#define ICMP6_NEIGHBOUR_FIRST 133
#define ICMP6_NEIGHBOUR_LAST 136
#define ICMP6_LISTENER_FIRST 130
#define ICMP6_LISTENER_LAST 132
#define ICMP6_LISTENER_REPORT 143
/* clients and servers of DHCP: RFC 2131 4.1, RFC 8415 7.2 */
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547

struct barrier_ends {
	__u8 remote[16];
	__u16 remote_port; /* host order; 0: no ports, or they can't be read */
	__u16 local_port;
	__u8 protocol;
	__u8 icmp_type;
	__u8 unreadable; /* 1: a chain of IPv6 extensions that hides the ports */
	__u8 hop_limit;
	__u32 payload;   /* offset of the transport's header */
};

/* A question of DNS, and the same name as rules have it. */
struct barrier_scratch {
	__u32 busy;
	__u32 pad;
	char question[BARRIER_QUESTION_MAX];
	struct rf_barrier_name key;
};

struct barrier_verdict {
	struct barrier_ends ends;
	__u64 scopes[BARRIER_DEPTH]; /* the host, then the cgroups from the top; 0 behind the last */
	__u64 now;
	__u32 uses;
	__u32 blocked;
	__u32 isolated; /* 1: by a scope whose list does not allow the end */
	__u32 refused;  /* 1: the name */
	__u32 scratch;  /* index of the name's buffer */
};

/* A question that left an isolated scope. */
struct barrier_query {
	__u64 cookie; /* of the socket */
	__u8 resolver[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_barrier_settings);
} barrier_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct rf_barrier_key);
	__type(value, struct rf_barrier_rule);
} barrier_blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct rf_barrier_key);
	__type(value, struct rf_barrier_rule);
} barrier_allowed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct rf_barrier_name);
	__type(value, struct rf_barrier_rule);
} barrier_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct rf_barrier_name);
	__type(value, struct rf_barrier_rule);
} barrier_dns SEC(".maps");

/* scope -> until: ns, CLOCK_BOOTTIME */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} barrier_isolated SEC(".maps");

/* The sockets of the agent, which must reach the fleet from an isolated host, and the connections that they accept. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u32);
} barrier_agent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_BARRIER_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} barrier_counts SEC(".maps");

/* -> ns, CLOCK_BOOTTIME */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct barrier_query);
	__type(value, __u64);
} barrier_queries SEC(".maps");

/* Not per CPU: a task that is preempted in the middle must not find another's name. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BARRIER_SCRATCHES);
	__type(key, __u32);
	__type(value, struct barrier_scratch);
} barrier_scratches SEC(".maps");

static __always_inline struct rf_barrier_settings *barrier__settings(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&barrier_settings, &first);
}

/* Returns 0, which refuses. */
static __always_inline int barrier__refuse(__u32 cause)
{
	__u64 *count = bpf_map_lookup_elem(&barrier_counts, &cause);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

static __always_inline bool barrier__is_agent(const struct rf_barrier_settings *settings)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start = BPF_CORE_READ(task, group_leader, start_boottime);

	return (task->tgid == settings->agent_tgid[0] && start == settings->agent_start[0]) ||
	       (task->tgid == settings->agent_tgid[1] && start == settings->agent_start[1]);
}

/* Whether a rule that has not ended has the longest prefix, or a shorter one where longer ones have ended. */
static __always_inline bool barrier__has(void *map, struct rf_barrier_key *key, __u64 now)
{
	key->prefix = RF_BARRIER_HEAD_BITS + 128;
	for (int retry = 0; retry < BARRIER_RETRIES; retry++) {
		struct rf_barrier_rule *rule = bpf_map_lookup_elem(map, key);

		if (!rule)
			return false;
		if (rule->until > now)
			return true;
		if (rule->prefix <= RF_BARRIER_HEAD_BITS)
			return false;
		key->prefix = rule->prefix - 1;
	}
	return false;
}

static __always_inline bool barrier__has_end(void *map, const struct barrier_ends *ends, __u64 scope, __u32 uses, __u64 now)
{
	struct rf_barrier_key key = { .scope = { (__u32)scope, scope >> 32 } };

	__builtin_memcpy(key.address, ends->remote, sizeof(key.address));
	if (barrier__has(map, &key, now))
		return true;
	if (!(uses & RF_BARRIER_PORTS) || !ends->remote_port)
		return false;
	key.port = ends->remote_port;
	return barrier__has(map, &key, now);
}

static __always_inline bool barrier__is_isolated(__u64 scope, __u64 now)
{
	__u64 *until = bpf_map_lookup_elem(&barrier_isolated, &scope);

	return until && *until > now;
}

/* Not static, so that the verifier checks it once and not on each path that leads to it. */
__noinline int barrier_blocks(const struct barrier_verdict *v, __u64 scope)
{
	return v && v->uses & RF_BARRIER_BLOCKS && barrier__has_end(&barrier_blocked, &v->ends, scope, v->uses, v->now);
}

/* ---- packets ---- */

static __always_inline void barrier__read_ports(struct __sk_buff *packet, struct barrier_ends *ends, bool egress)
{
	__be16 ports[2];

	if (ends->protocol == BARRIER_ICMP6)
		bpf_skb_load_bytes(packet, ends->payload, &ends->icmp_type, 1);
	if (ends->protocol != IPPROTO_TCP && ends->protocol != IPPROTO_UDP && ends->protocol != IPPROTO_UDPLITE &&
	    ends->protocol != IPPROTO_SCTP)
		return;
	if (bpf_skb_load_bytes(packet, ends->payload, ports, sizeof(ports)))
		return;
	ends->local_port = bpf_ntohs(egress ? ports[0] : ports[1]);
	ends->remote_port = bpf_ntohs(egress ? ports[1] : ports[0]);
}

static __always_inline bool barrier__read_v4(struct __sk_buff *packet, struct barrier_ends *ends, bool egress)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(packet, 0, &ip, sizeof(ip)))
		return false;
	ends->remote[10] = 0xff;
	ends->remote[11] = 0xff;
	__builtin_memcpy(ends->remote + 12, egress ? &ip.daddr : &ip.saddr, 4);
	ends->protocol = ip.protocol;
	ends->hop_limit = ip.ttl;
	ends->payload = ip.ihl * 4;
	/* what follows in a later fragment is no header: it is useless without the first */
	if (!(ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET)))
		barrier__read_ports(packet, ends, egress);
	return true;
}

static __always_inline bool barrier__read_v6(struct __sk_buff *packet, struct barrier_ends *ends, bool egress)
{
	struct ipv6hdr ip;
	__u8 next;

	if (bpf_skb_load_bytes(packet, 0, &ip, sizeof(ip)))
		return false;
	__builtin_memcpy(ends->remote, egress ? &ip.daddr : &ip.saddr, 16);
	ends->hop_limit = ip.hop_limit;
	ends->payload = sizeof(ip);
	next = ip.nexthdr;
	for (int extension = 0; extension < BARRIER_EXTENSIONS; extension++) {
		__u8 head[4]; /* the next header, and the length in units of 8 bytes, less one */

		if (next != BARRIER_HOP && next != BARRIER_ROUTING && next != BARRIER_DESTINATION && next != BARRIER_FRAGMENT &&
		    next != BARRIER_AUTHENTICATION)
			break;
		if (bpf_skb_load_bytes(packet, ends->payload, head, sizeof(head)))
			return false;
		if (next == BARRIER_FRAGMENT && (head[2] << 8 | head[3]) & IP6_FRAGMENT_OFFSET)
			return true;
		ends->payload += next == BARRIER_FRAGMENT ? 8 : next == BARRIER_AUTHENTICATION ? (head[1] + 2) * 4 : (head[1] + 1) * 8;
		next = head[0];
	}
	ends->unreadable = next == BARRIER_HOP || next == BARRIER_ROUTING || next == BARRIER_DESTINATION;
	ends->protocol = next;
	barrier__read_ports(packet, ends, egress);
	return true;
}

/* What an isolated host needs to keep its address and to find its router. */
static __always_inline bool barrier__is_link_control(const struct barrier_ends *ends)
{
	if (ends->protocol == BARRIER_ICMP6)
		return (ends->hop_limit == 255 && ends->icmp_type >= ICMP6_NEIGHBOUR_FIRST && ends->icmp_type <= ICMP6_NEIGHBOUR_LAST) ||
		       (ends->hop_limit == 1 && ((ends->icmp_type >= ICMP6_LISTENER_FIRST && ends->icmp_type <= ICMP6_LISTENER_LAST) ||
						ends->icmp_type == ICMP6_LISTENER_REPORT));
	if (ends->protocol == IPPROTO_IGMP)
		return ends->hop_limit == 1;
	if (ends->protocol != IPPROTO_UDP)
		return false;
	return (ends->local_port == DHCP_CLIENT && ends->remote_port == DHCP_SERVER) ||
	       (ends->local_port == DHCP6_CLIENT && ends->remote_port == DHCP6_SERVER);
}

/* ---- names ---- */

/* Returns the index of a free buffer; BARRIER_SCRATCHES if there is none. */
static __always_inline __u32 barrier__acquire(void)
{
	for (__u32 index = 0; index < BARRIER_SCRATCHES; index++) {
		__u32 key = index;
		struct barrier_scratch *scratch = bpf_map_lookup_elem(&barrier_scratches, &key);

		if (scratch && __sync_val_compare_and_swap(&scratch->busy, 0, 1) == 0)
			return index;
	}
	return BARRIER_SCRATCHES;
}

static __always_inline void barrier__release(__u32 index)
{
	struct barrier_scratch *scratch = bpf_map_lookup_elem(&barrier_scratches, &index);

	if (scratch)
		*(volatile __u32 *)&scratch->busy = 0;
}

struct barrier_walk {
	struct barrier_scratch *scratch;
	__u32 left; /* bytes of the current label */
	__u32 length;
	__u32 broken;
};

/* Turns labels (3www7example3com0) into text (.www.example.com) in place. */
static long barrier__read_label(__u32 index, struct barrier_walk *walk)
{
	char *byte = &walk->scratch->question[index & (BARRIER_QUESTION_MAX - 1)];

	if (walk->left) {
		walk->left--;
		if (*byte >= 'A' && *byte <= 'Z')
			*byte += 'a' - 'A';
		return 0;
	}
	walk->length = index;
	if (!*byte)
		return 1;
	walk->left = (__u8)*byte;
	walk->broken = walk->left > BARRIER_LABEL_MAX;
	*byte = '.';
	return walk->broken;
}

static long barrier__reverse(__u32 index, struct barrier_walk *walk)
{
	struct barrier_scratch *s = walk->scratch;

	if (index < RF_BARRIER_NAME_MAX)
		s->key.name[index] = s->question[(walk->length - 1 - index) & (BARRIER_QUESTION_MAX - 1)];
	return 0;
}

/* Reads the question of a DNS query, and writes its name as rules have it. Returns false if it is none that a resolver
 * would send: one question, labels without compression (RFC 1035 4.1). */
__noinline int barrier_reads_name(struct __sk_buff *packet, __u32 at, __u32 index)
{
	struct barrier_scratch *s = bpf_map_lookup_elem(&barrier_scratches, &index);
	struct barrier_walk walk = { .scratch = s };
	__u8 header[BARRIER_DNS_HEADER];
	__u32 size;

	if (!s)
		return false;
	if (bpf_skb_load_bytes(packet, at, header, sizeof(header)))
		return false;
	if (header[2] & 0xf8 || header[4] || header[5] != 1)
		return false;
	at += BARRIER_DNS_HEADER;
	if (packet->len <= at)
		return false;
	size = packet->len - at;
	if (size >= BARRIER_QUESTION_MAX)
		size = BARRIER_QUESTION_MAX;
	/* the verifier of 6.1 follows a size only in this form */
	size--;
	asm volatile("" : "+r"(size));
	size &= BARRIER_QUESTION_MAX - 1;
	asm volatile("" : "+r"(size));
	size++;
	__builtin_memset(s->question, 0, sizeof(s->question));
	if (bpf_skb_load_bytes(packet, at, s->question, size))
		return false;
	bpf_loop(BARRIER_QUESTION_MAX, barrier__read_label, &walk, 0);
	if (!walk.length || walk.broken)
		return false;
	__builtin_memset(s->key.name, 0, sizeof(s->key.name));
	bpf_loop(walk.length < RF_BARRIER_NAME_MAX ? walk.length : RF_BARRIER_NAME_MAX, barrier__reverse, &walk, 0);
	return true;
}

static __always_inline bool barrier__has_name(void *map, struct barrier_scratch *s, __u64 scope, __u64 now)
{
	struct rf_barrier_rule *rule;

	s->key.scope[0] = scope;
	s->key.scope[1] = scope >> 32;
	s->key.prefix = 8 * (sizeof(s->key.scope) + sizeof(s->key.name));
	for (int retry = 0; retry < BARRIER_RETRIES; retry++) {
		rule = bpf_map_lookup_elem(map, &s->key);
		if (!rule)
			return false;
		if (rule->until > now)
			return true;
		if (rule->prefix <= 8 * sizeof(s->key.scope))
			return false;
		s->key.prefix = rule->prefix - 1;
	}
	return false;
}

/* ---- verdicts ---- */

__noinline int barrier_isolates(const struct barrier_verdict *v, __u64 scope)
{
	return v && v->uses & RF_BARRIER_ISOLATION && barrier__is_isolated(scope, v->now) &&
	       !barrier__has_end(&barrier_allowed, &v->ends, scope, v->uses, v->now) &&
	       !(scope == RF_BARRIER_HOST && barrier__is_link_control(&v->ends));
}

/* Whether the scope refuses the name in the buffer of this index. */
__noinline int barrier_refuses_name(const struct barrier_verdict *v, __u64 scope)
{
	struct barrier_scratch *name;
	__u32 index;

	if (!v)
		return 1;
	index = v->scratch;
	name = bpf_map_lookup_elem(&barrier_scratches, &index);
	if (!name)
		return 1;
	if (barrier_isolates(v, scope))
		return !barrier__has_name(&barrier_dns, name, scope, v->now);
	return v->uses & RF_BARRIER_NAMES && barrier__has_name(&barrier_names, name, scope, v->now);
}

/* For bpf_loop, whose body is verified once. */
static long barrier__judge_scope(__u32 level, struct barrier_verdict *v)
{
	__u64 scope = v->scopes[level & (BARRIER_DEPTH - 1)];

	if (level && !scope)
		return 1;
	v->blocked = barrier_blocks(v, scope);
	if (v->blocked)
		return 1;
	if (!v->isolated)
		v->isolated = barrier_isolates(v, scope);
	return 0;
}

static __always_inline void barrier__judge_scopes(struct barrier_verdict *v)
{
	bpf_loop(v->uses & RF_BARRIER_SCOPES ? BARRIER_DEPTH : 1, barrier__judge_scope, v, 0);
}

static __always_inline bool barrier__is_query(const struct barrier_ends *ends)
{
	return ends->protocol == IPPROTO_UDP && ends->remote_port == BARRIER_DNS_PORT;
}

static __always_inline void barrier__fill_query(struct barrier_query *query, struct __sk_buff *packet, const struct barrier_ends *ends)
{
	query->cookie = bpf_get_socket_cookie(packet);
	__builtin_memcpy(query->resolver, ends->remote, sizeof(query->resolver));
}

/* Whether the socket has asked this resolver, in the last seconds, for a name that it may ask for. */
static __always_inline bool barrier__is_answer(struct __sk_buff *packet, const struct barrier_verdict *v)
{
	struct barrier_query query = {};
	__u64 *asked;

	if (!barrier__is_query(&v->ends))
		return false;
	barrier__fill_query(&query, packet, &v->ends);
	asked = bpf_map_lookup_elem(&barrier_queries, &query);
	return asked && v->now - *asked < BARRIER_ANSWER_NS;
}

static long barrier__judge_name(__u32 level, struct barrier_verdict *v)
{
	__u64 scope = v->scopes[level & (BARRIER_DEPTH - 1)];

	if (level && !scope)
		return 1;
	v->refused = barrier_refuses_name(v, scope);
	return v->refused ? 1 : 0;
}

/* 1: let through, 0: dropped. */
static __always_inline int barrier__judge_query(struct __sk_buff *packet, struct barrier_verdict *v)
{
	__u32 cause = v->isolated ? RF_BARRIER_ISOLATED_NAME : RF_BARRIER_BLOCKED_NAME;
	struct barrier_query query = {};

	v->scratch = barrier__acquire();
	/* resolvers ask again */
	if (v->scratch == BARRIER_SCRATCHES)
		return barrier__refuse(cause);
	v->refused = !barrier_reads_name(packet, v->ends.payload + sizeof(struct udphdr), v->scratch);
	if (!v->refused)
		bpf_loop(v->uses & RF_BARRIER_SCOPES ? BARRIER_DEPTH : 1, barrier__judge_name, v, 0);
	barrier__release(v->scratch);
	if (v->refused)
		return barrier__refuse(cause);
	if (v->isolated) {
		barrier__fill_query(&query, packet, &v->ends);
		bpf_map_update_elem(&barrier_queries, &query, &v->now, BPF_ANY);
	}
	return 1;
}

static __always_inline bool barrier__is_agents_socket(struct __sk_buff *packet)
{
	struct bpf_sock *sk = packet->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	return sk && bpf_sk_storage_get(&barrier_agent, sk, 0, 0);
}

static __always_inline int barrier__judge_packet(struct __sk_buff *packet, bool egress)
{
	struct rf_barrier_settings *settings = barrier__settings();
	struct barrier_verdict v = {};

	if (!settings || !settings->uses || packet->ifindex == BARRIER_LOOPBACK || barrier__is_agents_socket(packet))
		return 1;
	v.uses = settings->uses;
	v.now = bpf_ktime_get_boot_ns();
	if (!(packet->protocol == bpf_htons(ETH_P_IP) ? barrier__read_v4(packet, &v.ends, egress)
						       : barrier__read_v6(packet, &v.ends, egress)))
		return barrier__refuse(RF_BARRIER_BLOCKED_PACKET);
	if (v.ends.unreadable && v.uses & RF_BARRIER_PORTS)
		return barrier__refuse(RF_BARRIER_BLOCKED_PACKET);
	if (v.uses & RF_BARRIER_SCOPES)
		for (int level = 1; level < BARRIER_DEPTH; level++)
			v.scopes[level] = bpf_skb_ancestor_cgroup_id(packet, level);
	barrier__judge_scopes(&v);
	if (v.blocked)
		return barrier__refuse(RF_BARRIER_BLOCKED_PACKET);
	if (egress && barrier__is_query(&v.ends) && (v.isolated || v.uses & RF_BARRIER_NAMES))
		return barrier__judge_query(packet, &v);
	if (v.isolated && (egress || !barrier__is_answer(packet, &v)))
		return barrier__refuse(RF_BARRIER_ISOLATED_PACKET);
	return 1;
}

SEC("cgroup_skb/egress")
int barrier_leaves(struct __sk_buff *packet)
{
	return barrier__judge_packet(packet, true);
}

SEC("cgroup_skb/ingress")
int barrier_arrives(struct __sk_buff *packet)
{
	return barrier__judge_packet(packet, false);
}

/* ---- calls ---- */

/* A blocked connect fails at once with EPERM; without this it would wait for an answer. */
static __always_inline int barrier__judge_connect(struct barrier_verdict *v)
{
	struct rf_barrier_settings *settings = barrier__settings();

	if (!settings || !(settings->uses & RF_BARRIER_BLOCKS) || barrier__is_agent(settings))
		return 1;
	v->uses = settings->uses & ~RF_BARRIER_ISOLATION;
	v->now = bpf_ktime_get_boot_ns();
	if (v->uses & RF_BARRIER_SCOPES)
		for (int level = 1; level < BARRIER_DEPTH; level++)
			v->scopes[level] = bpf_get_current_ancestor_cgroup_id(level);
	barrier__judge_scopes(v);
	return v->blocked ? barrier__refuse(RF_BARRIER_BLOCKED_CONNECT) : 1;
}

SEC("cgroup/connect4")
int barrier_connect4(struct bpf_sock_addr *context)
{
	struct barrier_verdict v = {};
	__u32 address = context->user_ip4;

	v.ends.remote[10] = 0xff;
	v.ends.remote[11] = 0xff;
	__builtin_memcpy(v.ends.remote + 12, &address, 4);
	v.ends.remote_port = bpf_ntohs(context->user_port);
	return barrier__judge_connect(&v);
}

SEC("cgroup/connect6")
int barrier_connect6(struct bpf_sock_addr *context)
{
	struct barrier_verdict v = {};
	__u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };

	__builtin_memcpy(v.ends.remote, address, sizeof(address));
	v.ends.remote_port = bpf_ntohs(context->user_port);
	return barrier__judge_connect(&v);
}

/* Notes the agent's sockets, and refuses raw ones where isolation is in force: their packets are judged like others,
 * but they could send what a host needs to keep its address. */
SEC("cgroup/sock_create")
int barrier_socket(struct bpf_sock *socket)
{
	struct rf_barrier_settings *settings = barrier__settings();
	__u64 now;

	if (!settings)
		return 1;
	if (barrier__is_agent(settings)) {
		bpf_sk_storage_get(&barrier_agent, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
		return 1;
	}
	if (socket->type != SOCK_RAW || !(settings->uses & RF_BARRIER_ISOLATION))
		return 1;
	now = bpf_ktime_get_boot_ns();
	if (barrier__is_isolated(RF_BARRIER_HOST, now))
		return barrier__refuse(RF_BARRIER_ISOLATED_SOCKET);
	for (int level = 1; level < BARRIER_DEPTH; level++) {
		__u64 scope = bpf_get_current_ancestor_cgroup_id(level);

		if (!scope)
			break;
		if (barrier__is_isolated(scope, now))
			return barrier__refuse(RF_BARRIER_ISOLATED_SOCKET);
	}
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
