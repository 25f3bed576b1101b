/**
 * Runs in a guest: `node in-guest.ts [--files-only] [--profile PROFILE]… [--attach-method METHOD]… FILE…`. Prints one
 * line of JSON for the verdicts on the sensor's programs (not with --files-only), and one for each test file in each
 * profile. With --attach-method (lsm, fentry, kprobe), it reports which attach methods work instead of the verdicts,
 * and runs the files once by each of the given methods.
 */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defined } from '@ringfence/base';
import { BpfObject } from '@ringfence/libbpf-ts';
import { FullProfile } from '@ringfence/sensor';
import type { AttachMethod } from '@ringfence/sensor/parts';
import { cgroup2, sensorObject } from '@ringfence/testkit/sensor';
import type { FileReport } from '../../../tools/test-runner/file-report.ts';
import { runFiles } from '../../../tools/test-runner/run-files.ts';
import { judgePrograms, type ProgramVerdict } from './programs.ts';

/** How the agent would attach the full profile in the guest. */
export interface AttachMethodReport {
  /** methods that do not work, with the reason */
  readonly problems: { readonly [method in AttachMethod]?: string };
  /** sections of the programs that would be used */
  readonly sections: readonly string[];
  /** hooks without a program */
  readonly missing: readonly string[];
}

/** full: the tests see what the agent would see on that kernel. baseline: what it would see on every kernel. */
export const profiles = ['full', 'baseline'] as const;
export type Profile = (typeof profiles)[number];

/** A line that the guest prints. */
export type GuestLine =
  /** preemption model of the kernel: none, voluntary, full */
  | { readonly type: 'kernel'; readonly preemption: string }
  | { readonly type: 'programs'; readonly release: string; readonly programs: readonly ProgramVerdict[] }
  | ({ readonly type: 'attach-methods' } & AttachMethodReport)
  | { readonly type: 'file'; readonly profile: Profile; readonly method?: AttachMethod; readonly report: FileReport };

/** An emulated machine is about ten times slower than this one, which plays the floods within a minute. */
const FILE_TIMEOUT_MS = 1_800_000;
const SETTINGS = { RINGFENCE_TEST_KEEP: '1', RINGFENCE_STORM: '1000' };

function print(line: GuestLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function run(paths: readonly string[], profile: Profile, method?: AttachMethod): Promise<void> {
  const variables = method === undefined ? {} : { RINGFENCE_TEST_ATTACH_METHOD: method };
  await runFiles(paths, {
    root: join(import.meta.dirname, '../../..'),
    timeoutMs: FILE_TIMEOUT_MS,
    env: { ...process.env, ...SETTINGS, RINGFENCE_TEST_PROFILE: profile, ...variables },
    onReport: (report) => print({ type: 'file', profile, report, ...defined({ method }) }),
  });
}

function printAttachMethods(path: string): void {
  const profile = FullProfile.probe(path);
  using object = BpfObject.open(path);
  const sections = [...profile.programs].map((name) => object.program(name).section);
  print({
    type: 'attach-methods',
    problems: { ...profile.methodProblems } as AttachMethodReport['problems'],
    sections,
    missing: [...profile.missingHooks.keys()],
  });
}

const PREEMPTION = '/sys/kernel/debug/sched/preempt';

function preemption(): string {
  // The file lists all models, with the active one in parentheses.
  return existsSync(PREEMPTION) ? (/\((\w+)\)/.exec(readFileSync(PREEMPTION, 'utf8'))?.[1] ?? '') : '';
}

if (import.meta.main) {
  print({ type: 'kernel', preemption: preemption() });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'attach-method': { type: 'string', multiple: true },
      profile: { type: 'string', multiple: true, default: ['full'] },
      'files-only': { type: 'boolean', default: false },
    },
  });
  const object = await sensorObject();
  const methods = values['attach-method'];
  if (methods === undefined) {
    if (!values['files-only'])
      print({ type: 'programs', release: release(), programs: judgePrograms(object, cgroup2() ?? '') });
    for (const profile of values.profile) await run(positionals, profile as Profile);
  } else {
    printAttachMethods(object);
    for (const method of methods) await run(positionals, 'full', method as AttachMethod);
  }
}
