import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { createTestAction, createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { createSigningKey, decode, encode, encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { replay } from '../src/replay.ts';
import {
  killedRunner,
  openTestBus,
  produceAlerts,
  type Received,
  sinkOf,
  startReceiver,
  startRunner,
  until,
} from './support.ts';

const idsOf = (received: readonly Received[]): string[] =>
  received.flatMap(({ body }) => JSON.parse(body) as { id: string }[]).map(({ id }) => id);

const hook = (url: string, more = ''): string => `{sink: hook, type: webhook, url: '${url}'${more}}`;

suite('a sink', () => {
  test('gets what is produced after it was added, in order, also while it was away', async () => {
    await using receiver = await startReceiver();
    await using test = await openTestBus();
    await produceAlerts(test.bus, 0, 3);
    const first = await startRunner(test.bus, hook(receiver.url));
    const ids = await produceAlerts(test.bus, 10, 5);
    await until(() => idsOf(receiver.received).length >= 5, 'five alerts');
    await first.close();
    ids.push(...(await produceAlerts(test.bus, 20, 5)));
    const second = await startRunner(test.bus, hook(receiver.url));
    await until(() => idsOf(receiver.received).length >= 10, 'ten alerts');
    await second.close();
    assert.deepEqual(idsOf(receiver.received), ids);
  });

  test('that is down keeps its records, holds up no other sink, and gets all of them when it is back', async () => {
    let down = true;
    await using broken = await startReceiver(() => ({ status: down ? 503 : 200 }));
    await using healthy = await startReceiver();
    await using test = await openTestBus();
    const one = await startRunner(test.bus, `{sink: broken, type: webhook, url: '${broken.url}', batch: 7}`);
    const other = await startRunner(test.bus, `{sink: healthy, type: webhook, url: '${healthy.url}'}`);
    const ids = await produceAlerts(test.bus, 0, 50);
    await until(() => idsOf(healthy.received).length >= 50, 'fifty alerts at the healthy sink');
    await until(() => broken.received.length >= 2, 'two attempts');
    const { backlog, sent, failing, waitingMs } = await one.status();
    assert.deepEqual([backlog, sent], [50, 0]);
    assert.match(failing, /answered 503/);
    assert.ok(waitingMs >= 0);
    const refused = broken.received.length;
    down = false;
    await until(async () => (await one.status()).backlog === 0, 'no backlog');
    assert.deepEqual(idsOf(broken.received.slice(refused)).slice(-50), ids);
    await one.close();
    await other.close();
  });

  test('that sends what operators did has its own position there, and a fleet refuses what no service signed', async () => {
    await using receiver = await startReceiver();
    await using test = await openTestBus();
    const yaml = hook(receiver.url, ', send: [operators], only: {kind: operator}');
    const produce = (from: number, key: SigningKey | null = null): Promise<unknown> =>
      test.bus.produce(
        [from, from + 1].map((n) => {
          const { keyId: _, signature: __, ...action } = createTestAction(n, { target: `inc-${n}` });
          return { topic: TOPIC.operator, key: 'host', value: encodeSigned('OperatorAction', action, key) };
        }),
      );
    await (await startRunner(test.bus, yaml)).close();
    await produceAlerts(test.bus, 0, 3);
    await produce(1);
    const first = await startRunner(test.bus, yaml);
    await until(() => idsOf(receiver.received).length >= 2, 'two actions');
    await first.close();
    const [auditor, stranger] = [createSigningKey(), createSigningKey()];
    await produce(3, auditor);
    await produce(5, stranger);
    const second = await startRunner(test.bus, yaml, {
      trusted: (role) => (keyId) => (role === 'auditor' && keyId === auditor.keyId ? auditor.publicKey : undefined),
    });
    await until(async () => (await second.status()).backlog === 0, 'no backlog');
    const { sent, refused } = await second.status();
    await second.close();
    assert.deepEqual([sent, refused], [2, 2]);
    assert.deepEqual(
      idsOf(receiver.received),
      [1, 2, 3, 4].map((n) => `operator/${createTestAction(n).id}`),
    );
    const letters: InRecord[] = [];
    for await (const record of test.bus.read({ topic: TOPIC.dlq })) letters.push(record);
    assert.deepEqual(
      letters.map(({ value }) => decode('DeadLetter', value!).code),
      ['ERR_SINK_FORGED', 'ERR_SINK_FORGED'],
    );
  });

  test('whose far side refuses one record gets the others, and the record goes to the dead letters', async () => {
    const bad = createTestAlert(3).id;
    await using receiver = await startReceiver(({ body }) => ({ status: body.includes(bad) ? 422 : 200 }));
    await using test = await openTestBus();
    const runner = await startRunner(test.bus, hook(receiver.url));
    const ids = await produceAlerts(test.bus, 0, 6);
    await until(async () => (await runner.status()).backlog === 0, 'no backlog');
    const { sent, refused } = await runner.status();
    await runner.close();
    assert.deepEqual([sent, refused], [5, 1]);
    const letters: InRecord[] = [];
    for await (const record of test.bus.read({ topic: TOPIC.dlq })) letters.push(record);
    const [letter] = letters.map(({ value }) => decode('DeadLetter', value!));
    assert.deepEqual([letter?.stage, letter?.code], ['forwarder-hook', 'ERR_SINK_REFUSED']);
    assert.equal(decode('Alert', letter!.original).id, bad);
    assert.equal(ids.length, 6);
  });

  for (const at of ['before-effect', 'before-commit', 'after-commit']) {
    test(`killed with -9 ${at} of a batch gets every alert`, async () => {
      await using receiver = await startReceiver();
      await using test = await openTestBus();
      // The position is set before the alerts are produced.
      await (await startRunner(test.bus, hook(receiver.url, ', batch: 10'))).close();
      const ids = await produceAlerts(test.bus, 0, 60);
      await test.bus.close();
      // The third batch: the first two have moved the position.
      await killedRunner(test.path, hook(receiver.url, ', batch: 10'), at, 3);
      await using again = await openTestBus(test.path);
      const runner = await startRunner(again.bus, hook(receiver.url, ', batch: 10'));
      await until(async () => (await runner.status()).backlog === 0, 'no backlog');
      await runner.close();
      assert.deepEqual([...new Set(idsOf(receiver.received))], ids);
    });
  }

  test('gets from the audit trail what retention has deleted, and counts what the trail lacks', async () => {
    await using receiver = await startReceiver();
    await using test = await openTestBus();
    await (await startRunner(test.bus, hook(receiver.url))).close();
    await produceAlerts(test.bus, 0, 10);
    const kept: InRecord[] = [];
    for await (const record of test.bus.read({ topic: TOPIC.alerts })) kept.push(record);
    await test.bus.ensureTopics([
      { name: TOPIC.alerts, partitions: 1, compacted: false, retentionMs: 1, retentionBytes: 1 },
    ]);
    const ids = [...new Set(kept.map(({ value }) => decode('Alert', value!).id))];
    await until(async () => {
      await test.bus.maintain();
      const left: InRecord[] = [];
      for await (const record of test.bus.read({ topic: TOPIC.alerts })) left.push(record);
      return left.length === 1;
    }, 'only the newest record is left');
    const runner = await startRunner(test.bus, hook(receiver.url), {
      trail: {
        async *recordsOf({ from, to }) {
          yield* kept.filter(({ offset }) => offset >= from && offset < to && offset !== 4);
        },
      },
    });
    await until(async () => (await runner.status()).backlog === 0, 'no backlog');
    const { recovered, lost } = await runner.status();
    await runner.close();
    assert.deepEqual([recovered, lost], [8, 1]);
    assert.deepEqual(
      idsOf(receiver.received),
      ids.filter((_, i) => i !== 4),
    );
  });

  test('whose far side refuses a record of the audit trail gets the others, and the record is a dead letter', async () => {
    const bad = createTestAlert(3).id;
    await using receiver = await startReceiver(({ body }) => ({ status: body.includes(bad) ? 422 : 200 }));
    await using test = await openTestBus();
    await (await startRunner(test.bus, hook(receiver.url))).close();
    const ids = await produceAlerts(test.bus, 0, 10);
    const kept = await Array.fromAsync(test.bus.read({ topic: TOPIC.alerts }));
    const short = { name: TOPIC.alerts, partitions: 1, compacted: false, retentionMs: 1, retentionBytes: 1 };
    await test.bus.ensureTopics([short]);
    await until(async () => {
      await test.bus.maintain();
      return (await Array.fromAsync(test.bus.read({ topic: TOPIC.alerts }))).length === 1;
    }, 'only the newest record is left');
    const trail = {
      async *recordsOf({ from, to }: { from: number; to: number }) {
        yield* kept.filter(({ offset }) => offset >= from && offset < to);
      },
    };
    const runner = await startRunner(test.bus, hook(receiver.url), { trail });
    await until(async () => (await runner.status()).backlog === 0, 'no backlog');
    const { sent, refused, recovered, lost } = await runner.status();
    await runner.close();
    assert.deepEqual({ sent, refused, recovered, lost }, { sent: 9, refused: 1, recovered: 9, lost: 0 });
    const letters = await Array.fromAsync(test.bus.read({ topic: TOPIC.dlq }));
    assert.deepEqual(
      letters.map(({ value }) => decode('Alert', decode('DeadLetter', value!).original).id),
      [bad],
    );
    assert.equal(ids.length, 10);
  });

  test('with a digest gets many records in one request', async () => {
    await using receiver = await startReceiver();
    await using test = await openTestBus();
    const runner = await startRunner(test.bus, hook(receiver.url, ', digest: 1s'));
    for (let i = 0; i < 20; i++) await produceAlerts(test.bus, i, 1);
    await until(() => receiver.received.length > 0, 'a request');
    await runner.close();
    assert.equal(idsOf(receiver.received.slice(0, 1)).length, 20);
  });

  test('can be sent a time range again, beside its own position', async () => {
    await using receiver = await startReceiver();
    await using test = await openTestBus();
    const ids = await produceAlerts(test.bus, 0, 8);
    const incident = createTestIncident([createTestAlert(1)], 1);
    await test.bus.produce([{ topic: TOPIC.incidents, key: incident.hostId, value: encode('Incident', incident) }]);
    const { signal } = new AbortController();
    const config = sinkOf(hook(receiver.url, ', batch: 3, send: [alerts]'));
    const range = { from: 0, to: Date.now() * 1000 };
    const progress = await Array.fromAsync(
      replay({ bus: test.bus, config, trusted: null, log: silentLog, range, signal }),
    );
    assert.deepEqual(
      progress.map(({ sent }) => sent),
      [3, 6, 8],
    );
    assert.deepEqual(idsOf(receiver.received), ids);
    const away = sinkOf(hook('http://127.0.0.1:1'));
    const failed = await Array.fromAsync(
      replay({ bus: test.bus, config: away, trusted: null, log: silentLog, range, signal }),
    );
    assert.match(String(failed.at(-1)?.failure), /^sink hook: .*ECONNREFUSED/);
  });
});
