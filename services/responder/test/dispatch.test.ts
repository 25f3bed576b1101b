import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import { localControlPlane } from '@ringfence/control/local';
import { openCoordination } from '@ringfence/coordination';
import { redisMissing, startRedis } from '@ringfence/dev-servers';
import { EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/synthetic';
import { createSigningKey, decode, encodeSigned, type Result, TOPIC, topicsWith } from '@ringfence/wire';
import { leaseOf, queueOf } from '../src/dispatch/common.ts';
import { startExecutor } from '../src/dispatch/executor.ts';
import { compileResponderOptions, type Responder } from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import { encodeCommand, startTestResponder, TestAgent, tempDir } from './support.ts';

/** A control plane whose agent attaches and detaches. */
class MovingAgent {
  readonly plane: ControlPlane;
  #isAttached = false;
  #listener: ((hostId: string) => void) | undefined;

  constructor(agent: TestAgent) {
    this.plane = {
      ...localControlPlane(agent),
      attached: (host) => this.#isAttached && host === agent.hostId,
      onAttach: (listener) => {
        this.#listener = listener;
        return { [Symbol.dispose]: () => {} };
      },
    };
  }

  attach(): void {
    this.#isAttached = true;
    this.#listener?.(EVIDENCE_HOST);
  }

  detach(): void {
    this.#isAttached = false;
  }
}

async function createScene() {
  const bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const dir = tempDir();
  const key = createSigningKey();
  const agent = new TestAgent(key, dir.path, []);
  const dispose = async (): Promise<void> => {
    await bus.close();
    dir[Symbol.dispose]();
  };
  return { bus, key, agent, moving: new MovingAgent(agent), [Symbol.asyncDispose]: dispose };
}

const order = (bus: Bus, value: Uint8Array): Promise<void> =>
  bus.produce([{ topic: TOPIC.commands, key: EVIDENCE_HOST, value }]);

async function firstResult(bus: Bus): Promise<Result> {
  const results = bus.read({ topic: TOPIC.results, follow: true, signal: AbortSignal.timeout(15_000) });
  for await (const { value } of results) if (value !== null) return decode('Result', value);
  throw new Error('no result came');
}

async function until(condition: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`not within 15 s: ${condition}`);
}

