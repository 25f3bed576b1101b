import { u64High, u64Low } from '@ringfence/wire';

/** Names by bit (include/uapi/linux/capability.h, Linux 6.18). */
export const CAPABILITIES: readonly string[] =
  `CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE
   CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT
   CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE
   CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ
   CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`.split(/\s+/);

/** Returns the names of the bits of a capability set, without the bits in `except`. */
export function capabilityNames(set: Uint8Array, at = 0, except?: Uint8Array, exceptAt = 0): string[] {
  const low = u64Low(set, at) & ~(except === undefined ? 0 : u64Low(except, exceptAt));
  const high = u64High(set, at) & ~(except === undefined ? 0 : u64High(except, exceptAt));
  return CAPABILITIES.filter((_, bit) => ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) === 1);
}
