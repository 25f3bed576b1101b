import assert from 'node:assert/strict';
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Log } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '@ringfence/enricher';
import type { Interest } from '@ringfence/interest';
import { createSyntheticHost } from '@ringfence/synthetic';
import { decode, TOPIC, topicsWith } from '@ringfence/wire';
import { startDetector } from '../src/index.ts';
import { RULES } from './support.ts';

const rule = (name: string, path: string): string =>
  `- rule: ${name}\n  desc: d\n  condition: event.action = open and file.path = ${path} and not file.open.write = true\n`;

/** Log lines by level */
function createTestLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const line = (level: string) => (_: unknown, message?: string) => void lines.push(`${level} ${message}`);
  return { log: { info: line('info'), warn: line('warn'), error: line('error') } as unknown as Log, lines };
}

test('raw batches on a bus become alerts and incidents', async () => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = temporary.path;
  await writeFile(join(directory, 'rules.yaml'), RULES);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const host = createSyntheticHost();
  const enricher = await startEnricher({ bus, enrolment: { keyFor: () => host.key.publicKey } });
  const detector = await startDetector({ bus, rulePaths: [directory] });
  const sh = host.spawn(host.unseen(), '/bin/sh');
  host.open(sh, '/etc/shadow');
  await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
  host.credentials(sh, 0);
  await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
  for await (const { value, key } of bus.read({ topic: TOPIC.incidents, follow: true })) {
    const incident = decode('Incident', value ?? new Uint8Array());
    assert.equal(key, incident.id);
    assert.deepEqual(
      incident.alerts.map((alert) => alert.rule),
      ['Shadow read', 'Became root'],
    );
    break;
  }
  assert.equal(detector.stats().rules, 5);
  await detector.close();
  await enricher.close();
});

test('a reload uses valid files, keeps the former version of a broken one, and updates the interest', async () => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = temporary.path;
  const [a, b] = [join(directory, 'a.yaml'), join(directory, 'b.yml')];
  await writeFile(a, rule('A', '/etc/a'));
  await writeFile(b, rule('B', '/etc/b'));
  await writeFile(join(directory, 'notes.txt'), 'no rules');
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const { log, lines } = createTestLog();
  const interests: Interest[] = [];
  const onInterest = (interest: Interest): void => void interests.push(interest);
  const reloads: string[][] = [];
  const onReload = (sources: readonly { readonly text: string }[]): void =>
    void reloads.push(sources.flatMap(({ text }) => /A2|A|B2|B/.exec(text) ?? []));
  const deps = { bus, rulePaths: [directory], watchRules: false, log, onInterest, onReload };
  const detector = await startDetector(deps);
  const names = (): string[] => detector.rules().rules.map(({ name }) => name);
  assert.deepEqual(interests[0]?.openPathPrefixes, []);
  assert.deepEqual(interests[0]?.openNames, ['a', 'b']);
  await writeFile(a, `${rule('A2', '/etc/a2')}- rule: broken\n  desc: d\n  condition: file.paht = x\n`);
  await writeFile(b, rule('B2', '/etc/b2'));
  await detector.reload();
  assert.deepEqual(names(), ['A', 'B2']);
  await detector.reload();
  assert.deepEqual(reloads, [['A', 'B2']], 'the files in force, once for a change');
  assert.ok(
    lines.some((line) => line.includes("Did you mean 'file.path'?") && line.includes('^')),
    lines.join('\n'),
  );
  assert.deepEqual(interests[1]?.openNames, ['a', 'b2']);
  assert.notEqual(interests[0]?.version, interests[1]?.version);
  await rm(b);
  await detector.reload();
  assert.deepEqual(names(), ['A']);
  await writeFile(b, '- rule: B3\n  desc: d\n  condition: event.action = open and process.name = nginx\n');
  await detector.reload();
  assert.deepEqual(interests.at(-1)?.openExecutables, ['nginx']);
  await writeFile(b, '- rule: B4\n  desc: d\n  condition: event.action = open and process.name startswith n\n');
  await detector.reload();
  assert.deepEqual([interests.at(-1)?.openPathPrefixes, interests.at(-1)?.openExecutables], [null, []]);
  await detector.close();
});

test('a changed file is noticed', async () => {
  await using temporary = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = temporary.path;
  await writeFile(join(directory, 'a.yaml'), rule('A', '/etc/a'));
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const noticed = Promise.withResolvers<Interest>();
  let calls = 0;
  const onInterest = (interest: Interest): void => {
    calls++;
    if (calls > 1) noticed.resolve(interest);
  };
  const detector = await startDetector({ bus, rulePaths: [directory], onInterest });
  await writeFile(join(directory, 'a.yaml'), rule('B', '/etc/b'));
  assert.deepEqual((await noticed.promise).openNames, ['b']);
  await detector.close();
});

test('missing rule files are an error that says what to do', async () => {
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  await assert.rejects(startDetector({ bus, rulePaths: ['/nowhere'] }), {
    code: 'ERR_DETECTOR_RULE_FILES',
    path: '/nowhere',
  });
});
