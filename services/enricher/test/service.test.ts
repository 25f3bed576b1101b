import assert from 'node:assert/strict';
import test from 'node:test';
import { openEmbeddedBus } from '@ringfence/bus';
import { createSyntheticHost } from '@ringfence/synthetic';
import { decode, TOPIC, topicsWith } from '@ringfence/wire';
import { startEnricher } from '../src/main.ts';

test('the service turns raw batches into event batches, and sends an invalid record to the dead letters', async () => {
  const host = createSyntheticHost();
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const enrolment = { keyFor: () => host.key.publicKey };
  const produce = (value: Uint8Array) => bus.produce([{ topic: TOPIC.raw, key: host.hostId, value }]);
  const first = await startEnricher({ bus, enrolment });
  const sh = host.spawn(host.init, '/bin/sh');
  await produce(host.batch());
  await produce(Buffer.from('not a batch'));
  host.open(sh, '/etc/shadow');
  await produce(host.batch());
  const seen: Buffer[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.events, follow: true })) {
    seen.push(Buffer.from(value ?? []));
    if (seen.length === 2) break;
  }
  await first.close();
  const second = await startEnricher({ bus, enrolment });
  host.open(sh, '/etc/passwd');
  await produce(host.batch());
  for await (const { offset, value } of bus.read({ topic: TOPIC.events, follow: true })) {
    if (offset < 2) continue;
    const { events, processes } = decode('EventBatch', value ?? new Uint8Array());
    assert.equal(Buffer.from(processes[events[0]?.process ?? -1]?.executable ?? []).toString(), '/bin/sh');
    break;
  }
  await second.close();
  for await (const { value } of bus.read({ topic: TOPIC.dlq })) {
    const letter = decode('DeadLetter', value ?? new Uint8Array());
    assert.deepEqual([letter.stage, letter.code, letter.offset], ['enricher', 'ERR_SCHEMA_MALFORMED', 1]);
    assert.equal(Buffer.from(letter.original).toString(), 'not a batch');
  }
});
