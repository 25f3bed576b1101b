import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { InRecord } from '@ringfence/bus';
import {
  consumerRecords,
  createSyntheticHost,
  type LogBatchOptions,
  logBatch,
  type SyntheticHost,
} from '@ringfence/synthetic';
import { createSigningKey, decode, type Event, type EventBatch, type Log, TOPIC } from '@ringfence/wire';
import type { EnricherPipeline } from '../../src/pipeline.ts';
import { createTestEnricher, seenIn, TestStore } from '../support.ts';

const ACCEPTED = 'Nov 25 15:55:07 web-1 sshd[812]: Accepted password for root from 203.0.113.9 port 40122 ssh2';

const record = (host: SyntheticHost, value: Uint8Array, offset = 0): InRecord =>
  consumerRecords(host.hostId, [value], TOPIC.logsRaw, offset)[0] as InRecord;

function feed(enricher: EnricherPipeline, records: readonly InRecord[], store?: TestStore): Buffer[] {
  const effect = enricher.handle(records);
  store?.apply(effect);
  return effect.outputs.map(({ value }) => Buffer.from(value ?? []));
}

const lines = (
  enricher: EnricherPipeline,
  host: SyntheticHost,
  texts: string[],
  options: LogBatchOptions = {},
): Buffer[] => feed(enricher, [record(host, logBatch(host, texts, options))]);

const ids = (batches: readonly Buffer[]): string[] => batches.flatMap((batch) => seenIn(batch).map(({ id }) => id));

/** Returns each event of the batches with its Log. */
function logsIn(batches: readonly Buffer[]): { readonly head: EventBatch; readonly event: Event; readonly log: Log }[] {
  return batches.flatMap((batch) => {
    const head = decode('EventBatch', batch);
    return head.events.map(({ event }) => ({
      head,
      event,
      log: (event.body as { 'ringfence.Log': Log })['ringfence.Log'],
    }));
  });
}

