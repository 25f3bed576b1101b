import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  cgroup2,
  lastOf,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { UNSET_ID } from '@ringfence/wire';

const { EPERM, ESRCH } = constants.errno;
const { SIGUSR1, SIGTERM } = constants.signals;
const SI_USER = 0;
const SI_QUEUE = -1;
const SI_TIMER = -2;
const SI_TKILL = -6;
/** result of the tracepoint when the receiver ignores the signal */
const IGNORED = 1;
const nobody = 65534;

/** si_code for each system call */
const CALLS = [
  ['kill', SI_USER],
  ['tkill', SI_TKILL],
  ['tgkill', SI_TKILL],
  ['sigqueue', SI_QUEUE],
  ['tgsigqueue', SI_QUEUE],
  ['pidfd', SI_USER],
] as const;

describe('signals on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('signal');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  interface Sent {
    readonly signals: SensorRecord[];
    /** the receiver of the signals */
    readonly target: { readonly target_tgid: number; readonly target_start: bigint };
    readonly sender: number;
  }

  async function send(receiver: string, how: string, signal: number, count = 1): Promise<Sent> {
    const records = await sensor.run(program, [receiver, how, String(signal), String(count)]);
    const [sender, child] = recordsOf(records, 'rf_fork');
    assert.ok(sender);
    const signals = recordsOf(records, 'rf_signal').filter(({ fields }) => fields['signal'] === signal);
    const { tgid, start } = (child ?? sender).header;
    return { signals, target: { target_tgid: tgid, target_start: start }, sender: sender.header.tgid };
  }

  test('a signal to a process of another user is reported, for every system call', async () => {
    for (const [how, code] of CALLS) {
      const { signals, target, sender } = await send('other', how, SIGUSR1);
      const record = recordOf(signals, 'rf_signal');
      assert.equal(record.lane, SECURITY);
      assert.equal(record.header.tgid, sender);
      const expected = { ...target, target_uid: nobody, signal: SIGUSR1, code, result: IGNORED, count: 1 };
      assert.deepEqual(record.fields, expected, how);
    }
  });

  test('a forged timer signal is recognized by its system call', async () => {
    const { signals } = await send('other', 'forged', SIGUSR1);
    assert.equal(recordOf(signals, 'rf_signal').fields['code'], SI_TIMER);
  });

  test('a signal to a process with the same credentials, cgroup and namespaces is not reported', async () => {
    assert.deepEqual((await send('same', 'kill', SIGTERM)).signals, []);
  });

  test('a signal into another pid namespace is reported', async () => {
    const { signals, target } = await send('namespace', 'kill', SIGUSR1);
    const { target_tgid, target_uid } = recordOf(signals, 'rf_signal').fields;
    assert.deepEqual({ target_tgid, target_uid }, { target_tgid: target.target_tgid, target_uid: 0 });
  });

  test('a signal into another cgroup is reported', async () => {
    const group = join(cgroup2() ?? '', `rf-signal-${process.pid}`);
    mkdirSync(group);
    try {
      const script = `sleep 100 & echo $! > ${group}/cgroup.procs; kill -TERM $!; wait`;
      const records = await sensor.run('/bin/sh', ['-c', script]);
      const { target_tgid, signal } = recordOf(records, 'rf_signal').fields;
      assert.deepEqual([target_tgid, signal], [lastOf(records, 'rf_fork', 2).header.tgid, SIGTERM]);
    } finally {
      rmdirSync(group);
    }
  });

  test('a refused signal is reported with its error, for every system call', async () => {
    for (const [how, code] of CALLS) {
      const { signals, target } = await send('refused', how, SIGUSR1);
      const expected = { ...target, target_uid: 0, signal: SIGUSR1, code, result: -EPERM, count: 1 };
      assert.deepEqual(recordOf(signals, 'rf_signal').fields, expected, how);
    }
  });

  test('a signal without a receiver is reported without a target', async () => {
    const nothing = {
      target_tgid: 0,
      target_start: 0n,
      target_uid: UNSET_ID,
      signal: SIGUSR1,
      result: -ESRCH,
      count: 1,
    };
    for (const [how, code] of CALLS) {
      const { signals } = await send('missing', how, SIGUSR1);
      const { target_tgid: _, target_start: __, ...fields } = recordOf(signals, 'rf_signal').fields;
      const { target_tgid: ___, target_start: ____, ...expected } = nothing;
      assert.deepEqual(fields, { ...expected, code }, how);
      assert.equal(recordOf(signals, 'rf_signal').fields['target_tgid'], 0);
    }
    const { signals } = await send('group', 'kill', SIGUSR1);
    assert.deepEqual(recordOf(signals, 'rf_signal').fields, { ...nothing, code: SI_USER });
  });

  test('signal 0 is reported only if it is refused', async () => {
    const before = sensor.counters(SECURITY).unwatched;
    assert.deepEqual((await send('missing', 'kill', 0)).signals, []);
    assert.ok(sensor.counters(SECURITY).unwatched > before);
    assert.equal((await send('refused', 'kill', 0)).signals.length, 1);
  });

  test('equal signals in a row are merged, and counted', async () => {
    const before = sensor.counters(SECURITY).merged;
    const { signals } = await send('other', 'kill', SIGUSR1, 5000);
    const sent = signals.reduce((sum, { fields }) => sum + Number(fields['count']), 0);
    const merged = Number(sensor.counters(SECURITY).merged - before);
    assert.ok(signals.length >= 1 && signals.length < 50, `${signals.length} records`);
    assert.ok(signals.length + merged >= 5000 && sent <= 5000, `${sent} of 5000, ${merged} merged`);
  });

  test('a signal that would terminate or stop the agent is reported for every sender', async () => {
    const agent = spawn('/bin/sleep', ['100'], { stdio: 'ignore' });
    try {
      const agent_tgid = agent.pid ?? 0;
      const agent_start = sensor.snapshot(agent_tgid)[0]?.header.start ?? assert.fail('not found');
      const stop = 19;
      assert.deepEqual((await send(`pid:${agent_tgid}`, 'kill', stop)).signals, []);
      sensor.control({ agent_tgid, agent_start });
      assert.deepEqual((await send(`pid:${agent_tgid}`, 'kill', 18)).signals, []);
      const { signals } = await send(`pid:${agent_tgid}`, 'kill', stop);
      const { target_tgid, target_start } = recordOf(signals, 'rf_signal').fields;
      assert.deepEqual({ target_tgid, target_start }, { target_tgid: agent_tgid, target_start: agent_start });
    } finally {
      agent.kill('SIGKILL');
      await once(agent, 'exit');
    }
  });
});
