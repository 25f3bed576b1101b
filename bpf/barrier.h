/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What user space writes into the maps of the barrier. */
#ifndef RF_BARRIER_H
#define RF_BARRIER_H

#define RF_BARRIER_NAME_MAX 248

/* The rule's scope when it holds for the whole host; otherwise the id of a cgroup, which holds below it too. */
#define RF_BARRIER_HOST 0

/* Bits of a key before its address: scope, port and padding. */
#define RF_BARRIER_HEAD_BITS 96

/* Kinds of rules in force, so that a packet pays only for those. */
enum rf_barrier_use {
	RF_BARRIER_BLOCKS = 1,
	RF_BARRIER_PORTS = 2,     /* some rule is about one port */
	RF_BARRIER_SCOPES = 4,    /* some rule is about a cgroup */
	RF_BARRIER_ISOLATION = 8,
	RF_BARRIER_NAMES = 16,    /* some domain is blocked */
};

/* Why something was refused: the index in barrier_counts. */
enum rf_barrier_cause {
	RF_BARRIER_BLOCKED_PACKET,
	RF_BARRIER_BLOCKED_CONNECT,
	RF_BARRIER_BLOCKED_NAME,
	RF_BARRIER_ISOLATED_PACKET,
	RF_BARRIER_ISOLATED_NAME,
	RF_BARRIER_ISOLATED_SOCKET,
	RF_BARRIER_CAUSES
};

/* The agent's two processes; 0: there is none. */
#define RF_BARRIER_AGENTS 2

struct rf_barrier_settings {
	__u64 agent_start[RF_BARRIER_AGENTS]; /* ns, CLOCK_BOOTTIME */
	__u32 agent_tgid[RF_BARRIER_AGENTS];
	__u32 uses; /* enum rf_barrier_use */
	__u32 pad;
};

/* IPv4 addresses are mapped (::ffff:a.b.c.d). Longest prefixes win, so what is compared exactly comes first. */
struct rf_barrier_key {
	__u32 prefix; /* bits */
	__u32 scope[2];
	__u16 port; /* host order; 0: any */
	__u16 pad;
	__u8 address[16];
};

/* A domain from its end: "moc.elpmaxe." for example.com, so that a prefix of it is a parent domain. */
struct rf_barrier_name {
	__u32 prefix; /* bits */
	__u32 scope[2];
	char name[RF_BARRIER_NAME_MAX];
};

struct rf_barrier_rule {
	__u64 until; /* ns, CLOCK_BOOTTIME: the kernel itself ends the rule */
	__u32 prefix; /* of its key: a rule that has ended hides no shorter one */
	__u32 pad;
};

#endif
