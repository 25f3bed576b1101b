import { durationText } from '@ringfence/base';
import type { InventoryContainer } from '@ringfence/host-facts';
import { mountFindings } from './mount-findings.ts';
import { type ContainerState, type Finding, SEVERITIES, type UsedCapabilities } from './types.ts';

/** Capabilities that give power over the host by themselves, and what each allows. */
const DANGEROUS: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN: 'allows mounts, namespaces and most other operations of root',
  CAP_SYS_MODULE: 'loads kernel modules',
  CAP_SYS_PTRACE: 'reads and changes other processes',
  CAP_SYS_RAWIO: 'reads and writes devices and ports directly',
  CAP_DAC_READ_SEARCH: 'opens any file of the host by its handle',
  CAP_BPF: 'loads programs into the kernel',
  CAP_PERFMON: 'observes other processes through the kernel',
  CAP_NET_ADMIN: 'changes addresses, routes and firewalls',
  CAP_SYS_BOOT: 'restarts the host, or boots another kernel',
  CAP_SYS_TIME: 'sets the clock of the host',
  CAP_SYSLOG: 'reads kernel addresses',
  CAP_MAC_ADMIN: 'changes mandatory access control',
  CAP_MAC_OVERRIDE: 'bypasses mandatory access control',
  CAP_CHECKPOINT_RESTORE: 'sets process ids and reads memory maps',
};

/** By namespace, the effect of sharing it with the host. */
const SHARED_NAMESPACES: Readonly<Record<string, string>> = {
  pid: 'it sees every process of the host, with arguments and, as root, memory',
  net: 'it can listen and sniff on the interfaces of the host, and reach services on localhost',
  ipc: 'it reads and writes shared memory of the host',
  uts: 'it may change the name of the host',
  mnt: 'it has the files of the host',
  cgroup: 'it sees its own position in the cgroups of the host',
};

/** Returns the weaknesses of a container, worst first. */
export function containerFindings(
  container: InventoryContainer,
  state: ContainerState,
  used: UsedCapabilities | null,
): Finding[] {
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

/** By its runtime, or by its effect: SYS_ADMIN, a writable /proc/sys, and no filter of system calls. */
function isPrivileged({ privileged }: InventoryContainer, state: ContainerState): boolean {
  return privileged === true || (state.capabilities.includes('CAP_SYS_ADMIN') && state.procWritable && !state.seccomp);
}

const PRIVILEGED: Finding = {
  id: 'privileged',
  severity: 'critical',
  what: 'it is privileged',
  why: 'it has all capabilities and devices, without any filter: root in it is root on the host',
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
      what: `it has ${dangerous.map(shortName).join(', ')}`,
      why: dangerous.map((name) => `${shortName(name)} ${DANGEROUS[name]}`).join('; '),
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
      what: `it has not used ${unused.map(shortName).join(', ')} in the ${durationText(used.watchedSeconds * 1e6)} that it was watched`,
      why: 'an attacker who takes it over can use them',
      instead: [],
    },
  ];
}

export const shortName = (name: string): string => name.replace(/^CAP_/, '');

function namespaceFindings({ hostNamespaces }: ContainerState): Finding[] {
  return hostNamespaces.map((name) => ({
    id: `host-${name}`,
    severity: name === 'mnt' ? 'critical' : name === 'pid' || name === 'net' ? 'high' : 'low',
    what: `it is in the host's ${name} namespace`,
    why: SHARED_NAMESPACES[name] ?? '',
    instead: name === 'cgroup' ? ['--cgroupns private'] : [],
  }));
}

function confinementFindings(state: ContainerState, privileged: boolean): Finding[] {
  const findings: Finding[] = [];
  if (!state.seccomp && !privileged)
    findings.push({
      id: 'seccomp',
      severity: 'high',
      what: 'no system call is filtered (seccomp is off)',
      why: 'an attacker can try the bugs of every system call',
      instead: [],
    });
  if (state.confinement === '' && !privileged)
    findings.push({
      id: 'confinement',
      severity: 'medium',
      what: 'no profile of AppArmor or SELinux confines it',
      why: 'there is no second barrier behind a mistake in mounts or capabilities',
      instead: [],
    });
  if (!state.noNewPrivileges)
    findings.push({
      id: 'new-privileges',
      severity: 'low',
      what: 'set-user-id programs in it grant privileges',
      why: 'a user who is not root becomes root by a bug in any such program',
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
      why: 'an attacker can replace its programs, or store tools',
      instead: ['--read-only', '--tmpfs /tmp'],
    });
  if (procWritable)
    findings.push({
      id: 'proc',
      severity: 'high',
      what: '/proc/sys is writable in it',
      why: 'it can change kernel settings: core_pattern alone can run a program as root of the host',
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
      why: 'an escape from the container gives root on the host',
      instead: ['--user 65534:65534'],
    },
  ];
}