describe('lines of an agent', () => {
  it('become events with its sequence numbers, at the time of the lines', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    const at = host.ktime + host.wallOffset;
    const batches = lines(enricher, host, [ACCEPTED, 'Nov 25 15:55:08 web-1 app[3]: else']);
    const [first, second] = logsIn(batches);
    assert.deepEqual(
      ids(batches),
      [1, 2].map((n) => `${host.hostId}/${host.bootId}/0000000000001097/19/0/${n}`),
    );
    assert.equal((first?.event.ktime ?? 0) + (first?.head.wallOffset ?? 0), at);
    assert.ok(first !== undefined);
    const { message, ...log } = first.log;
    assert.deepEqual(log, {
      origin: 'file',
      path: '/var/log/auth.log',
      offset: 0,
      program: 'sshd',
      pid: 812,
      category: 'authentication',
      action: 'ssh-login',
      outcome: 'success',
      user: 'root',
      targetUser: '',
      sourceAddress: '203.0.113.9',
      sourcePort: 40_122,
      method: 'password',
      fingerprint: '',
      command: '',
      workingDirectory: '',
      tty: '',
      provider: '',
      rule: '',
      level: '',
    });
    assert.equal(message.bytes.toString(), ACCEPTED);
    assert.deepEqual([second?.log.program, second?.log.action], ['app', '']);
  });

  it('that are sent again are dropped, also after a restart and together with new lines', async () => {
    const host = createSyntheticHost();
    const store = new TestStore();
    const enricher = createTestEnricher(host);
    const again = logBatch(host, ['a', 'b']);
    feed(enricher, [record(host, again)], store);
    assert.deepEqual(
      feed(enricher, [record(host, again, 1)], store).flatMap((batch) => seenIn(batch)),
      [],
    );
    const next = createTestEnricher(host);
    await next.restore(store.entries());
    const batches = feed(next, [record(host, again, 2), record(host, logBatch(host, ['c'], { first: 3 }), 3)], store);
    assert.deepEqual(
      logsIn(batches).map(({ log }) => log.message.bytes.toString()),
      ['c'],
    );
    assert.equal(next.stats().duplicates, 2);
  });

  it('that the agent dropped are a gap with its cause', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    lines(enricher, host, ['a']);
    lines(enricher, host, ['b'], { first: 5, sequence: 7, drops: { log_rate: 5 } });
    let gaps: unknown[] = [];
    for (let tick = 0; tick < 6; tick++) {
      host.tick();
      const batches = feed(enricher, consumerRecords(host.hostId, [host.batch()]) as InRecord[]);
      const events = batches.flatMap((batch) => decode('EventBatch', batch).events.map(({ event }) => event.body));
      gaps = gaps.concat(events.flatMap((body) => ('ringfence.Gap' in body ? [{ ...body['ringfence.Gap'] }] : [])));
    }
    assert.deepEqual(gaps, [
      { ofLane: 19, ofCpu: 0, from: 2, to: 4, reason: 'log_rate in run 0000000000001097', total: 5 },
      { ofLane: 19, ofCpu: 0, from: 6, to: 7, reason: 'log_rate in run 0000000000001097', total: 5 },
    ]);
  });

  it('from the journal have the process that sent them; a pid in a text is not trusted', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    host.user(0, 'root');
    const sshd = host.spawn(host.init, '/usr/sbin/sshd');
    feed(enricher, consumerRecords(host.hostId, [host.batch()]) as InRecord[]);
    const journal = { origin: 'journald', program: 'sshd', pid: sshd.tgid, first: 1 } as const;
    const [fromJournal] = lines(enricher, host, ['Accepted password for root from 203.0.113.9 port 1 ssh2'], journal);
    assert.deepEqual(
      seenIn(fromJournal as Buffer).map(({ executable }) => executable),
      ['/usr/sbin/sshd'],
    );
    const [fromFile] = lines(enricher, host, [ACCEPTED.replace('812', String(sshd.tgid))], { first: 2 });
    assert.deepEqual(
      seenIn(fromFile as Buffer).map(({ executable }) => executable),
      [undefined],
    );
  });

  it('are refused without the signature of their host', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    const good = logBatch(host, [ACCEPTED]);
    const otherHost = createSyntheticHost({ hostId: 'other', key: createSigningKey() });
    const forged = createSyntheticHost({ key: createSigningKey() });
    const changed = Buffer.from(good.toString().replace('for root', 'for evil'));
    const refuse = (value: Buffer, code: string): void =>
      assert.throws(() => feed(enricher, [record(host, value)]), { code, fate: 'poison' });
    refuse(changed, 'ERR_ENRICHER_SIGNATURE');
    refuse(logBatch(forged, [ACCEPTED]), 'ERR_ENRICHER_SIGNATURE');
    refuse(logBatch(Object.assign(otherHost, { key: host.key }), [ACCEPTED]), 'ERR_ENRICHER_KEY');
    assert.throws(() => feed(enricher, [record(otherHost, good)]), { code: 'ERR_ENRICHER_UNKNOWN_HOST' });
    refuse(good.subarray(0, good.lastIndexOf('\n')), 'ERR_ENRICHER_SIGNATURE');
    assert.equal(logsIn(feed(enricher, [record(host, good)])).length, 1);
  });
});

const filebeat = (message: string, offset: number, more: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      '@timestamp': '2026-01-01T01:00:05.123Z',
      message,
      input: { type: 'filestream' },
      log: { offset, file: { path: '/var/log/auth.log', inode: '11', device_id: '8' } },
      agent: { id: 'f00', type: 'filebeat' },
      ...more,
    }),
  );

