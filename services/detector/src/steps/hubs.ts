import { type EventView, KTHREADD_PID, type ProcessInfo } from '@ringfence/wire';

/**
 * Hubs: processes from which unrelated things start. They describe an incident and never join alerts. Known by executable path and parent, on the
 * host only; a name alone, which anyone can take, makes nothing a hub. docs: services/detector/README.md lists them.
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

/** Service managers and container runtimes, whoever started them. */
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

/** Listeners and schedulers: hubs when a hub started them, which is how they run as a service and how they hand over to a session or a job. */
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

const MAX_CLIMB = 32;

export type IsAgent = (hostId: string, bootId: string, pid: number) => boolean;

/** Climbs from a process to the last one below a hub; empty when it is a hub itself. */
export function climb(event: EventView, process: ProcessInfo | undefined, isAgent: IsAgent): ProcessInfo[] {
  const climbed: ProcessInfo[] = [];
  for (let one = process; one !== undefined && climbed.length < MAX_CLIMB; one = one.parent) {
    if (isHub(event, one, isAgent)) break;
    climbed.push(one);
    if (isContainerEntry(event, one)) break;
  }
  return climbed;
}

export function isHub(event: EventView, process: ProcessInfo, isAgent: IsAgent): boolean {
  const { hostId, bootId } = event.head;
  const { pid } = process.raw;
  if (pid === 1 || pid === KTHREADD_PID || process.parent?.raw.pid === KTHREADD_PID) return true;
  if (isAgent(hostId, bootId, pid)) return true;
  const { executable, name } = process;
  const inSystem = SYSTEM_DIRECTORIES.has(executable.slice(0, Math.max(0, executable.length - name.length - 1)));
  if (!inSystem || containerIdOf(event, process) !== '') return false;
  if (MANAGERS.has(name)) return true;
  return LISTENERS.has(name) && (process.parent === undefined || isHub(event, process.parent, isAgent));
}

/** Whether it is a service manager or a container runtime, by its name. */
export const isManager = (process: ProcessInfo): boolean => MANAGERS.has(process.name);

/** Whether it is one of the listeners that hand each connection to a process of its own. */
export const isListener = (process: ProcessInfo): boolean => LISTENERS.has(process.name);

/** What starts a container (a runtime, a shell that enters it) is outside; the climb ends at the first process inside. */
function isContainerEntry(event: EventView, process: ProcessInfo): boolean {
  const inside = containerIdOf(event, process);
  return inside !== '' && (process.parent === undefined || containerIdOf(event, process.parent) !== inside);
}

/** Empty: the host. */
export function containerIdOf(event: EventView, process: ProcessInfo): string {
  return event.head.containers[process.raw.container]?.id ?? '';
}
