/** Standard streams that become network sockets. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { wantOf } from '@ringfence/interest';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { recordOf, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const { REDIRECT_DUP: DUP, REDIRECT_DUP2, REDIRECT_DUP3: DUP3, REDIRECT_FCNTL: FCNTL } = records.RedirectCall;
/** arm64 has no dup2. */
const DUP2 = process.arch === 'arm64' ? DUP3 : REDIRECT_DUP2;
const EBADF = -9;
const EINVAL = -22;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);
const none = new Uint8Array(16);

describe('standard streams on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let redirect: string;
  before(async () => {
    scratch = new Scratch();
    redirect = scratch.compile('redirect');
    sensor = await TestSensor.start();
    sensor.control({});
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const run = async (...args: string[]): Promise<SensorRecord[]> => await sensor.run(redirect, args);
  /** Which call made which stream a copy, and what came of it. */
  const told = (seen: readonly SensorRecord[]): unknown[][] =>
    recordsOf(seen, 'rf_redirect').map(({ fields }) => [fields['call'], fields['target_descriptor'], fields['result']]);

  for (const [kind, family, type, protocol, localhost] of [
    ['tcp4', 2, 1, 6, localhost4],
    ['tcp6', 10, 1, 6, localhost6],
    ['udp4', 2, 2, 17, localhost4],
  ] as const) {
    test(`a stream that becomes a socket (${kind}) is told with both ends of it, as the connect that made it`, async () => {
      const seen = await run(kind, 'dup2');
      const { source_descriptor, ...fields } = recordOf(seen, 'rf_redirect').fields;
      const connected = recordOf(seen, 'rf_connect').fields;
      assert.ok(Number(source_descriptor) > 2);
      assert.deepEqual(fields, {
        ...{ family, type, protocol, address: localhost, local_address: localhost },
        ...{ port: connected['port'], local_port: connected['local_port'] },
        ...{ incoming: 0, source_caller: 0, target_descriptor: 1, call: DUP2, result: 1, count: 1 },
      });
      assert.equal(recordOf(seen, 'rf_redirect').lane, SECURITY);
    });
  }

  test('each call is told by its name; a dup by the stream that was free', async () => {
    assert.deepEqual(told(await run('tcp4', 'dup3', 'dup', 'dup2')), [
      [DUP3, 2, 2],
      [DUP, 0, 0],
      [DUP2, 1, 1],
    ]);
  });

  test('fcntl copies, too, to the first descriptor that is free from some number on', async () => {
    const [kept, ...others] = recordsOf(await run('tcp4', 'fcntl', 'fcntl-cloexec', 'fcntl-high'), 'rf_redirect');
    const { source_descriptor, target_descriptor, call, result } = kept?.fields ?? {};
    assert.ok(Number(source_descriptor) > 2);
    assert.deepEqual([target_descriptor, call, result], [1, FCNTL, 1]);
    assert.deepEqual(told(others), [[FCNTL, 2, 2]]);
  });

  test('what else fcntl does is none of these, whatever it returns', async () => {
    assert.deepEqual(told(await run('tcp4', 'fcntl-others')), []);
    assert.deepEqual(told(await run('file', 'fcntl', 'fcntl-cloexec')), []);
    assert.deepEqual(told(await run('unix', 'fcntl', 'fcntl-cloexec')), []);
  });

  test('a stream is copied from one that is the socket already', async () => {
    const [, second] = recordsOf(await run('tcp4', 'on'), 'rf_redirect');
    assert.deepEqual([second?.fields['source_descriptor'], second?.fields['target_descriptor']], [0, 1]);
  });

  test('who has accepted the connection, or chose the port before connecting, is told from who just connected', async () => {
    const accepted = await run('accepted', 'dup2');
    const { port, local_port, incoming } = recordOf(accepted, 'rf_redirect').fields;
    const peer = recordOf(accepted, 'rf_accept').fields;
    assert.deepEqual([incoming, port, local_port], [1, peer['port'], peer['local_port']]);
    assert.equal(recordOf(await run('bound', 'dup2'), 'rf_redirect').fields['incoming'], 0);
  });

  test('a socket that is not connected has no ends', async () => {
    const { port, address, local_address, local_port, incoming } = recordOf(
      await run('loose', 'dup2'),
      'rf_redirect',
    ).fields;
    assert.deepEqual([port, address, local_address, local_port, incoming], [0, none, none, 0, 0]);
  });

  test('files, unix sockets, other descriptors, and a stream copied to itself are none of these', async () => {
    assert.deepEqual(told(await run('file', 'dup2', 'dup3', 'dup')), []);
    assert.deepEqual(told(await run('unix', 'dup2', 'dup3', 'dup')), []);
    assert.deepEqual(told(await run('tcp4', 'high')), []);
    assert.deepEqual(told(await run('tcp4', 'dup2', 'same')), [[DUP2, 1, 1]]);
  });

  test('a call that fails is told with the stream that was meant, where its socket was there', async () => {
    assert.deepEqual(told(await run('tcp4', 'flags', 'nothing', 'limit')), [
      [DUP3, 0, EINVAL],
      [DUP2, 0, EBADF],
    ]);
  });

  test('equal ones of a process are merged, and the account knows how many', async () => {
    const before = sensor.counters(SECURITY).merged;
    assert.deepEqual(told(await run('tcp4', 'again')), [[DUP2, 0, 0]]);
    assert.equal(sensor.counters(SECURITY).merged - before, 49n);
  });

  test('of a task that shares its descriptors it is marked', async () => {
    assert.equal(recordOf(await run('tcp4', 'thread', 'dup2'), 'rf_redirect').fields['source_caller'], 1);
  });

  test('nobody who does not ask for them gets any, and they are counted', async () => {
    const { interests } = sensor.filter;
    const before = sensor.counters(SECURITY).unwatched;
    assert.ok(interests.set([], 1));
    assert.deepEqual(told(await run('tcp4', 'dup2')), []);
    assert.ok(sensor.counters(SECURITY).unwatched > before);
    assert.ok(interests.set([wantOf('redirect') ?? assert.fail('redirect')], 2));
    assert.deepEqual(told(await run('tcp4', 'dup2')), [[DUP2, 1, 1]]);
  });
});
