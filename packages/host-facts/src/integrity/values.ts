import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { ifReadable, ifExists, readBounded } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';

type Found = readonly (readonly [subject: string, detail: string])[];

const TEXT_MAX = 1 << 20;
/** Bits of kernel.tainted that a rootkit leaves behind (Documentation/admin-guide/tainted-kernels.rst, Linux 6.18). */
const TAINTS: readonly (readonly [bit: number, what: string])[] = [
  [1, 'a module was loaded by force'],
  [3, 'a module was removed by force'],
  [12, 'a module from outside of the kernel’s tree was loaded'],
  [13, 'a module without a valid signature was loaded'],
];
const OTHERS_MAY_WRITE = 0o022;

const read = (root: string, path: string): string | null =>
  ifReadable(() => readBounded(join(root, path), TEXT_MAX))
    ?.toString('latin1')
    .trim() ?? null;

export function checkTaint(root: string): CheckResult {
  const text = read(root, 'proc/sys/kernel/tainted');
  if (text === null) return result('taint', [], 'the kernel tells no taint');
  const bits = BigInt(text);
  const set = TAINTS.filter(([bit]) => (bits >> BigInt(bit)) & 1n);
  return result(
    'taint',
    set.map(([bit, what]) => [`bit ${bit}`, what] as const),
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

/** What kernels start unless they are told otherwise: a host may do without. */
const BUILT_IN: readonly string[] = ['/sbin/modprobe', '/usr/sbin/modprobe', '/sbin/poweroff'];
const STEPS_MAX = 200;

/** Of a path of the host, whose links lead to paths of the host; null: there is nothing, or links without end. */
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

/** A program that the kernel starts must be root's own, and nobody else's to change. */
function untrusted(root: string, program: string): string | undefined {
  if (!program.startsWith('/')) return 'it is no absolute path';
  const status = statusBelow(root, program);
  if (status === null) return BUILT_IN.includes(program) ? undefined : 'there is no such file';
  if (status.uid !== 0) return `it belongs to uid ${status.uid}`;
  return (status.mode & OTHERS_MAY_WRITE) === 0 ? undefined : 'others than root may write to it';
}

export interface Values {
  readonly checked: readonly CheckResult[];
  /** to be remembered */
  readonly values: Readonly<Record<string, string>>;
}

const CORE_PATTERN = 'proc/sys/kernel/core_pattern';
const PROGRAMS = ['proc/sys/kernel/modprobe', 'sys/kernel/uevent_helper', 'proc/sys/kernel/poweroff_cmd'] as const;

/** What the kernel starts by itself, and who has changed that. `before`: values of the last look. */
export function checkHelpers(root: string, before: Readonly<Record<string, string>> | undefined): Values {
  const values: Record<string, string> = {};
  const look = (path: string): string | null => {
    const text = read(root, path);
    if (text !== null) values[path] = text;
    return text;
  };
  const changed = (path: string): Found =>
    before?.[path] !== undefined && before[path] !== values[path]
      ? [[`/${path}`, `was "${before[path]}" and is "${values[path] ?? ''}"`]]
      : [];
  const core = look(CORE_PATTERN);
  const handler = core?.startsWith('|') ? (core.slice(1).trim().split(/\s+/)[0] ?? '') : undefined;
  const bad = handler === undefined ? undefined : untrusted(root, handler);
  const coreFound: Found = [
    ...(bad === undefined ? [] : ([[`/${CORE_PATTERN}`, `core dumps go to ${handler}: ${bad}`]] as Found)),
    ...changed(CORE_PATTERN),
  ];
  const helpers = PROGRAMS.flatMap((path): Found => {
    const program = look(path)?.split(/\s+/)[0] ?? '';
    const why = program === '' ? undefined : untrusted(root, program);
    return [
      ...(why === undefined ? [] : ([[`/${path}`, `the kernel starts ${program}: ${why}`]] as Found)),
      ...changed(path),
    ];
  });
  const unseen = core === null ? `/${CORE_PATTERN} is not there` : '';
  return { checked: [result('core-pattern', coreFound, unseen), result('helper', helpers)], values };
}

/** `hierarchies`: mount points of cgroup v1, as this process sees them */
export function checkReleaseAgents(hierarchies: readonly string[]): CheckResult {
  const found = hierarchies.flatMap((point): Found => {
    const path = join(point, 'release_agent');
    const agent = read('/', path);
    // systemd's own, since 2010
    if (agent === null || agent === '' || /\/systemd-cgroups-agent$/.test(agent)) return [];
    return [[path, `the host runs ${agent} when a cgroup there is empty`]];
  });
  return result('release-agent', found);
}
