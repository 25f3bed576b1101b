import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { timeOfLine } from '../../src/collect/worker/log-time.ts';
import { passes } from '../../src/collect/worker/packet-filter.ts';
import { endpoint } from '../../src/collect/worker/sockets.ts';
import { findProcess, Lab, Victim } from './lab.ts';

interface Record {
  readonly time: number;
  readonly protocol: number;
  readonly bytes: Buffer;
}

/** Reads a pcap of LINUX_SLL2, as another program would. */
function readPcap(pcap: Buffer): Record[] {
  assert.equal(pcap.readUInt32LE(0), 0xa1b23c4d);
  assert.equal(pcap.readUInt32LE(20), 276);
  const records: Record[] = [];
  for (let at = 24; at < pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    const body = pcap.subarray(at + 16, at + 16 + length);
    assert.equal(body.length, length, 'the last record is whole');
    const time = pcap.readUInt32LE(at) * 1000 + pcap.readUInt32LE(at + 4) / 1e6;
    records.push({ time, protocol: body.readUInt16BE(0), bytes: body.subarray(20) });
    at += 16 + length;
  }
  return records;
}

describe('the collection of packets', () => {
  it('holds those of an address and port, in the network of a process', async () => {
    using lab = new Lab();
    const script = [
      'import socket, time, fcntl, struct',
      's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
      'fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49))',
      'print("ready", flush=True)',
      'while True:',
      '  s.sendto(b"wanted packet", ("127.0.0.1", 5353)); s.sendto(b"other packet", ("127.0.0.1", 5354))',
      '  time.sleep(0.01)',
    ].join('\n');
    await using victim = await Victim.start('unshare', ['-n', 'python3', '-c', script]);
    const before = Date.now();
    const { outcome, collection } = await lab.collect({
      ...{ what: 'packets', ...victim.named, seconds: '2', addresses: '127.0.0.1,::1', ports: '5353' },
    });
    assert.equal(outcome.outcome, 'executed', outcome.reason);
    const records = readPcap(lab.contentOf(collection.items[0]));
    const wanted = records.filter(({ protocol, bytes }) => protocol === 0x0800 && bytes.includes('wanted packet'));
    assert.equal(wanted.length > 0, true);
    assert.equal(
      records.some(({ bytes }) => bytes.subarray(28).includes('other packet') && bytes[9] === 17),
      false,
    );
    for (const { time } of records) assert.equal(time >= before - 1 && time <= Date.now() + 1, true);
    assert.match(collection.items[0]?.notes[0] ?? '', /packets were kept; 0 were lost/);
  });

  it('ends at its limit of bytes with a whole packet', async () => {
    using lab = new Lab();
    const socket = createSocket('udp4');
    const timer = setInterval(() => socket.send(Buffer.alloc(1000, 'x'), 5355, '127.0.0.1'), 2);
    const { outcome, collection } = await lab.collect({
      what: 'packets',
      seconds: '30',
      bytes: '20000',
      ports: '5355',
    });
    clearInterval(timer);
    socket.close();
    assert.equal(outcome.facts['cut'], 'its limit of bytes');
    const pcap = lab.contentOf(collection.items[0]);
    assert.equal(pcap.length <= 20_000 && readPcap(pcap).length > 10, true, `${pcap.length}`);
  });
});

describe('the filter of packets', () => {
  const none: ReadonlySet<never> = new Set();

  it('finds the ports behind extension headers, and keeps later fragments', () => {
    const ip6 = Buffer.alloc(64);
    ip6[6] = 0; // hop by hop
    ip6[39] = 1;
    ip6[40] = 17;
    ip6.writeUInt16BE(4433, 48);
    assert.equal(passes({ addresses: new Set(['::1']), ports: new Set([4433]) }, 0x86dd, ip6), true);
    assert.equal(passes({ addresses: none, ports: new Set([53]) }, 0x86dd, ip6), false);
    const fragment = Buffer.alloc(40);
    fragment[0] = 0x45;
    fragment.writeUInt16BE(100, 6);
    fragment[9] = 17;
    assert.equal(passes({ addresses: none, ports: new Set([53]) }, 0x0800, fragment), true);
  });

  it('reads nothing behind the end of a packet', () => {
    for (let length = 0; length < 64; length++)
      for (const first of [0x45, 0x4f, 0x60])
        for (const next of [0, 6, 43, 44, 60]) {
          const bytes = Buffer.alloc(length, next);
          if (length > 0) bytes[0] = first;
          for (const protocol of [0x0800, 0x86dd, 0x0806])
            assert.equal(typeof passes({ addresses: none, ports: new Set([1]) }, protocol, bytes), 'boolean');
        }
  });
});

