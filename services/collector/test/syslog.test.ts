/** Plays root, which changes the sensor's maps: the agent must report it to a syslog server. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, silentLog } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { bootMicros } from '@ringfence/host-kit';
import { BpfMap } from '@ringfence/libbpf-ts';
import { parseSyslogAddress, SyslogSender, syslogMessage } from '@ringfence/syslog';
import {
  bodyOf,
  identity,
  kernelSkip,
  memoryBus,
  readEvents,
  startTestCollector,
  TestPlace,
} from '@ringfence/testkit/agent';
import { compileOptions } from '../src/config.ts';
import { TAMPERING } from '../src/steps/tampering.ts';

const TICK_MS = 100;

/** Opens a map by its id, as root that has no pin, and adds an entry to it. */
const CHANGE = `
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bpf(int command, union bpf_attr attr) { return syscall(SYS_bpf, command, &attr, sizeof(attr)); }
int main(int argc, char **argv) {
  (void)argc;
  static char key[4096] = "forged", value[4096];
  int map = bpf(BPF_MAP_GET_FD_BY_ID, (union bpf_attr){.map_id = atoi(argv[1])});
  return bpf(BPF_MAP_UPDATE_ELEM, (union bpf_attr){.map_fd = map, .key = (__u64)key, .value = (__u64)value});
}`;

/** PRI, version, time, host, program, process, message id, one structured element and text: RFC 5424 */
const MESSAGE =
  /^<81>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) \S+ ringfence \d+ tampering \[ringfence@32473((?: \w+="(?:\\["\\\]]|[^"\\\]])*")+)\] [ -~]+$/;

/** Returns the details of a message. */
function detailsOf(message: string): Record<string, string> {
  const [, , details = ''] = MESSAGE.exec(message) ?? assert.fail(`not a message of RFC 5424: ${message}`);
  return Object.fromEntries([...details.matchAll(/ (\w+)="((?:\\.|[^"])*)"/g)].map(([, name, value]) => [name, value]));
}

/** A server on this machine. */
interface Listener extends AsyncDisposable {
  readonly url: string;
  readonly messages: readonly string[];
  /** When each of them arrived, µs, CLOCK_BOOTTIME */
  readonly arrivals: readonly number[];
}

async function listenUdp(): Promise<Listener> {
  const [messages, arrivals]: [string[], number[]] = [[], []];
  const socket = createSocket('udp4').on('message', (message) => {
    messages.push(message.toString('utf8'));
    arrivals.push(bootMicros());
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const url = `udp://127.0.0.1:${socket.address().port}`;
  return { url, messages, arrivals, [Symbol.asyncDispose]: async () => void socket.close() };
}

async function listenTcp(port = 0): Promise<Listener> {
  const [messages, arrivals]: [string[], number[]] = [[], []];
  const server: Server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (let frame = /^(\d+) /.exec(text); frame !== null; frame = /^(\d+) /.exec(text)) {
        const end = frame[0].length + Number(frame[1]);
        if (text.length < end) return;
        messages.push(text.slice(frame[0].length, end));
        arrivals.push(bootMicros());
        text = text.slice(end);
      }
    });
    socket.on('error', () => {});
    server.once('close', () => socket.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, messages, arrivals, [Symbol.asyncDispose]: async () => void server.close() };
}

async function until(description: string, check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (check()) return;
    await sleep(10);
  }
  assert.fail(`waited for ${description}`);
}

describe('a syslog message', () => {
  it('has the details of the tampering, in which text of an attacker cannot pass for others', () => {
    const executable = '"] [forged@1 a="b\n\u202e\ud800'.padEnd(1000, '\\');
    const details = { operation: 'tampering_map_change', object: 'rf_watched', pid: 7, executable };
    const message = syslogMessage(TAMPERING, { at: 1_750_000_000_000, hostId: 'h', details });
    const found = detailsOf(message);
    assert.deepEqual(
      [found['hostId'], found['operation'], found['object'], found['pid']],
      ['h', 'tampering_map_change', 'rf_watched', '7'],
    );
    assert.ok(found['executable']?.startsWith('\\"\\] [forged@1 a=\\"b\\\\x0a'), found['executable']);
    assert.ok(message.length < 1024, String(message.length));
    assert.equal(MESSAGE.exec(message)?.[1], '2025-06-15T15:06:40.000Z');
  });

  it('has the present time where the entry has none that exists', () => {
    assert.match(syslogMessage(TAMPERING, { at: 1e300, hostId: 'h', details: {} }), /^<81>1 20\d\d-/);
  });

  it('goes to an address of the settings only', () => {
    assert.deepEqual(parseSyslogAddress('tcp://[::1]:601'), { protocol: 'tcp', host: '::1', port: 601 });
    for (const text of [
      'udp://host',
      'udp://host:0',
      'udp://host:65536',
      'http://host:514',
      'udp://a b:514',
      'host:514',
    ])
      assert.equal(parseSyslogAddress(text), null, text);
    const options = { sensorObject: '', stateDir: '/nonexistent', tamperingSyslog: 'host:514' };
    assert.throws(() => compileOptions(options), { code: 'ERR_COLLECTOR_OPTIONS' });
  });
});

