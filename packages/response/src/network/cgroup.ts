import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ifExists } from '@ringfence/host-kit';
import { ActionRefusedError } from '../errors.ts';
import type { FoundProcess } from '../processes/protected.ts';
import type { LivingTarget } from '../processes/reach.ts';

/** Below the root: bpf/barrier.bpf.c looks at as many levels of nested cgroups. */
const LEVELS_MAX = 15;

/** A cgroup of the v2 hierarchy. */
export interface HostCgroup {
  readonly id: bigint;
  /** from the root of the hierarchy */
  readonly path: string;
  /** its own and those of all cgroups below it */
  readonly ids: ReadonlySet<bigint>;
}

interface Deps {
  readonly find: (pid: number) => (FoundProcess & LivingTarget) | null;
  readonly cgroupRoot: string;
}

/** Returns the cgroup of a process. Throws ActionRefusedError: the process has ended, or its cgroup can be no scope. */
export function cgroupOf({ find, cgroupRoot }: Deps, pid: number, start: bigint): HostCgroup {
  const found = find(pid);
  const text = ifExists(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? '';
  const path = /^0::(\/.*)$/m.exec(text)?.[1];
  if (found === null || found.start !== start || path === undefined)
    throw new ActionRefusedError('not-the-target', `process ${pid} has ended, so its cgroup is unknown`);
  const id = ifExists(() => statSync(join(cgroupRoot, path), { bigint: true }).ino);
  if (id !== found.cgroup)
    throw new ActionRefusedError('not-verifiable', `the cgroup of process ${pid} is not at ${path}`);
  const levels = path.split('/').filter(Boolean).length;
  if (levels === 0)
    throw new ActionRefusedError('protected', `process ${pid} is in the root cgroup: leave out the process`);
  if (levels > LEVELS_MAX)
    throw new ActionRefusedError('not-possible', `${path} is more than ${LEVELS_MAX} levels below the root`);
  return { id, path, ids: idsBelow(join(cgroupRoot, path)) };
}

function idsBelow(path: string): Set<bigint> {
  const entries = ifExists(() => readdirSync(path, { withFileTypes: true, recursive: true })) ?? [];
  const paths = entries.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  return new Set([path, ...paths].flatMap((item) => ifExists(() => statSync(item, { bigint: true }).ino) ?? []));
}
