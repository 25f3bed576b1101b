/**
 * Runs where the kernel under test does: `node in-guest.ts [--files-only] [--way WAY]… FILE…`. Prints a line of JSON for what became of the sensor's
 * programs (but with --files-only), and one for each test file. With --way (lsm, fentry, kprobe) it is not the programs that are judged but the ways to the
 * full profile, and the files run once by each of those that are named.
 */
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BpfObject } from '@ringfence/libbpf-ts';
import { FullProfile, type Way } from '../../../services/collector/src/sensor/full.ts';
import { type FileReport, runFile } from '../../../tools/test-runner/run-file.ts';
import { cgroup2, sensorObject } from '../../kernel/sensor/sensor.ts';
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

/** A line of the guest. */
export type GuestLine =
  | { readonly type: 'programs'; readonly release: string; readonly programs: readonly ProgramVerdict[] }
  | ({ readonly type: 'ways' } & GuestWays)
  | { readonly type: 'file'; readonly way?: Way; readonly report: FileReport };

/** an emulated machine is some ten times slower than this one */
const FILE_TIMEOUT_MS = 900_000;

function print(line: GuestLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function runFiles(paths: readonly string[], way?: Way): Promise<void> {
  const root = join(import.meta.dirname, '../../..');
  const never = new AbortController().signal;
  if (way !== undefined) process.env['RINGFENCE_TEST_WAY'] = way;
  for (const path of paths) {
    const report = await runFile(root, path, { only: undefined, timeoutMs: FILE_TIMEOUT_MS }, never);
    print({ type: 'file', report, ...(way === undefined ? {} : { way }) });
  }
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

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { way: { type: 'string', multiple: true }, 'files-only': { type: 'boolean', default: false } },
  });
  const object = await sensorObject();
  if (values.way === undefined) {
    if (!values['files-only'])
      print({ type: 'programs', release: release(), programs: judgePrograms(object, cgroup2() ?? '') });
    await runFiles(positionals);
  } else {
    tellWays(object);
    for (const way of values.way) await runFiles(positionals, way as Way);
  }
}
