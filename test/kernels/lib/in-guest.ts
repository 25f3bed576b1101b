/**
 * Runs where the kernel under test does: `node in-guest.ts [--files-only] [--profile PROFILE]… [--way WAY]… FILE…`. Prints a line of JSON for what became of
 * the sensor's programs (but with --files-only), and one for each test file in each profile. With --way (lsm, fentry, kprobe) it is not the programs that
 * are judged but the ways to the full profile, and the files run once by each of those that are named.
 */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defined } from '@ringfence/base';
import { BpfObject } from '@ringfence/libbpf-ts';
import { FullProfile } from '@ringfence/sensor';
import type { Way } from '@ringfence/sensor/parts';
import { cgroup2, sensorObject } from '@ringfence/testkit/sensor';
import type { FileReport } from '../../../tools/test-runner/file-report.ts';
import { runFiles } from '../../../tools/test-runner/run-files.ts';
import { judgePrograms, type ProgramVerdict } from './programs.ts';

/** How the agent comes to the full profile there. */
export interface GuestWays {
  /** ways that aren't open, with the reason */
  readonly closed: { readonly [way in Way]?: string };
  /** of the programs that are taken */
  readonly sections: readonly string[];
  /** hooks that there are none for */
  readonly lacking: readonly string[];
}

/** What the tests see: what the agent would on that kernel, or what it would on one that has no more than every kernel. */
export const profiles = ['full', 'baseline'] as const;
export type Profile = (typeof profiles)[number];

/** A line of the guest. */
export type GuestLine =
  /** when its kernel gives way to another task: none, voluntary, full */
  | { readonly type: 'kernel'; readonly preemption: string }
  | { readonly type: 'programs'; readonly release: string; readonly programs: readonly ProgramVerdict[] }
  | ({ readonly type: 'ways' } & GuestWays)
  | { readonly type: 'file'; readonly profile: Profile; readonly way?: Way; readonly report: FileReport };

/** an emulated machine is some ten times slower than this one */
const FILE_TIMEOUT_MS = 600_000;
const SETTINGS = { RINGFENCE_TEST_KEEP: '1', RINGFENCE_STORM: '1000' };

function print(line: GuestLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function run(paths: readonly string[], profile: Profile, way?: Way): Promise<void> {
  const ways = way === undefined ? {} : { RINGFENCE_TEST_WAY: way };
  await runFiles(paths, {
    root: join(import.meta.dirname, '../../..'),
    timeoutMs: FILE_TIMEOUT_MS,
    env: { ...process.env, ...SETTINGS, RINGFENCE_TEST_PROFILE: profile, ...ways },
    onReport: (report) => print({ type: 'file', profile, report, ...defined({ way }) }),
  });
}

/** What the agent would do here. */
function tellWays(path: string): void {
  const profile = FullProfile.probe(path);
  using object = BpfObject.open(path);
  const sections = [...profile.programs].map((name) => object.program(name).section);
  print({
    type: 'ways',
    closed: { ...profile.ways } as GuestWays['closed'],
    sections,
    lacking: [...profile.lacking.keys()],
  });
}

const PREEMPTION = '/sys/kernel/debug/sched/preempt';

function preemption(): string {
  // all of them, with the one that is in parentheses
  return existsSync(PREEMPTION) ? (/\((\w+)\)/.exec(readFileSync(PREEMPTION, 'utf8'))?.[1] ?? '') : '';
}

if (import.meta.main) {
  print({ type: 'kernel', preemption: preemption() });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      way: { type: 'string', multiple: true },
      profile: { type: 'string', multiple: true, default: ['full'] },
      'files-only': { type: 'boolean', default: false },
    },
  });
  const object = await sensorObject();
  if (values.way === undefined) {
    if (!values['files-only'])
      print({ type: 'programs', release: release(), programs: judgePrograms(object, cgroup2() ?? '') });
    for (const profile of values.profile) await run(positionals, profile as Profile);
  } else {
    tellWays(object);
    for (const way of values.way) await run(positionals, 'full', way as Way);
  }
}