suite('a command', () => {
  test('for a host that is not attached waits, and is carried out when the host attaches', async () => {
    await using scene = await createScene();
    const options = { routeAgainMs: 50 };
    const overrides = { control: scene.moving.plane, options };
    await using responder: Responder = await startTestResponder({ ...scene, control: scene.agent, overrides });
    await order(scene.bus, encodeCommand(scene.key, 'a'));
    await until('the command waits', () => responder.stats().unheld === 1);
    scene.moving.attach();
    assert.equal((await firstResult(scene.bus)).outcome, 'refused');
    assert.equal(scene.agent.executed().length, 1);
    await until('no command is open', () => responder.stats().open === 0);
  });

  test('for a host that never attaches ends with one Result: expired, with the reason', async () => {
    await using scene = await createScene();
    let now = EVIDENCE_WALL_OFFSET;
    const options = { routeAgainMs: 20, answerGraceMs: 1000 };
    const overrides = { control: scene.moving.plane, options, now: () => now };
    await using responder: Responder = await startTestResponder({ ...scene, control: scene.agent, overrides });
    await order(scene.bus, encodeCommand(scene.key, 'a'));
    await until('the command waits', () => responder.stats().unheld === 1);
    now += 30_500_000;
    await sleep(100);
    assert.equal(responder.stats().open, 1, 'the agent may still report what it did');
    now += 1_000_000;
    const { outcome, reason } = await firstResult(scene.bus);
    assert.deepEqual([outcome, reason], ['expired', 'it expired before its agent was attached to any responder']);
    await until('no command is open', () => responder.stats().open === 0);
    assert.equal((await Array.fromAsync(scene.bus.read({ topic: TOPIC.results }))).length, 1);
    assert.equal(scene.agent.executed().length, 0);
  });

  test('is not carried out while Redis is away: it expires, and its Result has the reason', {
    skip: redisMissing() ?? false,
  }, async () => {
    await using scene = await createScene();
    await using redis = await startRedis();
    await using coordination = await openCoordination({ url: redis.url, deadlineMs: 200 });
    let now = EVIDENCE_WALL_OFFSET;
    const overrides = { coordination, options: { routeAgainMs: 20 }, now: () => now };
    await using responder: Responder = await startTestResponder({ ...scene, control: scene.agent, overrides });
    await redis.stop('SIGKILL');
    await until('the loss was noticed', () => coordination.stats().up === 0);
    await order(scene.bus, encodeCommand(scene.key, 'a'));
    await until('routing was tried', () => responder.stats().failures.routing > 0);
    now += 41_000_000;
    const { outcome, reason } = await firstResult(scene.bus);
    assert.deepEqual([outcome, reason], ['expired', 'it expired while the leases of agents could not be looked up']);
    assert.equal(scene.agent.executed().length, 0);
  });

  test('follows its host to another responder', async () => {
    await using scene = await createScene();
    await using coordination = await openCoordination({ path: ':memory:' });
    const overrides = { control: scene.moving.plane, coordination, options: { routeAgainMs: 50 } };
    await using responder: Responder = await startTestResponder({ ...scene, control: scene.agent, overrides });
    scene.moving.attach();
    await until(
      'the host is attached to the first responder',
      async () => (await coordination.holders([leaseOf(EVIDENCE_HOST)]))[0] !== null,
    );
    scene.moving.detach();
    // The lease is still there: the command goes into the queue of the previous responder.
    await order(scene.bus, encodeCommand(scene.key, 'a'));
    await until('the command waits for the host', () => responder.stats().waits['not-attached'] > 0);
    await coordination.acquire(leaseOf(EVIDENCE_HOST), 'r2', 60_000, true);
    await using _ = await startExecutor({
      control: localControlPlane(scene.agent),
      coordination,
      bus: scene.bus,
      key: scene.key,
      owner: 'r2',
      options: compileResponderOptions({}),
      metrics: new ResponderMetrics(),
      responders: () => scene.key.publicKey,
      now: () => EVIDENCE_WALL_OFFSET,
    });
    await firstResult(scene.bus);
    assert.equal(scene.agent.executed().length, 1);
    assert.equal((await coordination.counts(queueOf('r2'))).dead, 0);
    assert.equal(responder.stats().routed, 2);
  });

  test('has one Result, its first answer, even if the answer is read before the command or is repeated', async () => {
    await using scene = await createScene();
    const command = encodeCommand(scene.key, 'early');
    const { id, hostId } = decode('Command', command);
    const value = encodeSigned(
      'Result',
      { id, hostId, outcome: 'executed', reason: 'early', executable: '', at: 1, children: 0, facts: {} },
      scene.key,
    );
    const later = encodeSigned(
      'Result',
      { id, hostId, outcome: 'expired', reason: 'late', executable: '', at: 2, children: 0, facts: {} },
      scene.key,
    );
    await scene.bus.produce([{ topic: TOPIC.answers, key: hostId, value }]);
    const overrides = { control: scene.moving.plane };
    await using responder: Responder = await startTestResponder({ ...scene, control: scene.agent, overrides });
    await until('the answer was read', async () => (await scene.bus.lag('responder')).get(TOPIC.answers) === 0);
    await order(scene.bus, command);
    assert.equal((await firstResult(scene.bus)).reason, 'early');
    await scene.bus.produce([{ topic: TOPIC.answers, key: hostId, value: later }]);
    await order(scene.bus, command);
    await until('the second answer was read', () => responder.stats().answersAgain === 1);
    assert.equal((await Array.fromAsync(scene.bus.read({ topic: TOPIC.results }))).length, 1);
    assert.equal(responder.stats().open, 0);
  });
});