describe('lines of Filebeat', () => {
  it('belong to the host in their key, unverified, in a separate run', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    host.tick();
    feed(enricher, consumerRecords(host.hostId, [host.batch()]) as InRecord[]);
    const batches = feed(enricher, [record(host, filebeat(ACCEPTED, 100))]);
    const [first] = logsIn(batches);
    assert.match(ids(batches)[0] ?? '', new RegExp(`^${host.hostId}/${host.bootId}/[0-9a-f]{16}/19/0/1$`));
    assert.deepEqual([first?.log.origin, first?.log.action, first?.log.offset], ['filebeat', 'ssh-login', 100]);
    const at = (first?.event.ktime ?? 0) + (first?.head.wallOffset ?? 0);
    assert.equal(new Date(at / 1000).toISOString(), '2026-01-01T01:00:05.123Z');
  });

  it('never count as lines of an agent, whatever they contain', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    const claims = { ringfence: { sequence: 7, length: 3 }, input: { type: 'journald' }, process: { pid: 1 } };
    const [first] = logsIn(feed(enricher, [record(host, filebeat('x', 1, claims))]));
    assert.equal(first?.log.origin, 'filebeat');
    assert.deepEqual([first?.event.tgid, first?.event.sequence], [0, 1]);
  });

  it('that are sent again are dropped, except after a file was truncated', async () => {
    const host = createSyntheticHost();
    const store = new TestStore();
    let enricher = createTestEnricher(host);
    let offset = 0;
    const texts = (values: readonly Buffer[]): string[] =>
      values.flatMap((value) =>
        logsIn(feed(enricher, [record(host, value, offset++)], store)).map(({ log }) => log.message.bytes.toString()),
      );
    assert.deepEqual(texts([filebeat('a', 0), filebeat('b', 2), filebeat('c', 4)]), ['a', 'b', 'c']);
    const later = { '@timestamp': '2026-01-01T02:00:00.000Z' };
    assert.deepEqual(texts([filebeat('b', 2, later), filebeat('c', 4, later), filebeat('d', 6)]), ['d']);
    enricher = createTestEnricher(host);
    await enricher.restore(store.entries());
    assert.deepEqual(texts([filebeat('c', 4, later), filebeat('new', 0), filebeat('newer', 4)]), ['new', 'newer']);
    assert.deepEqual(
      texts([filebeat('new', 0), filebeat('other file', 0, { log: { offset: 0, file: { path: '/x' } } })]),
      ['other file'],
    );
    assert.equal(
      ids(feed(enricher, [record(host, filebeat('e', 99), offset)]))[0]
        ?.split('/')
        .at(-1),
      '8',
    );
  });

  it('without a time or a text, or that are not JSON, are poison', () => {
    const host = createSyntheticHost();
    const enricher = createTestEnricher(host);
    const bad = [
      '',
      'x',
      '[]',
      '7',
      'null',
      '{"message":"x"}',
      '{"@timestamp":"2026-01-01T00:00:00Z"}',
      '{"message":5,"@timestamp":"x"}',
      '{"message":"x","@timestamp":"+275760-09-13T00:00:00.000Z"}',
      '{"message":"x","@timestamp":"-271821-04-20T00:00:00.000Z"}',
      '{"ringfence":',
      '{"ringfence":{}}\n{}',
      `${'['.repeat(100_000)}`,
    ];
    for (const text of bad)
      assert.throws(() => feed(enricher, [record(host, Buffer.from(text))]), { fate: 'poison' }, text.slice(0, 40));
    assert.throws(() => enricher.handle([{ ...record(host, filebeat('x', 1)), key: 'a/b' }]), { fate: 'poison' });
    for (const offset of [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER])
      assert.equal(feed(enricher, [record(host, filebeat(`at ${offset}`, offset))]).length, 1);
    const huge = filebeat('y'.repeat(600_000), 1);
    const [first] = logsIn(feed(enricher, [record(host, huge)]));
    assert.deepEqual([first?.log.message.bytes.length, first?.log.message.length], [16_384, 600_000]);
  });

  it('of many files and hosts: the least recently used are evicted', () => {
    const host = createSyntheticHost();
    const store = new TestStore();
    const enricher = createTestEnricher(host);
    for (let i = 0; i < 200; i++)
      feed(
        enricher,
        [record(host, filebeat('x', 0, { log: { offset: 0, file: { path: `/var/log/${i}` } } }), i)],
        store,
      );
    assert.equal(store.size, 65);
    for (let i = 0; i < 1100; i++) {
      const effect = enricher.handle([{ ...record(host, filebeat('x', 0), i), key: `host-${i}` }]);
      store.apply(effect);
    }
    assert.equal(store.size, 2048);
  });
});

test('lines of Filebeat of an unknown host have the wall clock as time, and the same ids after a restart', () => {
  const host = createSyntheticHost();
  const first = feed(createTestEnricher(host), [record(host, filebeat(ACCEPTED, 100))]);
  const again = feed(createTestEnricher(host), [record(host, filebeat(ACCEPTED, 100))]);
  assert.deepEqual(ids(first), ids(again));
  assert.match(ids(first)[0] ?? '', new RegExp(`^${host.hostId}/unknown/`));
  const [log] = logsIn(first);
  assert.deepEqual([log?.head.wallOffset, log?.event.ktime], [0, Date.UTC(2026, 0, 1, 1, 0, 5, 123) * 1000]);
});
