import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable } from '@ringfence/host-kit';
import { BpfError, loadedPrograms, type ProgramInfo } from '@ringfence/libbpf-ts';
import { type CheckResult, result } from './check.ts';

export interface KnownPrograms {
  /** ids of the sensor's own programs */
  readonly ids: ReadonlySet<number>;
  /** names of known programs; `sd_*` matches all names with this prefix */
  readonly names: readonly string[];
}

/** Device filters of container runtimes and of systemd. They have no name, and can only refuse access to devices. */
const HARMLESS: readonly string[] = ['cgroup_device'];

/** Finds BPF programs that are not known. */
export function checkPrograms({ ids, names }: KnownPrograms, root = '/'): CheckResult {
  const loaded = allPrograms();
  if (loaded === null) return result('bpf-program', [], 'listing all BPF programs needs CAP_SYS_ADMIN');
  const unknown = loaded.filter(
    (program) => !ids.has(program.id) && !HARMLESS.includes(program.type) && !isNamed(program, names),
  );
  if (unknown.length === 0) return result('bpf-program', []);
  const holders = holdersOf(join(root, 'proc'));
  return result(
    'bpf-program',
    unknown.map(({ id, name, type, uid }) => {
      const processes = holders.get(id)?.join(', ') ?? 'no process in /proc';
      return [`${name || 'unnamed'} (${id})`, `of type ${type}, loaded by uid ${uid}, held by ${processes}`] as const;
    }),
  );
}

/** Returns null without permission. */
function allPrograms(): ProgramInfo[] | null {
  try {
    return [...loadedPrograms()];
  } catch (error) {
    if (error instanceof BpfError && error.errnoName === 'EPERM') return null;
    throw error;
  }
}

const isNamed = ({ name }: ProgramInfo, names: readonly string[]): boolean =>
  names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));

/** Returns the processes that have a file descriptor of a program, by the program's id. */
function holdersOf(proc: string): Map<number, string[]> {
  const holders = new Map<number, string[]>();
  for (const pid of ifReadable(() => readdirSync(proc)) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    const directory = join(proc, pid, 'fdinfo');
    for (const fd of ifReadable(() => readdirSync(directory)) ?? []) {
      const text = ifReadable(() => readFileSync(join(directory, fd), 'latin1')) ?? '';
      const id = Number(/^prog_id:\s*(\d+)$/m.exec(text)?.[1]);
      if (Number.isNaN(id)) continue;
      const known = holders.get(id) ?? [];
      const name = `${ifReadable(() => readFileSync(join(proc, pid, 'comm'), 'latin1').trim()) ?? ''} (${pid})`;
      if (!known.includes(name)) holders.set(id, [...known, name]);
    }
  }
  return holders;
}
