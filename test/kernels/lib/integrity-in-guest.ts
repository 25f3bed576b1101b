/**
 * Runs in a guest: `node integrity-in-guest.ts MODULE DEED…`. Looks at the integrity of the kernel, then with the module of test/kernels/module in it,
 * then while it does each deed, then once it is out again, and last after it has vanished for good. Prints a line of JSON for each look.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { CheckResult } from '@ringfence/host-facts';
import { checkIntegrity, type Integrity } from '@ringfence/host-facts';
import { sensorObject } from '@ringfence/testkit/sensor';

/** A look at the kernel. */
export interface Look {
  /** `before`, `loaded`, a deed, `after`, or `vanished` */
  readonly when: string;
  readonly checks: readonly CheckResult[];
}

const DEED = '/sys/module/rf_rootkit/parameters/deed';
const object = await sensorObject();
let before: Integrity['remembered'] | undefined;

function look(when: string): void {
  const pinPath = '/sys/fs/bpf/rf-none';
  const { checks, remembered } = checkIntegrity({
    sensorObject: object,
    pinPath,
    bootId: '',
    knownPrograms: [],
    before,
  });
  before ??= remembered;
  const told: Look = { when, checks };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

if (import.meta.main) {
  const [module = '', ...deeds] = process.argv.slice(2);
  look('before');
  run('insmod', module);
  look('loaded');
  for (const deed of deeds) {
    writeFileSync(DEED, deed);
    look(deed);
  }
  writeFileSync(DEED, 'none');
  run('rmmod', 'rf_rootkit');
  look('after');
  run('insmod', module, 'vanish=1');
  look('vanished');
}
