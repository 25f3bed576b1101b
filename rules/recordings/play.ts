import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { compileProgram } from '@ringfence/testkit/sensor';
import { createSigningKey } from '@ringfence/wire';
import { LabLogs } from '../lab/logs.ts';
import { LIBRARY, remembered, Sandbox } from '../lab/sandbox.ts';
import { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import { content } from '../test/support.ts';
import type { Action } from './actions.ts';
import { hostOf, type Played } from './library.ts';

const PROGRAMS = ['access', 'change', 'connect', 'credentials', 'fault', 'io_uring', 'memory', 'sockets'];
const PREPARED = '. /opt/lab/lib.sh; shell /usr/sbin/httpd\n';

export interface PlayOptions {
  /** of each action */
  readonly limitMs: number;
  /** where the guest has what was built for it, and the cgroup of this program, whose events are nobody's; undefined: not in a guest */
  readonly guest?: { readonly module: string; readonly cgroup: bigint };
  /** ends the action at hand, which is not told, and all */
  readonly signal?: AbortSignal;
  /** what its script said on stderr */
  readonly onPlayed: (action: Action, played: Played, said: string) => void;
}

/** Plays the actions, one after the other, under a sensor that has what the rules ask for. */
export async function play(
  actions: readonly Action[],
  { limitMs, guest, signal, onPlayed }: PlayOptions,
): Promise<void> {
  if (actions.length === 0) return;
  const key = createSigningKey();
  const programsDir = fillPrograms();
  if (guest !== undefined) copyFileSync(guest.module, join(programsDir, 'rootkit.ko'));
  // of a guest's processes, its kernel's among them, what is told of them at the start
  const found: Buffer[] = [];
  let take = (batch: Buffer): unknown => guest !== undefined && found.push(batch);
  try {
    const interest = interestOf(compileDetectorRules(content, 'hunt'));
    await using sensor = await LabSensor.start((batch) => take(batch), {
      interest,
      dockerRoots: [join(programsDir, 'docker')],
      lookEveryMs: guest === undefined ? 0 : 1000,
    });
    for (const [n, action] of actions.entries()) {
      if (signal?.aborted) return;
      const { rule, image, setup, script } = action;
      const name = `ringfence-lab-${process.pid}-${n}`;
      const { containersDir } = sensor;
      await using sandbox = new Sandbox({ name, image, containersDir, programsDir, inGuest: guest !== undefined });
      // What happens to a guest happens anywhere in it: to its kernel, and in what that starts.
      const isWanted = guest === undefined ? remembered((cgroup) => sandbox.holds(cgroup)) : isNot(guest.cgroup);
      const slice = new Slice({ hostId: hostOf(rule), bootId: hostOf(rule), key, isWanted });
      const batches: Buffer[] = [];
      take = (batch) => {
        const taken = slice.take(batch);
        if (taken !== undefined) batches.push(taken);
      };
      for (const batch of found) take(batch);
      const root = join(programsDir, name);
      await using logs = new LabLogs({ hostId: hostOf(rule), key, root, onRecord: (record) => batches.push(record) });
      const listener = script.includes('remote ') ? '\nlistener 4444' : '';
      const begin = `LOOK=${sensor.lookFile}; . /opt/lab/lib.sh`;
      const { said } = await sandbox.play(`${begin}\n${script}`, limitMs, `${PREPARED}${setup}${listener}`, signal);
      if (signal?.aborted) return;
      await sensor.settle();
      await logs.settle();
      onPlayed(action, { key: key.publicKey, batches }, said);
    }
  } finally {
    // A guest's engine still has mounts in there; they end with it.
    if (guest === undefined) rmSync(programsDir, { recursive: true, force: true });
  }
}

const isNot = (own: bigint) => (cgroup: bigint) => cgroup !== own;

/** What sandboxes have at /opt/lab. */
function fillPrograms(): string {
  const programsDir = mkdtempSync(join(tmpdir(), 'ringfence-programs-'));
  for (const program of PROGRAMS) compileProgram(program, join(programsDir, program));
  copyFileSync('/bin/true', join(programsDir, 'true'));
  copyFileSync(LIBRARY, join(programsDir, 'lib.sh'));
  return programsDir;
}
