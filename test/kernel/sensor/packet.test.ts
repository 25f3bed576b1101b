import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parseDns, parseTlsHello } from '@ringfence/fields';
import { wantOf } from '@ringfence/interest';
import { BULK, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records } from '@ringfence/wire';

const { PACKET_DNS: DNS, PACKET_TLS: TLS } = records.PacketContent;
const INET = 2;
const TCP = 6;
const UDP = 17;
const localhost4 = Uint8Array.from([127, 0, 0, 1, ...new Array<number>(12).fill(0)]);
/** the question `example.com A` and the answer 192.0.2.1 */
const QUESTION = 'beef01000001000000000000076578616d706c6503636f6d0000010001';
const ANSWER = 'beef81800001000100000000076578616d706c6503636f6d0000010001c00c000100010000003c0004c0000201';

describe('packets on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let dns: string;
  before(async () => {
    scratch = new Scratch();
    dns = scratch.compile('dns');
    sensor = await TestSensor.start();
  });
  beforeEach(() => sensor.control({}));
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const payload = ({ texts }: SensorRecord): Buffer => texts['payload']?.bytes ?? assert.fail('no payload');

  /**
   * Checks the fields that all DNS packets have in common, and returns direction and process. `server`: the pid of the
   * server.
   */
  function summary(record: SensorRecord, server: number): object {
    const { egress, port, local_port, ...rest } = record.fields;
    assert.equal(record.lane, BULK);
    assert.deepEqual(rest, {
      family: INET,
      protocol: rest['protocol'],
      content: DNS,
      address: localhost4,
      local_address: localhost4,
    });
    return {
      side: record.header.tgid === server ? 'server' : 'client',
      egress,
      peerIs53: port === 53,
      localIs53: local_port === 53,
    };
  }

  for (const [how, protocol, prefix] of [
    ['udp', UDP, ''],
    ['tcp', TCP, '001d'],
    ['split', TCP, ''],
  ] as const) {
    test(`a DNS question and its answer (${how}) are reported when sent and when received, with the process`, async () => {
      const seen = await sensor.run(dns, [how, QUESTION, ANSWER]);
      const packets = recordsOf(seen, 'rf_packet');
      const server = seen.find(({ type }) => type === 'rf_exec')?.header.tgid ?? assert.fail('no exec');
      assert.ok(packets.every(({ fields }) => fields['protocol'] === protocol));
      const kind = (hex: string) => packets.filter((packet) => payload(packet).toString('hex').endsWith(hex));
      assert.equal(kind(QUESTION).length + kind(ANSWER).length, packets.length);
      assert.deepEqual(
        kind(QUESTION).map((packet) => summary(packet, server)),
        [
          { side: 'client', egress: 1, peerIs53: true, localIs53: false },
          // Over TCP the server may not have accepted the connection yet. The socket has no owner then.
          { side: 'server', egress: 0, peerIs53: false, localIs53: true },
        ].slice(0, kind(QUESTION).length),
      );
      assert.deepEqual(
        kind(ANSWER).map((packet) => summary(packet, server)),
        [
          { side: 'server', egress: 1, peerIs53: false, localIs53: true },
          { side: 'client', egress: 0, peerIs53: true, localIs53: false },
        ],
      );
      const [asked] = kind(QUESTION);
      const [answered] = kind(ANSWER);
      assert.ok(asked !== undefined && answered !== undefined);
      assert.equal(payload(asked).toString('hex'), prefix + QUESTION);
      assert.deepEqual(parseDns(payload(answered), protocol === TCP)?.addresses, ['192.0.2.1']);
    });
  }

  test('payload other than DNS on ports other than 53 is not inspected', async () => {
    const seen = await sensor.run(dns, ['junk', QUESTION, ANSWER]);
    assert.deepEqual(recordsOf(seen, 'rf_packet'), []);
    assert.equal(recordsOf(seen, 'rf_datagram').length, 4);
  });

  test('payload other than DNS on port 53 is reported, cut at 512 bytes', async () => {
    const [packet] = recordsOf(await sensor.run(dns, ['udp', 'ff'.repeat(700), ANSWER]), 'rf_packet');
    assert.deepEqual(packet?.texts['payload'], { bytes: Buffer.alloc(512, 0xff), length: 700 });
    assert.equal(parseDns(Buffer.alloc(512, 0xff), false), undefined);
  });

  test('a zone transfer over TCP is reported by its first segment only', async () => {
    const packets = recordsOf(await sensor.run(dns, ['tcp', QUESTION, 'ff'.repeat(3000)]), 'rf_packet');
    assert.ok(packets.length <= 2, `${packets.length}`);
  });

  test('a TLS client hello is reported when sent, with the server name', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = { port, host: '127.0.0.1', servername: 'secret.example', ALPNProtocols: ['h2', 'http/1.1'] };
    const program = `require('tls').connect(${JSON.stringify(options)}).on('error', () => {})`;
    const seen = await sensor.run(process.execPath, ['-e', program]);
    server.close();
    const packets = recordsOf(seen, 'rf_packet');
    assert.equal(packets.length, 1);
    const [packet] = packets;
    assert.ok(packet !== undefined);
    const { local_port: _, ...fields } = packet.fields;
    assert.deepEqual(fields, {
      family: INET,
      protocol: TCP,
      address: localhost4,
      local_address: localhost4,
      port,
      content: TLS,
      egress: 1,
    });
    assert.deepEqual(parseTlsHello(payload(packet)), {
      serverName: 'secret.example',
      protocols: ['h2', 'http/1.1'],
    });
  });

  test('separate interests select client hellos over loopback and over a network', async () => {
    const { interests } = sensor.filter;
    const server = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '::');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const [network] = addresses.filter(({ internal, family }) => !internal && family === 'IPv4');
    const forms = { loopback: 'packet.tls-loopback', network: 'packet.tls' };
    let version = 0;
    for (const [host, form] of [
      ['127.0.0.1', forms.loopback],
      ['::1', forms.loopback],
      ...(network === undefined ? [] : [[network.address, forms.network] as const]),
    ] as const) {
      const program = `require('tls').connect(${JSON.stringify({ port, host })}).on('error', () => {})`;
      for (const asked of Object.values(forms)) {
        interests.set([wantOf(asked) ?? assert.fail(asked)], ++version);
        const packets = recordsOf(await sensor.run(process.execPath, ['-e', program]), 'rf_packet');
        assert.equal(packets.length, asked === form ? 1 : 0, `${host}, ${asked}`);
      }
    }
    server.close();
  });
});