describe('the collection of a log', () => {
  it('holds the lines between two times, with those that continue them', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'app.log');
    const at = (minute: number) => new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString();
    writeFileSync(
      path,
      [`${at(1)} before`, `${at(2)} first`, '  at frame()', `${at(3)} second`, `${at(4)} after`, ''].join('\n'),
    );
    const from = String(Date.UTC(2026, 4, 1, 12, 2) * 1000);
    const to = String(Date.UTC(2026, 4, 1, 12, 3) * 1000);
    const { collection } = await lab.collect({ what: 'log', path, from, to });
    assert.equal(lab.contentOf(collection.items[0]).toString(), `${at(2)} first\n  at frame()\n${at(3)} second\n`);
    appendFileSync(path, 'without an end');
    const { collection: last } = await lab.collect({ what: 'log', path, last: '10' });
    assert.equal(lab.contentOf(last.items[0]).toString(), 'out an end');
  });

  it('says that no line has a time', async () => {
    using lab = new Lab();
    const path = join(lab.directory, 'app.log');
    writeFileSync(path, 'nothing\n'.repeat(5000));
    const { collection } = await lab.collect({ what: 'log', path, from: '1' });
    assert.equal(collection.items[0]?.size, 0);
    assert.match(collection.items[0]?.notes[0] ?? '', /no line has a time/);
  });

  it('reads the usual forms of time', () => {
    const latest = Date.UTC(2026, 11, 3);
    const of = (text: string) => timeOfLine(Buffer.from(text), latest);
    const local = (text: string) => Date.parse(text) * 1000;
    assert.equal(of('2026-05-01T12:00:00.123456Z x'), Date.UTC(2026, 4, 1, 12) * 1000 + 123_456);
    assert.equal(of('2026-05-01 12:00:00,5+02:00 x'), Date.UTC(2026, 4, 1, 10) * 1000 + 500_000);
    assert.equal(of('<38>May  1 12:00:00 host sshd[1]: x'), local('May 1 2026 12:00:00'));
    assert.equal(of('Dec 24 12:00:00 host x'), local('Dec 24 2025 12:00:00'));
    assert.equal(of('type=SYSCALL msg=audit(1777636800.123:55): x'), 1_777_636_800_123_000);
    assert.equal(of('1777636800.5 x'), 1_777_636_800_500_000);
    assert.equal(of('1.2.3.4 - - [01/May/2026:12:00:00 +0200] "GET'), Date.UTC(2026, 4, 1, 10) * 1000);
    assert.equal(of('{"@timestamp":"2026-05-01T12:00:00Z"}'), Date.UTC(2026, 4, 1, 12) * 1000);
    for (const text of ['', 'x', 'Abc 99 99:99:99', '9999-99-99T99:99:99Z']) assert.equal(of(text), null, text);
  });

  it('holds what journalctl exports, or why it exports nothing', async () => {
    using lab = new Lab();
    const { outcome, collection } = await lab.collect({ what: 'log', from: String((Date.now() - 60_000) * 1000) });
    assert.equal(outcome.outcome, 'executed', outcome.reason);
    const text = lab.contentOf(collection.items[0]).toString('latin1');
    assert.equal(text === '' || text.startsWith('__CURSOR='), true, text.slice(0, 100));
  });
});

describe('the ends of a socket', () => {
  it('are read from the words of /proc', () => {
    assert.equal(endpoint('0100007F:1F90'), '127.0.0.1:8080');
    assert.equal(endpoint('00000000000000000000000001000000:0016'), '[::1]:22');
    assert.equal(endpoint('x'), '');
    assert.notEqual(findProcess(process.pid), null);
  });
});
