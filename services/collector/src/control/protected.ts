import { statSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import type { ProcessFacts } from '@ringfence/sensor';
import { KTHREADD_PID } from '@ringfence/wire';

/** Returns the process with this pid, or null when there is none. */
export type FoundProcess = Pick<ProcessFacts, 'tgid' | 'start' | 'parentTgid' | 'executable'>;
export type FindProcess = (tgid: number) => FoundProcess | null;

/** Service managers, container runtimes, kubelet and sshd's listener: killing one of them causes an outage. */
const PROTECTED_FILES: readonly string[] = [
  'lib/systemd/systemd',
  'usr/lib/systemd/systemd',
  'sbin/init',
  'sbin/openrc-init',
  'usr/bin/dockerd',
  'usr/bin/containerd',
  'usr/local/bin/containerd',
  'usr/bin/containerd-shim-runc-v2',
  'usr/local/bin/containerd-shim-runc-v2',
  'usr/bin/crio',
  'usr/bin/conmon',
  'usr/libexec/crio/conmon',
  'usr/bin/podman',
  'usr/bin/runc',
  'usr/sbin/runc',
  'usr/bin/crun',
  'usr/bin/kubelet',
  'usr/local/bin/kubelet',
  'usr/local/bin/k3s',
  'usr/sbin/sshd',
];

const MAX_DEPTH = 16;

/** Returns why a process is protected, or null when it is not. */
export type IsProtected = (process: FoundProcess) => string | null;

/**
 * Returns the check for protected processes. A manager is known by its executable file (device, inode) and its parent,
 * never by its name: a copy called `sshd` has another inode, and a real sshd started from a shell has another parent.
 * A manager's parent is pid 1 or another manager; of sshd only pid 1, because its child processes are login sessions.
 */
export function protection(find: FindProcess, root = '/', self: number = process.pid): IsProtected {
  const files = (): Map<string, string> => {
    const known = PROTECTED_FILES.map((path) => [fileId(root + path), root + path] as const);
    return new Map(known.filter((pair): pair is [string, string] => pair[0] !== null));
  };

  function isManager(candidate: FoundProcess, known: ReadonlyMap<string, string>, depth: number): boolean {
    const file = known.get(fileId(`/proc/${candidate.tgid}/exe`) ?? '');
    if (file === undefined || depth > MAX_DEPTH) return false;
    if (candidate.parentTgid === 1) return true;
    if (file.endsWith('/sshd')) return false;
    const parent = find(candidate.parentTgid);
    return parent !== null && isManager(parent, known, depth + 1);
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
    return isManager(target, files(), 0) ? 'a service manager, container runtime, kubelet or sshd listener' : null;
  };
}

/** Returns device and inode, which identify the file whatever its path, or null when the file does not exist. */
function fileId(path: string): string | null {
  const stat = ifExists(() => statSync(path, { bigint: true }));
  return stat === null ? null : `${stat.dev}/${stat.ino}`;
}
