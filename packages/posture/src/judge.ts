import { durationText } from '@ringfence/base';
import type { InventoryContainer } from '@ringfence/host-facts';
import { mountFindings } from './mounts.ts';
import { type ContainerState, type Finding, SEVERITIES, type UsedCapabilities } from './types.ts';

/** What Docker and Podman give when nothing is said. */
const BY_DEFAULT: ReadonlySet<string> = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`),
);

/** What each of these alone is good for. */
const DANGEROUS: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN: 'mounts, namespaces, most of what root is',
  CAP_SYS_MODULE: 'loads kernel modules',
  CAP_SYS_PTRACE: 'reads and changes other processes',
  CAP_SYS_RAWIO: 'reads and writes devices and ports directly',
  CAP_DAC_READ_SEARCH: 'opens any file of the host by its handle',
  CAP_BPF: 'loads programs into the kernel',
  CAP_PERFMON: 'reads what others do from the kernel',
  CAP_NET_ADMIN: 'changes addresses, routes and firewalls',
  CAP_SYS_BOOT: 'restarts the host, or boots another kernel',
  CAP_SYS_TIME: 'sets the clock of the host',
  CAP_SYSLOG: 'reads addresses of the kernel',
  CAP_MAC_ADMIN: 'changes mandatory access control',
  CAP_MAC_OVERRIDE: 'goes around mandatory access control',
  CAP_CHECKPOINT_RESTORE: 'sets process numbers and reads memory maps',
};
/** Raw packets and device nodes: of the defaults, what few programs need. */
const SELDOM_NEEDED = ['CAP_NET_RAW', 'CAP_MKNOD', 'CAP_AUDIT_WRITE', 'CAP_SETFCAP', 'CAP_SYS_CHROOT'];

const HOST: Readonly<Record<string, { readonly flag: string; readonly why: string }>> = {
  pid: { flag: '--pid', why: 'it sees every process of the host, their arguments and, as root, their memory' },
  net: {
    flag: '--network',
    why: 'it listens and sniffs on the interfaces of the host, and reaches what listens on localhost',
  },
  ipc: { flag: '--ipc', why: 'it reads and writes shared memory of the host' },
  uts: { flag: '--uts', why: 'it may change the name of the host' },
  mnt: { flag: '', why: 'it has the files of the host' },
  cgroup: { flag: '--cgroupns private', why: 'it sees where the host keeps it among the others' },
};

/** Worst first. */
export function judge(container: InventoryContainer, state: ContainerState, used: UsedCapabilities | null): Finding[] {
  const privileged = isPrivileged(container, state);
  const findings = [
    ...(privileged ? [PRIVILEGED] : []),
    ...mountFindings(state.mounts),
    ...capabilityFindings(state, privileged, used),
    ...namespaceFindings(state),
    ...confinementFindings(state, privileged),
    ...fileFindings(state),
    ...userFindings(state),
  ];
  return findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** What was told, or what it comes to: all of a root's power, and nothing of /proc closed. */
function isPrivileged({ privileged }: InventoryContainer, state: ContainerState): boolean {
  return privileged === true || (state.capabilities.includes('CAP_SYS_ADMIN') && state.procWritable && !state.seccomp);
}

const PRIVILEGED: Finding = {
  id: 'privileged',
  severity: 'critical',
  what: 'it is privileged',
  why: 'all capabilities, all devices, nothing filtered or hidden: root in it is root on the host',
  instead: [],
};

function capabilityFindings(state: ContainerState, privileged: boolean, used: UsedCapabilities | null): Finding[] {
  const granted = state.capabilities;
  const dangerous = granted.filter((name) => DANGEROUS[name] !== undefined);
  const findings: Finding[] = [];
  if (dangerous.length > 0 && !privileged) {
    findings.push({
      id: 'capabilities',
      severity: dangerous.some((name) => /SYS_(ADMIN|MODULE|PTRACE|RAWIO)|DAC_READ/.test(name)) ? 'critical' : 'high',
      what: `it has ${dangerous.map(short).join(', ')}`,
      why: dangerous.map((name) => `${short(name)} ${DANGEROUS[name]}`).join('; '),
      instead: [],
    });
  }
  if (used === null) return findings;
  const unused = granted.filter((name) => !used.names.has(name));
  if (unused.length === 0) return findings;
  return [
    ...findings,
    {
      id: 'unused-capabilities',
      severity: unused.some((name) => DANGEROUS[name] !== undefined) ? 'high' : 'medium',
      what: `it has not used ${unused.map(short).join(', ')} in the ${durationText(used.watched * 1e6)} that it was watched`,
      why: 'whoever takes it over has them all the same',
      instead: [],
    },
  ];
}

const short = (name: string): string => name.replace(/^CAP_/, '');

function namespaceFindings({ hostNamespaces }: ContainerState): Finding[] {
  return hostNamespaces.map((name) => {
    const { flag, why } = HOST[name] ?? { flag: '', why: '' };
    const severity = name === 'mnt' ? 'critical' : name === 'pid' || name === 'net' ? 'high' : 'low';
    const instead = flag.includes(' ') ? [flag] : [];
    return { id: `host-${name}`, severity, what: `it is in the host's ${name} namespace`, why, instead };
  });
}

