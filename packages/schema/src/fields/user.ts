import type { EventView } from '../event-batch.ts';
import { leafIndex } from '../layout.ts';
import type { ProcessInfo } from '../process.ts';
import { u64High, u64Low } from '../u64.ts';
import { bodyLong, type Field, some } from './field.ts';
import { isLog, logSays } from './log.ts';

const UNSET_UID = 0xffffffff;
const capsAfter = leafIndex('CredentialsChange', 'after.capEffective');
const capsBefore = leafIndex('CredentialsChange', 'before.capEffective');

/** Names by bit (include/uapi/linux/capability.h, Linux 6.18). */
const CAPABILITIES: readonly string[] =
  `CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE
   CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT
   CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE
   CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ
   CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`.split(/\s+/);

/** Names of the bits of a capability set. `except`: bits to leave out. */
export function capabilityNames(set: Uint8Array, at = 0, except?: Uint8Array, exceptAt = 0): string[] {
  const low = u64Low(set, at) & ~(except === undefined ? 0 : u64Low(except, exceptAt));
  const high = u64High(set, at) & ~(except === undefined ? 0 : u64High(except, exceptAt));
  return CAPABILITIES.filter((_, bit) => ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) === 1);
}

/** Whose process it was; the sender of a log line is not the user that the line is about. */
const actor = (event: EventView): ProcessInfo | undefined => (isLog(event) ? undefined : event.process);

export const userFields: readonly Field[] = [
  {
    name: 'user.audit.id',
    type: 'number',
    doc: 'Who logged in (loginuid); absent when nobody did.',
    aliases: ['user.loginuid'],
    get: (event) => (actor(event)?.raw.loginuid === UNSET_UID ? undefined : actor(event)?.raw.loginuid),
  },
  {
    name: 'user.id',
    type: 'number',
    doc: 'Real user id.',
    aliases: ['user.uid'],
    get: (event) => actor(event)?.uid,
  },
  {
    name: 'user.effective.id',
    type: 'number',
    doc: 'Effective user id.',
    get: (event) => actor(event)?.euid,
  },
  {
    name: 'user.name',
    type: 'string',
    doc: 'Name of the effective user; of a log line, who logs in or asks.',
    aliases: ['User'],
    get: (event) => (isLog(event) ? logSays.user(event) : some(event.process?.raw.user)),
  },
  {
    name: 'group.id',
    type: 'number',
    doc: 'Real group id.',
    aliases: ['group.gid'],
    get: (event) => actor(event)?.raw.credentials.gid,
  },
  {
    name: 'process.thread.capabilities.effective',
    type: 'strings',
    doc: 'Names of its effective capabilities.',
    aliases: ['thread.cap_effective'],
    get: (event) => event.process && capabilityNames(event.process.raw.credentials.capEffective),
  },
  {
    name: 'user.before.id',
    type: 'number',
    doc: 'Real user id before the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'before.uid'),
  },
  {
    name: 'user.before.effective.id',
    type: 'number',
    doc: 'Effective user id before the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'before.euid'),
  },
  {
    name: 'user.changes.id',
    type: 'number',
    doc: 'Real user id after the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'after.uid'),
  },
  {
    name: 'user.changes.effective.id',
    type: 'number',
    doc: 'Effective user id after the change.',
    kinds: ['credentials'],
    get: bodyLong('CredentialsChange', 'after.euid'),
  },
  {
    name: 'process.capabilities.gained',
    type: 'strings',
    doc: 'Effective capabilities that the change added.',
    kinds: ['credentials'],
    get: (event) => {
      const { buffer } = event.cursor;
      return capabilityNames(buffer, event.cursor.leafAt(capsAfter), buffer, event.cursor.leafAt(capsBefore));
    },
  },
];
