/**
 * Silent agents on a real broker: a killed or stopped one is reported as an event and an alert; one that stops cleanly,
 * or is cut off together with all others, is not.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { KafkaBus } from '@ringfence/bus-kafka';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { startEnricher } from '@ringfence/enricher';
import type { Faults } from '@ringfence/testkit';
import { kafkaMissing, startKafka } from '@ringfence/testkit/servers';
import { createSigningKey, decode, TOPIC, topicsWith } from '@ringfence/wire';
import { startDetector } from '../src/index.ts';

const CHILD = fileURLToPath(new URL('agent-child.ts', import.meta.url));
const RULES = join(import.meta.dirname, '../../../rules');
const SILENT_AFTER_MS = 3000;
const SILENT = 1;
const HEARD = 2;

/** A process that acts as an agent */
class Agent implements AsyncDisposable {
  readonly hostId: string;
  readonly key = createSigningKey();
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(hostId: string, settings: { readonly brokers: readonly string[]; readonly topicPrefix: string }) {
    this.hostId = hostId;
    const key = this.key.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const args = ['--conditions=@ringfence/source', CHILD, JSON.stringify({ ...settings, hostId, key })];
    this.#process = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    this.#exited = once(this.#process, 'exit');
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async end(name: NodeJS.Signals): Promise<void> {
    this.#process.kill(name);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.end('SIGKILL');
  }
}

/** The silence events on the topic of events */
class Heard {
  readonly ticks = new Map<string, number>();
  /** "host operation" */
  readonly silences: string[] = [];

  async read(bus: KafkaBus): Promise<this> {
    for await (const { key, value } of bus.read({ topic: TOPIC.events })) {
      if (value === null) continue;
      for (const { event } of decode('EventBatch', value).events) {
        if ('ringfence.Tick' in event.body) this.ticks.set(key, (this.ticks.get(key) ?? 0) + 1);
        if ('ringfence.Silence' in event.body)
          this.silences.push(`${key} ${event.body['ringfence.Silence'].operation}`);
      }
    }
    return this;
  }
}

const heardOn = (bus: KafkaBus): Promise<Heard> => new Heard().read(bus);

async function alertsOn(bus: KafkaBus): Promise<string[]> {
  const alerts: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.alerts }))
    if (value !== null) alerts.push(`${decode('Alert', value).hostId}: ${decode('Alert', value).rule}`);
  return alerts.sort();
}

async function until(what: string, holds: () => Promise<boolean>, seconds = 120): Promise<void> {
  for (let left = seconds * 5; left > 0; left--) {
    if (await holds()) return;
    await sleep(200);
  }
  assert.fail(`after ${seconds} s: ${what}`);
}

/** Waits until each agent has ticked for longer than the limit of silence. */
async function ticking(bus: KafkaBus, agents: readonly Agent[]): Promise<void> {
  const { ticks: before } = await heardOn(bus);
  const enough = (SILENT_AFTER_MS / 1000) * 2 + 4;
  await until('every agent ticks', async () => {
    const { ticks } = await heardOn(bus);
    return agents.every(({ hostId }) => (ticks.get(hostId) ?? 0) - (before.get(hostId) ?? 0) >= enough);
  });
}

test('silence on a broker', { skip: kafkaMissing() ?? false }, async (t) => {
  await using cluster = await startKafka({ proxied: true });
  const settings = { brokers: cluster.bootstrap, topicPrefix: 'silence-' };
  await using bus = await openKafkaBus(settings);
  await bus.ensureTopics(topicsWith(2));
  await using stack = new AsyncDisposableStack();
  const agents = ['host-killed', 'host-stopped', 'host-leaves', 'host-stays'].map((hostId) =>
    stack.use(new Agent(hostId, settings)),
  );
  const [killed, stopped, leaves, stays] = agents as [Agent, Agent, Agent, Agent];
  const keyFor = (hostId: string) => agents.find((agent) => agent.hostId === hostId)?.key.publicKey;
  const own = stack.use(await openKafkaBus(settings));
  const enricher = await startEnricher({
    bus: own,
    enrolment: { keyFor },
    options: { silentAfterMs: SILENT_AFTER_MS },
  });
  stack.defer(() => enricher.close());
  const detector = await startDetector({ bus: own, rulePaths: [RULES], watchRules: false });
  stack.defer(() => detector.close());
  await ticking(bus, agents);

  for (const [what, faults] of [
    ['swallows everything', { silent: true }],
    ['is not there', { refuse: true }],
  ] as [string, Faults][])
    await t.test(`no host is silent after a broker that ${what} for longer than the limit`, async () => {
      const proxy = cluster.brokers[0]?.proxy;
      await proxy?.set(faults);
      await sleep(3 * SILENT_AFTER_MS);
      await proxy?.set({});
      await ticking(bus, agents);
      assert.deepEqual((await heardOn(bus)).silences, []);
      assert.deepEqual(await alertsOn(bus), []);
    });

  await t.test('a killed or stopped agent is an event and an alert; one that stops cleanly is not', async () => {
    await killed.end('SIGKILL');
    stopped.signal('SIGSTOP');
    await leaves.end('SIGTERM');
    await until('both are silent', async () => (await heardOn(bus)).silences.length >= 2);
    await ticking(bus, [stays]);
    const { silences } = await heardOn(bus);
    assert.deepEqual(silences.sort(), [`host-killed ${SILENT}`, `host-stopped ${SILENT}`]);
    await until('both are alerts', async () => (await alertsOn(bus)).length >= 2);
    assert.deepEqual(await alertsOn(bus), ['host-killed: Agent fell silent', 'host-stopped: Agent fell silent']);
  });

  await t.test('an agent that continues is reported again, without an alert', async () => {
    stopped.signal('SIGCONT');
    await until('it is heard', async () => (await heardOn(bus)).silences.includes(`host-stopped ${HEARD}`));
    await ticking(bus, [stopped, stays]);
    assert.equal((await heardOn(bus)).silences.length, 3);
    assert.equal((await alertsOn(bus)).length, 2);
  });
});
