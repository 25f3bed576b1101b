import { readlinkSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import type { ProcessFacts } from '@ringfence/sensor';
import { KTHREADD_PID } from '@ringfence/wire';
import {
  CONTROL_PLANE,
  fileId,
  findProtectedFiles,
  type ProtectedFile,
  type ProtectedFiles,
} from './protected-files.ts';

/** Returns the process with this pid, or null when there is none. */
export type FoundProcess = Pick<ProcessFacts, 'tgid' | 'start' | 'parentTgid' | 'executable'>;
export type FindProcess = (tgid: number) => FoundProcess | null;

const MAX_DEPTH = 16;
const DELETED = ' (deleted)';

/** Returns why a process is protected, or null when it is not. Throws if that is not known. */
export type IsProtected = (process: FoundProcess) => string | null;

export interface ProtectionOptions {
  /** Root of the host's file system, with a slash at its end. @default / */
  readonly root?: string;
  /** Executables that are never killed, whatever their parent: absolute paths on the host. @default none */
  readonly added?: readonly string[];
  /** Pid of the agent. @default this process */
  readonly self?: number;
}

/**
 * Returns the check for protected processes. A manager or service is known by its executable file (device, inode) and
 * its parent, never by its name: a copy called `sshd` has another inode, and a real sshd started from a shell has
 * another parent. The parent is pid 1 or such a process; of sshd only pid 1, because its children are login sessions.
 */
export function protection(find: FindProcess, options: ProtectionOptions = {}): IsProtected {
  return (target) => protectionNow(find, options)(target);
}

/** The same check for many processes at one moment: it looks the protected files up once. */
export function protectionNow(find: FindProcess, options: ProtectionOptions = {}): IsProtected {
  const { root = '/', added = [], self = process.pid } = options;
  let found: ProtectedFiles | undefined;

  function isService(candidate: FoundProcess, files: ProtectedFiles, depth: number): boolean {
    const file = fileOf(candidate.tgid, files);
    if (file === undefined || depth > MAX_DEPTH) return false;
    if (candidate.parentTgid === 1) return true;
    return !file.path.endsWith('/sshd') && isChildOfService(candidate, files, depth);
  }

  function isChildOfService({ parentTgid }: FoundProcess, files: ProtectedFiles, depth: number): boolean {
    const parent = find(parentTgid);
    // The parent has just ended. A second order finds the new parent.
    return parent === null || isService(parent, files, depth + 1);
  }

  /** A static pod of the control plane is a container in the host's network namespace, started by a runtime. */
  function isControlPlane(target: FoundProcess, files: ProtectedFiles): boolean {
    const name = target.executable.slice(target.executable.lastIndexOf('/') + 1);
    if (!CONTROL_PLANE.has(name) || namespaceOf(target.tgid, 'net') !== namespaceOf(1, 'net')) return false;
    return isChildOfService(target, files, 0);
  }

  function isAgentOrAncestor(tgid: number): boolean {
    let ancestor: number = self;
    for (let depth = 0; ancestor > 1 && depth < MAX_DEPTH; depth++) {
      if (ancestor === tgid) return true;
      ancestor = find(ancestor)?.parentTgid ?? 0;
    }
    return false;
  }

  return (target) => {
    if (target.tgid === 1) return 'pid 1';
    if (target.tgid === KTHREADD_PID || target.parentTgid === KTHREADD_PID) return 'a kernel thread';
    if (isAgentOrAncestor(target.tgid)) return 'the agent or one of its ancestors';
    found ??= findProtectedFiles(root, added);
    const files = found;
    if (fileOf(target.tgid, files)?.isAdded === true) return 'an executable of collector.protected';
    if (isService(target, files, 0)) return 'a service of the host, container runtime, kubelet or sshd listener';
    return isControlPlane(target, files) ? 'a control plane of Kubernetes' : null;
  };
}

/** Returns the protected file that a process runs from, also when an upgrade has replaced the file since. */
function fileOf(tgid: number, { byId, byPath }: ProtectedFiles): ProtectedFile | undefined {
  const exe = `/proc/${tgid}/exe`;
  const file = byId.get(fileId(exe) ?? '');
  if (file !== undefined) return file;
  const path = ifExists(() => readlinkSync(exe)) ?? '';
  const replaced = path.endsWith(DELETED) ? byPath.get(path.slice(0, -DELETED.length)) : undefined;
  // A container may delete a file of any path.
  return replaced !== undefined && namespaceOf(tgid, 'mnt') === namespaceOf(1, 'mnt') ? replaced : undefined;
}

const namespaceOf = (tgid: number, kind: 'mnt' | 'net'): string | null =>
  ifExists(() => readlinkSync(`/proc/${tgid}/ns/${kind}`));
