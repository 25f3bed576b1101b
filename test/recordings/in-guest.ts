/**
 * Runs in a guest: `node in-guest.ts NAME…` plays the actions of these rules, and prints a GuestLine as JSON for each.
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { play, readActions } from '@ringfence/rule-corpus/recordings';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { compileProgram, sensorObject } from '@ringfence/testkit/sensor';
import { MODULE } from '../kernels/lib/tree.ts';

export interface GuestLine {
  readonly rule: string;
  /** Public key, DER in base64. */
  readonly key: string;
  /** Batches, each in base64. */
  readonly batches: readonly string[];
  /** Last part of the script's standard error. */
  readonly stderr: string;
}

/** Returns a rule's name as an argument that a shell does not change. */
export const nameArgument = (rule: string): string => Buffer.from(rule).toString('hex');

/** An emulated machine is some ten times slower than this one. */
const LIMIT_MS = 900_000;

if (import.meta.main) {
  const cgroup = join(cgroupRoot(), 'recorder');
  mkdirSync(cgroup);
  writeFileSync(join(cgroup, 'cgroup.procs'), `${process.pid}`);
  const names = process.argv.slice(2);
  const actions = readActions().filter(({ rule }) => names.includes(nameArgument(rule)));
  await play(actions, {
    limitMs: LIMIT_MS,
    compile: compileProgram,
    guest: {
      module: join(import.meta.dirname, '../..', MODULE),
      cgroup: statSync(cgroup, { bigint: true }).ino,
      sensorObject: await sensorObject(),
    },
    onPlayed: ({ rule }, { key, batches }, stderr) => {
      const line: GuestLine = {
        rule,
        key: key.export({ type: 'spki', format: 'der' }).toString('base64'),
        batches: batches.map((batch) => batch.toString('base64')),
        stderr,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  });
}
