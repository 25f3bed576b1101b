/** Runs in a guest: `node in-guest.ts NAME…` plays the actions of these rules, and prints a line of JSON, a GuestLine, for each. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { MODULE } from '../../test/kernels/lib/tree.ts';
import { readActions } from './actions.ts';
import { play } from './play.ts';

export interface GuestLine {
  readonly rule: string;
  /** DER, in base64 */
  readonly key: string;
  /** each in base64 */
  readonly batches: readonly string[];
  /** by its script, on stderr */
  readonly said: string;
}

/** A rule's name as an argument, which a shell reads. */
export const nameArgument = (rule: string): string => Buffer.from(rule).toString('hex');

/** an emulated machine is some ten times slower than this one */
const LIMIT_MS = 900_000;

if (import.meta.main) {
  const cgroup = join(cgroupRoot(), 'recorder');
  mkdirSync(cgroup);
  writeFileSync(join(cgroup, 'cgroup.procs'), `${process.pid}`);
  const names = process.argv.slice(2);
  const wanted = readActions().filter(({ rule }) => names.includes(nameArgument(rule)));
  await play(wanted, {
    limitMs: LIMIT_MS,
    guest: { module: join(import.meta.dirname, '../..', MODULE), cgroup: statSync(cgroup, { bigint: true }).ino },
    onPlayed: ({ rule }, { key, batches }, said) => {
      const line: GuestLine = {
        rule,
        key: key.export({ type: 'spki', format: 'der' }).toString('base64'),
        batches: batches.map((batch) => batch.toString('base64')),
        said,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  });
}
