import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { silentLog } from '@ringfence/base';
import type { Bus, EmbeddedBus } from '@ringfence/bus';
import { openEmbeddedBus } from '@ringfence/bus';
import { renderProblem } from '@ringfence/checked-yaml';
import { createTestAction, createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, type Incident, type OperatorAction, TOPIC, topicsWith } from '@ringfence/wire';
import { type RunnerDeps, SinkRunner } from '../src/delivery/sink-runner.ts';
import { itemOf } from '../src/items/read-item.ts';
import { loadSinks, openSink, type SinkConfig } from '../src/settings/load.ts';
import type { Item, Rejection, SendContext, Tickets } from '../src/sink.ts';

/** Returns the sink of a YAML text. Throws with the problems. */
export function sinkOf(text: string): SinkConfig {
  const { items, problems } = loadSinks([{ name: 'sink.yaml', text }]);
  if (problems.length > 0 || items.length !== 1) throw new Error(problems.map(renderProblem).join('\n'));
  return items[0]!;
}

export function alertItem(sequence: number, overrides: Parameters<typeof createTestAlert>[1] = {}): Item {
  const alert = createTestAlert(sequence, overrides);
  return itemOf('alert', alert, { id: alert.id, group: alert.id, at: alert.timestamp });
}

export function incidentItem(version: number, overrides: Partial<Incident> = {}): Item {
  const incident = { ...createTestIncident([createTestAlert(1), createTestAlert(2)], version), ...overrides };
  return itemOf('incident', incident, {
    id: `${incident.id}/${incident.version}`,
    group: incident.id,
    at: incident.lastSeen,
  });
}

export function operatorItem(sequence: number, overrides: Partial<OperatorAction> = {}): Item {
  const action = createTestAction(sequence, overrides);
  return itemOf('operator', action, { id: `operator/${action.id}`, group: action.target, at: action.at });
}

export function createTickets(): Tickets & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    get: (id) => all.get(id),
    set: (id, reference) => void all.set(id, reference),
    delete: (id) => void all.delete(id),
  };
}

export const createContext = (tickets: Tickets = createTickets()): SendContext => ({
  signal: new AbortController().signal,
  tickets,
});

/** Sends items to a sink once, and closes it. */
export async function sendOnce(
  text: string,
  items: readonly Item[],
  context: SendContext = createContext(),
): Promise<readonly Rejection[]> {
  const sink = openSink(sinkOf(text), silentLog);
  try {
    return await sink.send(items, context);
  } finally {
    await sink.close();
  }
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP server on loopback that keeps what it receives. `answer` decides each response. @default 200 and {} */
export async function startReceiver(
  answer: (
    request: Received,
    count: number,
  ) => { status: number; body?: unknown; headers?: Record<string, string> } = () => ({ status: 200 }),
): Promise<{ readonly url: string; readonly received: Received[] } & AsyncDisposable> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const bytes = Buffer.concat(chunks);
    const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const got = { method, path: url, headers, body: plain.toString('utf8') };
    received.push(got);
    const { status, body = {}, headers: extra = {} } = answer(got, received.length);
    response.writeHead(status, { 'content-type': 'application/json', ...extra });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A bus with all topics, in a temporary folder. */
export async function openTestBus(
  path?: string,
): Promise<{ readonly bus: EmbeddedBus; readonly path: string } & AsyncDisposable> {
  const dir = path === undefined ? mkdtempSync(join(tmpdir(), 'rf-forwarder-')) : null;
  const file = path ?? join(dir!, 'bus.db');
  const bus = await openEmbeddedBus({ path: file });
  await bus.ensureTopics(topicsWith(1));
  return {
    bus,
    path: file,
    async [Symbol.asyncDispose]() {
      await bus.close();
      if (dir !== null) rmSync(dir, { recursive: true });
    },
  };
}

export async function produceAlerts(bus: Bus, from: number, count: number): Promise<string[]> {
  const alerts = Array.from({ length: count }, (_, i) => createTestAlert(from + i));
  await bus.produce(alerts.map((alert) => ({ topic: TOPIC.alerts, key: alert.hostId, value: encode('Alert', alert) })));
  return alerts.map(({ id }) => id);
}

/** Starts a runner, and waits until it has its position: what is produced from then on is sent. */
export async function startRunner(bus: Bus, text: string, overrides: Partial<RunnerDeps> = {}): Promise<SinkRunner> {
  const config = sinkOf(text);
  const sink = openSink(config, silentLog);
  return SinkRunner.start({ bus, config, sink, trusted: null, trail: null, log: silentLog, ...overrides });
}

/** Runs a sink in a process of its own, which kills itself at the nth pass of a failpoint. */
export async function killedRunner(path: string, text: string, failpoint: string, nth: number): Promise<void> {
  const child = fork(fileURLToPath(new URL('crash-child.ts', import.meta.url)), [path, text, failpoint, String(nth)], {
    execArgv: ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'],
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await condition()) return;
    await sleep(20);
  }
  throw new Error(`not within 30 s: ${what}`);
}
