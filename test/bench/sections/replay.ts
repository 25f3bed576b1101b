import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { FALCO } from '../lib/falco.ts';
import { count, range } from '../lib/figures.ts';
import { interrupted } from '../lib/interrupt.ts';
import { profilePath } from '../lib/options.ts';

const CHILD = fileURLToPath(new URL('../replay-child.ts', import.meta.url));
const AUDITED = fileURLToPath(new URL('../audited-child.ts', import.meta.url));
const run = promisify(execFile);

/** Replays the recorded stream: the throughput of the services when nothing has to produce the events. */
export async function replay(context: BenchContext): Promise<void> {
  await onOneCore(context);
  await withAudit(context);
}

/** Replays through enricher, detector and responder on one core, with the bus in memory. */
async function onOneCore({ options, report, recorded }: BenchContext): Promise<void> {
  const { path } = await recorded('busy');
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

interface AuditedReplay {
  readonly detected: number;
  readonly stored: number;
  /** Events after the warm-up */
  readonly sustained: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Replays through every service on all cores, with the log and the audit trail on disk. */
async function withAudit({ options, report, recorded, dir }: BenchContext): Promise<void> {
  const { path } = await recorded('busy');
  const runs: AuditedReplay[] = [];
  for (let i = 0; i < options.runs; i++) {
    const directory = mkdtempSync(join(dir, 'audited-'));
    const { stdout } = await run(process.execPath, [...NODE_FLAGS, AUDITED, path, directory], { signal: interrupted });
    runs.push(JSON.parse(stdout) as AuditedReplay);
    rmSync(directory, { recursive: true });
  }
  const perSecond = runs.map(({ sustained, seconds }) => sustained / seconds);
  report.figure('auditedEventsPerS', perSecond);
  const [first] = runs;
  const lost = runs.filter(({ detected, stored }) => detected !== stored).length;
  if (lost > 0)
    report.fail(
      `${lost} of ${runs.length} audited replays stored a different number of events than the detector received`,
    );
  report.table({
    title: `the same stream through every service, log and audit trail on disk, after a third of it as warm-up, ${options.runs} runs`,
    columns: [
      'events',
      'in the audit trail',
      'into detector and audit trail/s (min · median · max)',
      'events per CPU second',
    ],
    rows: [
      [
        count(first?.detected ?? 0),
        count(first?.stored ?? 0),
        range(perSecond, count),
        range(
          runs.map(({ sustained, cpuSeconds }) => sustained / cpuSeconds),
          count,
        ),
      ],
    ],
    notes: [],
  });
}
