/** What nobody asks for stays in the kernel, by kind, form, port and scope; what is asked for anew comes from that moment on. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { wantOf } from '@ringfence/interest';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { BULK, recordsOf, Scratch, SECURITY, skip, skipOutsideGuest, TestSensor } from '@ringfence/testkit/sensor';
import type { Want } from '@ringfence/wire';

const HOST = 1;
const CONTAINER = 2;
/** what comes whatever anybody asks for */
const LIVES_ON = new Set(['rf_fork', 'rf_exec', 'rf_exit', 'rf_open', 'rf_credentials_change']);

const want = (text: string, over: Partial<Want> = {}): Want => ({ ...(wantOf(text) ?? assert.fail(text)), ...over });

/** Types of what came, each once, without what always comes. */
const kinds = (seen: readonly SensorRecord[]): string[] =>
  [...new Set(seen.map(({ type }) => type))].filter((type) => !LIVES_ON.has(type)).sort();
const ports = (seen: readonly SensorRecord[]): unknown[] =>
  recordsOf(seen, 'rf_connect').map(({ fields }) => fields['port']);

/** Of so many records of a guest one may name the interest that came next: an emulated processor stands still between the look at it and the header, now and then. */
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

  const ask = (...wants: readonly Want[]): void => assert.ok(sensor.filter.interests.set(wants, ++version));
  const dial = (port: number): Promise<SensorRecord[]> => sensor.run(connect, ['tcp4', '127.0.0.1', String(port)]);
  const filtered = (): bigint => sensor.counters(SECURITY).unwatched + sensor.counters(BULK).unwatched;

  test('before anybody has said anything, everything comes', async () => {
    const seen = kinds(await sensor.run(flow, ['tcp4', '10', '10']));
    assert.deepEqual(seen, ['rf_accept', 'rf_connect', 'rf_flow', 'rf_socket']);
  });

  test('a kind that nobody asks for does not leave the kernel, and is counted', async () => {
    ask();
    const before = filtered();
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), []);
    assert.deepEqual(kinds(await sensor.run(access, ['child', 'attach'])), []);
    // connect, accept, two flows, bind and listen; ptrace
    assert.ok(filtered() - before >= 7n, `${filtered() - before} were counted`);
    ask(want('process_access'));
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
    test(`${text} brings that and nothing else`, async () => {
      ask(want(text));
      assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), [type]);
      assert.deepEqual(kinds(await sensor.run(flow, ['tcp6', '10', '10'])), [type]);
    });

  test('of loopback nothing comes to whoever asks for what is remote', async () => {
    ask(...['connect.tcp', 'connect.udp', 'accept.remote', 'flow.remote', 'datagram.remote'].map((text) => want(text)));
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp4', '10', '10'])), []);
    assert.deepEqual(kinds(await sensor.run(flow, ['tcp6', '10', '10'])), []);
    const remote = await sensor.run(connect, ['udp4', '192.0.2.1', '9']);
    assert.deepEqual(kinds(remote), ['rf_connect'], 'also of an address that nobody answers at');
  });

  test('of ports only those that are asked for come, whether the call works or fails', async () => {
    ask(want('connect', { peerPorts: [2, 2, 1000, 1999] }), want('accept', { localPorts: [1, 1] }));
    assert.deepEqual(
      ports([...(await dial(1)), ...(await dial(2)), ...(await dial(999)), ...(await dial(1999))]),
      [2, 1999],
    );
    ask(want('connect', { localPorts: [0, 0] }));
    assert.deepEqual(ports(await dial(3)), [3], 'the own port of a connection that was refused is none');
    ask(want('connect', { localPorts: [1, 65_535] }));
    assert.deepEqual(ports(await dial(3)), []);
    const [connected] = recordsOf(await sensor.run(flow, ['tcp4', '10', '10']), 'rf_connect');
    assert.ok((connected?.fields['duration'] as bigint) > 0n, 'when it began was kept before the own port was known');
  });

  test('of hosts and containers those that are asked for come; of a cgroup that nobody has judged, both', async () => {
    const [own] = await dial(1);
    const cgroup = own?.header.cgroup ?? assert.fail('no record');
    const scopes = sensor.object.map('rf_scopes');
    const seen: Record<string, boolean> = {};
    for (const scope of ['host', 'container'] as const) {
      ask(want('connect', { scope }), want('process_access', { scope }));
      for (const [name, value] of [
        ['unknown', 0],
        ['host', HOST],
        ['container', CONTAINER],
      ] as const) {
        if (value === 0) scopes.delete(cgroup);
        else scopes.set(cgroup, value);
        const both = [...kinds(await dial(1)), ...kinds(await sensor.run(access, ['child', 'attach']))];
        assert.ok(both.length === 0 || both.length === 2, both.join());
        seen[`${name} to ${scope}`] = both.length === 2;
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

  test('it changes without a gap, and each record says which one it came by', async () => {
    const known = sensor.records.length;
    const kept = want('connect', { peerPorts: [2, 2] });
    ask(kept);
    const first = version;
    const script = `i=0; while [ $i -lt 200 ]; do "$0" tcp4 127.0.0.1 2; "$0" tcp4 127.0.0.1 3; i=$((i + 1)); done`;
    const child: ChildProcess = spawn('sh', ['-c', script, connect], { stdio: 'ignore' });
    while (child.exitCode === null) {
      ask(kept, want('connect', { peerPorts: [3, 3] }));
      await setTimeout(1);
      ask(kept);
      await setTimeout(1);
      sensor.drain();
    }
    const seen = recordsOf(sensor.familyOf(child), 'rf_connect').filter(
      (record) => sensor.records.indexOf(record) >= known,
    );
    assert.equal(ports(seen).filter((port) => port === 2).length, 200, 'what both ask for came each time');
    assert.ok(version - first > 2, 'it did change');
    const asked = seen.filter(({ fields }) => fields['port'] === 3);
    const by = (record: SensorRecord): number => sensor.filter.interests.versionOf(record.header.generation) - first;
    for (const record of seen) assert.ok(by(record) >= 0);
    assert.ok(asked.length > 0, 'what one asks for came while it did');
    const late = asked.filter((record) => by(record) % 2 === 0);
    const bearable = skipOutsideGuest === false ? asked.length / LATE : 0;
    assert.ok(late.length <= bearable, `of ${asked.length} that one asks for ${late.length} came by another`);
  });
});
