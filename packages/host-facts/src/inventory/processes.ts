import { existsSync, statSync } from 'node:fs';
import { capabilityNames } from '@ringfence/fields';
import { ifReadable } from '@ringfence/host-kit';
import { parseSnapshot, procRecord, type Snapshot } from '@ringfence/sensor';
import { decodeText, records, splitText } from '@ringfence/wire';
import { processKey, type SocketsByProcess } from './sockets.ts';
import type { InventoryProcess } from './types.ts';

/** PROC_PID_INIT_INO: inode of the initial pid namespace. */
const FIRST_PID_NAMESPACE = 4_026_531_836;

/** Facts about a process that are not in its record. */
export interface ProcessContext {
  readonly wallOffset: number;
  readonly sockets: SocketsByProcess;
  readonly cgroupOf: (id: bigint) => { readonly cgroup: string; readonly container: string | null };
  /** Returns whether the kernel still has the process. */
  readonly isRunning: (tgid: number, start: bigint) => boolean;
}

/** Returns the processes, oldest first. Takes pid 1 from /proc if the kernel's iterator does not show it. */
export function processesOf(snapshot: Snapshot, context: ProcessContext): InventoryProcess[] {
  const { view, offsets } = snapshot;
  const all = offsets.map((at) => processAt(snapshot, at, context));
  if (offsets.some((at) => records.headerTgid(view, at) === 1)) return all;
  const init = procRecord(1, snapshot);
  if (init === null) return all;
  const first = parseSnapshot(init);
  return [...first.offsets.map((at) => processAt(first, at, context)), ...all];
}

function processAt(snapshot: Snapshot, at: number, context: ProcessContext): InventoryProcess {
  const { view, bytes } = snapshot;
  const pid = records.headerTgid(view, at);
  const start = bytes.readBigUInt64LE(at + records.HEADER_START);
  const credentials = at + records.EXEC_CREDENTIALS;
  const namespaces = at + records.EXEC_NAMESPACES;
  const text = (field: number): Buffer => textAt(snapshot, at, field);
  const pidNamespace = records.namespacesPid(view, namespaces);
  const pidInNamespace = records.namespacesPidInNs(view, namespaces);
  return {
    pid,
    parentPid: records.execParentTgid(view, at),
    pidInNamespace,
    startedAt: Number(start / 1000n) + context.wallOffset,
    executable: decodeText(text(records.EXEC_PATH)),
    name: decodeText(text(records.EXEC_FILENAME)),
    args: splitText(text(records.EXEC_ARGV)),
    cwd: decodeText(text(records.EXEC_CWD)),
    uid: records.credentialsUid(view, credentials),
    euid: records.credentialsEuid(view, credentials),
    capabilities: capabilityNames(bytes, credentials + records.CREDENTIALS_CAP_EFFECTIVE),
    namespaces: {
      mnt: records.namespacesMnt(view, namespaces),
      pid: pidNamespace,
      net: records.namespacesNet(view, namespaces),
      user: records.namespacesUser(view, namespaces),
    },
    ...context.cgroupOf(bytes.readBigUInt64LE(at + records.HEADER_CGROUP)),
    hidden: isHidden(pid, start, context),
    sockets: context.sockets.get(processKey(pid, start)) ?? [],
  };
}

function textAt({ view, bytes }: Snapshot, at: number, field: number): Buffer {
  const start = at + records.textOffset(view, at + field);
  return bytes.subarray(start, start + records.textKept(view, at + field));
}

const ownPidNamespace = ifReadable(() => statSync('/proc/self/ns/pid').ino) ?? 0;

/** Returns the pid of a process in this mount of /proc, or null if it has none there. */
export function procPid({ pid, pidInNamespace, namespaces }: InventoryProcess): number | null {
  if (ownPidNamespace === FIRST_PID_NAMESPACE) return pid;
  return namespaces.pid === ownPidNamespace ? pidInNamespace : null;
}

function isHidden(pid: number, start: bigint, context: ProcessContext): boolean | null {
  if (ownPidNamespace !== FIRST_PID_NAMESPACE) return null;
  // A mount on top of /proc/PID hides a process too. A process that has just ended is in neither list.
  return !existsSync(`/proc/${pid}/stat`) && context.isRunning(pid, start);
}
