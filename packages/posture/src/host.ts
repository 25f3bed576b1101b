import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, Severity } from './types.ts';

interface Setting {
  readonly name: string;
  /** whether the value is as it should be */
  readonly good: (value: string) => boolean;
  readonly set: string;
  readonly severity: Severity;
  readonly why: string;
}

const atLeast = (least: number) => (value: string) => Number(value) >= least;

const SETTINGS: readonly Setting[] = [
  {
    name: 'kernel.unprivileged_bpf_disabled',
    good: atLeast(1),
    set: '1',
    severity: 'high',
    why: 'any user loads programs into the kernel: its verifier has had bugs',
  },
  {
    name: 'kernel.yama.ptrace_scope',
    good: atLeast(1),
    set: '1',
    severity: 'medium',
    why: "a process reads the memory of its user's others: keys of ssh-agent, sessions of browsers",
  },
  {
    name: 'kernel.kptr_restrict',
    good: atLeast(1),
    set: '1',
    severity: 'medium',
    why: 'addresses of the kernel are readable, which exploits of it need',
  },
  {
    name: 'kernel.dmesg_restrict',
    good: atLeast(1),
    set: '1',
    severity: 'low',
    why: "the kernel's messages, with addresses and what failed, are readable by all",
  },
  {
    name: 'kernel.perf_event_paranoid',
    good: atLeast(2),
    set: '2',
    severity: 'low',
    why: 'any user measures the kernel, which gives its addresses',
  },
  {
    name: 'fs.protected_symlinks',
    good: atLeast(1),
    set: '1',
    severity: 'medium',
    why: 'a link in /tmp makes a program of root write elsewhere',
  },
  {
    name: 'fs.protected_hardlinks',
    good: atLeast(1),
    set: '1',
    severity: 'medium',
    why: 'a hard link keeps an old set-user-id program, or makes root write elsewhere',
  },
  {
    name: 'fs.suid_dumpable',
    good: (value) => value !== '1',
    set: '0',
    severity: 'medium',
    why: 'memory of set-user-id programs is written where their user reads it',
  },
  {
    name: 'kernel.randomize_va_space',
    good: atLeast(2),
    set: '2',
    severity: 'high',
    why: 'programs lie at addresses that can be foreseen',
  },
];

const SOCKETS = ['run/docker.sock', 'run/containerd/containerd.sock', 'run/podman/podman.sock', 'run/crio/crio.sock'];

/** Settings of this machine that help whoever has got a foot in. What a kernel doesn't have is not said. */
export function hostFindings(root = '/'): Finding[] {
  return [
    ...SETTINGS.flatMap((setting) => settingFinding(setting, root)),
    ...SOCKETS.flatMap((path) => socketFinding(root, path)),
  ];
}

function settingFinding({ name, good, set, severity, why }: Setting, root: string): Finding[] {
  const path = join(root, 'proc/sys', name.replaceAll('.', '/'));
  if (!existsSync(path)) return [];
  const value = readFileSync(path, 'latin1').trim();
  if (good(value)) return [];
  return [{ id: name, severity, what: `${name} is ${value}`, why, instead: [`sysctl -w ${name}=${set}`] }];
}

function socketFinding(root: string, path: string): Finding[] {
  const place = join(root, path);
  if (!existsSync(place)) return [];
  if ((statSync(place).mode & 0o006) === 0) return [];
  return [
    {
      id: 'engine-socket',
      severity: 'critical',
      what: `every user may use ${place}`,
      why: 'whoever can talk to the engine is root',
      instead: [`chmod o-rw ${place}`],
    },
  ];
}
