import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BULK, recordOf, recordsOf, Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';
import { IPPROTO, records, SOCK } from '@ringfence/wire';

const { AF_INET, AF_INET6 } = records.AddressFamily;
const { EINVAL, EMFILE } = constants.errno;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);

describe('accepts on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let accept: string;
  before(async () => {
    scratch = new Scratch();
    accept = scratch.compile('accept');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  for (const [family, call, localhost] of [
    ['tcp4', 'accept', localhost4],
    ['tcp4', 'accept4', localhost4],
    ['tcp6', 'accept4', localhost6],
  ] as const) {
    test(`${call} over ${family} and the matching connect report the same two addresses`, async () => {
      const seen = await sensor.run(accept, [family, call]);
      const accepted = recordOf(seen, 'rf_accept');
      const connected = recordOf(seen, 'rf_connect').fields;
      assert.equal(accepted.lane, BULK);
      const { address, port, local_address, local_port, result, ...rest } = accepted.fields;
      assert.deepEqual(rest, {
        family: family === 'tcp4' ? AF_INET : AF_INET6,
        type: SOCK.STREAM,
        protocol: IPPROTO.TCP,
      });
      assert.deepEqual([address, local_address], [localhost, localhost]);
      assert.ok(Number(port) > 0 && Number(local_port) > 0 && Number(result) > 2);
      assert.deepEqual(
        [connected['address'], connected['port'], connected['local_address'], connected['local_port']],
        [local_address, local_port, address, port],
      );
    });
  }

  test('the accept of a unix socket is not reported, since it cannot come from another host', async () => {
    const seen = await sensor.run(accept, ['unix', 'accept', join(scratch.path, 'socket')]);
    assert.equal(recordsOf(seen, 'rf_connect').length, 1);
    assert.deepEqual(recordsOf(seen, 'rf_accept'), []);
  });

  for (const [call, mode, result] of [
    ['accept', 'deaf', -EINVAL],
    ['accept4', 'full', -EMFILE],
  ] as const) {
    test(`${call} that fails (${mode}) reports the listening address and no peer`, async () => {
      const { local_port, ...rest } = recordOf(await sensor.run(accept, ['tcp4', call, mode]), 'rf_accept').fields;
      const common = {
        family: AF_INET,
        type: SOCK.STREAM,
        protocol: IPPROTO.TCP,
        port: 0,
        address: new Uint8Array(16),
      };
      assert.deepEqual(rest, { ...common, local_address: localhost4, result });
      assert.ok(Number(local_port) > 0);
    });
  }

  test('an accept without a pending connection is not reported', async () => {
    assert.deepEqual(recordsOf(await sensor.run(accept, ['tcp4', 'accept', 'nobody']), 'rf_accept'), []);
  });

  test('the test program works: it prints two ports', () => {
    assert.match(execFileSync(accept, ['tcp4', 'accept'], { encoding: 'utf8' }), /^\d+ \d+\n$/);
  });
});
