import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial } from 'node:net';
import { constants } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { BULK, recordOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const { ECONNREFUSED, ECONNRESET, EINPROGRESS } = constants.errno;
const INET = 2;
const INET6 = 10;
const TCP = 6;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
const localhost6 = new Uint8Array(16).fill(1, 15);

async function until(reached: () => boolean): Promise<void> {
  for (let waited = 0; waited < 500 && !reached(); waited++) await setTimeout(10);
  assert.ok(reached(), 'the condition was not reached in 5 s');
}

describe('flows on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let flow: string;
  before(async () => {
    scratch = new Scratch();
    flow = scratch.compile('flow');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Returns the flow records of the connecting and of the accepting end. */
  function ends(seen: readonly SensorRecord[]): { connected: SensorRecord; accepted: SensorRecord } {
    const flows = recordsOf(seen, 'rf_flow');
    assert.equal(flows.length, 2);
    const [accepted, connected] = flows.toSorted((a, b) => Number(b.fields['incoming']) - Number(a.fields['incoming']));
    assert.ok(accepted !== undefined && connected !== undefined);
    assert.deepEqual([accepted.lane, connected.lane], [BULK, BULK]);
    return { accepted, connected };
  }

  for (const [kind, family, address] of [
    ['tcp4', INET, localhost4],
    ['tcp6', INET6, localhost6],
  ] as const) {
    test(`the end of a connection over ${kind} is reported for both processes, with bytes sent and received`, async () => {
      const seen = await sensor.run(flow, [kind, '100000', '7']);
      const { connected, accepted } = ends(seen);
      const common = { family, protocol: TCP, address, local_address: address, error: 0 };
      const accept = recordOf(seen, 'rf_accept');
      const connect = recordOf(seen, 'rf_connect');
      const port = accept.fields['local_port'];
      const from = accept.fields['port'];
      const { duration: clientDuration, ...client } = connected.fields;
      const { duration: serverDuration, ...server } = accepted.fields;
      assert.deepEqual(client, {
        ...common,
        incoming: 0,
        sent: 100000n,
        received: 7n,
        port,
        local_port: from,
      });
      assert.deepEqual(server, {
        ...common,
        incoming: 1,
        sent: 7n,
        received: 100000n,
        port: from,
        local_port: port,
      });
      for (const duration of [clientDuration, serverDuration] as bigint[])
        assert.ok(duration > 0n && duration < 60_000_000_000n);
      for (const [record, by] of [
        [connected, connect],
        [accepted, accept],
      ] as const) {
        const { tgid, tid, start, cgroup, exec_id } = by.header;
        const { header } = record;
        assert.deepEqual(
          [header.tgid, header.tid, header.start, header.cgroup, header.exec_id],
          [tgid, tid, start, cgroup, exec_id],
        );
      }
      assert.notEqual(connected.header.tgid, accepted.header.tgid);
    });
  }

  test('a reset connection is reported with its error at the end that receives the reset', async () => {
    const { connected, accepted } = ends(await sensor.run(flow, ['tcp4', '10', '10', 'reset']));
    assert.equal(accepted.fields['error'], ECONNRESET);
    assert.deepEqual([accepted.fields['sent'], accepted.fields['received']], [10n, 10n]);
    assert.deepEqual([connected.fields['sent'], connected.fields['received']], [10n, 10n]);
  });

  test('a refused non-blocking connect is reported as a flow with the error', async () => {
    const seen = await sensor.run(flow, ['refused']);
    assert.equal(recordOf(seen, 'rf_connect').fields['result'], -EINPROGRESS);
    const { local_port, local_address: _, ...fields } = recordOf(seen, 'rf_flow').fields;
    assert.deepEqual(fields, {
      family: INET,
      protocol: TCP,
      address: localhost4,
      port: 1,
      incoming: 0,
      error: ECONNREFUSED,
      duration: 0n,
      sent: 0n,
      received: 0n,
    });
    assert.ok(Number(local_port) > 0);
  });

  test('a refused blocking connect is reported by the connect, and not as a flow', async () => {
    const connect = scratch.compile('connect');
    const seen = await sensor.run(connect, ['tcp4', '127.0.0.1', '1']);
    assert.equal(recordOf(seen, 'rf_connect').fields['result'], -ECONNREFUSED);
    assert.deepEqual(recordsOf(seen, 'rf_flow'), []);
  });

  test("the agent's connections are not sent, but counted", async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    sensor.drain();
    const known = sensor.records.length;
    const { self } = sensor.counters(BULK);
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ agent_tgid: process.pid, agent_start });
    const socket = dial((server.address() as AddressInfo).port, '127.0.0.1');
    socket.resume();
    await once(socket, 'close');
    server.close();
    await once(server, 'close');
    // the accept and both ends of the flow
    await until(() => sensor.counters(BULK).self >= self + 3n);
    sensor.drain();
    const agentRecords = sensor.records.slice(known).filter(({ header }) => header.tgid === process.pid);
    assert.deepEqual(recordsOf(agentRecords, 'rf_flow'), []);
  });

  test('a connection older than the sensor has no known process, so its flow is counted and not sent', async () => {
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = (server.address() as AddressInfo).port;
    const socket = dial(port, '127.0.0.1');
    await once(socket, 'connect');
    using late = await TestSensor.start();
    late.control({});
    socket.resume().end();
    await once(socket, 'close');
    server.close();
    await once(server, 'close');
    await until(() => late.counters(BULK).owner > 0n);
    late.drain();
    const found = recordsOf(late.records, 'rf_flow').filter(({ fields }) =>
      [fields['port'], fields['local_port']].includes(port),
    );
    assert.deepEqual(found, []);
  });
});
