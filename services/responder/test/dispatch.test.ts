import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Command, type Control, createSigningKey, decode, type Result, TOPIC } from '@ringfence/schema';
import { createTestAlert, EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/testkit';
import { createDispatchPipeline } from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import { signCommand } from '../src/steps/sign-command.ts';
import { type Target, targetOf } from '../src/steps/target.ts';
import { answer, record } from './support.ts';

const key = createSigningKey();
const target = targetOf(createTestAlert(1)) as Target;

function command(
  overrides: { readonly mode?: Command['mode']; readonly cause?: string; readonly key?: typeof key } = {},
) {
  const { mode = 'enforce', cause = 'alert-1' } = overrides;
  const order = { target, cause, policy: 'demo', mode, reason: 'because' };
  return record(TOPIC.commands, 0, signCommand(overrides.key ?? key, order, EVIDENCE_WALL_OFFSET, 30_000));
}

type Answer = (command: Command) => Uint8Array | Promise<Uint8Array>;

function createTestDispatcher(answerTo: Answer | null, after = 0) {
  const asked: Command[] = [];
  const control: Control = {
    hostId: EVIDENCE_HOST,
    execute: async (bytes) => {
      const received = decode('Command', bytes);
      asked.push(received);
      return (answerTo as Answer)(received);
    },
    setInterest: async () => {},
  };
  const pipeline = createDispatchPipeline({
    control: answerTo === null ? null : control,
    key,
    metrics: new ResponderMetrics(),
    timeoutMs: 50,
    now: () => EVIDENCE_WALL_OFFSET + after,
  });
  const dispatch = async (...records: Parameters<typeof pipeline>[0]): Promise<Result[]> =>
    (await pipeline(records)).outputs.map(({ topic, value }) => {
      assert.equal(topic, TOPIC.results);
      return decode('Result', value as Uint8Array);
    });
  return { dispatch, asked };
}

suite('dispatch', () => {
  test('sends what enforces and hands on the answer of the agent', async () => {
    const { dispatch, asked } = createTestDispatcher((to) => answer(to, 'gone', ''));
    const [result, ...rest] = await dispatch(command());
    assert.equal(asked.length, 1);
    assert.deepEqual(rest, []);
    assert.deepEqual([result?.id, result?.outcome], [asked[0]?.id, 'gone']);
  });

  test('never sends what only observes', async () => {
    const { dispatch, asked } = createTestDispatcher((to) => answer(to, 'executed', ''));
    assert.deepEqual(await dispatch(command({ mode: 'observe' })), []);
    assert.equal(asked.length, 0);
  });

  test('never sends what has expired, and says so', async () => {
    const { dispatch, asked } = createTestDispatcher((to) => answer(to, 'executed', ''), 30_000_001);
    assert.deepEqual(
      (await dispatch(command())).map(({ outcome }) => outcome),
      ['expired'],
    );
    assert.equal(asked.length, 0);
  });

  test('never sends what another key has signed', async () => {
    const { dispatch, asked } = createTestDispatcher((to) => answer(to, 'executed', ''));
    await assert.rejects(dispatch(command({ key: createSigningKey() })), {
      code: 'ERR_RESPONDER_FORGED',
      fate: 'poison',
    });
    const tampered = command();
    (tampered.value as Uint8Array)[30] = 0x41;
    await assert.rejects(dispatch(tampered), { fate: 'poison' });
    assert.equal(asked.length, 0);
  });

  test('says that nobody is there to carry it out', async () => {
    const { dispatch } = createTestDispatcher(null);
    assert.deepEqual(
      (await dispatch(command())).map(({ outcome, reason }) => [outcome, reason]),
      [['failed', 'no-agent']],
    );
  });

  test('takes "already executed" for what it is: the command was executed', async () => {
    const { dispatch } = createTestDispatcher((to) => answer(to, 'refused', 'already-executed'));
    assert.deepEqual(
      (await dispatch(command())).map(({ outcome, reason }) => [outcome, reason]),
      [['executed', 'already-executed']],
    );
  });

  const broken: readonly { readonly description: string; readonly answerTo: Answer }[] = [
    { description: 'is silent', answerTo: () => new Promise(() => {}) },
    { description: 'throws', answerTo: () => Promise.reject(new Error('connection lost')) },
    { description: 'answers with garbage', answerTo: () => Buffer.from('garbage') },
    {
      description: 'answers about another command',
      answerTo: (to) => answer({ ...to, id: 'another' }, 'executed', ''),
    },
  ];
  for (const { description, answerTo } of broken) {
    test(`tries again when the agent ${description}`, async () => {
      const { dispatch } = createTestDispatcher(answerTo);
      await assert.rejects(dispatch(command()), { code: 'ERR_RESPONDER_CONTROL', fate: 'retriable' });
    });
  }

  test('asks once about each when a batch is tried again', async () => {
    let fail = true;
    const { dispatch, asked } = createTestDispatcher((to) => {
      if (to.cause === 'second' && fail) throw new Error('connection lost');
      return answer(to, 'executed', '');
    });
    const batch = [command({ cause: 'first' }), command({ cause: 'second' })];
    await assert.rejects(dispatch(...batch));
    fail = false;
    assert.deepEqual(
      (await dispatch(...batch)).map(({ outcome }) => outcome),
      ['executed', 'executed'],
    );
    assert.deepEqual(
      asked.map(({ cause }) => cause),
      ['first', 'second', 'second'],
    );
  });
});
