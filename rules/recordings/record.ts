/**
 * Makes the recordings of attacks anew: plays each action in a sandbox, under the sensor with what the rules ask of it, and stores what happened there.
 *
 *   sudo npm run record                 all of them; ends with 1 when a rule does not match on its own
 *   sudo npm run record -- TEXT…        those of the rules whose name has TEXT in it; the others stay as they are
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDetectorRules, interestOf } from '@ringfence/detector';
import { createSigningKey } from '@ringfence/schema';
import { compileProgram } from '../../test/kernel/sensor/sensor.ts';
import { LabLogs } from '../lab/logs.ts';
import { LIBRARY, remembered, Sandbox } from '../lab/sandbox.ts';
import { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import { content } from '../test/support.ts';
import { type Action, readActions } from './actions.ts';
import { hostOf, load, matchesOf, NOTHING, store } from './library.ts';

const LIMIT_MS = 90_000;
const PROGRAMS = ['access', 'change', 'connect', 'credentials', 'io_uring', 'memory', 'sockets'];
const PREPARED = '. /opt/lab/lib.sh; shell /usr/sbin/httpd\n';
const key = createSigningKey();

const wanted = process.argv.slice(2);
const actions = readActions().filter(({ rule }) => wanted.length === 0 || wanted.some((text) => rule.includes(text)));
const played = await play(actions);
const before = wanted.length === 0 ? NOTHING : await load();
const keys = new Map([...before.keys, ...actions.map(({ rule }) => [hostOf(rule), key.publicKey] as const)]);
const recordings = new Map([...before.recordings, ...[...played].map(([rule, one]) => [hostOf(rule), one] as const)]);
const matched: Record<string, readonly string[]> = { ...before.matched };
for (const [rule, batches] of played) {
  matched[rule] = matchesOf(hostOf(rule), batches, keys);
  if (!matched[rule].includes(rule)) process.exitCode = 1;
  if (!matched[rule].includes(rule))
    process.stdout.write(`does not match: ${rule}; ${matched[rule].join(', ') || 'nothing does'}\n`);
  else if (wanted.length > 0) process.stdout.write(`${rule}: ${matched[rule].join(', ')}\n`);
}
store({ recordings, keys, matched });

async function play(actions: readonly Action[]): Promise<Map<string, Buffer[]>> {
  const programsDir = mkdtempSync(join(tmpdir(), 'ringfence-programs-'));
  for (const program of PROGRAMS) compileProgram(program, join(programsDir, program));
  copyFileSync('/bin/true', join(programsDir, 'true'));
  copyFileSync(LIBRARY, join(programsDir, 'lib.sh'));
  const recorded = new Map<string, Buffer[]>();
  let take = (_: Buffer): void => {};
  try {
    const interest = interestOf(compileDetectorRules(content, 'hunt'));
    await using sensor = await LabSensor.start((batch) => take(batch), interest, [join(programsDir, 'docker')]);
    for (const [n, { rule, image, setup, script }] of actions.entries()) {
      const name = `ringfence-lab-${process.pid}-${n}`;
      await using sandbox = new Sandbox({ name, image, containersDir: sensor.containersDir, programsDir });
      const isWanted = remembered((cgroup) => sandbox.holds(cgroup));
      const slice = new Slice({ hostId: hostOf(rule), bootId: hostOf(rule), key, isWanted });
      const batches: Buffer[] = [];
      take = (batch) => {
        const taken = slice.take(batch);
        if (taken !== undefined) batches.push(taken);
      };
      const root = join(programsDir, name);
      await using logs = new LabLogs({ hostId: hostOf(rule), key, root, onRecord: (record) => batches.push(record) });
      const listener = script.includes('remote ') ? '\nlistener 4444' : '';
      const { said } = await sandbox.play(`. /opt/lab/lib.sh\n${script}`, LIMIT_MS, `${PREPARED}${setup}${listener}`);
      if (wanted.length > 0 && said !== '') process.stderr.write(`${rule}: ${said}\n`);
      await sensor.settle();
      await logs.settle();
      recorded.set(rule, batches);
    }
    return recorded;
  } finally {
    rmSync(programsDir, { recursive: true, force: true });
  }
}
