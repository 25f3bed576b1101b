/**
 * Runs in a guest: `node integrity-in-guest.ts MODULE ACTION…`. Checks the kernel's integrity before the module of
 * test/kernels/module is loaded, with it, during each of its actions, after it is unloaded, and after it has hidden
 * itself for good. Prints a line of JSON for each check.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type CheckResult, checkIntegrity, type Integrity } from '@ringfence/host-facts';
import { sensorObject } from '@ringfence/testkit/sensor';

/** The result of one check. */
export interface IntegrityRun {
  /** `before`, `loaded`, an action, `after`, or `vanished` */
  readonly when: string;
  readonly checks: readonly CheckResult[];
}

const ACTION_FILE = '/sys/module/rf_rootkit/parameters/action';
const object = await sensorObject();
let before: Integrity['remembered'] | undefined;

function check(when: string): void {
  const pinPath = '/sys/fs/bpf/rf-none';
  const { checks, remembered } = checkIntegrity({
    sensorObject: object,
    pinPath,
    bootId: '',
    knownPrograms: [],
    before,
  });
  before ??= remembered;
  const result: IntegrityRun = { when, checks };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

if (import.meta.main) {
  const [module = '', ...actions] = process.argv.slice(2);
  check('before');
  run('insmod', module);
  check('loaded');
  for (const action of actions) {
    writeFileSync(ACTION_FILE, action);
    check(action);
  }
  writeFileSync(ACTION_FILE, 'none');
  run('rmmod', 'rf_rootkit');
  check('after');
  run('insmod', module, 'vanish=1');
  check('vanished');
}
