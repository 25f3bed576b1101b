import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { ifExists, ifReadable, readBounded } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';

type Found = readonly (readonly [subject: string, detail: string])[];

const TEXT_MAX = 1 << 20;
/** Bits of kernel.tainted that a rootkit leaves behind (Documentation/admin-guide/tainted-kernels.rst, Linux 6.18). */
const TAINTS: readonly (readonly [bit: number, meaning: string])[] = [
  [1, 'a module was loaded by force'],
  [3, 'a module was removed by force'],
  [12, 'a module from outside of the kernel’s tree was loaded'],
  [13, 'a module without a valid signature was loaded'],
];
const GROUP_OR_OTHERS_WRITE = 0o022;

const read = (root: string, path: string): string | null =>
  ifReadable(() => readBounded(join(root, path), TEXT_MAX))
    ?.toString('latin1')
    .trim() ?? null;

export function checkTaint(root: string): CheckResult {
  const text = read(root, 'proc/sys/kernel/tainted');
  if (text === null) return result('taint', [], 'the kernel has no taint flags');
  const bits = BigInt(text);
  const set = TAINTS.filter(([bit]) => (bits >> BigInt(bit)) & 1n);
  return result(
    'taint',
    set.map(([bit, meaning]) => [`bit ${bit}`, meaning] as const),
  );
}

export function checkPreload(root: string): CheckResult {
  const text = read(root, 'etc/ld.so.preload');
  const libraries = (text ?? '')
    .split('\n')
    .flatMap((line) => line.replace(/#.*/, '').split(/[\s:]+/))
    .filter(Boolean);
  return result(
    'preload',
    libraries.map((library) => [library, 'every program loads it: /etc/ld.so.preload'] as const),
  );
}

/** Default helpers of the kernel, which a host may lack. */
const BUILT_IN: readonly string[] = ['/sbin/modprobe', '/usr/sbin/modprobe', '/sbin/poweroff'];
const STEPS_MAX = 200;

/**
 * Resolves links like a process on the host would, below `root`. Returns null if the path does not exist, or has too
 * many links.
 */
function statusBelow(root: string, path: string): Stats | null {
  let at = '/';
  let rest = path.split('/');
  let status = ifExists(() => lstatSync(root));
  for (let steps = 0; rest.length > 0 && status !== null; steps++) {
    if (steps === STEPS_MAX) return null;
    const [name = '', ...more] = rest;
    rest = more;
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : join(at, name);
    status = ifExists(() => lstatSync(join(root, next)));
    if (status?.isSymbolicLink()) {
      const target = readlinkSync(join(root, next));
      rest = [...target.split('/'), ...rest];
      if (target.startsWith('/')) at = '/';
    } else at = next;
  }
  return status;
}

/** Returns why a program that the kernel starts is not trusted: it must belong to root and be writable by root only. */
function distrustReason(root: string, program: string): string | undefined {
  if (!program.startsWith('/')) return 'it is not an absolute path';
  const status = statusBelow(root, program);
  if (status === null) return BUILT_IN.includes(program) ? undefined : 'there is no such file';
  if (status.uid !== 0) return `it belongs to uid ${status.uid}`;
  return (status.mode & GROUP_OR_OTHERS_WRITE) === 0 ? undefined : 'users other than root can write to it';
}

export interface Values {
  readonly checked: readonly CheckResult[];
  /** values for the next run */
  readonly values: Readonly<Record<string, string>>;
}

const CORE_PATTERN = 'proc/sys/kernel/core_pattern';
const PROGRAMS = ['proc/sys/kernel/modprobe', 'sys/kernel/uevent_helper', 'proc/sys/kernel/poweroff_cmd'] as const;

/** Checks the programs that the kernel starts, and whether their settings have changed since the last run. */
export function checkHelpers(root: string, before: Readonly<Record<string, string>> | undefined): Values {
  const values: Record<string, string> = {};
  const readValue = (path: string): string | null => {
    const text = read(root, path);
    if (text !== null) values[path] = text;
    return text;
  };
  const changed = (path: string): Found =>
    before?.[path] !== undefined && before[path] !== values[path]
      ? [[`/${path}`, `was "${before[path]}" and is "${values[path] ?? ''}"`]]
      : [];
  const core = readValue(CORE_PATTERN);
  const handler = core?.startsWith('|') ? (core.slice(1).trim().split(/\s+/)[0] ?? '') : undefined;
  const coreReason = handler === undefined ? undefined : distrustReason(root, handler);
  const coreFound: Found = [
    ...(coreReason === undefined
      ? []
      : ([[`/${CORE_PATTERN}`, `core dumps go to ${handler}: ${coreReason}`]] as Found)),
    ...changed(CORE_PATTERN),
  ];
  const helpers = PROGRAMS.flatMap((path): Found => {
    const program = readValue(path)?.split(/\s+/)[0] ?? '';
    const reason = program === '' ? undefined : distrustReason(root, program);
    return [
      ...(reason === undefined ? [] : ([[`/${path}`, `the kernel starts ${program}: ${reason}`]] as Found)),
      ...changed(path),
    ];
  });
  const unseen = core === null ? `/${CORE_PATTERN} does not exist` : '';
  return { checked: [result('core-pattern', coreFound, unseen), result('helper', helpers)], values };
}

/** @param hierarchies mount points of cgroup v1, as this process sees them */
export function checkReleaseAgents(hierarchies: readonly string[]): CheckResult {
  const found = hierarchies.flatMap((point): Found => {
    const path = join(point, 'release_agent');
    const agent = read('/', path);
    // systemd's own agent, since 2010.
    if (agent === null || agent === '' || /\/systemd-cgroups-agent$/.test(agent)) return [];
    return [[path, `the host runs ${agent} when a cgroup there becomes empty`]];
  });
  return result('release-agent', found);
}
