import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import { localControlPlane } from '@ringfence/control/local';
import { openCoordination } from '@ringfence/coordination';
import { EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/testkit';
import { redisMissing, startRedis } from '@ringfence/testkit/servers';
import { createSigningKey, decode, encodeSigned, type Result, TOPIC, topicsWith } from '@ringfence/wire';
import { startExecutor } from '../src/dispatch/executor.ts';
import { leaseOf, queueOf } from '../src/dispatch/names.ts';
import { compileResponderOptions, type Responder } from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import { encodeCommand, startTestResponder, TestAgent, tempDir } from './support.ts';

/** A control plane whose agent comes and goes. */
class Comings {
  readonly plane: ControlPlane;
  #here = false;
  #listener: ((hostId: string) => void) | undefined;

  constructor(agent: TestAgent) {
    this.plane = {
      ...localControlPlane(agent),
      attached: (host) => this.#here && host === agent.hostId,
      onAttach: (listener) => {
        this.#listener = listener;
        return { [Symbol.dispose]: () => {} };
      },
    };
  }

  come(): void {
    this.#here = true;
    this.#listener?.(EVIDENCE_HOST);
  }

  go(): void {
    this.#here = false;
  }
}

async function place() {
  const bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const dir = tempDir();
  const key = createSigningKey();
  const agent = new TestAgent(key, dir.path, []);
  const dispose = async (): Promise<void> => {
    await bus.close();
    dir[Symbol.dispose]();
  };
  return { bus, key, agent, comings: new Comings(agent), [Symbol.asyncDispose]: dispose };
}

const order = (bus: Bus, value: Uint8Array): Promise<void> =>
  bus.produce([{ topic: TOPIC.commands, key: EVIDENCE_HOST, value }]);

async function firstResult(bus: Bus): Promise<Result> {
  const results = bus.read({ topic: TOPIC.results, follow: true, signal: AbortSignal.timeout(15_000) });
  for await (const { value } of results) if (value !== null) return decode('Result', value);
  throw new Error('no result came');
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`never: ${what}`);
}

suite('a command', () => {
  test('for a host that is attached nowhere waits, and is carried out when it attaches', async () => {
    await using at = await place();
    const options = { routeAgainMs: 50 };
    const overrides = { control: at.comings.plane, options };
    await using responder: Responder = await startTestResponder({ ...at, control: at.agent, overrides });
    await order(at.bus, encodeCommand(at.key, 'a'));
    await until('it waits', () => responder.stats().unheld === 1);
    at.comings.come();
    assert.equal((await firstResult(at.bus)).outcome, 'refused');
    assert.equal(at.agent.executed().length, 1);
    await until('nothing is open', () => responder.stats().open === 0);
  });

  test('for a host that never attaches ends with one Result: expired, and why', async () => {
    await using at = await place();
    let now = EVIDENCE_WALL_OFFSET;
    const options = { routeAgainMs: 20, answerGraceMs: 1000 };
    const overrides = { control: at.comings.plane, options, now: () => now };
    await using responder: Responder = await startTestResponder({ ...at, control: at.agent, overrides });
    await order(at.bus, encodeCommand(at.key, 'a'));
    await until('it waits', () => responder.stats().unheld === 1);
    now += 30_500_000;
    await sleep(100);
    assert.equal(responder.stats().open, 1, 'its agent may still tell what it did');
    now += 1_000_000;
    const { outcome, reason } = await firstResult(at.bus);
    assert.deepEqual([outcome, reason], ['expired', 'it expired before its agent was attached to any responder']);
    await until('nothing is open', () => responder.stats().open === 0);
    assert.equal((await Array.fromAsync(at.bus.read({ topic: TOPIC.results }))).length, 1);
    assert.equal(at.agent.executed().length, 0);
  });

  test('is not carried out while Redis is away: it expires, and its Result says why', {
    skip: redisMissing() ?? false,
  }, async () => {
    await using at = await place();
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url, deadlineMs: 200 });
    let now = EVIDENCE_WALL_OFFSET;
    const overrides = { coordination, options: { routeAgainMs: 20 }, now: () => now };
    await using responder: Responder = await startTestResponder({ ...at, control: at.agent, overrides });
    await redis.stop('SIGKILL');
    await until('the loss was noticed', () => coordination.stats().up === 0);
    await order(at.bus, encodeCommand(at.key, 'a'));
    await until('it is tried', () => responder.stats().failures.routing > 0);
    now += 41_000_000;
    const { outcome, reason } = await firstResult(at.bus);
    assert.deepEqual([outcome, reason], ['expired', 'it expired while nobody could say where its agent was attached']);
    assert.equal(at.agent.executed().length, 0);
  });

  test('follows its host to another responder', async () => {
    await using at = await place();
    await using coordination = await openCoordination({ path: ':memory:' });
    const overrides = { control: at.comings.plane, coordination, options: { routeAgainMs: 50 } };
    await using responder: Responder = await startTestResponder({ ...at, control: at.agent, overrides });
    at.comings.come();
    await until('it is attached here', async () => (await coordination.holders([leaseOf(EVIDENCE_HOST)]))[0] !== null);
    at.comings.go();
    // Not noticed yet: the command goes into the queue of the one that was left.
    await order(at.bus, encodeCommand(at.key, 'a'));
    await until('it waits for the host', () => responder.stats().waits['not-attached'] > 0);
    await coordination.acquire(leaseOf(EVIDENCE_HOST), 'r2', 60_000, true);
    await using _ = await startExecutor({
      control: localControlPlane(at.agent),
      coordination,
      bus: at.bus,
      key: at.key,
      owner: 'r2',
      options: compileResponderOptions({}),
      metrics: new ResponderMetrics(),
      responders: () => at.key.publicKey,
      now: () => EVIDENCE_WALL_OFFSET,
    });
    await firstResult(at.bus);
    assert.equal(at.agent.executed().length, 1);
    assert.equal((await coordination.counts(queueOf('r2'))).dead, 0);
    assert.equal(responder.stats().routed, 2);
  });

  test('has one Result, the first: an answer that comes again, or lies before the command, makes no second one', async () => {
    await using at = await place();
    const command = encodeCommand(at.key, 'early');
    const { id, hostId } = decode('Command', command);
    const value = encodeSigned(
      'Result',
      { id, hostId, outcome: 'executed', reason: 'early', executable: '', at: 1 },
      at.key,
    );
    const later = encodeSigned(
      'Result',
      { id, hostId, outcome: 'expired', reason: 'late', executable: '', at: 2 },
      at.key,
    );
    await at.bus.produce([{ topic: TOPIC.answers, key: hostId, value }]);
    const overrides = { control: at.comings.plane };
    await using responder: Responder = await startTestResponder({ ...at, control: at.agent, overrides });
    await until('the answer was read', async () => (await at.bus.lag('responder')).get(TOPIC.answers) === 0);
    await order(at.bus, command);
    assert.equal((await firstResult(at.bus)).reason, 'early');
    await at.bus.produce([{ topic: TOPIC.answers, key: hostId, value: later }]);
    await order(at.bus, command);
    await until('the other was read', () => responder.stats().answersAgain === 1);
    assert.equal((await Array.fromAsync(at.bus.read({ topic: TOPIC.results }))).length, 1);
    assert.equal(responder.stats().open, 0);
  });
});
