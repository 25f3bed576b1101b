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
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import { kafkaMissing, startKafka } from '@ringfence/dev-servers';
import type { Faults } from '@ringfence/dev-servers/in-process';
import { startEnricher } from '@ringfence/enricher';
import { createSigningKey, decode, TOPIC, topicsWith } from '@ringfence/wire';
import { startDetector } from '../src/index.ts';

const CHILD = fileURLToPath(new URL('agent-child.ts', import.meta.url));
const RULES = join(import.meta.dirname, '../../../rules');
const SILENT_AFTER_MS = 3000;
const SILENT = 1;
const REPORTING = 2;

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
class SilenceEvents {
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

const silenceEventsOn = (bus: KafkaBus): Promise<SilenceEvents> => new SilenceEvents().read(bus);

async function alertsOn(bus: KafkaBus): Promise<string[]> {
  const alerts: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.alerts }))
    if (value !== null) alerts.push(`${decode('Alert', value).hostId}: ${decode('Alert', value).rule}`);
  return alerts.sort();
}

async function until(condition: string, holds: () => Promise<boolean>, seconds = 120): Promise<void> {
  for (let left = seconds * 5; left > 0; left--) {
    if (await holds()) return;
    await sleep(200);
  }
  assert.fail(`after ${seconds} s: ${condition}`);
}

/** Waits until each agent has ticked for longer than the limit of silence. */
async function ticking(bus: KafkaBus, agents: readonly Agent[]): Promise<void> {
  const { ticks: before } = await silenceEventsOn(bus);
  const enough = (SILENT_AFTER_MS / 1000) * 2 + 4;
  await until('every agent ticks', async () => {
    const { ticks } = await silenceEventsOn(bus);
    return agents.every(({ hostId }) => (ticks.get(hostId) ?? 0) - (before.get(hostId) ?? 0) >= enough);
  });
}

test('silence on a broker', { skip: kafkaMissing() ?? false }, async (t) => {
  await using cluster = await startKafka({ proxied: true });
  const settings = { brokers: cluster.bootstrap, topicPrefix: 'silence-' };
  await using bus = await openKafkaBus(settings);
  await bus.ensureTopics(topicsWith(2));
  await using stack = new AsyncDisposableStack();
  const agents = ['host-killed', 'host-stopped', 'host-ended', 'host-running'].map((hostId) =>
    stack.use(new Agent(hostId, settings)),
  );
  const [killed, stopped, ended, running] = agents as [Agent, Agent, Agent, Agent];
  const keyFor = (hostId: string) => agents.find((agent) => agent.hostId === hostId)?.key.publicKey;
  const serviceBus = stack.use(await openKafkaBus(settings));
  const enricher = await startEnricher({
    bus: serviceBus,
    enrolment: { keyFor },
    options: { silentAfterMs: SILENT_AFTER_MS },
  });
  stack.defer(() => enricher.close());
  const detector = await startDetector({ bus: serviceBus, rulePaths: [RULES], watchRules: false });
  stack.defer(() => detector.close());
  await ticking(bus, agents);

  for (const [condition, faults] of [
    ['drops all traffic', { silent: true }],
    ['refuses connections', { refuse: true }],
  ] as [string, Faults][])
    await t.test(`no host is silent after a broker that ${condition} for longer than the limit`, async () => {
      const proxy = cluster.brokers[0]?.proxy;
      await proxy?.set(faults);
      await sleep(3 * SILENT_AFTER_MS);
      await proxy?.set({});
      await ticking(bus, agents);
      assert.deepEqual((await silenceEventsOn(bus)).silences, []);
      assert.deepEqual(await alertsOn(bus), []);
    });

  await t.test('a killed or stopped agent is an event and an alert; one that stops cleanly is not', async () => {
    await killed.end('SIGKILL');
    stopped.signal('SIGSTOP');
    await ended.end('SIGTERM');
    await until('both hosts are silent', async () => (await silenceEventsOn(bus)).silences.length >= 2);
    await ticking(bus, [running]);
    const { silences } = await silenceEventsOn(bus);
    assert.deepEqual(silences.sort(), [`host-killed ${SILENT}`, `host-stopped ${SILENT}`]);
    await until('both hosts have an alert', async () => (await alertsOn(bus)).length >= 2);
    assert.deepEqual(await alertsOn(bus), ['host-killed: Agent fell silent', 'host-stopped: Agent fell silent']);
  });

  await t.test('an agent that continues is reported again, without an alert', async () => {
    stopped.signal('SIGCONT');
    await until('the host reports again', async () =>
      (await silenceEventsOn(bus)).silences.includes(`host-stopped ${REPORTING}`),
    );
    await ticking(bus, [stopped, running]);
    assert.equal((await silenceEventsOn(bus)).silences.length, 3);
    assert.equal((await alertsOn(bus)).length, 2);
  });
});
