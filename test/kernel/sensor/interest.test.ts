/**
 * The interest decides which kinds, forms, ports and scopes of events leave the kernel. A changed interest applies from
 * the
 * next event on.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { wantOf } from '@ringfence/interest';
import {
  BULK,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  skipOutsideGuest,
  TestSensor,
} from '@ringfence/testkit/sensor';
import type { Want } from '@ringfence/wire';

const HOST = 1;
const CONTAINER = 2;
/** types that are sent whatever the interest is */
const ALWAYS_SENT = new Set(['rf_fork', 'rf_exec', 'rf_exit', 'rf_open', 'rf_credentials_change']);

const want = (text: string, over: Partial<Want> = {}): Want => ({ ...(wantOf(text) ?? assert.fail(text)), ...over });

/** Returns the distinct types of the records, without those that are always sent. */
const kinds = (seen: readonly SensorRecord[]): string[] =>
  [...new Set(seen.map(({ type }) => type))].filter((type) => !ALWAYS_SENT.has(type)).sort();
const ports = (seen: readonly SensorRecord[]): unknown[] =>
  recordsOf(seen, 'rf_connect').map(({ fields }) => fields['port']);

/**
 * In a guest, one record in 20 may carry the generation of the next interest: an emulated processor can pause between
 * evaluating the interest and writing the header.
 */
const LATE = 20;

describe('the interest in the kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let connect: string;
  let flow: string;
  let access: string;
  let version = 0;

  before(async () => {
    scratch = new Scratch();
    [connect, flow, access] = ['connect', 'flow', 'access'].map((name) => scratch.compile(name)) as [
      string,
      string,
      string,
    ];
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const setInterest = (...wants: readonly Want[]): void => assert.ok(sensor.filter.interests.set(wants, ++version));
  const dial = (port: number): Promise<SensorRecord[]> => sensor.run(connect, ['tcp4', '127.0.0.1', String(port)]);
  const filtered = (): bigint => sensor.counters(SECURITY).unwatched + sensor.counters(BULK).unwatched;

  test('everything is sent before an interest is set', async () => {
    const seen = kinds(await sensor.run(flow, ['tcp4', '10', '10']));
    assert.deepEqual(seen, ['rf_accept', 'rf_connect', 'rf_flow', 'rf_socket']);
  });

  test('a kind that is not of interest is not sent, but counted', async () => {
    setInterest();
    const before = filtered();
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), []);
    assert.deepEqual(kinds(await sensor.run(access, ['child', 'attach'])), []);
    // connect, accept, two flows, bind and listen; ptrace
    assert.ok(filtered() - before >= 7n, `${filtered() - before} events were counted`);
    setInterest(want('process_access'));
    assert.deepEqual(kinds(await sensor.run(access, ['child', 'attach'])), ['rf_process_access']);
  });

  const forms: readonly (readonly [text: string, type: string])[] = [
    ['connect.tcp-loopback', 'rf_connect'],
    ['accept.loopback', 'rf_accept'],
    ['flow.loopback', 'rf_flow'],
    ['socket.listen', 'rf_socket'],
    ['connect', 'rf_connect'],
  ];
  for (const [text, type] of forms)
    test(`${text} sends events of this form only`, async () => {
      setInterest(want(text));
      assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), [type]);
      assert.deepEqual(kinds(await sensor.run(flow, ['tcp6', '10', '10'])), [type]);
    });

  test('remote forms do not match loopback', async () => {
    setInterest(
      ...['connect.tcp', 'connect.udp', 'accept.remote', 'flow.remote', 'datagram.remote'].map((text) => want(text)),
    );
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), []);
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp6', '10', '10'])), []);
    const remote = await sensor.run(connect, ['udp4', '192.0.2.1', '9']);
    assert.deepEqual(kinds(remote), ['rf_connect'], 'a connect to an unreachable address is sent');
  });

  test('an interest in ports matches them exactly, for successful and failed calls', async () => {
    setInterest(want('connect', { peerPorts: [2, 2, 1000, 1999] }), want('accept', { localPorts: [1, 1] }));
    assert.deepEqual(
      ports([...(await dial(1)), ...(await dial(2)), ...(await dial(999)), ...(await dial(1999))]),
      [2, 1999],
    );
    setInterest(want('connect', { localPorts: [0, 0] }));
    assert.deepEqual(ports(await dial(3)), [3], 'a refused connection has local port 0');
    setInterest(want('connect', { localPorts: [1, 65_535] }));
    assert.deepEqual(ports(await dial(3)), []);
    const [connected] = recordsOf(await sensor.run(flow, ['tcp4', '10', '10']), 'rf_connect');
    assert.ok((connected?.fields['duration'] as bigint) > 0n, 'the start time was kept until the local port was known');
  });

  test('an interest in a scope matches its cgroups, and cgroups of unknown scope', async () => {
    const [first] = await dial(1);
    const cgroup = first?.header.cgroup ?? assert.fail('no record');
    const scopes = sensor.object.map('rf_scopes');
    const seen: Record<string, boolean> = {};
    for (const scope of ['host', 'container'] as const) {
      setInterest(want('connect', { scope }), want('process_access', { scope }));
      for (const [name, value] of [
        ['unknown', 0],
        ['host', HOST],
        ['container', CONTAINER],
      ] as const) {
        if (value === 0) scopes.delete(cgroup);
        else scopes.set(cgroup, value);
        const types = [...kinds(await dial(1)), ...kinds(await sensor.run(access, ['child', 'attach']))];
        assert.ok(types.length === 0 || types.length === 2, types.join());
        seen[`${name} to ${scope}`] = types.length === 2;
      }
    }
    scopes.delete(cgroup);
    assert.deepEqual(seen, {
      'unknown to host': true,
      'host to host': true,
      'container to host': false,
      'unknown to container': true,
      'host to container': false,
      'container to container': true,
    });
  });

  test('the interest changes without a gap, and each record carries the generation that sent it', async () => {
    const known = sensor.records.length;
    const kept = want('connect', { peerPorts: [2, 2] });
    setInterest(kept);
    const first = version;
    const script = `i=0; while [ $i -lt 200 ]; do "$0" tcp4 127.0.0.1 2; "$0" tcp4 127.0.0.1 3; i=$((i + 1)); done`;
    const child: ChildProcess = spawn('sh', ['-c', script, connect], { stdio: 'ignore' });
    while (child.exitCode === null) {
      setInterest(kept, want('connect', { peerPorts: [3, 3] }));
      await setTimeout(1);
      setInterest(kept);
      await setTimeout(1);
      sensor.drain();
    }
    const seen = recordsOf(sensor.familyOf(child), 'rf_connect').filter(
      (record) => sensor.records.indexOf(record) >= known,
    );
    assert.equal(ports(seen).filter((port) => port === 2).length, 200, 'an event that matches both interests was lost');
    assert.ok(version - first > 2, 'the interest changed while the script ran');
    const asked = seen.filter(({ fields }) => fields['port'] === 3);
    const by = (record: SensorRecord): number => sensor.filter.interests.versionOf(record.header.generation) - first;
    for (const record of seen) assert.ok(by(record) >= 0);
    assert.ok(asked.length > 0, 'no event matched only the second interest');
    const late = asked.filter((record) => by(record) % 2 === 0);
    const tolerated = skipOutsideGuest === false ? asked.length / LATE : 0;
    assert.ok(
      late.length <= tolerated,
      `${late.length} of ${asked.length} records carry the generation of an interest that they do not match`,
    );
  });
});
