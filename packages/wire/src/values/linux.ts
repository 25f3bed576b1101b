/**
 * Constants of Linux 6.18, the same on x86-64 and arm64. Those that the sensor's C code shares are in bpf/ringfence.h
 * (`records`); it takes IPPROTO_* and SOCK_* from the kernel's BTF.
 */

/** include/uapi/linux/in.h */
export const IPPROTO = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58, SCTP: 132, UDPLITE: 136, RAW: 255, MPTCP: 262 } as const;

/** include/linux/net.h, enum sock_type */
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3, RDM: 4, SEQPACKET: 5, PACKET: 10 } as const;

/** Pid of kthreadd, the parent of all kernel threads (init/main.c, rest_init). */
export const KTHREADD_PID = 2;

/**
 * (u32)-1: an id that is not set, or that a system call leaves unchanged (include/linux/uidgid.h, INVALID_UID;
 * include/uapi/linux/audit.h, AUDIT_UID_UNSET and AUDIT_SID_UNSET).
 */
export const UNSET_ID = 0xffff_ffff;
