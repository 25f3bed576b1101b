import { type EventView, KTHREADD_PID, type ProcessInfo } from '@ringfence/wire';

/**
 * Directories of system programs. A hub starts unrelated things and never links alerts. It is recognised by its path
 * and parent, on the host only: anyone can give a process a hub's name. services/detector/README.md lists the hubs.
 */
const SYSTEM_DIRECTORIES: ReadonlySet<string> = new Set([
  '/bin',
  '/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/lib/systemd',
  '/usr/lib/systemd',
  '/usr/libexec',
  '/usr/lib/openssh',
  '/usr/libexec/openssh',
  '/usr/lib/ssh',
  '/usr/lib/podman',
  '/usr/libexec/podman',
  '/opt/containerd/bin',
]);

/** Service managers and container runtimes, which are hubs with any parent. */
const MANAGERS: ReadonlySet<string> = new Set([
  'systemd',
  'systemd-executor',
  'init',
  'openrc',
  'openrc-init',
  'openrc-run',
  'runit',
  'runsv',
  'runsvdir',
  's6-svscan',
  's6-supervise',
  'dockerd',
  'docker-init',
  'docker-proxy',
  'containerd',
  'containerd-shim',
  'containerd-shim-runc-v1',
  'containerd-shim-runc-v2',
  'conmon',
  'conmonrs',
  'runc',
  'crun',
  'crio',
  'kubelet',
  'buildkitd',
  'lxc-start',
  'systemd-nspawn',
]);

/** Listeners and schedulers, which are hubs if a hub started them: as a service, or for one session or job. */
const LISTENERS: ReadonlySet<string> = new Set([
  'sshd',
  'sshd-session',
  'sshd-auth',
  'dropbear',
  'login',
  'agetty',
  'getty',
  'cron',
  'crond',
  'anacron',
  'atd',
  'inetd',
  'xinetd',
  'dbus-daemon',
  'dbus-broker',
]);

const MAX_LINEAGE = 32;

export type IsAgent = (hostId: string, bootId: string, pid: number) => boolean;

/** Returns the process and its ancestors, up to the last one below a hub; empty if the process is a hub itself. */
export function lineageBelowHub(
  event: EventView,
  process: ProcessInfo | undefined,
  isAgent: IsAgent,
): readonly ProcessInfo[] {
  const lineage: ProcessInfo[] = [];
  for (let ancestor = process; ancestor !== undefined && lineage.length < MAX_LINEAGE; ancestor = ancestor.parent) {
    if (isHub(event, ancestor, isAgent)) break;
    lineage.push(ancestor);
    if (isContainerEntry(event, ancestor)) break;
  }
  return lineage;
}

/** Yields the process of the event and its ancestors, hubs included. */
export function* ancestorsOf({ process }: EventView): Generator<ProcessInfo, void, undefined> {
  let depth = 0;
  for (let ancestor = process; ancestor !== undefined && depth < MAX_LINEAGE; ancestor = ancestor.parent, depth++)
    yield ancestor;
}

export function isHub(event: EventView, process: ProcessInfo, isAgent: IsAgent): boolean {
  const { hostId, bootId } = event.head;
  const { pid } = process;
  if (pid === 1 || pid === KTHREADD_PID || process.parent?.pid === KTHREADD_PID) return true;
  if (isAgent(hostId, bootId, pid)) return true;
  const { executable, name } = process;
  const inSystem = SYSTEM_DIRECTORIES.has(executable.slice(0, Math.max(0, executable.length - name.length - 1)));
  if (!inSystem || containerIdOf(event, process) !== '') return false;
  if (MANAGERS.has(name)) return true;
  return LISTENERS.has(name) && (process.parent === undefined || isHub(event, process.parent, isAgent));
}

/** Whether the process has the name of a service manager or a container runtime. */
export const isManager = (process: ProcessInfo): boolean => MANAGERS.has(process.name);

/** Whether the process has the name of a listener, which starts a process for each connection. */
export const isListener = (process: ProcessInfo): boolean => LISTENERS.has(process.name);

/** A lineage ends at the first process inside a container: the runtime, or a shell that enters it, is outside. */
function isContainerEntry(event: EventView, process: ProcessInfo): boolean {
  const inside = containerIdOf(event, process);
  return inside !== '' && (process.parent === undefined || containerIdOf(event, process.parent) !== inside);
}

/** Returns the id of the container that the process runs in; empty on the host. */
export function containerIdOf(event: EventView, process: ProcessInfo): string {
  return event.head.containers[process.container]?.id ?? '';
}
