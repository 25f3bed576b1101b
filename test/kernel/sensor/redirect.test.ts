/** Network sockets that become standard streams. */

import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { wantOf } from '@ringfence/interest';
import { recordOf, recordsOf, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const { EBADF, EINVAL } = constants.errno;
const { REDIRECT_DUP: DUP, REDIRECT_DUP2, REDIRECT_DUP3: DUP3, REDIRECT_FCNTL: FCNTL } = records.RedirectCall;
/** arm64 has no dup2. */
const DUP2 = process.arch === 'arm64' ? DUP3 : REDIRECT_DUP2;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);
const none = new Uint8Array(16);

describe('redirected standard streams on the running kernel', { skip }, () => {
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
  /** Returns call, standard stream and result of each redirect. */
  const redirects = (seen: readonly SensorRecord[]): unknown[][] =>
    recordsOf(seen, 'rf_redirect').map(({ fields }) => [fields['call'], fields['target_descriptor'], fields['result']]);

  for (const [kind, family, type, protocol, localhost] of [
    ['tcp4', 2, 1, 6, localhost4],
    ['tcp6', 10, 1, 6, localhost6],
    ['udp4', 2, 2, 17, localhost4],
  ] as const) {
    test(`a socket that becomes a standard stream (${kind}) is reported with both its addresses, like the connect`, async () => {
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

  test('each call is reported by name, and dup with the lowest free stream', async () => {
    assert.deepEqual(redirects(await run('tcp4', 'dup3', 'dup', 'dup2')), [
      [DUP3, 2, 2],
      [DUP, 0, 0],
      [DUP2, 1, 1],
    ]);
  });

  test('fcntl is reported if its copy becomes a standard stream', async () => {
    const [kept, ...rest] = recordsOf(await run('tcp4', 'fcntl', 'fcntl-cloexec', 'fcntl-high'), 'rf_redirect');
    const { source_descriptor, target_descriptor, call, result } = kept?.fields ?? {};
    assert.ok(Number(source_descriptor) > 2);
    assert.deepEqual([target_descriptor, call, result], [1, FCNTL, 1]);
    assert.deepEqual(redirects(rest), [[FCNTL, 2, 2]]);
  });

  test('other commands of fcntl are not reported, whatever they return', async () => {
    assert.deepEqual(redirects(await run('tcp4', 'fcntl-others')), []);
    assert.deepEqual(redirects(await run('file', 'fcntl', 'fcntl-cloexec')), []);
    assert.deepEqual(redirects(await run('unix', 'fcntl', 'fcntl-cloexec')), []);
  });

  test('a copy of a stream that is a socket already is reported', async () => {
    const [, second] = recordsOf(await run('tcp4', 'on'), 'rf_redirect');
    assert.deepEqual([second?.fields['source_descriptor'], second?.fields['target_descriptor']], [0, 1]);
  });

  test('an accepted connection is distinguished from one that bound a port before connecting', async () => {
    const accepted = await run('accepted', 'dup2');
    const { port, local_port, incoming } = recordOf(accepted, 'rf_redirect').fields;
    const peer = recordOf(accepted, 'rf_accept').fields;
    assert.deepEqual([incoming, port, local_port], [1, peer['port'], peer['local_port']]);
    assert.equal(recordOf(await run('bound', 'dup2'), 'rf_redirect').fields['incoming'], 0);
  });

  test('a socket that is not connected has no addresses', async () => {
    const { port, address, local_address, local_port, incoming } = recordOf(
      await run('loose', 'dup2'),
      'rf_redirect',
    ).fields;
    assert.deepEqual([port, address, local_address, local_port, incoming], [0, none, none, 0, 0]);
  });

  test('files, unix sockets, higher descriptors and a copy onto itself are not reported', async () => {
    assert.deepEqual(redirects(await run('file', 'dup2', 'dup3', 'dup')), []);
    assert.deepEqual(redirects(await run('unix', 'dup2', 'dup3', 'dup')), []);
    assert.deepEqual(redirects(await run('tcp4', 'high')), []);
    assert.deepEqual(redirects(await run('tcp4', 'dup2', 'same')), [[DUP2, 1, 1]]);
  });

  test('a failed call is reported with its stream, if the socket exists', async () => {
    assert.deepEqual(redirects(await run('tcp4', 'flags', 'nothing', 'limit')), [
      [DUP3, 0, -EINVAL],
      [DUP2, 0, -EBADF],
    ]);
  });

  test('equal redirects of a process are merged and counted', async () => {
    const before = sensor.counters(SECURITY).merged;
    assert.deepEqual(redirects(await run('tcp4', 'again')), [[DUP2, 0, 0]]);
    assert.equal(sensor.counters(SECURITY).merged - before, 49n);
  });

  test('a redirect by a task with shared descriptors is marked', async () => {
    assert.equal(recordOf(await run('tcp4', 'thread', 'dup2'), 'rf_redirect').fields['source_caller'], 1);
  });

  test('redirects that are not of interest are not sent, but counted', async () => {
    const { interests } = sensor.filter;
    const before = sensor.counters(SECURITY).unwatched;
    assert.ok(interests.set([], 1));
    assert.deepEqual(redirects(await run('tcp4', 'dup2')), []);
    assert.ok(sensor.counters(SECURITY).unwatched > before);
    assert.ok(interests.set([wantOf('redirect') ?? assert.fail('redirect')], 2));
    assert.deepEqual(redirects(await run('tcp4', 'dup2')), [[DUP2, 1, 1]]);
  });
});