function confinementFindings(state: ContainerState, privileged: boolean): Finding[] {
  const findings: Finding[] = [];
  if (!state.seccomp && !privileged)
    findings.push({
      id: 'seccomp',
      severity: 'high',
      what: 'no system call is filtered (seccomp is off)',
      why: 'every bug of every system call of the kernel can be tried',
      instead: [],
    });
  if (state.confinement === '' && !privileged)
    findings.push({
      id: 'confinement',
      severity: 'medium',
      what: 'no profile of AppArmor or SELinux confines it',
      why: 'a mistake elsewhere (a mount, a capability) has nothing behind it',
      instead: [],
    });
  if (!state.noNewPrivileges)
    findings.push({
      id: 'new-privileges',
      severity: 'low',
      what: 'set-user-id programs in it give privileges',
      why: 'a user who is not root becomes root by any such program that has a bug',
      instead: ['--security-opt no-new-privileges'],
    });
  return findings;
}

function fileFindings({ readOnlyRoot, procWritable }: ContainerState): Finding[] {
  const findings: Finding[] = [];
  if (!readOnlyRoot)
    findings.push({
      id: 'writable-root',
      severity: 'low',
      what: 'its root file system is writable',
      why: 'an attacker replaces its programs, or leaves tools',
      instead: ['--read-only', '--tmpfs /tmp'],
    });
  if (procWritable)
    findings.push({
      id: 'proc',
      severity: 'high',
      what: '/proc/sys is writable in it',
      why: 'settings of the kernel are: core_pattern alone runs a program as root of the host',
      instead: [],
    });
  return findings;
}

function userFindings({ euid, hostUsers }: ContainerState): Finding[] {
  if (euid !== 0 || !hostUsers) return [];
  return [
    {
      id: 'root',
      severity: 'medium',
      what: 'it runs as user 0, which is user 0 of the host',
      why: 'whatever leads out of the container leads to root',
      instead: ['--user 65534:65534'],
    },
  ];
}

/** What to start it with instead. What isn't known to be used stays, if it is given by default or harmless. */
export function flagsFor(findings: readonly Finding[], state: ContainerState, used: UsedCapabilities | null): string[] {
  const flags = new Set<string>(['--cap-drop ALL']);
  const keep =
    used === null
      ? state.capabilities.filter((name) => BY_DEFAULT.has(name) && !SELDOM_NEEDED.includes(name))
      : state.capabilities.filter((name) => used.names.has(name));
  for (const name of keep) flags.add(`--cap-add ${short(name)}`);
  for (const { instead } of findings) for (const flag of instead) flags.add(flag);
  return [...flags];
}
