import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '@ringfence/enricher';
import { createTestHost } from '@ringfence/testkit';
import { decode, TOPIC, topicsWith } from '@ringfence/wire';
import { readRuleFiles, startDetector } from '../src/index.ts';

const VERSIONS = 12;
const EVENTS_EACH = 40;

/** Two files, each with a rule that matches every exec in one version */
const fileOf = (file: string, version: number): string =>
  `- rule: ${file} ${version}\n  desc: d\n  condition: event.action = exec and process.name = worker\n`;

test('during a reload every event meets a whole set of rules, and a broken file keeps the former one in force', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-reload-'));
  const [a, b] = [join(place.path, 'a.yaml'), join(place.path, 'b.yaml')];
  const write = async (version: number, more = ''): Promise<void> => {
    await writeFile(a, fileOf('A', version) + more);
    await writeFile(b, fileOf('B', version) + more);
  };
  await write(0);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const host = createTestHost();
  const enricher = await startEnricher({ bus, enrolment: { keyFor: () => host.key.publicKey } });
  const detector = await startDetector({ bus, rulePaths: [place.path], watchRules: false });
  let sent = 0;
  const send = async (): Promise<void> => {
    for (let i = 0; i < EVENTS_EACH; i++, sent++) host.spawn(host.init, '/opt/worker');
    await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
  };
  for (let version = 1; version <= VERSIONS; version++) {
    const sending = send();
    const broken = version % 4 === 0;
    await write(version, broken ? '- rule: broken\n  condition: nothing\n' : '');
    await Promise.all([sending, detector.reload(), send()]);
    assert.deepEqual(detector.stats().refusedRuleFiles, broken ? [a, b] : []);
    assert.equal(detector.stats().ruleErrors, 0);
  }
  await send();
  const byEvent = new Map<string, string[]>();
  for await (const { value } of bus.read({ topic: TOPIC.alerts, follow: true })) {
    const { events, rule } = decode('Alert', value ?? new Uint8Array());
    const [event = ''] = events;
    byEvent.set(event, [...(byEvent.get(event) ?? []), rule]);
    if (byEvent.size === sent && byEvent.get(event)?.length === 2) break;
  }
  const versions = new Set<number>();
  for (const rules of byEvent.values()) {
    const [version] = rules.map((rule) => Number(rule.split(' ')[1]));
    assert.deepEqual(rules.sort(), [`A ${version}`, `B ${version}`]);
    versions.add(version ?? -1);
  }
  assert.ok(versions.size > 2, [...versions].join());
  for (let broken = 4; broken <= VERSIONS; broken += 4) assert.ok(!versions.has(broken));
  await detector.close();
  await enricher.close();
});

/** Mounts a ConfigMap as Kubernetes does: files are links through `..data`, which is renamed over the former one. */
async function mountVersion(folder: string, version: string, text: string): Promise<void> {
  await mkdir(join(folder, version));
  await writeFile(join(folder, version, 'rules.yaml'), text);
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

test('rules of a mounted ConfigMap keep their names, so that a broken version leaves the former one in force', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-reload-'));
  const folder = place.path;
  await mountVersion(folder, '..2026_01', fileOf('A', 1));
  await symlink('..data/rules.yaml', join(folder, 'rules.yaml'));
  // Other entries that may be there: the lock file of an editor, a loop, a folder, a second name of a file.
  await symlink('nobody@nowhere:1', join(folder, '.#rules.yaml'));
  await symlink('loop.yaml', join(folder, 'loop.yaml'));
  await symlink('.', join(folder, 'folder.yaml'));
  await symlink('rules.yaml', join(folder, 'twice.yaml'));
  const names = async (): Promise<string[]> => (await readRuleFiles([folder])).map(({ name }) => name);
  assert.deepEqual(await names(), [join(folder, 'rules.yaml')]);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const detector = await startDetector({ bus, rulePaths: [folder], watchRules: false });
  await mountVersion(folder, '..2026_02', `${fileOf('A', 2)}- rule: broken\n  condition: nothing\n`);
  assert.deepEqual(await names(), [join(folder, 'rules.yaml')]);
  await detector.reload();
  assert.deepEqual(detector.stats().refusedRuleFiles, [join(folder, 'rules.yaml')]);
  assert.equal(detector.stats().rules, 1);
  await mountVersion(folder, '..2026_03', fileOf('A', 3));
  await detector.reload();
  assert.deepEqual([detector.stats().refusedRuleFiles, detector.stats().rules], [[], 1]);
  await detector.close();
});
