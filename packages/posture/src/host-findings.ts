import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, Severity } from './types.ts';

interface Setting {
  readonly name: string;
  readonly isSafe: (value: string) => boolean;
  readonly safeValue: string;
  readonly severity: Severity;
  readonly why: string;
}

const atLeast = (minimum: number) => (value: string) => Number(value) >= minimum;

const SETTINGS: readonly Setting[] = [
  {
    name: 'kernel.unprivileged_bpf_disabled',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'high',
    why: 'any user can load programs into the kernel, whose verifier has had bugs',
  },
  {
    name: 'kernel.yama.ptrace_scope',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'medium',
    why: 'a process can read the memory of other processes of its user: keys of ssh-agent, sessions of browsers',
  },
  {
    name: 'kernel.kptr_restrict',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'medium',
    why: 'any user can read kernel addresses, which kernel exploits need',
  },
  {
    name: 'kernel.dmesg_restrict',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'low',
    why: 'any user can read the kernel log, with addresses and failures in it',
  },
  {
    name: 'kernel.perf_event_paranoid',
    isSafe: atLeast(2),
    safeValue: '2',
    severity: 'low',
    why: 'any user can profile the kernel, which reveals its addresses',
  },
  {
    name: 'fs.protected_symlinks',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'medium',
    why: 'a symbolic link in /tmp can make a program of root write to another file',
  },
  {
    name: 'fs.protected_hardlinks',
    isSafe: atLeast(1),
    safeValue: '1',
    severity: 'medium',
    why: 'a hard link can keep an old set-user-id program, or make root write to another file',
  },
  {
    name: 'fs.suid_dumpable',
    isSafe: (value) => value !== '1',
    safeValue: '0',
    severity: 'medium',
    why: 'memory of set-user-id programs is dumped to files that their user can read',
  },
  {
    name: 'kernel.randomize_va_space',
    isSafe: atLeast(2),
    safeValue: '2',
    severity: 'high',
    why: 'programs are loaded at predictable addresses',
  },
];

const SOCKETS = ['run/docker.sock', 'run/containerd/containerd.sock', 'run/podman/podman.sock', 'run/crio/crio.sock'];

/** Returns settings of this machine that help an attacker with a foothold. Skips settings that the kernel lacks. */
export function hostFindings(root = '/'): Finding[] {
  return [
    ...SETTINGS.flatMap((setting) => settingFinding(setting, root)),
    ...SOCKETS.flatMap((path) => socketFinding(root, path)),
  ];
}

function settingFinding({ name, isSafe, safeValue, severity, why }: Setting, root: string): Finding[] {
  const path = join(root, 'proc/sys', name.replaceAll('.', '/'));
  if (!existsSync(path)) return [];
  const value = readFileSync(path, 'latin1').trim();
  if (isSafe(value)) return [];
  return [{ id: name, severity, what: `${name} is ${value}`, why, instead: [`sysctl -w ${name}=${safeValue}`] }];
}

function socketFinding(root: string, path: string): Finding[] {
  const socket = join(root, path);
  if (!existsSync(socket)) return [];
  if ((statSync(socket).mode & 0o006) === 0) return [];
  return [
    {
      id: 'engine-socket',
      severity: 'critical',
      what: `every user may use ${socket}`,
      why: 'a user who can use the container engine is root',
      instead: [`chmod o-rw ${socket}`],
    },
  ];
}
