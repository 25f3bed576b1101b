import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { percent } from './figures.ts';
import type { Report } from './report.ts';

const SHOWN = 30;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** µs */
  readonly timeDeltas: readonly number[];
}

/** Reports the functions that took the most time, in a table for each CPU profile in `dir`. */
export function reportProfiles(report: Report, dir: string): void {
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.cpuprofile'))) {
    const path = join(dir, name);
    const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile;
    const { busy, functions } = selfTimes(profile);
    report.table({
      title: `${basename(path)}: self time of functions, of ${(busy / 1e6).toFixed(1)} s on the main thread`,
      columns: ['function', 'share', 's'],
      rows: functions
        .slice(0, SHOWN)
        .map(([name, micros]) => [name, percent(micros / busy), (micros / 1e6).toFixed(2)]),
    });
  }
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): { busy: number; functions: [string, number][] } {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0));
  });
  for (const name of ['(idle)', '(root)']) times.delete(name);
  const functions = [...times].sort((a, b) => b[1] - a[1]);
  return { busy: functions.reduce((sum, [, micros]) => sum + micros, 0), functions };
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(packages|services|cli|node_modules)\//, '$1/');
  return file === '' ? functionName || '(anonymous)' : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
