import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBus } from '@ringfence/bus';
import { OperatorLog } from '@ringfence/operators';
import { serveApi } from '@ringfence/runtime/api';
import { routesOf } from '@ringfence/runtime/routes';
import { createSyntheticHost } from '@ringfence/synthetic';
import { TOPIC } from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzSession, FuzzTarget } from '../lib/target.ts';

const ROUTES = [
  'token',
  'revoke',
  'events',
  'alerts',
  'incidents',
  'incident',
  'incident/inc-1/set',
  'incident/inc-1/export',
  'incident/inc-1/hold',
  'operators',
  'raw',
  '__proto__',
  '',
];
const PARAMETERS = [
  'limit',
  'from',
  'where',
  'past',
  'subject',
  'role',
  'ttl',
  'state',
  'verdict',
  'by',
  'note',
  'host',
];
const CONDITIONS = [
  'process.name = curl',
  'process.name in (a, b) and not container.id exists',
  'file.path matches "(a+)+$"',
  'event.action = ',
  '((((',
  'not '.repeat(500),
];

function valueBy(random: Random): string {
  switch (random.below(4)) {
    case 0:
      return encodeURIComponent(random.pick(CONDITIONS));
    case 1:
      return String(random.pick([random.integer(), Infinity, Number.NaN, 1e308]));
    case 2:
      return encodeURIComponent(random.text().toWellFormed());
    default:
      return random.text().replaceAll(/[\s\0]/g, '%');
  }
}

/** What a client may claim about its operator. */
function claimsBy(random: Random): string {
  if (random.once(3)) return '';
  const values: readonly unknown[] = [null, random.integer(), random.text(), 'x'.repeat(random.below(8000)), [], {}];
  const names = ['reason', 'command', 'claimedUid', 'claimedUser', 'toString'];
  const claims = random.once(5)
    ? random.pick(values)
    : Object.fromEntries(names.map((name) => [name, random.pick(values)]));
  return `ringfence-operator: ${Buffer.from(JSON.stringify(claims)).toString('base64url').slice(0, 12_000)}\r\n`;
}

function requestBy(random: Random): Buffer {
  const parameters = Array.from({ length: random.below(4) }, () => `${random.pick(PARAMETERS)}=${valueBy(random)}`);
  const path = random.once(5)
    ? random.pick(['//', '/%', '/%ff/', 'http://[', '*', '/events/%2e%2e'])
    : `/${random.pick(ROUTES)}`;
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'BREW']);
  const text = `${method} ${path}?${parameters.join('&')} HTTP/1.1\r\nHost: x\r\n${claimsBy(random)}Connection: close\r\n\r\n`;
  return random.once(4) ? mutate(Buffer.from(text), random) : Buffer.from(text);
}

/** Sends the bytes and returns the status of the first answer. */
async function statusOf(socket: string, request: Buffer): Promise<string> {
  const connection = connect(socket);
  let answer = '';
  connection.on('data', (bytes: Buffer) => {
    if (answer.length < 4096) answer += bytes.toString('latin1');
    // A recording never ends.
    if (/^HTTP\/1\.1 200 /.test(answer)) connection.destroy();
  });
  connection.on('error', () => {});
  const closed = once(connection, 'close');
  connection.end(request);
  await closed;
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'no answer';
}

export const api: FuzzTarget = {
  name: 'api',
  description: 'requests on the unix socket of a running `up`',
  shortRuns: 200,
  outcomes: ['200', '400', '431', '408', 'no answer'],
  memoryMax: 64 << 20,
  async open(): Promise<FuzzSession> {
    const directory = mkdtempSync(join(tmpdir(), 'rf-fuzz-'));
    const socket = join(directory, 'api.sock');
    const stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    const bus = stack.use(await openEmbeddedBus({ path: ':memory:' }));
    const settings = { partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: Infinity };
    await bus.ensureTopics(
      [TOPIC.events, TOPIC.raw, TOPIC.logsRaw, TOPIC.feedback].map((name) => ({ name, ...settings })),
    );
    const host = createSyntheticHost();
    host.tick();
    await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    const app = { deployment: { bus, enrolled: new Map(), serviceKey: null }, services: {}, audit: null };
    const operatorLog = new OperatorLog({ stateDir: directory });
    const routes = routesOf(app as unknown as Parameters<typeof routesOf>[0]);
    stack.use(await serveApi(socket, routes, (action, operator) => operatorLog.append(action, operator)));
    return {
      generate: requestBy,
      run: (input) => statusOf(socket, input),
      async finish() {
        const status = await statusOf(
          socket,
          Buffer.from('GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
        );
        await stack.disposeAsync();
        if (status !== '200') throw new Error(`a valid request is answered with ${status}`);
      },
    };
  },
};