describe('a syslog server that does not answer', () => {
  const report = { at: Date.now(), details: { operation: 'test' } };

  it('costs no more than the last 64 reports, which it gets when it answers', async () => {
    let port = 0;
    {
      await using listener = await listenTcp();
      port = Number(listener.url.split(':').at(-1));
    }
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message) };
    using sender = new SyslogSender(
      { protocol: 'tcp', host: '127.0.0.1', port },
      { kind: TAMPERING, hostId: 'h', log },
    );
    for (let number = 0; number < 100; number++) sender.send({ ...report, details: { number } });
    await until('the refused connection', () => sender.stats().failures > 0);
    assert.deepEqual(sender.stats(), { sent: 0, waiting: 64, lost: 36, failures: 1 });
    assert.equal(warnings.length, 1);
    await using listener = await listenTcp(port);
    await until('the reports', () => {
      sender.retry();
      return listener.messages.length === 64;
    });
    assert.deepEqual([detailsOf(listener.messages[0] ?? '')['number'], sender.stats().waiting], ['36', 0]);
  });

  it('is counted where it refuses datagrams, or has no address', async () => {
    for (const host of ['127.0.0.1', 'no-such-host.invalid']) {
      using sender = new SyslogSender(
        { protocol: 'udp', host, port: 9 },
        { kind: TAMPERING, hostId: 'h', log: silentLog },
      );
      await until(`the failure of ${host}`, () => {
        sender.send(report);
        return sender.stats().failures > 0;
      });
    }
  });
});

describe('tampering with the sensor of a running agent', { skip: kernelSkip() }, () => {
  /** Number of ticks of the agent that began in this time. */
  async function ticksSince(bus: Bus, since: number, until = Number.POSITIVE_INFINITY): Promise<number> {
    const events = await readEvents(bus);
    const inTime = events.filter(({ ktime }) => ktime > since && ktime < until);
    return inTime.filter((event) => bodyOf(event, 'Tick') !== undefined).length;
  }

  function change(place: TestPlace, map: string): void {
    const program = join(place.directory, 'change-it');
    execFileSync('cc', ['-x', 'c', '-o', program, '-'], { input: CHANGE });
    using pinned = BpfMap.openPinnedBytes(join(place.pinPath, map));
    execFileSync(program, [String(pinned.info.id)]);
  }

  for (const listen of [listenUdp, listenTcp])
    it(`is reported by the second tick, over ${listen === listenUdp ? 'UDP' : 'TCP'}, with the program that did it`, async () => {
      using place = new TestPlace();
      await using bus = await memoryBus();
      await using listener = await listen();
      await using collector = await startTestCollector(place, bus, { tamperingSyslog: listener.url });
      change(place, 'rf_names');
      const since = bootMicros();
      const found = (): Record<string, string>[] =>
        listener.messages.map(detailsOf).filter(({ object }) => object === 'rf_names');
      await until('the report', () => found().some(({ operation }) => operation === 'tampering_map_change'));
      const first = listener.messages.findIndex((message) => message.includes('operation="tampering_map_change"'));
      await collector.settle();
      assert.ok((await ticksSince(bus, since, listener.arrivals[first])) <= 2, 'it is sent in the tick that finds it');
      const report = found().find(({ operation }) => operation === 'tampering_map_change');
      assert.deepEqual(
        [report?.['executable'], report?.['uid'], report?.['hostId']],
        ['change-it', '0', identity.hostId],
      );
      await until('that it is restored', () =>
        found().some(({ operation }) => operation === 'tampering_state_restored'),
      );
      assert.equal(collector.stats().tamperingReports.lost, 0);
    });

  it('does not hold the agent while the server can’t be reached, and is counted', async () => {
    using place = new TestPlace();
    await using bus = await memoryBus();
    const options = { tickMs: TICK_MS, tamperingSyslog: 'tcp://127.0.0.1:9' };
    await using collector = await startTestCollector(place, bus, options);
    change(place, 'rf_names');
    await until('the report that waits', () => {
      const { waiting, failures } = collector.stats().tamperingReports;
      return waiting > 0 && failures > 0;
    });
    const since = bootMicros();
    const before = await ticksSince(bus, since);
    for (; (await ticksSince(bus, since)) < before + 3; await sleep(10));
  });
});
