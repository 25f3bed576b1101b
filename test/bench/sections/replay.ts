import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { count, range } from '../lib/figures.ts';
import { interrupted } from '../lib/interrupt.ts';
import { profilePath } from '../lib/options.ts';
import { FALCO } from '../lib/peer.ts';

const CHILD = fileURLToPath(new URL('../replay-child.ts', import.meta.url));
const run = promisify(execFile);

/** The recorded stream through enricher, detector and responder, on one core. */
export async function replay({ options, report, recorded }: BenchContext): Promise<void> {
  const { path } = await recorded();
  const perSecond: number[] = [];
  const perCpuSecond: number[] = [];
  let last = { events: 0, alerts: 0, seconds: 1, cpuSeconds: 1 };
  for (let i = 0; i < options.runs; i++) {
    const profile = profilePath(options, `replay-${i}`);
    const args = ['-c', '0', process.execPath, ...NODE_FLAGS, CHILD, path, ...(profile === null ? [] : [profile])];
    const { stdout } = await run('taskset', args, { signal: interrupted });
    last = JSON.parse(stdout) as typeof last;
    perSecond.push(last.events / last.seconds);
    perCpuSecond.push(last.events / last.cpuSeconds);
  }
  report.figure('eventsPerS', perSecond);
  report.figure('eventsPerCpuS', perCpuSecond);
  report.table({
    title: `ringfence replay of load busy, all built-in rules, one core (taskset -c 0), ${options.runs} runs`,
    columns: ['events', 'alerts', 'events/s (min · median · max)', 'events per CPU second'],
    rows: [[count(last.events), count(last.alerts), range(perSecond, count), range(perCpuSecond, count)]],
    notes: [FALCO.replay],
  });
}
