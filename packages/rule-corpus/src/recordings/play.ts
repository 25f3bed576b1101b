import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { createSigningKey } from '@ringfence/wire';
import { sources } from '../content.ts';
import { LabLogs } from '../lab/logs.ts';
import { LIBRARY, remembered, Sandbox } from '../lab/sandbox.ts';
import { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import type { Action } from './actions.ts';
import { hostOf, type PlayedAction } from './library.ts';

const PROGRAMS = ['access', 'change', 'compat', 'connect', 'credentials', 'fault', 'io_uring', 'memory', 'sockets'];
const SETUP = '. /opt/lab/lib.sh; shells /usr/sbin/httpd\n';
/** Port to which `remote` of lib.sh connects. */
const REMOTE_PORT = 4444;

/** A guest, in which an action may change the whole machine. */
export interface LabGuest {
  /** Path of a kernel module that was built for the guest. */
  readonly module: string;
  /** Cgroup of the recorder, whose events are not recorded. */
  readonly cgroup: bigint;
  /** Path of the sensor's object. */
  readonly sensorObject: string;
}

export interface PlayOptions {
  /** ms for each action. */
  readonly limitMs: number;
  /** Compiles test/kernel/programs/NAME.c to the path `output`. */
  readonly compile: (name: string, output: string) => void;
  /** @default the actions are played in sandboxes of this machine */
  readonly guest?: LabGuest;
  /** Ends the current action, which is not reported, and the rest. */
  readonly signal?: AbortSignal;
  /** Called after each action, with the last part of its standard error. */
  readonly onPlayed: (action: Action, played: PlayedAction, stderr: string) => void;
}

/** Plays actions one after the other, under a sensor with the interest of the built-in rules. */
export async function play(actions: readonly Action[], options: PlayOptions): Promise<void> {
  if (actions.length === 0) return;
  const { limitMs, guest, signal, onPlayed } = options;
  const key = createSigningKey();
  const programsDir = fillPrograms(options);
  // In a guest, every recording begins with the processes that the sensor found at its start.
  const found: Buffer[] = [];
  let take = (batch: Buffer): unknown => guest !== undefined && found.push(batch);
  try {
    await using sensor = await LabSensor.start((batch) => take(batch), {
      interest: interestOf(compileDetectorRules(sources, 'hunt')),
      dockerRoots: [join(programsDir, 'docker')],
      checkEveryMs: guest === undefined ? 0 : 1000,
      object: guest?.sensorObject,
    });
    for (const [n, action] of actions.entries()) {
      if (signal?.aborted) return;
      const { rule, image, setup, script } = action;
      const name = `ringfence-lab-${process.pid}-${n}`;
      const { containersDir } = sensor;
      await using sandbox = new Sandbox({ name, image, containersDir, programsDir, inGuest: guest !== undefined });
      // An action in a guest acts on the whole machine: on its kernel, and on programs that the kernel starts.
      const isWanted =
        guest === undefined
          ? remembered((cgroup) => sandbox.holds(cgroup))
          : (cgroup: bigint): boolean => cgroup !== guest.cgroup;
      const slice = new Slice({ hostId: hostOf(rule), bootId: hostOf(rule), key, isWanted });
      const batches: Buffer[] = [];
      take = (batch) => {
        const taken = slice.take(batch);
        if (taken !== undefined) batches.push(taken);
      };
      for (const batch of found) take(batch);
      const root = join(programsDir, name);
      await using logs = new LabLogs({ hostId: hostOf(rule), key, root, onRecord: (record) => batches.push(record) });
      const listener = script.includes('remote ') ? `\nlistener ${REMOTE_PORT}` : '';
      const begin = `CHECK=${sensor.checkFile}; . /opt/lab/lib.sh`;
      const { stderr } = await sandbox.play(`${begin}\n${script}`, limitMs, `${SETUP}${setup}${listener}`, signal);
      if (signal?.aborted) return;
      await sensor.settle();
      await logs.settle();
      onPlayed(action, { key: key.publicKey, batches }, stderr);
    }
  } finally {
    // A guest's engine still has mounts in there, which end with the guest.
    if (guest === undefined) rmSync(programsDir, { recursive: true, force: true });
  }
}

/** Returns a folder with the programs that scripts find in /opt/lab. */
function fillPrograms({ compile, guest }: PlayOptions): string {
  const programsDir = mkdtempSync(join(tmpdir(), 'ringfence-programs-'));
  for (const program of PROGRAMS) compile(program, join(programsDir, program));
  copyFileSync('/bin/true', join(programsDir, 'true'));
  copyFileSync(LIBRARY, join(programsDir, 'lib.sh'));
  if (guest !== undefined) copyFileSync(guest.module, join(programsDir, 'rootkit.ko'));
  return programsDir;
}
