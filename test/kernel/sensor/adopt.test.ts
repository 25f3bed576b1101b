import assert from 'node:assert/strict';
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordsOf, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const portOf = (socket: Server | Datagrams): number => (socket.address() as AddressInfo).port;

/** This process opens the sockets before it starts the sensor. */
describe('sockets that existed before the sensor started', { skip }, () => {
  const pid = process.pid;
  let sensor: TestSensor;
  let server: Server;
  let client: Socket;
  let accepted: Socket;
  let bound: Datagrams;
  before(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = connect(portOf(server), '127.0.0.1');
    [accepted] = (await once(server, 'connection')) as [Socket];
    bound = createSocket('udp4').bind(0, '127.0.0.1');
    await once(bound, 'listening');
    sensor = await TestSensor.start();
    sensor.control({});
    sensor.adopt();
  });
  after(() => {
    for (const socket of [client, accepted]) socket?.destroy();
    server?.close();
    sensor?.[Symbol.dispose]();
  });

  async function waitFor(type: string, count: number): Promise<SensorRecord[]> {
    for (let looks = 0; looks < 1000; looks++) {
      sensor.drain();
      const found = recordsOf(sensor.records, type).filter(({ header }) => header.tgid === pid);
      if (found.length >= count) return found;
      await sleep(10);
    }
    throw new Error(`fewer than ${count} records of type ${type} arrived`);
  }

  test('the end of a connection is reported for both processes, with its direction', async () => {
    const [from, to] = [client.localPort, portOf(server)];
    client.end('12345');
    await once(accepted.resume(), 'end');
    accepted.end();
    const flows = (await waitFor('rf_flow', 2)).map(({ fields }) => fields);
    const ends = flows.map(({ incoming, port, local_port, sent, received }) => ({
      incoming,
      port,
      local_port,
      sent,
      received,
    }));
    assert.deepEqual(
      ends.toSorted((a, b) => Number(a.incoming) - Number(b.incoming)),
      [
        { incoming: 0, port: to, local_port: from, sent: 5n, received: 0n },
        { incoming: 1, port: from, local_port: to, sent: 0n, received: 5n },
      ],
    );
  });

  test('datagrams to a bound socket are attributed to its process', async () => {
    const port = portOf(bound);
    const sender = createSocket('udp4');
    sender.send('hello', port, '127.0.0.1');
    await once(bound, 'message');
    sender.close();
    bound.close();
    const datagrams = await waitFor('rf_datagram', 2);
    const received = datagrams.find(({ fields }) => fields['incoming'] === 1);
    assert.equal(received?.fields['local_port'], port);
  });
});
