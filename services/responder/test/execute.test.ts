import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BusUnavailableError, type OutRecord } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import type { Control } from '@ringfence/control/port';
import {
  type Coordination,
  CoordinationAwayError,
  openCoordination,
  type PostponeError,
} from '@ringfence/coordination';
import { createTestAlert, EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/synthetic';
import { type Command, createSigningKey, decode, type Result, TOPIC, verifyRecord } from '@ringfence/wire';
import { createExecute } from '../src/dispatch/executor.ts';
import { compileResponderOptions, type ResponderOptions } from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import { signCommand } from '../src/steps/sign-command.ts';
import { type Target, targetOf } from '../src/steps/target.ts';
import { answer } from './support.ts';

const key = createSigningKey();
const target = targetOf(createTestAlert(1)) as Target;

function encodeTestCommand(
  overrides: { readonly cause?: string; readonly key?: typeof key; readonly hostId?: string } = {},
): Buffer {
  const { cause = 'alert-1', hostId = EVIDENCE_HOST } = overrides;
  const aim = { action: 'kill', reach: 'process', until: 0, target: { ...target, hostId }, cause } as const;
  const order = { ...aim, policy: 'demo', mode: 'enforce', reason: 'because' } as const;
  return signCommand(overrides.key ?? key, order, EVIDENCE_WALL_OFFSET, 30_000);
}

type Answer = (command: Command) => Uint8Array | Promise<Uint8Array>;

async function createTestExecutor(
  answerTo: Answer,
  given: {
    options?: ResponderOptions;
    coordination?: Partial<Coordination>;
    after?: number;
    away?: () => boolean;
  } = {},
) {
  const asked: Command[] = [];
  const results: Result[] = [];
  const control: Control = {
    hostId: EVIDENCE_HOST,
    execute: async (bytes) => {
      const received = decode('Command', bytes);
      asked.push(received);
      return answerTo(received);
    },
    setInterest: async () => {},
  };
  const metrics = new ResponderMetrics();
  const coordination = await openCoordination({ path: ':memory:' });
  const run = createExecute({
    control: localControlPlane(control),
    coordination: { ...bound(coordination), ...given.coordination } as Coordination,
    bus: {
      produce: async (records: readonly OutRecord[]) => {
        if (given.away?.()) throw new BusUnavailableError('writing', 'NETWORK', 'away');
        for (const { topic, key: host, value } of records) {
          assert.deepEqual([topic, host], [TOPIC.answers, EVIDENCE_HOST]);
          const result = decode('Result', value as Uint8Array);
          assert.equal(result.keyId, key.keyId);
          assert.ok(verifyRecord(key.publicKey, value as Uint8Array), 'the Result is not signed');
          results.push(result);
        }
      },
    },
    key,
    owner: 'r1',
    options: compileResponderOptions({ controlTimeoutMs: 50, ...given.options }),
    metrics,
    responders: (keyId) => (keyId === key.keyId ? key.publicKey : undefined),
    now: () => EVIDENCE_WALL_OFFSET + (given.after ?? 0),
  });
  const execute = (payload: Uint8Array, attempt = 1): Promise<void> =>
    run({ id: 'job', payload, attempt, signal: new AbortController().signal });
  return { execute, asked, results, metrics };
}

/** Copies methods of the class, which a spread would not. */
function bound(coordination: Coordination): Pick<Coordination, 'take' | 'count'> {
  return { take: (...args) => coordination.take(...args), count: (...args) => coordination.count(...args) };
}

suite('a job', () => {
  test('is sent to its agent, and the answer is published', async () => {
    const { execute, asked, results } = await createTestExecutor((command) => answer(command, 'gone', ''));
    await execute(encodeTestCommand());
    assert.deepEqual(
      results.map(({ id, outcome }) => [id, outcome]),
      [[asked[0]?.id, 'gone']],
    );
  });

  test('is not sent if no responder signed its command', async () => {
    const { execute, asked } = await createTestExecutor((command) => answer(command, 'executed', ''));
    const tampered = encodeTestCommand();
    tampered[30] = 0x41;
    for (const bytes of [encodeTestCommand({ key: createSigningKey() }), tampered]) {
      await assert.rejects(execute(bytes), { code: 'ERR_RESPONDER_FORGED', fate: 'poison' });
    }
    await assert.rejects(execute(Buffer.from('no command')), { fate: 'poison' });
    assert.equal(asked.length, 0);
  });

  test('that the limit refuses is not sent either when the refusal could not be published at first', async () => {
    let away = true;
    const options = { killsPerMinute: 0 };
    const { execute, asked, results } = await createTestExecutor((command) => answer(command, 'executed', ''), {
      ...{ options, away: () => away },
    });
    // A queue counts no attempt for a postponed job.
    const isPostponed = await execute(encodeTestCommand()).catch(({ code }) => code === 'ERR_COORDINATION_POSTPONED');
    away = false;
    await execute(encodeTestCommand(), isPostponed ? 1 : 2);
    assert.deepEqual(
      [asked, results.map(({ outcome, reason }) => [outcome, reason])],
      [[], [['refused', 'rate-limited']]],
    );
  });

  test('for a host that is not attached here is postponed and counted', async () => {
    const { execute, metrics } = await createTestExecutor((command) => answer(command, 'executed', ''));
    await assert.rejects(execute(encodeTestCommand({ hostId: 'another-host' })), {
      code: 'ERR_COORDINATION_POSTPONED',
    });
    assert.equal(metrics.snapshot(null).waits['not-attached'], 1);
  });

  test('that was executed before has the Result executed', async () => {
    const { execute, results } = await createTestExecutor((command) => answer(command, 'refused', 'already-executed'));
    await execute(encodeTestCommand());
    assert.deepEqual(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [['executed', 'already-executed']],
    );
  });

  const broken: readonly { readonly description: string; readonly answerTo: Answer }[] = [
    { description: 'does not answer', answerTo: () => new Promise(() => {}) },
    { description: 'throws', answerTo: () => Promise.reject(new Error('connection lost')) },
    { description: 'answers with garbage', answerTo: () => Buffer.from('garbage') },
    {
      description: 'answers for another command',
      answerTo: (command) => answer({ ...command, id: 'another' }, 'executed', ''),
    },
  ];
  for (const { description, answerTo } of broken) {
    test(`is retried when the agent ${description}`, async () => {
      const { execute, results } = await createTestExecutor(answerTo);
      await assert.rejects(execute(encodeTestCommand()), { code: 'ERR_RESPONDER_CONTROL', fate: 'retriable' });
      assert.deepEqual(results, []);
    });
  }
});

suite('the limits that all responders share', () => {
  const executed: Answer = (command) => answer(command, 'executed', '');

  test('postpone kills beyond the limit of the host or of the fleet', async () => {
    // With 3 a minute the next token comes after 20 s, well within the 30 s that the command lives.
    for (const options of [{ killsPerMinutePerHost: 3 }, { killsPerMinute: 3 }]) {
      const { execute, asked, metrics } = await createTestExecutor(executed, { options });
      for (const cause of ['a', 'b', 'c']) await execute(encodeTestCommand({ cause }));
      await assert.rejects(execute(encodeTestCommand({ cause: 'd' })), (error: PostponeError) => {
        assert.ok(error.delayMs > 10_000 && error.delayMs <= 20_000, `${error.delayMs} ms`);
        return true;
      });
      assert.equal(asked.length, 3);
      assert.equal(metrics.snapshot(null).waits.limited, 1);
    }
  });

  test('refuse a kill that would expire while it waits, with a Result', async () => {
    const options = { killsPerMinute: 1 };
    const { execute, asked, results, metrics } = await createTestExecutor(executed, { options, after: 10_000_000 });
    await execute(encodeTestCommand({ cause: 'a' }));
    await execute(encodeTestCommand({ cause: 'b' }));
    assert.equal(asked.length, 1);
    assert.deepEqual(
      results.map(({ outcome, reason }) => [outcome, reason]),
      [
        ['executed', ''],
        ['refused', 'rate-limited'],
      ],
    );
    assert.equal(metrics.snapshot(null).waits.refused, 1);
  });

  test('take the token of one bucket once while the other bucket is empty', async () => {
    const options = { killsPerMinute: 100, killsPerMinutePerHost: 1 };
    let fleet = 0;
    const shared = await openCoordination({ path: ':memory:' });
    const take: Coordination['take'] = (key, ...rest) => {
      if (key === 'kills/fleet') fleet++;
      return shared.take(key, ...rest);
    };
    const { execute } = await createTestExecutor(executed, { options, coordination: { take }, after: -60_000_000 });
    await execute(encodeTestCommand({ cause: 'a' }));
    for (let i = 0; i < 5; i++)
      await assert.rejects(execute(encodeTestCommand({ cause: 'b' })), { code: 'ERR_COORDINATION_POSTPONED' });
    assert.equal(fleet, 2);
    await shared.close();
  });

  test('let a command pass that had its tokens at another responder', async () => {
    const options = { killsPerMinute: 1 };
    const shared = await openCoordination({ path: ':memory:' });
    const given = { options, coordination: bound(shared), after: 10_000_000 };
    const previous = await createTestExecutor(() => Promise.reject(new Error('connection lost')), given);
    await assert.rejects(previous.execute(encodeTestCommand()), { code: 'ERR_RESPONDER_CONTROL' });
    const next = await createTestExecutor((command) => answer(command, 'refused', 'already-executed'), given);
    await next.execute(encodeTestCommand());
    await next.execute(encodeTestCommand({ cause: 'another' }));
    assert.deepEqual(
      next.results.map(({ outcome, reason }) => [outcome, reason]),
      [
        ['executed', 'already-executed'],
        ['refused', 'rate-limited'],
      ],
    );
    const stopped = await createTestExecutor(executed, { ...given, options: { killsPerMinute: 0 } });
    await stopped.execute(encodeTestCommand());
    assert.deepEqual(stopped.asked, [], 'a limit of 0 refuses it too');
    await shared.close();
  });

  test('of 0 let no kill pass', async () => {
    const { execute, asked, results } = await createTestExecutor(executed, { options: { killsPerMinute: 0 } });
    await execute(encodeTestCommand());
    assert.equal(asked.length, 0);
    assert.equal(results[0]?.reason, 'rate-limited');
  });

  test('are closed while the coordination is away, and count that', async () => {
    const away = { take: () => Promise.reject(new CoordinationAwayError('take', 'not connected')) };
    const { execute, asked, metrics } = await createTestExecutor(executed, { coordination: away });
    await assert.rejects(execute(encodeTestCommand()), { code: 'ERR_COORDINATION_POSTPONED' });
    assert.equal(asked.length, 0);
    assert.equal(metrics.snapshot(null).waits['limits-away'], 1);
  });

  test('take one token for a command, however often it is sent', async () => {
    const { execute, asked } = await createTestExecutor(executed, { options: { killsPerMinute: 1 } });
    await execute(encodeTestCommand());
    for (let attempt = 2; attempt < 5; attempt++) await execute(encodeTestCommand(), attempt);
    assert.equal(asked.length, 4);
  });
});
